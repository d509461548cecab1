//! Table `Messages`: every message that was sent, by our own id, and every one that came, by what Meta calls it.
//!
//! The index `by_contact` has a contact's messages by time, and the index `by_wamid` leads from Meta's id to ours.

mod finding;
mod received;
mod status;
mod taken_over;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::{AccountId, Error, MessageId, PublicError, RecipientRef, Result, SendState, SendStep};
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
pub use taken_over::SentBefore;

/// The messages, each a row from before Meta is called.
#[derive(Clone, Debug)]
pub struct Messages {
    database: Database,
    table: String,
}

/// Whoever claims a message: only they may say what became of it, unless Meta does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    /// A token that nobody else has.
    pub fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of a wish to claim a message.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// It is the owner's, to be handed to Meta once.
    Ours,
    /// Somebody else has it, or had it: as it is now.
    Taken(Box<Message>),
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
    /// For which recipient of which campaign it is, if it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<RecipientRef>,
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
    /// It was surely not sent now, and may be later.
    PutBack,
}

impl Outcome {
    fn step(&self) -> SendStep {
        match self {
            Self::Accepted { .. } => SendStep::Accept,
            Self::Rejected(_) => SendStep::Reject,
            Self::Unknown => SendStep::LoseTrack,
            Self::PutBack => SendStep::PutBack,
        }
    }
}

/// A message as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// What was known before sending.
    #[serde(flatten)]
    pub new: NewMessage,
    /// How far it has come.
    pub state: SendState,
    /// Who claimed it.
    pub owner: Owner,
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
    pub fn state_at(&self, now: Timestamp) -> SendState {
        match self.state {
            SendState::Sending if self.new.deadline_at <= now => SendState::Unknown,
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

    /// Claims a message that is about to be handed to Meta. The same owner may ask again, as after an error that leaves open
    /// whether the claim was written.
    pub async fn begin(&self, message: &NewMessage, owner: &Owner) -> Result<Claimed> {
        self.put(message, owner, SendStep::Claim, SendState::Sending, None).await
    }

    /// Makes sure that a message which has not begun never will: its id is taken by a rejected row. `false`: it has
    /// begun after all.
    pub async fn give_up(&self, message: &NewMessage, why: &Error) -> Result<bool> {
        let failure = Some(to_json(why.public())?);
        let put = self.put(message, &Owner::new(), SendStep::GiveUp, SendState::Rejected, failure).await?;
        Ok(matches!(put, Claimed::Ours))
    }

    async fn put(
        &self,
        message: &NewMessage,
        owner: &Owner,
        step: SendStep,
        state: SendState,
        failure: Option<String>,
    ) -> Result<Claimed> {
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
        let Condition { expression, names, values } = Condition::of(step)?;
        let put = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(Error::internal)?))
            .condition_expression(expression)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let standing = match Written::put(put)? {
            Written::Done => return Ok(Claimed::Ours),
            Written::Refused(row) => row.ok_or_else(|| Error::internal("a message that is claimed shows no row"))?,
        };
        let standing: Message = serde_dynamo::from_item(standing).map_err(Error::internal)?;
        // The SDK tries again when an answer is lost: then the row that stands in the way is our own.
        let is_ours = standing.owner == *owner && standing.state == state;
        Ok(if is_ours { Claimed::Ours } else { Claimed::Taken(Box::new(standing)) })
    }

    /// Records what became of a message that this owner claimed. An acceptance always stands; anything else counts only as
    /// long as the message is the owner's, and never overwrites what a status webhook has told already.
    pub async fn finish(&self, id: MessageId, owner: &Owner, outcome: &Outcome) -> Result<()> {
        let step = outcome.step();
        let state = step.leads_to(Some(SendState::Sending)).ok_or_else(|| Error::internal("no such step"))?;
        let Condition { mut expression, names, values } = Condition::of(step)?;
        let mut update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", attribute(state)?);
        if step.is_owners() {
            expression.push_str(" AND #owner = :owner");
            update = update
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_values(":owner", AttributeValue::S(owner.0.clone()));
        }
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
                .expression_attribute_values(":failure", AttributeValue::S(to_json(failure)?)),
            Outcome::Unknown => update.update_expression("SET #state = :state"),
            // Nobody who reads the conversation shall see it before it is sent.
            Outcome::PutBack => update.update_expression("SET #state = :state REMOVE contact"),
        };
        Written::update(update.condition_expression(expression).send().await).map(|_| ())
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

