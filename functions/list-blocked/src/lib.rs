//! `GET /whatsapp/api/blocked/`: those blocked now, newest first.
//!
//! | parameter | |
//! |---|---|
//! | `account_id` | whole number: whose list, else the default account's |
//! | `limit` | 1 to 100 contacts, else 50 |
//! | `cursor` | the `next_cursor` of the page before |
//! | `refresh` | `true`: brings the list level with Meta's own before, also for contacts blocked elsewhere |

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use block_list::{BlockList, Cursor, Page};
use domain::{Result, Scope};

const USUAL_LIMIT: i32 = 50;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ListBlocked {
    /// Who calls.
    pub keys: Keys,
    /// What lists.
    pub block_list: BlockList,
}

impl Endpoint for ListBlocked {
    const ROUTE: Route = Route::get("list-blocked", "/whatsapp/api/blocked/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ContactsBlock).await?;
        let parameters = request.parameters();
        let page = Page {
            account_id: parameters.account_id()?,
            limit: parameters.integer("limit", 1..=100)?.unwrap_or(USUAL_LIMIT),
            cursor: parameters.text("cursor").map(|cursor| Cursor::parse(&cursor)).transpose()?,
        };
        if parameters.boolean("refresh")?.unwrap_or_default() {
            self.block_list.refresh(&caller, page.account_id, request.time_left()).await?;
        }
        Response::ok(&self.block_list.list(&caller, &page).await?)
    }
}

#[cfg(test)]
mod tests;
