//! Table `Messages`: every message that was sent, by our own id, and every one that came, by what Meta calls it.
//!
//! The index `by_contact` has a contact's messages by time, and the index `by_wamid` leads from Meta's id to ours.

mod finding;
mod received;
mod status;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::{AccountId, Error, MessageId, PublicError, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::conversations::Chat;
use crate::database::{Database, Written, outage};
use crate::place::Place;

pub use finding::Stored;
pub use received::{Received, ReceivedMessage};
pub use status::{Report, Status, Statuses};

/// The messages, each a row from before Meta is called.
#[derive(Clone, Debug)]
pub struct Messages {
    database: Database,
    table: String,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Handed to Meta, or about to be. After [`NewMessage::deadline_at`] nobody will learn how that went.
    Sending,
    /// Meta took it. Whether it is delivered comes later.
    Accepted,
    /// It was surely not sent.
    Rejected,
    /// Meta did not say: it may have been sent. Only a status webhook can settle this.
    Unknown,
}

/// A message about to be handed to Meta.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewMessage {
    /// Our id, the partition key.
    pub id: MessageId,
    /// The sending account.
    pub account_id: AccountId,
    /// The recipient's digits, as they go to Meta.
    pub phone: String,
    /// The id of the API key that sends.
    pub key_id: String,
    /// The body of the request to Meta, as JSON.
    pub content: String,
    /// When the caller asked.
    #[serde(with = "millisecond::required")]
    pub created_at: Timestamp,
    /// When whoever sends it has surely stopped trying.
    #[serde(with = "millisecond::required")]
    pub deadline_at: Timestamp,
}

/// What became of a message, as the one who sent it saw it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Meta took it and calls it by this wamid; `answer` is what it said, unchanged.
    Accepted {
        /// Meta's id of the message.
        wamid: String,
        /// Meta's answer, as JSON.
        answer: String,
        /// Whose conversation it belongs to, with the recipient as Meta knows them.
        chat: Option<Chat>,
    },
    /// It was surely not sent.
    Rejected(PublicError),
    /// It may have been sent.
    Unknown,
}

/// A message as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// What was known before sending.
    #[serde(flatten)]
    pub new: NewMessage,
    /// How far it has come.
    pub state: State,
    /// Who wrote the row: a token made anew for each write.
    pub owner: String,
    /// Whose conversation it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// Where it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<Place>,
    /// Meta's id, once accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wamid: Option<String>,
    /// Meta's answer as JSON, once accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why it was rejected, as JSON of a [`PublicError`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What the status webhooks told.
    #[serde(flatten)]
    pub statuses: Statuses,
}

impl Message {
    /// How far the message has come by `now`: one still being sent after its deadline is unknown, for whoever sent it
    /// died on the way.
    pub fn state_at(&self, now: Timestamp) -> State {
        match self.state {
            State::Sending if self.new.deadline_at <= now => State::Unknown,
            state => state,
        }
    }

    /// Why it was rejected.
    pub fn failure(&self) -> Option<PublicError> {
        serde_json::from_str(self.failure.as_deref()?).ok()
    }
}

impl Messages {
    /// The messages of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("Messages"), database: database.clone() }
    }

    /// Records a message that is about to be handed to Meta. `false`: its id was [given up](Self::give_up) in the
    /// meantime, and it must not be sent.
    pub async fn begin(&self, message: &NewMessage) -> Result<bool> {
        self.put(message, State::Sending, None).await
    }

    /// Makes sure that a message which has not begun never will: its id is taken by a rejected row. `false`: it has
    /// begun after all.
    pub async fn give_up(&self, message: &NewMessage, why: &Error) -> Result<bool> {
        self.put(message, State::Rejected, Some(to_json(why.public())?)).await
    }

    /// `true` when the row is there because of this call.
    async fn put(&self, message: &NewMessage, state: State, failure: Option<String>) -> Result<bool> {
        let owner = Uuid::new_v4().to_string();
        let row = Message {
            new: message.clone(),
            state,
            owner: owner.clone(),
            contact: Chat::with_number(message.account_id, &message.phone).map(|chat| chat.key()),
            position: Some(Place::new(message.created_at, &message.id.to_string())),
            wamid: None,
            answer: None,
            failure,
            statuses: Statuses::default(),
        };
        let put = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match Written::put(put)? {
            Written::Done => true,
            // The SDK tries again when an answer is lost: then the row that stands in the way is our own.
            Written::Refused(row) => row.as_ref().and_then(|row| row.get("owner")?.as_s().ok()) == Some(&owner),
        })
    }

    /// Records what became of a message. An acceptance always stands; anything else never overwrites what a status
    /// webhook has told already.
    pub async fn finish(&self, id: MessageId, outcome: &Outcome) -> Result<()> {
        let (state, condition) = match outcome {
            Outcome::Accepted { .. } => (State::Accepted, "attribute_exists(id)"),
            Outcome::Rejected(_) => (State::Rejected, "#state = :sending"),
            Outcome::Unknown => (State::Unknown, "#state = :sending"),
        };
        let mut update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .condition_expression(condition)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", attribute(state)?);
        update = match outcome {
            Outcome::Accepted { wamid, answer, chat } => {
                let accepted = "SET #state = :state, wamid = :wamid, answer = :answer";
                let update = update
                    .expression_attribute_values(":wamid", AttributeValue::S(wamid.clone()))
                    .expression_attribute_values(":answer", AttributeValue::S(answer.clone()));
                match chat {
                    None => update.update_expression(accepted),
                    Some(chat) => update
                        .update_expression(format!("{accepted}, contact = :contact"))
                        .expression_attribute_values(":contact", AttributeValue::S(chat.key())),
                }
            }
            Outcome::Rejected(failure) => update
                .update_expression("SET #state = :state, failure = :failure")
                .expression_attribute_values(":failure", AttributeValue::S(to_json(failure)?))
                .expression_attribute_values(":sending", attribute(State::Sending)?),
            Outcome::Unknown => update
                .update_expression("SET #state = :state")
                .expression_attribute_values(":sending", attribute(State::Sending)?),
        };
        Written::update(update.send().await).map(|_| ())
    }

    /// Reads a message as it is now.
    pub async fn get(&self, id: MessageId) -> Result<Option<Message>> {
        let answer = self
            .database
            .client()
            .get_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(outage)?;
        answer.item.map(serde_dynamo::from_item).transpose().map_err(Error::internal)
    }
}

