//! `POST /whatsapp/api/campaigns/{id}/pause/`: holds a running campaign: within seconds nobody more is written to.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::Brakes;
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct PauseCampaign {
    /// Who calls.
    pub keys: Keys,
    /// What holds and ends campaigns.
    pub brakes: Brakes,
}

impl Endpoint for PauseCampaign {
    const ROUTE: Route = Route::post("pause-campaign", "/whatsapp/api/campaigns/{id}/pause/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsWrite).await?;
        let id = campaigns::id(&request.in_path())?;
        Response::ok(&self.brakes.pause(&caller, id).await?)
    }
}

#[cfg(test)]
mod tests;
