//! What became of a message.

use auth::Caller;
use domain::{AccountId, Error, Kind, PublicError, Result, SendState};
use jiff::Timestamp;
use meta_errors::{Advice, advice};
use serde::Serialize;
use serde_json::{Value, json};
use storage::{Message, Status, Statuses, Stored};
use utoipa::ToSchema;

use crate::messages::Summary;
use crate::{Chats, moment};

/// A message and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageDetails {
    #[serde(flatten)]
    summary: Summary,
    /// Whose message it is.
    account_id: AccountId,
    /// The contact.
    #[schema(required)]
    phone_number: Option<String>,
    /// What happened to it, the earliest first.
    timeline: Vec<Event>,
    /// Why it did not arrive.
    #[schema(required)]
    failure: Option<Failure>,
    /// Meta's pricing object.
    #[schema(required)]
    pricing: Option<Value>,
}

/// Something that happened to a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageEvent)]
struct Event {
    /// `accepted`, `sent`, `delivered`, `read`, `failed` or `received`.
    status: &'static str,
    /// When.
    at: String,
    /// Of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Value>,
    #[serde(skip)]
    order: (i64, usize),
}

/// Why a message did not arrive, and what helps.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = MessageFailure)]
struct Failure {
    /// Meta's number, or a word of ours where Meta said nothing.
    code: Value,
    /// Meta's words.
    title: String,
    /// Meta's details.
    #[schema(required)]
    details: Option<String>,
    /// The reason in plain words.
    reason: String,
    /// What helps.
    what_to_do: &'static str,
    /// Whether it may succeed later.
    retryable: bool,
}

impl Chats {
    /// An account's message by our id, or by Meta's.
    pub async fn message(&self, caller: &Caller, account_id: Option<AccountId>, id: &str) -> Result<MessageDetails> {
        let account = caller.account(&self.accounts, account_id)?;
        let message = self.messages.find(account.id, id).await?.ok_or_else(not_found)?;
        let now = self.clock.now();
        let summary = Summary::new(&message, now);
        let mut details = match &message {
            Stored::Sent(message) => sent(message, summary, now),
            Stored::Received(message) => MessageDetails {
                phone_number: Some(message.phone.clone()),
                timeline: vec![Event::new("received", 0, message.at, None)],
                ..empty(summary, account.id)
            },
            Stored::Elsewhere(message) => MessageDetails {
                phone_number: told(&message.statuses, "recipient_id").and_then(|id| id.as_str().map(str::to_owned)),
                timeline: statuses(&message.statuses),
                failure: failure_told(&message.statuses),
                pricing: told(&message.statuses, "pricing"),
                ..empty(summary, account.id)
            },
        };
        details.timeline.sort_by_key(|event| event.order);
        Ok(details)
    }
}

impl Event {
    /// `rank` decides among those of one second: Meta tells no shorter times.
    fn new(status: &'static str, rank: usize, at: Timestamp, failure: Option<&Failure>) -> Self {
        let code = failure.map(|failure| failure.code.clone());
        Self { status, at: moment(at), code, order: (at.as_second(), rank) }
    }
}

fn empty(summary: Summary, account_id: AccountId) -> MessageDetails {
    MessageDetails { summary, account_id, phone_number: None, timeline: Vec::new(), failure: None, pricing: None }
}

fn sent(message: &Message, summary: Summary, now: Timestamp) -> MessageDetails {
    let state = message.state_at(now);
    let seen = match state {
        SendState::Pending | SendState::Sending => None,
        SendState::Accepted => Some(("accepted", None)),
        SendState::Rejected => {
            Some(("rejected", Some(message.failure().map_or_else(unexplained, |error| rejected(&error)))))
        }
        SendState::Unknown => Some(("unknown", Some(unknown()))),
    };
    let own = seen.as_ref().map(|(word, failure)| Event::new(word, 0, message.new.created_at, failure.as_ref()));
    let failure = seen.and_then(|(_, failure)| failure);
    MessageDetails {
        phone_number: Some(message.new.phone.clone()),
        timeline: own.into_iter().chain(statuses(&message.statuses)).collect(),
        failure: failure_told(&message.statuses).or(failure),
        pricing: told(&message.statuses, "pricing"),
        ..empty(summary, message.new.account_id)
    }
}

/// What the status webhooks told, each status at its time.
fn statuses(statuses: &Statuses) -> Vec<Event> {
    let event = |(rank, status): (usize, Status)| {
        let failure = (status == Status::Failed).then(|| failed(statuses));
        Some(Event::new(status.as_str(), rank + 1, statuses.at(status)?, failure.as_ref()))
    };
    Status::ALL.into_iter().enumerate().filter_map(event).collect()
}

/// What Meta told under this name with any status, the first that has it.
fn told(statuses: &Statuses, name: &str) -> Option<Value> {
    Status::ALL.into_iter().find_map(|status| statuses.content(status)?.get(name).cloned())
}

/// The failure that a status webhook told, unless the message was delivered after all.
fn failure_told(statuses: &Statuses) -> Option<Failure> {
    (statuses.reached() == Some(Status::Failed)).then(|| failed(statuses))
}

fn failed(statuses: &Statuses) -> Failure {
    let content = statuses.content(Status::Failed).unwrap_or_default();
    content.pointer("/errors/0").and_then(by_meta).unwrap_or_else(unexplained)
}

/// Why its sender was told that it was not sent.
fn rejected(error: &PublicError) -> Failure {
    error.meta.as_ref().and_then(by_meta).unwrap_or_else(|| {
        let retryable = error.retryable.unwrap_or_default();
        let what_to_do =
            if retryable { "Send it again." } else { "Mend what the reason names before sending it again." };
        Failure {
            code: json!(error.code.as_deref().unwrap_or("failed")),
            title: "The message was not sent".to_owned(),
            details: None,
            reason: error.message.clone(),
            what_to_do,
            retryable,
        }
    })
}

/// One of Meta's error objects, as an answer or a webhook holds it. `None`: it has no code.
fn by_meta(error: &Value) -> Option<Failure> {
    let text = |pointer: &str| error.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let code = error.get("code").and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok()))?;
    let Advice { reason, what_to_do, retryable } = advice(code);
    let title = text("/error_user_title").or_else(|| text("/title")).or_else(|| text("/message"));
    let details = text("/error_data/details").or_else(|| text("/error_user_msg"));
    Some(Failure {
        code: json!(code),
        title: title.unwrap_or("WhatsApp gives no title").to_owned(),
        details: details.map(str::to_owned),
        reason: reason.to_owned(),
        what_to_do,
        retryable,
    })
}

fn unexplained() -> Failure {
    Failure {
        code: json!("failed"),
        title: "The message was not sent".to_owned(),
        details: None,
        reason: "WhatsApp did not say why.".to_owned(),
        what_to_do: "Check the number and the message before sending it again.",
        retryable: false,
    }
}

fn unknown() -> Failure {
    Failure {
        code: json!("outcome_unknown"),
        title: "It is not known whether the message was sent".to_owned(),
        details: None,
        reason: "WhatsApp did not say whether it took the message, and has told nothing of it since.".to_owned(),
        what_to_do: "Wait for a status of it; send it again only if it may arrive twice.",
        retryable: false,
    }
}

fn not_found() -> Error {
    let error = Error::new(Kind::NotFound, "There is no message with this id");
    error.code("message_not_found").retryable(false)
}
