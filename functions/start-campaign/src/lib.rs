//! `POST /whatsapp/api/campaigns/{id}/start/`: starts a campaign that was made, also one whose time has not come yet.
//!
//! With `?dry_run=true` the answer tells what would become of it: to how many it would be sent, who would be left out and why,
//! which rows are wrong, and how long it would take. Nothing is changed, and nothing is sent.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::Starter;
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct StartCampaign {
    /// Who calls.
    pub keys: Keys,
    /// What starts campaigns.
    pub starter: Starter,
}

impl Endpoint for StartCampaign {
    const ROUTE: Route = Route::post("start-campaign", "/whatsapp/api/campaigns/{id}/start/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsWrite).await?;
        let id = campaigns::id(&request.in_path())?;
        if request.parameters().boolean("dry_run")?.unwrap_or_default() {
            return Response::ok(&self.starter.dry_run(&caller, id, request.time_left()).await?);
        }
        Response::ok(&self.starter.start(&caller, id).await?)
    }
}

#[cfg(test)]
mod tests;
