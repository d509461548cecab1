//! `GET /whatsapp/api/campaigns/`: an account's campaigns, newest first, with what became of their recipients. The counts of a
//! running campaign are those of the last minute.
//!
//! | parameter | |
//! |---|---|
//! | `account_id` | whole number: whose, else the default account's |
//! | `limit` | 1 to 100 campaigns, else 50 |
//! | `cursor` | the `next_cursor` of the page before |

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::{Place, Reports};
use domain::{Result, Scope};

const USUAL_LIMIT: i32 = 50;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ListCampaigns {
    /// Who calls.
    pub keys: Keys,
    /// What tells of campaigns.
    pub reports: Reports,
}

impl Endpoint for ListCampaigns {
    const ROUTE: Route = Route::get("list-campaigns", "/whatsapp/api/campaigns/").beside(&["POST"]);

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsRead).await?;
        let parameters = request.parameters();
        let account_id = parameters.account_id()?;
        let limit = parameters.integer("limit", 1..=100)?.unwrap_or(USUAL_LIMIT);
        let after = parameters.cursor(Place::parse)?;
        let mut page = self.reports.list(&caller, account_id, after.as_ref(), limit).await?;
        page.next_cursor = page.next_cursor.as_deref().map(api::cursor);
        Response::ok(&page)
    }
}

#[cfg(test)]
mod tests;
