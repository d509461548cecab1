//! The simulated phones and the messages on them.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

const MAX_PHONES: usize = 1_000;
const MAX_MESSAGES: usize = 200;

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
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Choice {
    /// What stands on it.
    pub label: String,
    /// What a tap sends, as `POST /control/phones/{number}/messages` takes it; nothing when a tap sends nothing, as
    /// with a link.
    pub answer: Option<Value>,
}

#[derive(Debug, Default)]
pub(crate) struct Phones {
    phones: HashMap<String, Phone>,
    last_activity: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Phone {
    pub(crate) messages: VecDeque<PhoneMessage>,
    /// When the customer last wrote, by the phone number id of the business.
    last_written: HashMap<String, Timestamp>,
    last_active: u64,
}

impl Phones {
    pub(crate) fn add(&mut self, message: PhoneMessage) {
        if !self.phones.contains_key(&message.phone) && self.phones.len() >= MAX_PHONES {
            let oldest =
                self.phones.iter().min_by_key(|(_, phone)| phone.last_active).map(|(number, _)| number.clone());
            oldest.map(|number| self.phones.remove(&number));
        }
        self.last_activity += 1;
        let phone = self.phones.entry(message.phone.clone()).or_default();
        phone.last_active = self.last_activity;
        if phone.messages.len() >= MAX_MESSAGES {
            phone.messages.pop_front();
        }
        phone.messages.push_back(message);
    }

    /// Moves a message on and gives it back; nothing when it is no longer known.
    pub(crate) fn set_status(
        &mut self,
        phone: &str,
        id: &str,
        status: DeliveryStatus,
        error: Option<i64>,
    ) -> Option<&PhoneMessage> {
        let messages = &mut self.phones.get_mut(phone)?.messages;
        let message = messages.iter_mut().find(|message| message.id == id)?;
        message.status = status;
        message.error = error;
        Some(message)
    }

    /// The business has read this message of a customer, and with it all earlier ones of that customer.
    pub(crate) fn mark_read(&mut self, id: &str) -> Vec<PhoneMessage> {
        let Some(phone) = self.phones.values_mut().find(|phone| phone.holds_of_customer(id)) else { return Vec::new() };
        let end = phone.messages.iter().position(|message| message.id == id).map_or(0, |position| position + 1);
        let unread = |message: &&mut PhoneMessage| message.from_customer && message.status < DeliveryStatus::Read;
        phone
            .messages
            .iter_mut()
            .take(end)
            .filter(unread)
            .map(|message| {
                message.status = DeliveryStatus::Read;
                message.clone()
            })
            .collect()
    }

    /// The customer wrote to this number of the business: a 24-hour window opens.
    pub(crate) fn wrote(&mut self, phone: &str, phone_number_id: &str, at: Timestamp) {
        if let Some(phone) = self.phones.get_mut(phone) {
            phone.last_written.insert(phone_number_id.to_owned(), at);
        }
    }

    pub(crate) fn last_written(&self, phone: &str, phone_number_id: &str) -> Option<Timestamp> {
        self.phones.get(phone)?.last_written.get(phone_number_id).copied()
    }

    /// Lets what the customer wrote be older than it is; false when nothing was written yet.
    pub(crate) fn age(&mut self, phone: &str, by: SignedDuration) -> bool {
        let Some(phone) = self.phones.get_mut(phone) else { return false };
        for at in phone.last_written.values_mut() {
            // Before the calendar's first day nothing is older than that day.
            *at = at.checked_sub(by).unwrap_or(Timestamp::MIN);
        }
        !phone.last_written.is_empty()
    }

    /// The id of the last message that a business sent to this phone.
    pub(crate) fn last_from_business(&self, phone: &str) -> Option<String> {
        let messages = &self.phones.get(phone)?.messages;
        messages.iter().rev().find(|message| !message.from_customer).map(|message| message.id.clone())
    }

    pub(crate) fn message(&self, phone: &str, id: &str) -> Option<&PhoneMessage> {
        self.phones.get(phone)?.messages.iter().find(|message| message.id == id)
    }

    pub(crate) fn get(&self, number: &str) -> Option<&Phone> {
        self.phones.get(number)
    }

    /// The phone that was active last comes last.
    pub(crate) fn by_activity(&self) -> Vec<(&str, &Phone)> {
        let mut phones: Vec<_> = self.phones.iter().map(|(number, phone)| (number.as_str(), phone)).collect();
        phones.sort_by_key(|(_, phone)| phone.last_active);
        phones
    }
}

impl Phone {
    fn holds_of_customer(&self, id: &str) -> bool {
        self.messages.iter().any(|message| message.from_customer && message.id == id)
    }
}
