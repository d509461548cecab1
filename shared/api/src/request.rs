//! A request, as an endpoint reads it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Error, IdempotencyKey, Kind, Result};
use percent_encoding::percent_decode_str;

use crate::endpoint::Route;
use crate::event::{Event, RawBody};
use crate::fields::Fields;
use crate::form::Form;
use crate::parameters::Parameters;

/// A request.
#[derive(Debug)]
pub struct Request {
    event: Event,
    body: RawBody,
    route: Route,
    deadline: Instant,
    query_key_allowed: bool,
}

impl Request {
    pub(crate) fn new(mut event: Event, route: Route, deadline: Instant, query_key_allowed: bool) -> Self {
        let body = event.take_body();
        Self { event, body, route, deadline, query_key_allowed }
    }

    /// The API key that the client presents: the header `X-API-Key`, or the query parameter `api_key` when that header
    /// is absent or empty and the deployment allows it.
    pub fn api_key(&self) -> Option<String> {
        let from_header = self.event.header("x-api-key").filter(|key| !key.is_empty()).map(str::to_owned);
        from_header.or_else(|| self.event.query("api_key").filter(|_| self.query_key_allowed))
    }

    /// The method, in capitals as every client sends it.
    pub fn method(&self) -> &str {
        self.event.method()
    }

    /// What stands in the path before the route's own and below it, without the slashes around: `/prod` and `add` of
    /// `/prod/whatsapp/settings/api-keys/add/`. Links need what stands before, which may be a stage or the base path of a
    /// custom domain.
    pub fn around(&self) -> (&str, &str) {
        let own = self.route.path.trim_end_matches('/');
        let Some((before, below)) = self.event.path().split_once(own) else { return ("", "") };
        // It goes into links: nothing but what a stage or a base path is made of.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
        let is_safe = before.starts_with('/') && !before.starts_with("//") && before.bytes().all(is_plain);
        (if is_safe { before } else { "" }, below.trim_matches('/'))
    }

    /// What stands in the path where the route has its parameter, percent-decoded: `+919876543210` for `{phone}`. Empty
    /// when there is nothing.
    pub fn in_path(&self) -> String {
        let (before, after) = self.route.path.split_once('{').unwrap_or((self.route.path, ""));
        let after = after.split_once('}').map_or("", |(_, after)| after).trim_end_matches('/');
        let from_there = self.event.path().split_once(before).map_or("", |(_, rest)| rest).trim_end_matches('/');
        let segment = from_there.strip_suffix(after).unwrap_or(from_there);
        percent_decode_str(segment).decode_utf8_lossy().into_owned()
    }

    /// The last value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        self.event.query(name)
    }

    /// The query's parameters, read by their types.
    pub fn parameters(&self) -> Parameters<'_> {
        Parameters::of(self)
    }

    /// The network address that API Gateway saw the client at.
    pub fn source_ip(&self) -> Option<&str> {
        self.event.source_ip()
    }

    /// A variable of the API's stage, as template.yaml sets it.
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        self.event.stage_variable(name)
    }

    /// All that the client sent as cookies, as `Cookie` headers have it: pairs with `; ` between them.
    pub fn cookies(&self) -> Vec<&str> {
        self.event.cookies()
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

    /// Whether the body is said to be of this media type.
    pub fn is_of_type(&self, media_type: &str) -> bool {
        let given = self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        given.trim().eq_ignore_ascii_case(media_type)
    }

    /// The fields of an HTML form in the body.
    pub fn form(&self) -> Result<Form> {
        if !self.is_of_type("application/x-www-form-urlencoded") {
            let error = Error::new(Kind::Invalid, "The body must be an HTML form").code("invalid_body");
            return Err(error.retryable(false));
        }
        Ok(Form::parse(&self.body_bytes()?))
    }

    pub(crate) fn is_from_http_api(&self) -> bool {
        self.event.is_from_http_api()
    }

    /// The body's bytes as they were sent, up to the route's limit.
    pub fn body_bytes(&self) -> Result<Cow<'_, [u8]>> {
        let bytes = if self.body.is_base64 {
            let decoded = STANDARD.decode(&self.body.text).map_err(|error| {
                let unreadable = Error::new(Kind::Invalid, "The body can't be read");
                unreadable.code("invalid_body").retryable(false).caused_by(error)
            })?;
            Cow::Owned(decoded)
        } else {
            Cow::Borrowed(self.body.text.as_bytes())
        };
        let limit = self.route.body_limit;
        if bytes.len() > limit {
            let message = format!("The body is too large: {} bytes, where {limit} are allowed", bytes.len());
            return Err(Error::new(Kind::TooLarge, message).code("body_too_large").retryable(false));
        }
        Ok(bytes)
    }
}
