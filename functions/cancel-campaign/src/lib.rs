//! `POST /whatsapp/api/campaigns/{id}/cancel/`: ends a campaign for good: whoever was not written to yet
//! never will be.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::Brakes;
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct CancelCampaign {
    /// Who calls.
    pub keys: Keys,
    /// What holds and ends campaigns.
    pub brakes: Brakes,
}

impl Endpoint for CancelCampaign {
    const ROUTE: Route = Route::post("cancel-campaign", "/whatsapp/api/campaigns/{id}/cancel/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsWrite).await?;
        let id = campaigns::id(&request.in_path())?;
        Response::ok(&self.brakes.cancel(&caller, id).await?)
    }
}

#[cfg(test)]
mod tests;
