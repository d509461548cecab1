//! A conversation's messages.

use std::collections::BTreeMap;

use auth::Caller;
use domain::{AccountId, Result, message_body};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use storage::{Message, Stored};
use utoipa::ToSchema;

use crate::conversations::Whole;
use crate::{Chats, Part, chat_not_found, moment};

/// A conversation and some of its messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePage {
    /// The conversation.
    conversation: Whole,
    /// The newest first.
    messages: Vec<Listed>,
    /// The place behind which the next page begins, for [`Place::parse`](crate::Place::parse); `None`: this page is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A message of either direction.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
struct Listed {
    #[serde(flatten)]
    summary: Summary,
    /// The wamid of the message that this one quotes.
    #[schema(required)]
    reply_to: Option<String>,
    /// As Meta wrote it, or took it.
    #[schema(required, value_type = serde_json::Value)]
    content: Option<Box<RawValue>>,
}

/// What every answer about a message begins with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageSummary)]
pub(crate) struct Summary {
    /// Our id of it.
    pub(crate) id: String,
    /// Meta's id of it.
    #[schema(required)]
    pub(crate) wamid: Option<String>,
    /// `inbound` or `outbound`.
    pub(crate) direction: &'static str,
    /// Meta's type: `text`, `image`, …
    #[serde(rename = "type")]
    #[schema(required)]
    pub(crate) kind: Option<String>,
    /// What a person reads of it.
    #[schema(required)]
    pub(crate) body: Option<String>,
    /// How far it has come.
    pub(crate) status: &'static str,
    /// When it came or went.
    #[schema(required)]
    pub(crate) at: Option<String>,
}

impl Chats {
    /// A conversation's messages, newest first. `phone` is a phone number in any form or a business-scoped user id.
    pub async fn messages(
        &self,
        caller: &Caller,
        account_id: Option<AccountId>,
        phone: &str,
        part: &Part,
    ) -> Result<MessagePage> {
        let chat = self.chat(caller, account_id, phone)?;
        let (conversation, page) = futures::try_join!(
            self.conversations.get(&chat),
            self.messages.newest(&chat, part.after.as_ref(), part.limit),
        )?;
        // One without a message holds no more than a wish of the contact's.
        let conversation = conversation.filter(|conversation| conversation.last_message_at.is_some());
        let conversation = conversation.ok_or_else(chat_not_found)?.into();
        let last = page.rows.last().filter(|_| !page.is_last);
        let next_cursor = last.and_then(Stored::place).map(|place| place.as_str().to_owned());
        let now = self.clock.now();
        let messages = page.rows.iter().map(|message| Listed::new(message, now)).collect();
        Ok(MessagePage { conversation, messages, next_cursor })
    }
}

impl Listed {
    fn new(message: &Stored, now: Timestamp) -> Self {
        let summary = Summary::new(message, now);
        let reply_to = match message {
            Stored::Sent(message) => {
                let request = request(message);
                request.pointer("/context/message_id").and_then(Value::as_str).map(str::to_owned)
            }
            Stored::Received(message) => message.reply_to.clone(),
            Stored::Elsewhere(_) => None,
        };
        let content = content(message, summary.kind.as_deref());
        Self { summary, reply_to, content }
    }
}

impl Summary {
    pub(crate) fn new(message: &Stored, now: Timestamp) -> Self {
        match message {
            Stored::Sent(message) => {
                let request = request(message);
                let kind = request.get("type").and_then(Value::as_str).unwrap_or("text");
                Self {
                    id: message.new.id.to_string(),
                    wamid: message.wamid.clone(),
                    direction: "outbound",
                    kind: Some(kind.to_owned()),
                    body: Some(message_body(kind, &request)),
                    status: status(message, now),
                    at: Some(moment(message.new.created_at)),
                }
            }
            Stored::Received(message) => Self {
                id: message.wamid.clone(),
                wamid: Some(message.wamid.clone()),
                direction: "inbound",
                kind: Some(message.kind.clone()),
                body: Some(message.body.clone()),
                status: "received",
                at: Some(moment(message.at)),
            },
            Stored::Elsewhere(message) => {
                let statuses = &message.statuses;
                let first = storage::Status::ALL.into_iter().filter_map(|status| statuses.at(status)).min();
                Self {
                    id: message.wamid().to_owned(),
                    wamid: Some(message.wamid().to_owned()),
                    direction: "outbound",
                    kind: None,
                    body: None,
                    status: statuses.reached().map_or("unknown", storage::Status::as_str),
                    at: first.map(moment),
                }
            }
        }
    }
}

/// How far a message that was sent from here has come: what the webhooks told counts more than what its sender saw.
fn status(message: &Message, now: Timestamp) -> &'static str {
    if let Some(status) = message.statuses.reached() {
        return status.as_str();
    }
    message.state_at(now).as_str()
}

/// The request that went to Meta.
fn request(message: &Message) -> Value {
    serde_json::from_str(&message.new.content).unwrap_or_default()
}

/// The object of a message's type, as it is stored: what has none is told whole. `None`: nothing is known, or it is no JSON.
fn content(message: &Stored, kind: Option<&str>) -> Option<Box<RawValue>> {
    let stored = match message {
        Stored::Sent(message) => &message.new.content,
        Stored::Received(message) => &message.content,
        Stored::Elsewhere(_) => return None,
    };
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(stored).unwrap_or_default();
    match kind.and_then(|kind| members.get(kind)) {
        Some(of_type) => Some((*of_type).to_owned()),
        None => serde_json::from_str(stored).ok(),
    }
}
