//! Messages by their ids, and a conversation's by time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AccountId, Error, MessageId, Result};
use serde::Deserialize;

use super::{Message, Messages, ReceivedMessage, Statuses, status};
use crate::conversations::Chat;
use crate::database::outage;
use crate::page::Page;
use crate::place::Place;

const BY_CONTACT: &str = "by_contact";
const BY_WAMID: &str = "by_wamid";
/// Meta's ids belong to one message each; in its own examples a few share one.
const MOST_WITH_ONE_WAMID: i32 = 10;
/// A key of a table has a limit; no id of Meta's comes near it.
const LONGEST_WAMID: usize = 1000;

/// A message of either direction.
#[derive(Clone, Debug)]
pub enum Stored {
    /// It was sent from here.
    Sent(Box<Message>),
    /// It came from a contact.
    Received(Box<ReceivedMessage>),
    /// It was sent from the account's number by another program: all that is known are its statuses.
    Elsewhere(Box<Elsewhere>),
}

/// A message that another program sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Elsewhere {
    id: String,
    /// The account whose number it was sent from.
    pub account_id: AccountId,
    /// What the status webhooks told.
    #[serde(flatten)]
    pub statuses: Statuses,
}

pub(super) type Row = HashMap<String, AttributeValue>;

impl Elsewhere {
    /// Meta's id of the message.
    pub fn wamid(&self) -> &str {
        self.id.splitn(3, '#').last().unwrap_or_default()
    }
}

impl Stored {
    /// The account that sent or received it.
    pub fn account_id(&self) -> AccountId {
        match self {
            Self::Sent(message) => message.new.account_id,
            Self::Received(message) => message.account_id,
            Self::Elsewhere(message) => message.account_id,
        }
    }

    /// Where it stands in its conversation. `None`: in none.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Sent(message) => message.position.as_ref(),
            Self::Received(message) => Some(&message.position),
            Self::Elsewhere(_) => None,
        }
    }

    fn read(row: Row) -> Result<Self> {
        let starts_with =
            |prefix: &str| row.get("id").and_then(|id| id.as_s().ok()).is_some_and(|id| id.starts_with(prefix));
        let read = if starts_with("in#") {
            serde_dynamo::from_item(row).map(|message| Self::Received(Box::new(message)))
        } else if starts_with("out#") {
            serde_dynamo::from_item(row).map(|message| Self::Elsewhere(Box::new(message)))
        } else {
            serde_dynamo::from_item(row).map(|message| Self::Sent(Box::new(message)))
        };
        read.map_err(Error::internal)
    }
}

impl Messages {
    /// An account's message with this id: ours, or Meta's. `None`: the account has none.
    pub async fn find(&self, account_id: AccountId, id: &str) -> Result<Option<Stored>> {
        let is_its_own = |message: &Stored| message.account_id() == account_id;
        if let Ok(id) = id.parse::<MessageId>() {
            let sent = self.get(id).await?.map(|message| Stored::Sent(Box::new(message)));
            return Ok(sent.filter(is_its_own));
        }
        if id.len() > LONGEST_WAMID {
            return Ok(None);
        }
        let by_wamid = self.ids_of(id).await?;
        for id in by_wamid.into_iter().chain([status::elsewhere(account_id, id)]) {
            let message = self.row(&id).await?.map(Stored::read).transpose()?;
            if let Some(message) = message.filter(is_its_own) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Messages that were sent from here, by our ids, none of which is asked for twice. One that is not there is left out.
    pub async fn many(&self, ids: impl IntoIterator<Item = MessageId>) -> Result<HashMap<MessageId, Message>> {
        let key =
            |id: MessageId| (self.table.clone(), HashMap::from([("id".to_owned(), AttributeValue::S(id.to_string()))]));
        let rows = self.database.get_all(ids.into_iter().map(key).collect()).await?;
        let read = |(_, row)| {
            let message: Message = serde_dynamo::from_item(row).map_err(Error::internal)?;
            Ok((message.new.id, message))
        };
        rows.into_iter().map(read).collect()
    }

    /// At most `limit` messages of a conversation, newest first; behind the place `after`, if one is given.
    pub async fn newest(&self, chat: &Chat, after: Option<&Place>, limit: i32) -> Result<Page<Stored>> {
        let contact = chat.key();
        let start_key = after.map(|place| {
            let names = [("contact", contact.as_str()), ("position", place.as_str()), ("id", place.id())];
            names.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).into()
        });
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            .index_name(BY_CONTACT)
            .key_condition_expression("contact = :contact")
            .expression_attribute_values(":contact", AttributeValue::S(contact.clone()))
            .scan_index_forward(false)
            .limit(Page::<Stored>::query_limit(limit))
            .set_exclusive_start_key(start_key);
        Page::of(query.send().await.map_err(outage)?, limit, Stored::read)
    }

    /// The ids of the rows of messages that Meta calls by this wamid.
    pub(super) async fn ids_of(&self, wamid: &str) -> Result<Vec<String>> {
        if wamid.is_empty() || wamid.len() > LONGEST_WAMID {
            return Ok(Vec::new());
        }
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            .index_name(BY_WAMID)
            .key_condition_expression("wamid = :wamid")
            .expression_attribute_values(":wamid", AttributeValue::S(wamid.to_owned()))
            .limit(MOST_WITH_ONE_WAMID);
        let rows = query.send().await.map_err(outage)?.items.unwrap_or_default();
        let mut ids: Vec<_> = rows.into_iter().filter_map(|row| row.get("id")?.as_s().ok().cloned()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    pub(super) async fn row(&self, id: &str) -> Result<Option<Row>> {
        let get = self.database.client().get_item().table_name(&self.table);
        let get = get.key("id", AttributeValue::S(id.to_owned())).consistent_read(true);
        Ok(get.send().await.map_err(outage)?.item)
    }
}

#[cfg(test)]
mod tests;
