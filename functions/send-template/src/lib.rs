//! `POST /whatsapp/api/send-template/`: sends a template that Meta has approved.
//!
//! | field | |
//! |---|---|
//! | `phone` | text, required: the recipient |
//! | `template_name` | text, required: 1 to 512 of `a` to `z`, `0` to `9` and `_` |
//! | `language` | text: a language code such as `en` or `pt_BR`; else `en` |
//! | `body_params` | the values of the body's variables: a list, or `{"name": value}` for named ones |
//! | `header_params` | the value of the header's variable, the same way; or its media, as one of Meta's parameter objects |
//! | `buttons` | what the template's buttons need, each an object with `type`, `index` and a value |
//! | `components` | Meta's own components, ready made, in place of the three above |
//! | `despite_opt_out` | boolean: send also to a contact who opted out; else such a message is refused |
//! | `account_id` | whole number: the account to send from, else the default one |
//! | `reply_to` | text: the wamid of the message to quote |
//!
//! 200 means that Meta took the message, not that it was delivered; the header `Message-Id` has our id of it. With
//! `?dry_run=true` the answer tells what would become of the message, and nothing is sent.

mod components;

use api::{Endpoint, Fields, Request, Response, Route};
use auth::Keys;
use domain::{Result, Scope};
use outbox::{Draft, Outbox, Terms};
use whatsapp::Template;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct SendTemplate {
    /// Who calls.
    pub keys: Keys,
    /// What sends.
    pub outbox: Outbox,
}

impl Endpoint for SendTemplate {
    const ROUTE: Route = Route::post("send-template", "/whatsapp/api/send-template/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::MessagesSend).await?;
        let fields = request.fields()?;
        let draft = Draft {
            to: fields.phone_number("phone", self.outbox.country())?,
            content: whatsapp::Content::Template(template(&fields)?),
            account_id: fields.account_id()?,
            reply_to: fields.reply_to()?,
        };
        let terms = Terms {
            idempotency_key: request.idempotency_key()?,
            time_left: request.time_left(),
            despite_opt_out: fields.optional_boolean("despite_opt_out")?.unwrap_or_default(),
        };
        if request.parameters().boolean("dry_run")?.unwrap_or_default() {
            return Response::ok(&self.outbox.dry_run(&caller, draft, &terms).await?);
        }
        let delivery = self.outbox.send(&caller, draft, &terms).await?;
        Response::sent(&delivery.answer, delivery.message_id, delivery.replayed)
    }
}

fn template(fields: &Fields) -> Result<Template> {
    let (name, language) = fields.template()?;
    Ok(Template::new(name, language).components(components::read(fields)?))
}

#[cfg(test)]
mod tests;
