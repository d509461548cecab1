//! `/whatsapp/webhook/`: where Meta tells what happened.
//!
//! GET answers Meta's question whether the address is right: `hub.mode=subscribe`, `hub.verify_token`, `hub.challenge`.
//! POST takes messages, statuses and events. 200 means that all of them are durable; 401 that the body is not signed by the
//! app of any account; anything else that Meta shall send the same again.

use api::{Endpoint, Request, Response, Route};
use domain::Result;
use inbox::{Handshake, Inbox};
use serde_json::json;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct ReceiveWebhook {
    /// Where it goes.
    pub inbox: Inbox,
}

impl Endpoint for ReceiveWebhook {
    const ROUTE: Route = Route::webhook("receive-webhook", "/whatsapp/webhook/");

    async fn call(&self, request: &Request) -> Result<Response> {
        if request.method() == "GET" {
            let parameters = request.parameters();
            let [mode, verify_token, challenge] =
                ["hub.mode", "hub.verify_token", "hub.challenge"].map(|name| parameters.text(name));
            let handshake = Handshake {
                mode: mode.as_deref(),
                verify_token: verify_token.as_deref(),
                challenge: challenge.as_deref(),
            };
            return Ok(Response::new(200, "text/plain; charset=utf-8", self.inbox.verify(&handshake)?));
        }
        let signature = request.header("x-hub-signature-256");
        self.inbox.receive(&request.body_bytes()?, signature, request.time_left()).await?;
        Response::ok(&json!({"status": "ok"}))
    }
}

#[cfg(test)]
mod tests;
