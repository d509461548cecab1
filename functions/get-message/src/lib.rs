//! `GET /whatsapp/api/messages/{id}/`: a message and what became of it.
//!
//! `{id}` is our id, which a send answers in the header `Message-Id`, or Meta's, the wamid.
//!
//! | parameter | |
//! |---|---|
//! | `account_id` | whole number: whose message, else the default account's |

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use chats::Chats;
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct GetMessage {
    /// Who calls.
    pub keys: Keys,
    /// What finds.
    pub chats: Chats,
}

impl Endpoint for GetMessage {
    const ROUTE: Route = Route::get("get-message", "/whatsapp/api/messages/{id}/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ChatsRead).await?;
        let account_id = request.parameters().account_id()?;
        Response::ok(&self.chats.message(&caller, account_id, &request.in_path()).await?)
    }
}

#[cfg(test)]
mod tests;
