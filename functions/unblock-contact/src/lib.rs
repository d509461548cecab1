//! `DELETE /whatsapp/api/unblock/`, with a body: unblocks contacts.
//!
//! | field | |
//! |---|---|
//! | `phone` | text: the contact's number, as WhatsApp is to read it, or business-scoped user id |
//! | `phones` | in place of `phone`: a list of 1 to 1000 such texts |
//! | `account_id` | whole number: the account that unblocks, else the default one |
//!
//! 200 means that Meta answered, contact by contact: those in `failed_users` stay as they were.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use block_list::{BlockList, MAX_CONTACTS, Wish};
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct UnblockContact {
    /// Who calls.
    pub keys: Keys,
    /// What unblocks.
    pub block_list: BlockList,
}

impl Endpoint for UnblockContact {
    const ROUTE: Route = Route::delete("unblock-contact", "/whatsapp/api/unblock/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ContactsBlock).await?;
        let fields = request.fields()?;
        let wish = Wish {
            account_id: fields.account_id()?,
            phones: &fields.contacts(MAX_CONTACTS)?,
            is_list: fields.value("phones").is_some(),
            reason: None,
            time_left: request.time_left(),
        };
        Response::ok(&self.block_list.unblock(&caller, &wish).await?)
    }
}

#[cfg(test)]
mod tests;
