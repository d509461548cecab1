//! What the status webhooks tell of messages that were sent.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AccountId, Error, MessageId, Result, SendStep};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Message, Messages, attribute};
use crate::database::Written;
use crate::place::sortable;

/// How far Meta says that a message has come (Meta: "Status messages webhook").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It left for the phone.
    Sent,
    /// It never reached the phone.
    Failed,
    /// It is on the phone.
    Delivered,
    /// The contact saw it.
    Read,
    /// The contact listened to it.
    Played,
}

/// A status, as a webhook tells it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose message it is.
    pub account_id: AccountId,
    /// Our id, which Meta echoes.
    pub message_id: Option<MessageId>,
    /// Meta's id: visible ASCII.
    pub wamid: String,
    /// The recipient's number as Meta writes it.
    pub recipient: Option<String>,
    /// What happened.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// All that Meta told of it, as JSON with its members in order.
    pub content: String,
}

/// Every status that was told of a message: each once, the earliest of its kind. Nothing depends on the order in which they
/// come, and none takes another one's place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "they stand among a row's other attributes")]
pub struct Statuses {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_sent: Option<Told>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_failed: Option<Told>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_delivered: Option<Told>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_read: Option<Told>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_played: Option<Told>,
}

/// When it happened and all that Meta told, as a text that sorts by time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Told(String);

impl Told {
    fn new(report: &Report) -> Self {
        Self(format!("{}#{}", sortable(report.at), report.content))
    }
}

impl Status {
    /// All of them, by how much each says.
    pub const ALL: [Self; 5] = [Self::Sent, Self::Failed, Self::Delivered, Self::Read, Self::Played];

    /// Meta's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
        }
    }

    /// Reads Meta's word for it. `None`: a word that Meta has added since.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    fn attribute(self) -> String {
        format!("status_{}", self.as_str())
    }
}

impl Statuses {
    /// How far the message has come: a failure counts only as long as it was not delivered. `None`: nothing was told yet.
    pub fn reached(&self) -> Option<Status> {
        Status::ALL.into_iter().rev().find(|status| self.told(*status).is_some())
    }

    /// When a status was told to have happened.
    pub fn at(&self, status: Status) -> Option<Timestamp> {
        let (at, _) = self.told(status)?.0.split_once('#')?;
        Timestamp::from_millisecond(at.parse().ok()?).ok()
    }

    /// All that Meta told of a status.
    pub fn content(&self, status: Status) -> Option<Value> {
        let (_, content) = self.told(status)?.0.split_once('#')?;
        serde_json::from_str(content).ok()
    }

    /// Adds one that was told: of several of one kind the earliest stays.
    pub(super) fn add(&mut self, report: &Report) {
        let slot = match report.status {
            Status::Sent => &mut self.status_sent,
            Status::Failed => &mut self.status_failed,
            Status::Delivered => &mut self.status_delivered,
            Status::Read => &mut self.status_read,
            Status::Played => &mut self.status_played,
        };
        let told = Told::new(report);
        if slot.as_ref().is_none_or(|there| there.0 > told.0) {
            *slot = Some(told);
        }
    }

    fn told(&self, status: Status) -> Option<&Told> {
        match status {
            Status::Sent => self.status_sent.as_ref(),
            Status::Failed => self.status_failed.as_ref(),
            Status::Delivered => self.status_delivered.as_ref(),
            Status::Read => self.status_read.as_ref(),
            Status::Played => self.status_played.as_ref(),
        }
    }
}

/// The id of the row of a message that was sent elsewhere than here.
pub(super) fn elsewhere(account_id: AccountId, wamid: &str) -> String {
    format!("out#{account_id}#{wamid}")
}

impl Messages {
    /// The message that a status is about: by our id, or else by Meta's. `None`: it was sent elsewhere than here.
    pub async fn reported(&self, report: &Report) -> Result<Option<Message>> {
        if let Some(id) = report.message_id {
            let found = self.get(id).await?;
            let is_same = |message: &Message| {
                let wamid = message.wamid.as_ref().is_none_or(|wamid| *wamid == report.wamid);
                wamid && message.new.account_id == report.account_id
            };
            if let Some(message) = found.filter(is_same) {
                return Ok(Some(message));
            }
        }
        let sent = self.ids_of(&report.wamid).await?.into_iter().find_map(|id| id.parse().ok());
        let Some(id) = sent else { return Ok(None) };
        let found = self.get(id).await?;
        Ok(found.filter(|message| message.new.account_id == report.account_id))
    }

    /// Records a status of a message that was sent from here. Whatever its sender saw, Meta has it: that settles an unknown
    /// outcome.
    pub async fn settle(&self, message: &Message, report: &Report) -> Result<()> {
        let state = SendStep::Settle.leads_to(Some(message.state)).ok_or_else(|| Error::internal("no such step"))?;
        let update = self.told(&message.new.id.to_string(), report);
        let update = update
            .update_expression("SET #status = :told, #state = :state, wamid = :wamid")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", attribute(state)?)
            .expression_attribute_values(":wamid", AttributeValue::S(report.wamid.clone()));
        Written::update(update.send().await).map(|_| ())
    }

    /// Records a status of a message that was sent elsewhere than here, such as by another program with the same number.
    pub async fn settle_elsewhere(&self, report: &Report) -> Result<()> {
        let update = self.told(&elsewhere(report.account_id, &report.wamid), report);
        let update = update
            .update_expression("SET #status = :told, account_id = :account")
            .expression_attribute_values(":account", AttributeValue::N(report.account_id.to_string()));
        Written::update(update.send().await).map(|_| ())
    }

    fn told(&self, id: &str, report: &Report) -> UpdateItemFluentBuilder {
        let Told(told) = Told::new(report);
        self.database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_owned()))
            // Of several of one kind the earliest stays, and of those at one time always the same.
            .condition_expression("attribute_not_exists(#status) OR #status > :told")
            .expression_attribute_names("#status", report.status.attribute())
            .expression_attribute_values(":told", AttributeValue::S(told))
    }
}

#[cfg(test)]
mod tests;
