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
use block_list::{BlockList, BlockedPage, Page};
use domain::{Result, Scope};
use serde::Serialize;
use storage::{BlockedContact, Place};
use utoipa::ToSchema;

const USUAL_LIMIT: i32 = 50;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ListBlocked {
    /// Who calls.
    pub keys: Keys,
    /// What lists.
    pub block_list: BlockList,
}

/// A page as the reference answers, with where the next one begins.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BlockedPage)]
pub struct Answer {
    /// The newest first.
    blocked_users: Vec<Listed>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A contact that is blocked now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BlockedContact)]
struct Listed {
    /// As it was written when it was blocked.
    phone_number: String,
    /// Since when.
    blocked_at: String,
    /// Why.
    reason: String,
}

impl Endpoint for ListBlocked {
    const ROUTE: Route = Route::get("list-blocked", "/whatsapp/api/blocked/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::ContactsBlock).await?;
        let parameters = request.parameters();
        let page = Page {
            account_id: parameters.account_id()?,
            limit: parameters.integer("limit", 1..=100)?.unwrap_or(USUAL_LIMIT),
            after: parameters.cursor(Place::parse)?,
        };
        if parameters.boolean("refresh")?.unwrap_or_default() {
            self.block_list.refresh(&caller, page.account_id, request.time_left()).await?;
        }
        let BlockedPage { contacts, next } = self.block_list.list(&caller, &page).await?;
        let blocked_users = contacts.into_iter().map(Listed::from).collect();
        Response::ok(&Answer { blocked_users, next_cursor: next.map(|place| api::cursor(place.as_str())) })
    }
}

impl From<BlockedContact> for Listed {
    fn from(contact: BlockedContact) -> Self {
        let BlockedContact { phone_number, blocked_at, reason, .. } = contact;
        // Milliseconds even where they are zero, as in the reference.
        Self { phone_number, blocked_at: format!("{blocked_at:.3}"), reason }
    }
}

#[cfg(test)]
mod tests;
