//! A message on a phone, as tests and people see it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryStatus {
    /// Meta took it.
    Accepted,
    /// It left for the phone.
    Sent,
    /// It is on the phone.
    Delivered,
    /// The customer saw it; for a customer's message: the business marked it as read.
    Read,
    /// The customer listened to it: only for voice messages.
    Played,
    /// It never reached the phone.
    Failed,
}

impl DeliveryStatus {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
        }
    }
}

/// One message on a simulated phone.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PhoneMessage {
    /// Its `wamid.…`.
    pub id: String,
    /// The phone it is on: digits, as Meta's `wa_id`.
    pub phone: String,
    /// True when the customer wrote it.
    pub from_customer: bool,
    /// Meta's `type`: `text`, `template`, `location`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// What stood under the type's name in the request.
    pub content: Value,
    /// What a person reads, as far as it is text; a known template's text has its parameters filled in.
    pub text: String,
    /// The message that this one quotes.
    pub reply_to: Option<String>,
    /// What the customer can tap on, as the buttons and list entries of a message from the business.
    pub choices: Vec<Choice>,
    /// The sender's own reference, which the status webhooks echo.
    pub biz_opaque_callback_data: Option<String>,
    /// How far it came.
    pub status: DeliveryStatus,
    /// Meta's error code, when it failed.
    pub error: Option<i64>,
    /// When Meta took it.
    pub at: Timestamp,
}

impl PhoneMessage {
    /// Whether Meta reports that it was played.
    pub(crate) fn is_voice(&self) -> bool {
        self.kind == "audio" && self.content.get("voice") == Some(&Value::Bool(true))
    }
}

/// A button or a list entry on a phone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// What stands on it.
    pub label: String,
    /// What a tap sends, as `POST /control/phones/{number}/messages` takes it; nothing when a tap sends nothing, as
    /// with a link.
    pub answer: Option<Value>,
}
