//! `POST /whatsapp/api/campaigns/`: makes a campaign, perhaps with its first recipients. Nothing is sent before it is started,
//! or before its time comes.
//!
//! | field | |
//! |---|---|
//! | `name` | text, required: what people call it |
//! | `template_name`, `language` | as of `send-template`: the template, and its language, else `en` |
//! | `parameter_mappings` | where the template's values come from: `{"1": "name", "button.0": {"value": "sale"}}` |
//! | `recipients` | a list of up to 10,000: each with `phone` and perhaps `name`, `params` and fields of its own |
//! | `scheduled_at` | a time with its offset: when it starts by itself |
//! | `despite_opt_out` | boolean: send also to contacts who opted out; else they are left out |
//! | `account_id` | whole number: the account to send from, else the default one |
//!
//! With `Content-Type: text/csv` the body is the recipients' file, and the other fields stand in the query;
//! `parameter_mappings` as JSON.
//!
//! 201 with the campaign, and in `upload` what became of the rows. The same request under the same `Idempotency-Key` gets the
//! same answer again, and makes nothing.

mod draft;

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::{Planner, Uploaded};
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct CreateCampaign {
    /// Who calls.
    pub keys: Keys,
    /// What makes campaigns.
    pub planner: Planner,
}

impl Endpoint for CreateCampaign {
    const ROUTE: Route = Route::upload("create-campaign", "/whatsapp/api/campaigns/").beside(&["GET"]);

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsWrite).await?;
        let (key, time_left) = (request.idempotency_key()?, request.time_left());
        let made = if request.is_of_type("text/csv") {
            let draft = draft::read(&draft::fields_of_query(request)?)?;
            let file = request.body_bytes()?;
            self.planner.create(&caller, draft, Uploaded::Csv(&file), key.as_ref(), time_left).await?
        } else {
            let fields = request.fields()?;
            let uploaded = Uploaded::Json(fields.value("recipients"));
            self.planner.create(&caller, draft::read(&fields)?, uploaded, key.as_ref(), time_left).await?
        };
        Response::created(&made.answer, made.replayed)
    }
}

#[cfg(test)]
mod tests;
