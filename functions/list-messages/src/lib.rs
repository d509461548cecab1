//! `GET /whatsapp/api/chats/{phone}/messages/`: a conversation and its messages of both directions, newest first.
//!
//! `{phone}` is a phone number in any form that the sends take, or a business-scoped user id.
//!
//! | parameter | |
//! |---|---|
//! | `account_id` | whole number: whose conversation, else the default account's |
//! | `limit` | 1 to 100 messages, else 50; a page may have fewer without being the last |
//! | `cursor` | the `next_cursor` of the page before |

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use chats::{Chats, Part, Place};
use domain::{Result, Scope};

const USUAL_LIMIT: i32 = 50;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ListMessages {
    /// Who calls.
    pub keys: Keys,
    /// What lists.
    pub chats: Chats,
}

impl Endpoint for ListMessages {
    const ROUTE: Route = Route::get("list-messages", "/whatsapp/api/chats/{phone}/messages/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ChatsRead).await?;
        let parameters = request.parameters();
        let account_id = parameters.account_id()?;
        let part = Part {
            limit: parameters.integer("limit", 1..=100)?.unwrap_or(USUAL_LIMIT),
            after: parameters.cursor(Place::parse)?,
        };
        let mut page = self.chats.messages(&caller, account_id, &request.in_path(), &part).await?;
        page.next_cursor = page.next_cursor.as_deref().map(api::cursor);
        Response::ok(&page)
    }
}

#[cfg(test)]
mod tests;
