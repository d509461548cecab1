//! Meta's error object.

use std::fmt;

use serde_json::Value;

/// An error as Meta described it (Meta's page "Error codes").
///
/// Only `code`, `message` and `type` are guaranteed by Meta. `Debug` and `Display` leave out Meta's texts, which may repeat
/// what was sent: a log line can hold a `GraphError`, while [`words`](Self::words) and [`raw`](Self::raw) are for people.
/// If Meta repeats the access token, it is blanked here.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct GraphError {
    /// Meta's number for what went wrong: what to decide by. [`NO_CODE`](Self::NO_CODE) if there is none.
    pub code: i64,
    /// `error_subcode`: which case of `code` it is.
    pub subcode: Option<i64>,
    /// `message`, or an empty string.
    pub message: String,
    /// `type`, nearly always `OAuthException`.
    pub kind: Option<String>,
    /// `error_data.details`: most often the useful sentence.
    pub details: Option<String>,
    /// `error_user_title`, meant for the people who use the caller's program.
    pub user_title: Option<String>,
    /// `error_user_msg`, meant for the people who use the caller's program.
    pub user_msg: Option<String>,
    /// Meta's support asks for it.
    pub fbtrace_id: Option<String>,
    /// Meta's own opinion on whether the same request may pass later.
    pub is_transient: bool,
    /// The status of the HTTP answer. Meta's rule is to decide by `code` and never by it.
    pub http_status: u16,
    /// The whole error object, for callers that pass it on. `null` if Meta sent none.
    pub raw: Value,
}

impl GraphError {
    /// Stands in `code` where Meta gave none: a 401 or 403 without an error object, an incomplete entry of a list.
    pub const NO_CODE: i64 = -1;

    /// Meta's message for people: `TITLE: USER_MSG` when Meta gives a user message (without the title if there is none),
    /// else `MESSAGE (Details: DETAILS)`, else `MESSAGE`.
    pub fn words(&self) -> String {
        match (&self.user_title, &self.user_msg, &self.details) {
            (Some(title), Some(message), _) => format!("{title}: {message}"),
            (None, Some(message), _) => message.clone(),
            (_, None, Some(details)) => format!("{} (Details: {details})", self.message),
            (_, None, None) => self.message.clone(),
        }
    }

    /// Reads what is there: members may be missing, numbers may be strings, and `error_data` may be a string.
    pub(crate) fn from_json(raw: Value, http_status: u16) -> Self {
        let text = |name: &str| raw.get(name).and_then(non_empty);
        let details = raw.get("error_data").and_then(|data| non_empty(data.get("details").unwrap_or(data)));
        Self {
            code: raw.get("code").and_then(integer).unwrap_or(Self::NO_CODE),
            subcode: raw.get("error_subcode").and_then(integer),
            message: text("message").unwrap_or_default(),
            kind: text("type"),
            details,
            user_title: text("error_user_title"),
            user_msg: text("error_user_msg"),
            fbtrace_id: text("fbtrace_id"),
            is_transient: raw.get("is_transient").and_then(Value::as_bool).unwrap_or(false),
            http_status,
            raw,
        }
    }

    /// For a status that says enough without an error object.
    pub(crate) fn unexplained(http_status: u16) -> Self {
        let message = format!("Meta answered with status {http_status} and no explanation");
        Self { message, ..Self::from_json(Value::Null, http_status) }
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Self::NO_CODE => write!(f, "status {}", self.http_status),
            code => write!(f, "code {code}"),
        }
    }
}

impl fmt::Debug for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphError")
            .field("code", &self.code)
            .field("subcode", &self.subcode)
            .field("http_status", &self.http_status)
            .field("is_transient", &self.is_transient)
            .field("fbtrace_id", &self.fbtrace_id)
            .finish_non_exhaustive()
    }
}

fn non_empty(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}
