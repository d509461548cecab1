//! `POST /whatsapp/api/campaigns/{id}/retry-failed/`: tries again those who failed.
//!
//! | field | |
//! |---|---|
//! | `codes` | a list of codes, as a campaign's `errors` have them: only those who failed for one of these, whatever it is; else all whose reason passes by itself |
//! | `unknown` | boolean: also those of whom it is not known whether they were written to; they may get the message twice |
//!
//! The body may be empty.

use std::collections::BTreeSet;

use api::{Endpoint, Fields, Request, Response, Route, whole_number};
use auth::Keys;
use campaigns::{Again, Controls};
use domain::{Error, Result, Scope};
use serde_json::Value;

const MOST_CODES: usize = 100;

/// The endpoint, and all that it may touch.
#[derive(Debug)]
pub struct RetryFailed {
    /// Who calls.
    pub keys: Keys,
    /// What sets campaigns going.
    pub controls: Controls,
}

impl Endpoint for RetryFailed {
    const ROUTE: Route = Route::post("retry-failed", "/whatsapp/api/campaigns/{id}/retry-failed/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let caller = self.keys.authorize(request.api_key().as_deref(), Scope::CampaignsWrite).await?;
        let id = campaigns::id(&request.in_path())?;
        let fields = if request.body_bytes()?.is_empty() { Fields::default() } else { request.fields()? };
        let again = Again { codes: codes(&fields)?, unknown: fields.optional_boolean("unknown")?.unwrap_or_default() };
        Response::ok(&self.controls.retry_failed(&caller, id, &again).await?)
    }
}

fn codes(fields: &Fields) -> Result<Option<BTreeSet<String>>> {
    let Some(codes) = fields.value("codes") else { return Ok(None) };
    let must = || {
        let message = format!("codes must be a list of up to {MOST_CODES} codes, for example [131026, 131049]");
        Error::invalid_field("codes", message)
    };
    let codes = codes.as_array().filter(|codes| (1..=MOST_CODES).contains(&codes.len())).ok_or_else(must)?;
    let code = |code: &Value| match code {
        Value::String(code) if !code.is_empty() => Some(code.clone()),
        code => whole_number(code).map(|code| code.to_string()),
    };
    codes.iter().map(code).collect::<Option<_>>().map(Some).ok_or_else(must)
}

#[cfg(test)]
mod tests;
