//! A message as it stands in memory, where a campaign puts hundreds of thousands.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::message::{DeliveryStatus, PhoneMessage};

/// A [`PhoneMessage`] whose JSON is kept as text: parsed, a template's parameters take ten times as much. It becomes the
/// same JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    pub(crate) id: String,
    phone: String,
    pub(crate) from_customer: bool,
    #[serde(rename = "type")]
    kind: String,
    content: Box<RawValue>,
    text: String,
    reply_to: Option<String>,
    choices: Box<RawValue>,
    biz_opaque_callback_data: Option<String>,
    pub(crate) status: DeliveryStatus,
    pub(super) error: Option<i64>,
    at: Timestamp,
}

impl Kept {
    pub(super) fn new(message: PhoneMessage) -> Self {
        // JSON and lists of texts always become JSON.
        let null = |_| RawValue::NULL.to_owned();
        Self {
            content: to_raw_value(&message.content).unwrap_or_else(null),
            choices: to_raw_value(&message.choices).unwrap_or_else(null),
            id: message.id,
            phone: message.phone,
            from_customer: message.from_customer,
            kind: message.kind,
            text: message.text,
            reply_to: message.reply_to,
            biz_opaque_callback_data: message.biz_opaque_callback_data,
            status: message.status,
            error: message.error,
            at: message.at,
        }
    }

    pub(crate) fn message(&self) -> PhoneMessage {
        PhoneMessage {
            id: self.id.clone(),
            phone: self.phone.clone(),
            from_customer: self.from_customer,
            kind: self.kind.clone(),
            // What was written above can be read again.
            content: serde_json::from_str(self.content.get()).unwrap_or_default(),
            text: self.text.clone(),
            reply_to: self.reply_to.clone(),
            choices: serde_json::from_str(self.choices.get()).unwrap_or_default(),
            biz_opaque_callback_data: self.biz_opaque_callback_data.clone(),
            status: self.status,
            error: self.error,
            at: self.at,
        }
    }

    /// About as many bytes as it takes. It stays the same for as long as the message is kept.
    pub(super) fn weight(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + self.id.len()
            + self.phone.len()
            + self.kind.len()
            + self.content.get().len()
            + self.text.len()
            + optional(&self.reply_to)
            + self.choices.get().len()
            + optional(&self.biz_opaque_callback_data)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Kept;
    use crate::phones::{Choice, DeliveryStatus, PhoneMessage};

    #[test]
    fn a_kept_message_is_still_the_same_and_the_same_json() {
        let message = PhoneMessage {
            id: "wamid.1".to_owned(),
            phone: "919876543210".to_owned(),
            from_customer: false,
            kind: "location".to_owned(),
            content: json!({ "latitude": 28.6139, "longitude": -77.209, "name": "Zoë’s \"shop\"" }),
            text: "Zoë’s \"shop\"".to_owned(),
            reply_to: Some("wamid.0".to_owned()),
            choices: vec![
                Choice { label: "Yes".to_owned(), answer: Some(json!({ "type": "button", "text": "Yes" })) },
                Choice { label: "Open".to_owned(), answer: None },
            ],
            biz_opaque_callback_data: Some("order-17".to_owned()),
            status: DeliveryStatus::Failed,
            error: Some(131_026),
            at: "2026-01-02T03:04:05.678901234Z".parse().unwrap(),
        };
        let kept = Kept::new(message.clone());
        assert_eq!(serde_json::to_value(&kept).unwrap(), serde_json::to_value(&message).unwrap());
        assert_eq!(format!("{:?}", kept.message()), format!("{message:?}"));
    }
}
