//! `POST /whatsapp/api/campaigns/{id}/recipients/`: adds recipients to a campaign that has not begun: all rows that are right,
//! each person once.
//!
//! | field | |
//! |---|---|
//! | `recipients` | required: as when the campaign is made, up to 10,000 |
//!
//! Or, with `Content-Type: text/csv`, the recipients' file. Whoever is in the campaign already is not added again, so that the
//! same request may be repeated.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::{Uploaded, Uploader};
use domain::{Error, Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct AddRecipients {
    /// Who calls.
    pub keys: Keys,
    /// What adds recipients.
    pub uploader: Uploader,
}

impl Endpoint for AddRecipients {
    const ROUTE: Route = Route::upload("add-recipients", "/whatsapp/api/campaigns/{id}/recipients/").beside(&["GET"]);

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsWrite).await?;
        let id = campaigns::id(&request.in_path())?;
        let time_left = request.time_left();
        let added = if request.is_of_type("text/csv") {
            self.uploader.add(&caller, id, Uploaded::Csv(&request.body_bytes()?), time_left).await?
        } else {
            let fields = request.fields()?;
            let list = fields.value("recipients");
            let list = list.ok_or_else(|| Error::invalid_field("recipients", "recipients is required"))?;
            self.uploader.add(&caller, id, Uploaded::Json(Some(list)), time_left).await?
        };
        Response::ok(&added)
    }
}

#[cfg(test)]
mod tests;
