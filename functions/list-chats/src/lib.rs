//! `GET /whatsapp/api/chats/`: an account's conversations, newest first.
//!
//! | parameter | |
//! |---|---|
//! | `account_id` | whole number: whose, else the default account's |
//! | `unread` | `true`: only those with unread messages |
//! | `limit` | 1 to 100 conversations, else 50 |
//! | `cursor` | the `next_cursor` of the page before |

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use chats::{Chats, Part, Place};
use domain::{Result, Scope};

const USUAL_LIMIT: i32 = 50;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ListChats {
    /// Who calls.
    pub keys: Keys,
    /// What lists.
    pub chats: Chats,
}

impl Endpoint for ListChats {
    const ROUTE: Route = Route::get("list-chats", "/whatsapp/api/chats/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ChatsRead).await?;
        let parameters = request.parameters();
        let account_id = parameters.account_id()?;
        let only_unread = parameters.boolean("unread")?.unwrap_or_default();
        let part = Part {
            limit: parameters.integer("limit", 1..=100)?.unwrap_or(USUAL_LIMIT),
            after: parameters.cursor(Place::parse)?,
        };
        let mut page = self.chats.list(&caller, account_id, only_unread, &part).await?;
        page.next_cursor = page.next_cursor.as_deref().map(api::cursor);
        Response::ok(&page)
    }
}

#[cfg(test)]
mod tests;
