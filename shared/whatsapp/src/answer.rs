//! What Meta answered: read whole but bounded, and told apart into success and failure.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::classify::classify;
use crate::error::{Error, Throttle, WhyUnknown};
use crate::graph_error::GraphError;

/// Meta's answers are a few kilobytes; what is longer than this comes from something else.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A complete answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    retry_after: Option<Duration>,
    body: Vec<u8>,
    /// To remove it where Meta repeats it: "Malformed access token …".
    access_token: SecretString,
}

impl Answer {
    pub(crate) async fn read(mut response: Response, access_token: &SecretString) -> Result<Self, Error> {
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Error::from_transport)? {
            if body.len().saturating_add(chunk.len()) > MAX_BODY_BYTES {
                return Err(Error::OutcomeUnknown(WhyUnknown::AnswerTooLong));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self::whole(status, retry_after, body, access_token))
    }

    pub(crate) fn whole(
        status: StatusCode,
        retry_after: Option<Duration>,
        body: Vec<u8>,
        access_token: &SecretString,
    ) -> Self {
        Self { status, retry_after, body, access_token: access_token.clone() }
    }

    /// The JSON of a success. Everything else is the error it stands for, and so is an `error` member under a status of 200.
    pub(crate) fn success(&self) -> Result<Box<RawValue>, Error> {
        if !self.status.is_success() || self.graph_error().is_some() {
            return Err(self.failure());
        }
        serde_json::from_slice(&self.body).map_err(|_| self.not_understood())
    }

    /// The JSON of a success, as the type it should have.
    pub(crate) fn success_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.success()?.get()).map_err(|_| self.not_understood())
    }

    /// For the calls that Meta answers with nothing but `{"success":true}`.
    pub(crate) fn confirmed(&self) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Confirmation {
            success: bool,
        }
        match self.success_as()? {
            Confirmation { success: true } => Ok(()),
            Confirmation { success: false } => Err(self.not_understood()),
        }
    }

    /// The JSON of any answer, if it is JSON.
    pub(crate) fn json(&self) -> Option<Box<RawValue>> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Meta's error, if the body holds one.
    pub(crate) fn graph_error(&self) -> Option<GraphError> {
        let mut answer: Value = serde_json::from_slice(&self.body).ok()?;
        let error = answer.get_mut("error")?.take();
        let error = self.read_error(error);
        (error.code != GraphError::NO_CODE).then_some(error)
    }

    /// One of Meta's error objects, without the access token if Meta repeats it.
    pub(crate) fn read_error(&self, mut error: Value) -> GraphError {
        remove(&mut error, self.access_token.expose_secret());
        GraphError::from_json(error, self.status.as_u16())
    }

    /// What an answer that isn't a success means.
    pub(crate) fn failure(&self) -> Error {
        let status = self.status.as_u16();
        let error = if self.status.is_redirection() { None } else { self.graph_error() };
        match (error, status) {
            (Some(error), _) => classify(error, self.retry_after),
            (None, 429) => Error::Throttled(Throttle { graph: None, retry_after: self.retry_after }),
            (None, 401) => Error::Unauthorized(Box::new(GraphError::unexplained(status))),
            (None, 403) => Error::Forbidden(Box::new(GraphError::unexplained(status))),
            (None, 400..=499) => Error::Unreadable { status },
            (None, _) => Error::OutcomeUnknown(WhyUnknown::NotFromMeta { status }),
        }
    }

    /// For a success whose JSON lacks what it must hold.
    pub(crate) fn not_understood(&self) -> Error {
        Error::OutcomeUnknown(WhyUnknown::NotUnderstood { status: self.status.as_u16() })
    }
}

/// `Retry-After` in seconds (its other form, a date, would need a clock; Meta doesn't use it), else the minutes that
/// `X-Business-Use-Case-Usage` gives until the account may call again.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(seconds) = text("retry-after").and_then(|value| value.trim().parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    // {"<business id>":[{"type":"…","call_count":100,…,"estimated_time_to_regain_access":5}]}
    let usage: Value = serde_json::from_str(text("x-business-use-case-usage")?).ok()?;
    let limits = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = limits.filter_map(|limit| limit.get("estimated_time_to_regain_access")?.as_u64()).max()?;
    (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)))
}

/// Blanks `secret` in every string. The recursion is bounded: `serde_json` reads at most 128 levels.
fn remove(value: &mut Value, secret: &str) {
    match value {
        Value::String(text) if !secret.is_empty() && text.contains(secret) => *text = text.replace(secret, "[removed]"),
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, secret)),
        Value::Object(members) => members.values_mut().for_each(|member| remove(member, secret)),
        _ => {}
    }
}
