//! Messages that came from contacts.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::{AccountId, Error, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};

use super::Messages;
use crate::conversations::{Chat, Conversations};
use crate::database::{Transacted, Written};
use crate::place::Place;

/// A message that a contact wrote.
#[derive(Clone, Debug)]
pub struct Received {
    /// Whose conversation it belongs to.
    pub chat: Chat,
    /// The contact's number as Meta writes it, or their business-scoped user id.
    pub phone: String,
    /// Meta's id: visible ASCII.
    pub wamid: String,
    /// Meta's type: `text`, `image`, …; visible ASCII.
    pub kind: String,
    /// What a person reads of it.
    pub body: String,
    /// All that Meta told of it, as JSON with its members in order.
    pub content: String,
    /// The wamid of the message that it answers.
    pub reply_to: Option<String>,
    /// When it was written.
    pub at: Timestamp,
}

/// A message that a contact wrote, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReceivedMessage {
    id: String,
    direction: Inbound,
    contact: String,
    /// Where it stands in the conversation.
    pub position: Place,
    /// The receiving account.
    pub account_id: AccountId,
    /// The contact's number as Meta writes it, or their business-scoped user id.
    pub phone: String,
    /// Meta's id.
    pub wamid: String,
    /// Meta's type.
    pub kind: String,
    /// What a person reads of it.
    pub body: String,
    /// All that Meta told of it, as JSON.
    pub content: String,
    /// The wamid of the message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// When it was written.
    #[serde(with = "millisecond::required")]
    pub at: Timestamp,
}

/// What tells such a row from one of a message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Inbound {
    Inbound,
}

impl Messages {
    /// Stores a message that came, and counts it as unread, both or neither: however often it comes, it is counted once.
    ///
    /// Should one come twice with different contents, which Meta does not do, the same of them stays every time.
    pub async fn receive(&self, received: &Received, conversations: &Conversations) -> Result<()> {
        let row = ReceivedMessage::from(received);
        let content = row.content.clone();
        let item: HashMap<_, _> = serde_dynamo::to_item(row).map_err(Error::internal)?;
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .condition_expression("attribute_not_exists(id)")
            .build()
            .map_err(Error::internal)?;
        let put = TransactWriteItem::builder().put(put).build();
        let written = self.database.transact(vec![put, conversations.one_more_unread(&received.chat)?]).await?;
        if written == Transacted::Done {
            return Ok(());
        }
        let replaced = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("content > :content")
            .expression_attribute_values(":content", AttributeValue::S(content))
            .send()
            .await;
        Written::put(replaced).map(|_| ())
    }
}

impl From<&Received> for ReceivedMessage {
    fn from(received: &Received) -> Self {
        let Received { chat, phone, wamid, kind, body, content, reply_to, at } = received.clone();
        // Meta's id alone would do, were there not examples of Meta's own where messages of several types share one.
        let id = format!("in#{wamid}#{kind}#{}", chat.key());
        let position = Place::new(at, &id);
        let (contact, account_id) = (chat.key(), chat.account_id);
        Self {
            id,
            direction: Inbound::Inbound,
            contact,
            position,
            account_id,
            phone,
            wamid,
            kind,
            body,
            content,
            reply_to,
            at,
        }
    }
}
