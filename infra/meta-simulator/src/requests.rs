//! The record of every Graph request, for tests to look at.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

/// Bodies longer than this are cut in the record (never for the endpoints themselves).
const MAX_RECORDED_BODY: usize = 1024 * 1024;

/// One request that reached the Graph side of the simulator.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// The path, such as `/v25.0/106540352242922/messages`.
    pub path: String,
    /// What stood behind the `?`, undecoded.
    pub query: Option<String>,
    /// Every header, as sent.
    pub headers: HeaderMap,
    /// The raw body, cut at 1 MiB.
    pub body: Bytes,
    /// The body as JSON, when it is JSON.
    pub json: Option<Value>,
}

impl RecordedRequest {
    /// One header's value, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// As it is kept: unparsed, since parsed a message takes ten times as much, and in memory of its own, since what
    /// came over a connection holds on to all that was read there with it.
    pub(crate) fn new(parts: &Parts, path: &str, body: &[u8]) -> Self {
        let own = |(name, value): (&HeaderName, &HeaderValue)| {
            // It was a header's value before, so it is one again.
            let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            Some((name.clone(), value))
        };
        Self {
            method: parts.method.clone(),
            path: path.to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers.iter().filter_map(own).collect(),
            body: Bytes::copy_from_slice(body.get(..MAX_RECORDED_BODY).unwrap_or(body)),
            json: None,
        }
    }

    /// As it is told of.
    pub(crate) fn parsed(&self) -> Self {
        Self { json: serde_json::from_slice(&self.body).ok(), ..self.clone() }
    }

    pub(crate) fn weight(&self) -> usize {
        1024 + self.body.len()
    }

    /// For the control API. The token is left out: a person may have pasted a real one.
    pub(crate) fn to_json(&self) -> Value {
        let headers: serde_json::Map<_, _> = self
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "authorization" => (name.to_string(), json!("(hidden)")),
                _ => (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))),
            })
            .collect();
        json!({
            "method": self.method.as_str(),
            "path": self.path,
            "query": self.query,
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body),
            "json": serde_json::from_slice::<Value>(&self.body).ok(),
        })
    }
}