fn attribute(state: State) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(state).map_err(Error::internal)
}

fn to_json(failure: &PublicError) -> Result<String> {
    serde_json::to_string(failure).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use domain::Kind;
    use embedded_dynamodb::Engine;
    use std::time::Duration;

    use super::*;

    fn new_message() -> NewMessage {
        let created_at: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        NewMessage {
            id: MessageId::generate(),
            account_id: AccountId(1),
            phone: "919876543210".to_owned(),
            key_id: "key".to_owned(),
            content: "{}".to_owned(),
            created_at,
            deadline_at: created_at + Duration::from_secs(30),
        }
    }

    async fn messages() -> (Engine, Messages) {
        let engine = Engine::in_memory().await.unwrap();
        let messages = Messages::new(&Database::local(engine.url(), engine.table_prefix()));
        (engine, messages)
    }

    fn accepted() -> Outcome {
        let answer = r#"{"messages":[{"id":"wamid.X"}]}"#.to_owned();
        Outcome::Accepted { wamid: "wamid.X".to_owned(), answer, chat: None }
    }

    #[tokio::test]
    async fn a_message_stands_as_sending_until_its_outcome_is_recorded() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        assert!(messages.begin(&new).await.unwrap());
        let stored = messages.get(new.id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.new.created_at), (State::Sending, new.created_at));
        messages.finish(new.id, &accepted()).await.unwrap();
        let stored = messages.get(new.id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.wamid.as_deref()), (State::Accepted, Some("wamid.X")));
    }

    #[tokio::test]
    async fn a_message_whose_sender_died_is_unknown_after_its_deadline() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        messages.begin(&new).await.unwrap();
        let stored = messages.get(new.id).await.unwrap().unwrap();
        assert_eq!(stored.state_at(new.deadline_at - Duration::from_millis(1)), State::Sending);
        assert_eq!(stored.state_at(new.deadline_at), State::Unknown);
    }

    #[tokio::test]
    async fn a_message_that_was_given_up_can_never_begin_and_one_that_began_cannot_be_given_up() {
        let (_engine, messages) = messages().await;
        let why = Error::new(Kind::Unavailable, "abandoned");
        let (first, second) = (new_message(), new_message());
        assert!(messages.give_up(&first, &why).await.unwrap());
        assert!(!messages.begin(&first).await.unwrap());
        assert!(messages.begin(&second).await.unwrap());
        assert!(!messages.give_up(&second, &why).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_outcome_never_overwrites_what_a_webhook_told_already() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        messages.begin(&new).await.unwrap();
        messages.finish(new.id, &accepted()).await.unwrap();
        messages.finish(new.id, &Outcome::Unknown).await.unwrap();
        assert_eq!(messages.get(new.id).await.unwrap().unwrap().state, State::Accepted);
    }

    #[tokio::test]
    async fn an_acceptance_settles_an_unknown_outcome() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        messages.begin(&new).await.unwrap();
        messages.finish(new.id, &Outcome::Unknown).await.unwrap();
        messages.finish(new.id, &accepted()).await.unwrap();
        assert_eq!(messages.get(new.id).await.unwrap().unwrap().state, State::Accepted);
    }

    #[tokio::test]
    async fn an_outage_is_never_an_absent_message() {
        let (engine, messages) = messages().await;
        engine.stop().await;
        assert_eq!(messages.get(MessageId::generate()).await.unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(messages.begin(&new_message()).await.unwrap_err().kind(), Kind::Unavailable);
    }
}
