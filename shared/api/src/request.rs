//! A request, as an endpoint reads it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Error, IdempotencyKey, Kind, Result};

use crate::event::{Event, RawBody};
use crate::fields::Fields;

/// The largest body of the API, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// A request.
#[derive(Debug)]
pub struct Request {
    event: Event,
    body: RawBody,
    deadline: Instant,
    query_key_allowed: bool,
}

impl Request {
    pub(crate) fn new(mut event: Event, deadline: Instant, query_key_allowed: bool) -> Self {
        let body = event.take_body();
        Self { event, body, deadline, query_key_allowed }
    }

    /// The API key that the client presents: the header `X-API-Key`, or the query parameter `api_key` when that header
    /// is absent or empty and the deployment allows it.
    pub fn api_key(&self) -> Option<String> {
        let from_header = self.event.header("x-api-key").filter(|key| !key.is_empty()).map(str::to_owned);
        from_header.or_else(|| self.event.query("api_key").filter(|_| self.query_key_allowed))
    }

    /// The last value of a header; `name` in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event.header(name)
    }

    /// The key under which the request is done once only, however often it comes.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>> {
        self.event.header("idempotency-key").map(IdempotencyKey::parse).transpose()
    }

    /// How long the function may still work on this.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The fields of the JSON object in the body.
    pub fn fields(&self) -> Result<Fields> {
        let bytes = self.body_bytes()?;
        serde_json::from_slice::<serde_json::Map<_, _>>(&bytes).map(Fields::from).map_err(|error| {
            let message = match error.classify() {
                serde_json::error::Category::Data => "The body must be a JSON object".to_owned(),
                _ => format!(
                    "The body must be JSON: it stops being so at line {}, column {}",
                    error.line(),
                    error.column()
                ),
            };
            Error::new(Kind::Invalid, message).code("invalid_json").retryable(false)
        })
    }

    fn body_bytes(&self) -> Result<Cow<'_, [u8]>> {
        let bytes = if self.body.is_base64 {
            let decoded = STANDARD.decode(&self.body.text).map_err(|error| {
                let unreadable = Error::new(Kind::Invalid, "The body can't be read");
                unreadable.code("invalid_body").retryable(false).caused_by(error)
            })?;
            Cow::Owned(decoded)
        } else {
            Cow::Borrowed(self.body.text.as_bytes())
        };
        if bytes.len() > BODY_LIMIT {
            let message = format!("The body is too large: {} bytes, where {BODY_LIMIT} are allowed", bytes.len());
            return Err(Error::new(Kind::TooLarge, message).code("body_too_large").retryable(false));
        }
        Ok(bytes)
    }
}