/// When a step may be taken, as DynamoDB asks it of the row.
struct Condition {
    expression: String,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
}

impl Condition {
    /// Made from the one table of steps.
    fn of(step: SendStep) -> Result<Self> {
        let (mut nothing, mut states) = (false, Vec::new());
        for from in step.allowed_from() {
            match from {
                None => nothing = true,
                Some(state) => states.push(state),
            }
        }
        if states.len() == SendState::ALL.len() {
            return Ok(Self { expression: "attribute_exists(id)".to_owned(), names: None, values: None });
        }
        let placeholders: Vec<_> = states.iter().map(|state| format!(":from_{}", state.as_str())).collect();
        let is_one_of = (!states.is_empty()).then(|| format!("#state IN ({})", placeholders.join(", ")));
        let is_none = nothing.then(|| "attribute_not_exists(id)".to_owned());
        let expression = is_none.into_iter().chain(is_one_of).collect::<Vec<_>>().join(" OR ");
        let names = (!states.is_empty()).then(|| HashMap::from([("#state".to_owned(), "state".to_owned())]));
        let values = placeholders.into_iter().zip(states).map(|(name, state)| Ok((name, attribute(state)?)));
        let values: HashMap<_, _> = values.collect::<Result<_>>()?;
        Ok(Self { expression, names, values: Some(values).filter(|values| !values.is_empty()) })
    }
}

