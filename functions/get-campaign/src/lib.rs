//! `GET /whatsapp/api/campaigns/{id}/`: how far a campaign has come: its counts, how fast it is, when it will be through, and
//! why messages failed, by Meta's codes.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::Reports;
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct GetCampaign {
    /// Who calls.
    pub keys: Keys,
    /// What tells of campaigns.
    pub reports: Reports,
}

impl Endpoint for GetCampaign {
    const ROUTE: Route = Route::get("get-campaign", "/whatsapp/api/campaigns/{id}/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsRead).await?;
        let id = campaigns::id(&request.in_path())?;
        Response::ok(&self.reports.get(&caller, id).await?)
    }
}

#[cfg(test)]
mod tests;
