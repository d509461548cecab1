//! Answers, and the one table from error to status.

use domain::{Error, Kind, PublicError};
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::value::RawValue;

use crate::endpoint::Route;

/// An answer, in the form that API Gateway takes from a function (AWS: "Output format of a Lambda function for proxy
/// integration"; an HTTP API takes the same).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
    headers: Headers,
    body: String,
    is_base64_encoded: bool,
}

/// Headers as a JSON object.
#[derive(Debug)]
struct Headers(Vec<(&'static str, String)>);

impl Serialize for Headers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Response {
    /// 200 with a JSON body.
    pub fn ok(body: &impl Serialize) -> domain::Result<Self> {
        let body = serde_json::to_string(body).map_err(Error::internal)?;
        Ok(Self::json(200, body))
    }

    /// 200 for a message that Meta took: its answer, unchanged, or the answer to an earlier request with the same
    /// idempotency key.
    pub fn sent(result: &RawValue, replayed: bool) -> domain::Result<Self> {
        #[derive(Serialize)]
        struct Sent<'a> {
            status: &'static str,
            result: &'a RawValue,
        }
        let response = Self::ok(&Sent { status: "sent", result })?;
        Ok(if replayed { response.replayed() } else { response })
    }

    pub(crate) fn error(error: &Error) -> Self {
        let public = error.public();
        let body =
            serde_json::to_string(&ErrorBody(public)).unwrap_or_else(|_| r#"{"error":"Internal error"}"#.to_owned());
        let mut response = Self::json(status(public.kind), body);
        if let Some(seconds) = public.retry_after_s {
            response.headers.0.push(("Retry-After", seconds.to_string()));
        }
        if error.is_replayed() { response.replayed() } else { response }
    }

    pub(crate) fn method_not_allowed(route: &Route) -> Self {
        let allowed = route.method;
        let body = serde_json::json!({
            "error": format!("This path takes {allowed} only"),
            "code": "method_not_allowed",
        });
        let mut response = Self::json(405, body.to_string());
        response.headers.0.push(("Allow", allowed.to_owned()));
        response
    }

    fn replayed(mut self) -> Self {
        self.headers.0.push(("Idempotent-Replayed", "true".to_owned()));
        self
    }

    fn json(status_code: u16, body: String) -> Self {
        let headers = [
            ("Content-Type", "application/json"),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Self { status_code, headers: Headers(headers), body, is_base64_encoded: false }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status_code
    }
}

/// The one table from what went wrong to an HTTP status.
const fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid => 400,
        Kind::Unauthorized => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::InFlight => 409,
        Kind::TooLarge => 413,
        Kind::KeyReused => 422,
        Kind::Throttled => 429,
        Kind::Internal => 500,
        Kind::UpstreamFailed => 502,
        Kind::UpstreamUnavailable | Kind::Unavailable => 503,
        Kind::OutcomeUnknown => 504,
    }
}

/// The public side of an error as clients read it.
struct ErrorBody<'a>(&'a PublicError);

impl Serialize for ErrorBody<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let public = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("error", &public.message)?;
        let mut entry = |name: &str, value: Option<&str>| match value {
            Some(value) => map.serialize_entry(name, value),
            None => Ok(()),
        };
        entry("code", public.code.as_deref())?;
        entry("field", public.field.as_deref())?;
        entry("missing_scope", public.missing_scope.as_deref())?;
        entry("message_id", public.message_id.as_deref())?;
        if public.kind == Kind::OutcomeUnknown {
            map.serialize_entry("may_have_been_sent", &true)?;
        }
        if let Some(retryable) = public.retryable {
            map.serialize_entry("retryable", &retryable)?;
        }
        if let Some(meta) = &public.meta {
            map.serialize_entry("meta", meta)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn body(response: &Response) -> Value {
        serde_json::from_str(&response.body).unwrap()
    }

    fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers.0.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn an_unauthorized_client_reads_exactly_what_the_reference_says() {
        let response = Response::error(&Error::unauthorized());
        assert_eq!((response.status(), response.body.as_str()), (401, r#"{"error":"Unauthorized"}"#));
    }

    #[test]
    fn a_forbidden_client_reads_which_scope_is_missing() {
        let response = Response::error(&Error::missing_scope(domain::Scope::MessagesSend));
        assert_eq!(response.status(), 403);
        assert_eq!(body(&response), json!({"error": "Forbidden", "missing_scope": "messages:send"}));
    }

    #[test]
    fn an_outage_is_503_with_a_wait_and_without_its_cause() {
        let response = Response::error(&Error::storage("arn:aws:dynamodb"));
        assert_eq!((response.status(), header(&response, "Retry-After")), (503, Some("1")));
        assert!(!response.body.contains("arn:aws"), "{}", response.body);
    }

    #[test]
    fn an_unknown_outcome_says_that_it_may_have_been_sent() {
        let response = Response::error(&Error::new(Kind::OutcomeUnknown, "?").retry_after(Duration::from_secs(3)));
        assert_eq!((response.status(), &body(&response)["may_have_been_sent"]), (504, &json!(true)));
    }

    #[test]
    fn every_answer_is_json_that_nobody_stores_or_guesses_at() {
        for response in [
            Response::ok(&json!({})).unwrap(),
            Response::error(&Error::unauthorized()),
            Response::method_not_allowed(&Route::post("x", "/x/")),
        ] {
            assert_eq!(header(&response, "Content-Type"), Some("application/json"));
            assert_eq!(header(&response, "Cache-Control"), Some("no-store"));
            assert_eq!(header(&response, "X-Content-Type-Options"), Some("nosniff"));
        }
    }

    #[test]
    fn metas_answer_goes_through_unchanged() {
        let raw = RawValue::from_string(r#"{"b":1.0,  "a":[1e3]}"#.to_owned()).unwrap();
        let response = Response::sent(&raw, true).unwrap();
        assert_eq!(response.body, r#"{"status":"sent","result":{"b":1.0,  "a":[1e3]}}"#);
        assert_eq!(header(&response, "Idempotent-Replayed"), Some("true"));
    }
}
