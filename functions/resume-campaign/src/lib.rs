//! `POST /whatsapp/api/campaigns/{id}/resume/`: lets a paused campaign go on.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use campaigns::Controls;
use domain::{Result, Scope};

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ResumeCampaign {
    /// Who calls.
    pub keys: Keys,
    /// What sets campaigns going.
    pub controls: Controls,
}

impl Endpoint for ResumeCampaign {
    const ROUTE: Route = Route::post("resume-campaign", "/whatsapp/api/campaigns/{id}/resume/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsWrite).await?;
        let id = campaigns::id(&request.in_path())?;
        Response::ok(&self.controls.resume(&caller, id).await?)
    }
}

#[cfg(test)]
mod tests;
