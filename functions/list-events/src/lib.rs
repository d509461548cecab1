//! `GET /whatsapp/api/events/`: what WhatsApp tells of templates, quality and the account, and what was not understood.
//!
//! | parameter | |
//! |---|---|
//! | `account_id` | whole number: whose, else the default account's; accounts of one WhatsApp Business Account share them |
//! | `kind` | only events of this kind, such as `message_template_status_update` |
//! | `limit` | 1 to 100 events, else 50; a page may have fewer without being the last |
//! | `cursor` | the `next_cursor` of the page before |
//! | `id` | in place of a list this one event, as it came: a text of any kind |

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use chats::{Events, Part, Place};
use domain::{Error, Result, Scope};

const USUAL_LIMIT: i32 = 50;
/// Meta's names are far shorter.
const LONGEST_KIND: usize = 100;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ListEvents {
    /// Who calls.
    pub keys: Keys,
    /// What lists.
    pub events: Events,
}

impl Endpoint for ListEvents {
    const ROUTE: Route = Route::get("list-events", "/whatsapp/api/events/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::EventsRead).await?;
        let parameters = request.parameters();
        let account_id = parameters.account_id()?;
        if let Some(id) = parameters.text("id") {
            let content = self.events.whole(&caller, account_id, &id).await?;
            return Ok(Response::new(200, "text/plain; charset=utf-8", content));
        }
        let kind = parameters.text("kind");
        if !kind.as_deref().is_none_or(is_kind) {
            let message = format!("kind must be 1 to {LONGEST_KIND} letters, digits and signs without spaces");
            return Err(Error::invalid_field("kind", message));
        }
        let part = Part {
            limit: parameters.integer("limit", 1..=100)?.unwrap_or(USUAL_LIMIT),
            after: parameters.cursor(Place::parse)?,
        };
        let mut page = self.events.list(&caller, account_id, kind.as_deref(), &part).await?;
        page.next_cursor = page.next_cursor.as_deref().map(api::cursor);
        Response::ok(&page)
    }
}

fn is_kind(text: &str) -> bool {
    (1..=LONGEST_KIND).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