fn attribute(state: SendState) -> Result<AttributeValue> {
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
            campaign: None,
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

    async fn begin(messages: &Messages, new: &NewMessage) -> Owner {
        let owner = Owner::new();
        assert!(matches!(messages.begin(new, &owner).await.unwrap(), Claimed::Ours));
        owner
    }

    async fn state(messages: &Messages, id: MessageId) -> Option<SendState> {
        messages.get(id).await.unwrap().map(|message| message.state)
    }

    #[tokio::test]
    async fn a_message_stands_as_sending_until_its_outcome_is_recorded() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        let owner = begin(&messages, &new).await;
        let stored = messages.get(new.id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.new.created_at), (SendState::Sending, new.created_at));
        messages.finish(new.id, &owner, &accepted()).await.unwrap();
        let stored = messages.get(new.id).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.wamid.as_deref()), (SendState::Accepted, Some("wamid.X")));
    }

    #[tokio::test]
    async fn a_message_whose_sender_died_is_unknown_after_its_deadline() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        begin(&messages, &new).await;
        let stored = messages.get(new.id).await.unwrap().unwrap();
        assert_eq!(stored.state_at(new.deadline_at - Duration::from_millis(1)), SendState::Sending);
        assert_eq!(stored.state_at(new.deadline_at), SendState::Unknown);
    }

    #[tokio::test]
    async fn a_message_that_was_given_up_can_never_begin_and_one_that_began_cannot_be_given_up() {
        let (_engine, messages) = messages().await;
        let why = Error::new(Kind::Unavailable, "abandoned");
        let (first, second) = (new_message(), new_message());
        assert!(messages.give_up(&first, &why).await.unwrap());
        assert!(matches!(messages.begin(&first, &Owner::new()).await.unwrap(), Claimed::Taken(_)));
        begin(&messages, &second).await;
        assert!(!messages.give_up(&second, &why).await.unwrap());
    }

    /// Every state, every step: what the table allows is written, and what it does not allow changes nothing.
    #[tokio::test]
    async fn the_storage_takes_exactly_the_steps_of_the_table() {
        let (_engine, messages) = messages().await;
        let why = Error::new(Kind::Unavailable, "abandoned");
        let failure = why.public().clone();
        let steps = [
            (SendStep::Claim, None),
            (SendStep::GiveUp, None),
            (SendStep::PutBack, Some(Outcome::PutBack)),
            (SendStep::Accept, Some(accepted())),
            (SendStep::Reject, Some(Outcome::Rejected(failure.clone()))),
            (SendStep::LoseTrack, Some(Outcome::Unknown)),
        ];
        for from in std::iter::once(None).chain(SendState::ALL.map(Some)) {
            for (step, outcome) in &steps {
                let new = new_message();
                let mut owner = Owner::new();
                if from.is_some() {
                    owner = begin(&messages, &new).await;
                }
                let reach = match from {
                    None | Some(SendState::Sending) => None,
                    Some(SendState::Pending) => Some(Outcome::PutBack),
                    Some(SendState::Accepted) => Some(accepted()),
                    Some(SendState::Rejected) => Some(Outcome::Rejected(failure.clone())),
                    Some(SendState::Unknown) => Some(Outcome::Unknown),
                };
                if let Some(reach) = reach {
                    messages.finish(new.id, &owner, &reach).await.unwrap();
                }
                assert_eq!(state(&messages, new.id).await, from);
                match (step, outcome) {
                    (_, Some(outcome)) => messages.finish(new.id, &owner, outcome).await.unwrap(),
                    (SendStep::Claim, None) => drop(messages.begin(&new, &Owner::new()).await.unwrap()),
                    (_, None) => drop(messages.give_up(&new, &why).await.unwrap()),
                }
                let expected = step.leads_to(from).or(from);
                assert_eq!(state(&messages, new.id).await, expected, "{step:?} from {from:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_message_that_was_put_back_is_claimed_once_more_and_its_former_owner_has_no_say() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        let former = begin(&messages, &new).await;
        messages.finish(new.id, &former, &Outcome::PutBack).await.unwrap();
        let owner = begin(&messages, &new).await;
        let failure = Error::new(Kind::Invalid, "late").public().clone();
        for late in [Outcome::PutBack, Outcome::Rejected(failure), Outcome::Unknown] {
            messages.finish(new.id, &former, &late).await.unwrap();
            assert_eq!(state(&messages, new.id).await, Some(SendState::Sending), "{late:?}");
        }
        assert!(matches!(messages.begin(&new, &former).await.unwrap(), Claimed::Taken(_)));
        messages.finish(new.id, &owner, &Outcome::Unknown).await.unwrap();
        assert_eq!(state(&messages, new.id).await, Some(SendState::Unknown));
    }

    #[tokio::test]
    async fn an_owner_may_ask_for_its_claim_again_and_nobody_else_gets_it() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        let owner = begin(&messages, &new).await;
        assert!(matches!(messages.begin(&new, &owner).await.unwrap(), Claimed::Ours));
        let Claimed::Taken(standing) = messages.begin(&new, &Owner::new()).await.unwrap() else {
            panic!("taken twice")
        };
        assert_eq!((standing.state, standing.owner), (SendState::Sending, owner.clone()));
        messages.finish(new.id, &owner, &accepted()).await.unwrap();
        // What Meta has is not to be handed over by anybody.
        assert!(matches!(messages.begin(&new, &owner).await.unwrap(), Claimed::Taken(_)));
    }

    #[tokio::test]
    async fn an_acceptance_settles_an_unknown_outcome() {
        let (_engine, messages) = messages().await;
        let new = new_message();
        let owner = begin(&messages, &new).await;
        messages.finish(new.id, &owner, &Outcome::Unknown).await.unwrap();
        messages.finish(new.id, &owner, &accepted()).await.unwrap();
        assert_eq!(state(&messages, new.id).await, Some(SendState::Accepted));
    }

    #[tokio::test]
    async fn an_outage_is_never_an_absent_message() {
        let (engine, messages) = messages().await;
        engine.stop().await;
        assert_eq!(messages.get(MessageId::generate()).await.unwrap_err().kind(), Kind::Unavailable);
        assert_eq!(messages.begin(&new_message(), &Owner::new()).await.unwrap_err().kind(), Kind::Unavailable);
    }
}
