//! `POST /whatsapp/api/chats/{phone}/read/`: marks a conversation as read.
//!
//! `{phone}` is a phone number in any form that the sends take, or a business-scoped user id. The body may be left out.
//!
//! | field | |
//! |---|---|
//! | `tell_whatsapp` | `true`: the contact sees blue ticks, too |
//! | `account_id` | whole number: whose conversation, else the default account's |
//!
//! If WhatsApp is to be told and can't be, nothing changes. Repeating the request does no harm.

use api::{Endpoint, Fields, Request, Response, Route};
use auth::Keys;
use chats::{ReadReceipts, ReadWish};
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ReadChat {
    /// Who calls.
    pub keys: Keys,
    /// What marks as read.
    pub receipts: ReadReceipts,
}

impl Endpoint for ReadChat {
    const ROUTE: Route = Route::post("read-chat", "/whatsapp/api/chats/{phone}/read/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ChatsRead).await?;
        let fields = optional_fields(request)?;
        let wish = ReadWish {
            account_id: fields.account_id()?,
            phone: &request.in_path(),
            tell_whatsapp: fields.optional_boolean("tell_whatsapp")?.unwrap_or_default(),
            time_left: request.time_left(),
        };
        Response::ok(&self.receipts.read(&caller, &wish).await?)
    }
}

/// The body's fields; none where there is no body.
fn optional_fields(request: &Request) -> Result<Fields> {
    if request.body_bytes()?.trim_ascii().is_empty() {
        return Ok(Fields::from(serde_json::Map::new()));
    }
    request.fields()
}

#[cfg(test)]
mod tests;
