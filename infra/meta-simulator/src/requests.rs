//! The record of every Graph request, for tests to look at.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

/// Bodies longer than this are cut in the record (never for the endpoints themselves).
pub(crate) const MAX_RECORDED_BODY: usize = 1024 * 1024;

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
    /// The digits of `to`, when this is a `POST …/messages`.
    pub(crate) recipient: Option<String>,
}

impl RecordedRequest {
    /// One header's value, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn weight(&self) -> usize {
        // A parsed body takes about as much again as its text.
        1024 + self.body.len() * 2
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
            "json": self.json,
        })
    }
}
