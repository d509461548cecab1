//! `POST /whatsapp/api/send-location/`: sends a point on the map.
//!
//! | field | |
//! |---|---|
//! | `phone` | text, required: the recipient |
//! | `latitude` | number, or a text that holds one, required: degrees north, -90 to 90 |
//! | `longitude` | number, or a text that holds one, required: degrees east, -180 to 180 |
//! | `name` | text of at most 1000 characters: what is there; else empty |
//! | `address` | text of at most 1000 characters: where it is; else empty |
//! | `account_id` | whole number: the account to send from, else the default one |
//! | `reply_to` | text: the wamid of the message to quote |
//!
//! 200 means that Meta took the message, not that it was delivered; the header `Message-Id` has our id of it. With
//! `?dry_run=true` the answer tells what would become of the message, and nothing is sent.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use domain::{Result, Scope};
use outbox::{Draft, Outbox, Terms};
use whatsapp::Location;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct SendLocation {
    /// Who calls.
    pub keys: Keys,
    /// What sends.
    pub outbox: Outbox,
}

impl Endpoint for SendLocation {
    const ROUTE: Route = Route::post("send-location", "/whatsapp/api/send-location/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::MessagesSend).await?;
        let fields = request.fields()?;
        let draft = Draft {
            to: fields.phone_number("phone", self.outbox.country())?,
            content: whatsapp::Content::Location(Location {
                latitude: fields.number("latitude", -90.0..=90.0)?,
                longitude: fields.number("longitude", -180.0..=180.0)?,
                name: fields.optional_text("name", 0..=1000)?.unwrap_or_default().to_owned(),
                address: fields.optional_text("address", 0..=1000)?.unwrap_or_default().to_owned(),
            }),
            account_id: fields.account_id()?,
            reply_to: fields.reply_to()?,
        };
        let terms = Terms {
            idempotency_key: request.idempotency_key()?,
            time_left: request.time_left(),
            despite_opt_out: false,
        };
        if request.parameters().boolean("dry_run")?.unwrap_or_default() {
            return Response::ok(&self.outbox.dry_run(&caller, draft, &terms).await?);
        }
        let delivery = self.outbox.send(&caller, draft, &terms).await?;
        Response::sent(&delivery.answer, delivery.message_id, delivery.replayed)
    }
}

#[cfg(test)]
mod tests;
