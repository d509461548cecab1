//! `GET /whatsapp/api/campaigns/{id}/recipients/`: what became of each recipient, in the order of their rows.
//!
//! | parameter | |
//! |---|---|
//! | `status` | only those at `pending`, `sent`, `delivered`, `read`, `failed`, `unknown` or `left_out` |
//! | `limit` | 1 to 100 recipients, else 50 |
//! | `cursor` | the `next_cursor` of the page before |
//!
//! Where those with a status are few among many, a page may hold fewer than the limit and still have a `next_cursor`.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::{RecipientPlace, Reports, Standing};
use domain::{Error, Result, Scope};

const USUAL_LIMIT: i32 = 50;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ListRecipients {
    /// Who calls.
    pub keys: Keys,
    /// What tells of campaigns.
    pub reports: Reports,
}

impl Endpoint for ListRecipients {
    const ROUTE: Route = Route::get("list-recipients", "/whatsapp/api/campaigns/{id}/recipients/").beside(&["POST"]);

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsRead).await?;
        let id = campaigns::id(&request.in_path())?;
        let parameters = request.parameters();
        let status = parameters.text("status");
        if status.as_ref().is_some_and(|status| !Standing::WORDS.contains(&status.as_str())) {
            let message = format!("status must be one of {}", Standing::WORDS.join(", "));
            return Err(Error::invalid_field("status", message));
        }
        let limit = parameters.integer("limit", 1..=100)?.unwrap_or(USUAL_LIMIT);
        let from = parameters.cursor(RecipientPlace::parse)?;
        let limit = usize::try_from(limit).map_err(Error::internal)?;
        let mut page = self.reports.recipients(&caller, id, status.as_deref(), from, limit).await?;
        page.next_cursor = page.next_cursor.as_deref().map(api::cursor);
        Response::ok(&page)
    }
}

#[cfg(test)]
mod tests;
