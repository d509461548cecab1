//! Answers, and the one table from error to status.

use std::collections::HashMap;

use domain::{Error, Kind, MessageId, PublicError};
use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::value::RawValue;

use crate::endpoint::Route;

/// An answer. It becomes what API Gateway takes from a function (AWS: "Output format of a Lambda function for proxy
/// integration", and the format 2.0 of an HTTP API).
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Headers,
    cookies: Vec<String>,
    body: String,
    /// Cookies, of which there may be several, go to an HTTP API otherwise than to a REST API.
    for_http_api: bool,
}

/// Headers as a JSON object.
#[derive(Debug)]
struct Headers(Vec<(&'static str, String)>);

impl Serialize for Headers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Response {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_map(None)?;
        answer.serialize_entry("statusCode", &self.status)?;
        answer.serialize_entry("headers", &self.headers)?;
        match (self.cookies.is_empty(), self.for_http_api) {
            (true, _) => {}
            (false, true) => answer.serialize_entry("cookies", &self.cookies)?,
            (false, false) => {
                answer.serialize_entry("multiValueHeaders", &HashMap::from([("Set-Cookie", &self.cookies)]))?;
            }
        }
        answer.serialize_entry("body", &self.body)?;
        answer.serialize_entry("isBase64Encoded", &false)?;
        answer.end()
    }
}

impl Response {
    /// 200 with a JSON body.
    pub fn ok(body: &impl Serialize) -> domain::Result<Self> {
        let body = serde_json::to_string(body).map_err(Error::internal)?;
        Ok(Self::json(200, body))
    }

    /// 201 for something that was made; or the answer to an earlier request with the same idempotency key, which made it.
    pub fn created(body: &impl Serialize, replayed: bool) -> domain::Result<Self> {
        let response = Self::json(201, serde_json::to_string(body).map_err(Error::internal)?);
        Ok(if replayed { response.replayed() } else { response })
    }

    /// 200 for a message that Meta took: its answer, unchanged, or the answer to an earlier request with the same
    /// idempotency key. Our own id of the message stands in a header: the body is Meta's.
    pub fn sent(result: &RawValue, message_id: MessageId, replayed: bool) -> domain::Result<Self> {
        #[derive(Serialize)]
        struct Sent<'a> {
            status: &'static str,
            result: &'a RawValue,
        }
        let response = Self::ok(&Sent { status: "sent", result })?.header("Message-Id", message_id.to_string());
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
        let allowed: Vec<_> = route.methods.iter().chain(route.beside).copied().collect();
        let body = serde_json::json!({
            "error": format!("This path takes {} only", allowed.join(" and ")),
            "code": "method_not_allowed",
        });
        let mut response = Self::json(405, body.to_string());
        response.headers.0.push(("Allow", allowed.join(", ")));
        response
    }

    fn replayed(mut self) -> Self {
        self.headers.0.push(("Idempotent-Replayed", "true".to_owned()));
        self
    }

    fn json(status: u16, body: String) -> Self {
        Self::new(status, "application/json", body)
    }

    /// An answer of any kind, which nobody stores or guesses at.
    pub fn new(status: u16, content_type: &str, body: String) -> Self {
        let headers =
            [("Content-Type", content_type), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")];
        let headers = headers.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Self { status, headers: Headers(headers), cookies: Vec::new(), body, for_http_api: false }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.0.push((name, value.into()));
        self
    }

    /// With a cookie more: the value of a `Set-Cookie` header.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.cookies.push(cookie.into());
        self
    }

    pub(crate) fn for_http_api(mut self, for_http_api: bool) -> Self {
        self.for_http_api = for_http_api;
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The status that an error has.
    pub const fn status_of(kind: Kind) -> u16 {
        status(kind)
    }
}

/// The one table from what went wrong to an HTTP status.
const fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Invalid => 400,
        Kind::Unauthorized => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::InFlight | Kind::Conflict => 409,
        Kind::TooLarge => 413,
        Kind::KeyReused => 422,
        Kind::Throttled => 429,
        Kind::Internal => 500,
        Kind::UpstreamFailed => 502,
        Kind::UpstreamUnavailable | Kind::Unavailable => 503,
        Kind::OutcomeUnknown | Kind::Unanswered => 504,
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
        let harmless = Response::error(&Error::new(Kind::Unanswered, "?").retryable(true));
        assert_eq!((harmless.status(), body(&harmless)), (504, json!({"error": "?", "retryable": true})));
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
    fn another_method_reads_which_there_are_whoever_answers_them() {
        let response = Response::method_not_allowed(&Route::get("x", "/x/").beside(&["POST"]));
        assert_eq!((response.status(), header(&response, "Allow")), (405, Some("GET, POST")));
        assert_eq!(body(&response)["error"], "This path takes GET and POST only");
    }

    #[test]
    fn what_was_made_is_201_and_told_when_it_was_made_before() {
        for (replayed, told) in [(false, None), (true, Some("true"))] {
            let response = Response::created(&json!({"id": 1}), replayed).unwrap();
            assert_eq!((response.status(), header(&response, "Idempotent-Replayed")), (201, told));
        }
    }

    #[test]
    fn metas_answer_goes_through_unchanged() {
        let raw = RawValue::from_string(r#"{"b":1.0,  "a":[1e3]}"#.to_owned()).unwrap();
        let id = MessageId::generate();
        let response = Response::sent(&raw, id, true).unwrap();
        assert_eq!(response.body, r#"{"status":"sent","result":{"b":1.0,  "a":[1e3]}}"#);
        assert_eq!(header(&response, "Message-Id"), Some(id.to_string().as_str()));
        assert_eq!(header(&response, "Idempotent-Replayed"), Some("true"));
    }
}
