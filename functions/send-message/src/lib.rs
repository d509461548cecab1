//! `POST /whatsapp/api/send-message/`: sends a text.
//!
//! | field | |
//! |---|---|
//! | `phone` | text, required: the recipient |
//! | `message` | text, required: 1 to 4096 characters |
//! | `account_id` | whole number: the account to send from, else the default one |
//! | `reply_to` | text: the wamid of the message to quote |
//! | `preview_url` | boolean: show a preview of the first link; else `false` |
//!
//! 200 means that Meta took the message, not that it was delivered; the header `Message-Id` has our id of it. With
//! `?dry_run=true` the answer tells what would become of the message, and nothing is sent.

use api::{Endpoint, Request, Response, Route};
use auth::Keys;
use domain::{Result, Scope};
use outbox::{Draft, Outbox, Terms};
use whatsapp::Text;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct SendMessage {
    /// Who calls.
    pub keys: Keys,
    /// What sends.
    pub outbox: Outbox,
}

impl Endpoint for SendMessage {
    const ROUTE: Route = Route::post("send-message", "/whatsapp/api/send-message/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::MessagesSend).await?;
        let fields = request.fields()?;
        let draft = Draft {
            to: fields.phone_number("phone", self.outbox.country())?,
            content: whatsapp::Content::Text(Text {
                body: fields.text("message", 1..=4096)?.to_owned(),
                preview_url: fields.optional_boolean("preview_url")?.unwrap_or_default(),
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
