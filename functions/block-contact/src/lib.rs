//! `POST /whatsapp/api/block/`: blocks contacts.
//!
//! | field | |
//! |---|---|
//! | `phone` | text: the contact's number, as WhatsApp is to read it, or business-scoped user id |
//! | `phones` | in place of `phone`: a list of 1 to 1000 such texts |
//! | `reason` | text: at most 255 characters, kept in the list of those blocked |
//! | `account_id` | whole number: the account that blocks, else the default one |
//!
//! 200 means that Meta answered, contact by contact: those in `failed_users` are not blocked.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use block_list::{BlockList, MAX_CONTACTS, Wish};
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct BlockContact {
    /// Who calls.
    pub keys: Keys,
    /// What blocks.
    pub block_list: BlockList,
}

impl Endpoint for BlockContact {
    const ROUTE: Route = Route::post("block-contact", "/whatsapp/api/block/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ContactsBlock).await?;
        let fields = request.fields()?;
        let wish = Wish {
            account_id: fields.account_id()?,
            phones: &fields.contacts(MAX_CONTACTS)?,
            is_list: fields.value("phones").is_some(),
            reason: fields.optional_text("reason", 0..=255)?.filter(|reason| !reason.is_empty()),
            time_left: request.time_left(),
        };
        Response::ok(&self.block_list.block(&caller, &wish).await?)
    }
}

#[cfg(test)]
mod tests;
