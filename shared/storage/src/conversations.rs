//! Table `Conversations`: with whom the business talks, how many messages nobody has read yet, and what each contact wants.
//!
//! Every attribute grows in one direction only, or is the latest by the time that Meta gives: so that the same events in
//! whatever order, however often, give the same row. The indexes `newest` and `unread` hold an account's conversations by
//! time; only those with unread messages have the attribute `unread_account`, and so are in the second.

mod taken_over;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::{AccountId, Contact, Error, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::database::{Database, epoch_millis, outage};
use crate::page::Page;
use crate::place::{Place, sortable};

pub use taken_over::KnownChat;

const NEWEST: &str = "newest";
const UNREAD: &str = "unread";
/// Ids that are computed are never smaller: those below are for conversations that were taken over, and stay theirs.
const SMALLEST_COMPUTED_ID: u64 = 1 << 32;

/// How a wish is marked that was taken over.
const BEFORE: &str = "before";

/// The conversations of all accounts.
#[derive(Clone, Debug)]
pub struct Conversations {
    database: Database,
    table: String,
}

/// Which conversation: between an account and a contact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chat {
    /// The business's side.
    pub account_id: AccountId,
    /// The other side.
    pub contact: Contact,
}

/// A conversation as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Conversation {
    /// The partition key: account and contact.
    contact: String,
    /// The contact's number as Meta last wrote it, or their business-scoped user id.
    #[serde(default)]
    pub phone_number: String,
    /// The name that the contact goes by on WhatsApp.
    #[serde(default)]
    pub name: Option<String>,
    /// How many messages came that nobody has read yet.
    #[serde(default)]
    pub unread_count: i64,
    /// When the newest message was sent, by either side. `None`: there is none, only a wish of the contact's.
    #[serde(default, with = "millisecond::optional")]
    pub last_message_at: Option<Timestamp>,
    /// When the contact last wrote. For 24 hours from then Meta takes any message (Meta: "Customer service windows").
    #[serde(default, with = "millisecond::optional")]
    pub last_inbound_at: Option<Timestamp>,
    /// The wamid of that message.
    #[serde(default)]
    pub last_inbound_wamid: Option<String>,
    /// The label that the program had given it from which it was taken over, by that program's number.
    #[serde(default)]
    pub label: Option<i64>,
    /// The number by which clients knew it there.
    #[serde(default)]
    kept_id: Option<u64>,
    #[serde(default)]
    preference: Option<Preference>,
}

/// What a contact last said of being written to: when, and what, as a text that sorts by time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Preference(String);

/// A contact who does not want to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// Since when.
    pub since: Timestamp,
    /// How they said so.
    pub by: OptOutBy,
}

/// How a contact says what they want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOutBy {
    /// A message of one word, such as STOP.
    Word,
    /// WhatsApp's own switch for marketing messages (Meta: "`user_preferences` webhook").
    WhatsApp,
    /// They had done so at the program from which they were taken over.
    Before,
}

/// A contact who wrote.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Their number as Meta writes it, or their business-scoped user id.
    pub phone_number: &'a str,
    /// The name that they go by.
    pub name: Option<&'a str>,
    /// Their message.
    pub wamid: &'a str,
    /// When they wrote.
    pub at: Timestamp,
}

impl Chat {
    /// The conversation with whoever has this number. `None`: it is no number.
    pub fn with_number(account_id: AccountId, number: &str) -> Option<Self> {
        Contact::of_number(number).map(|contact| Self { account_id, contact })
    }

    /// The partition key.
    pub(crate) fn key(&self) -> String {
        format!("{}#{}", self.account_id, self.contact.as_str())
    }
}

impl Conversation {
    /// The whole number that clients know the conversation by: always the same for the same account and contact, so that
    /// nobody has to hand numbers out. It has 53 bits: whatever reads JSON can hold it. One that was taken over keeps the
    /// number that it had, which is smaller than any other.
    pub fn id(&self) -> u64 {
        self.kept_id.unwrap_or_else(|| {
            let hash: [u8; 32] = Sha256::digest(&self.contact).into();
            let id = hash.iter().take(8).fold(0, |id: u64, byte| (id << 8) | u64::from(*byte)) >> 11;
            if id < SMALLEST_COMPUTED_ID { id | (1 << 52) } else { id }
        })
    }

    /// Whether the contact does not want to be written to.
    pub fn opted_out(&self) -> Option<OptOut> {
        self.preference.as_ref().and_then(Preference::opted_out)
    }

    /// Where it stands in the list. `None`: not at all.
    pub fn place(&self) -> Option<Place> {
        self.last_message_at.map(|at| Place::new(at, &self.contact))
    }
}

impl Preference {
    fn new(wants_messages: bool, by: OptOutBy, at: Timestamp) -> Self {
        // Of two at the same time the one that sorts last counts: to stop.
        let wish = if wants_messages { "resume" } else { "stop" };
        let by = match by {
            OptOutBy::Word => "word",
            OptOutBy::WhatsApp => "whatsapp",
            OptOutBy::Before => BEFORE,
        };
        Self(format!("{}#{wish}#{by}", sortable(at)))
    }

    fn opted_out(&self) -> Option<OptOut> {
        let (at, wish) = self.0.split_once('#')?;
        let since = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
        match wish {
            "stop#word" => Some(OptOut { since, by: OptOutBy::Word }),
            "stop#whatsapp" => Some(OptOut { since, by: OptOutBy::WhatsApp }),
            "stop#before" => Some(OptOut { since, by: OptOutBy::Before }),
            _ => None,
        }
    }
}

impl Conversations {
    /// The conversations of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("Conversations"), database: database.clone() }
    }

    /// Records that a message was sent at `at`, by either side. A conversation begins with its first message; an older
    /// message never moves it back. `phone_number` is the contact's as Meta writes it.
    pub async fn moved(&self, chat: &Chat, phone_number: &str, at: Timestamp) -> Result<()> {
        let set = "SET last_message_at = :at, account_id = :account, \
                   phone_number = if_not_exists(phone_number, :phone), unread_count = if_not_exists(unread_count, :none)";
        let values = [
            (":at", epoch_millis(at)),
            (":account", account(chat.account_id)),
            (":phone", text(phone_number)),
            (":none", AttributeValue::N("0".to_owned())),
        ];
        self.set_if(chat, set, "attribute_not_exists(last_message_at) OR last_message_at < :at", values).await
    }

    /// Records who wrote and when, unless a later message told so already.
    pub async fn heard(&self, chat: &Chat, heard: &Heard<'_>) -> Result<()> {
        let Heard { phone_number, name, wamid, at } = *heard;
        // Of two messages in the same second the same one counts every time.
        let order = format!("{}#{wamid}#{phone_number}#{}", sortable(at), name.unwrap_or_default());
        let mut set = "SET heard = :order, phone_number = :phone, last_inbound_at = :at, last_inbound_wamid = :wamid, \
                       account_id = :account"
            .to_owned();
        let mut values = vec![
            (":order", AttributeValue::S(order)),
            (":phone", text(phone_number)),
            (":at", epoch_millis(at)),
            (":wamid", text(wamid)),
            (":account", account(chat.account_id)),
        ];
        // NAME is a reserved word.
        match name {
            Some(name) => {
                set.push_str(", #name = :name");
                values.push((":name", text(name)));
            }
            None => set.push_str(" REMOVE #name"),
        }
        self.set_if(chat, &set, "attribute_not_exists(heard) OR heard < :order", values).await
    }

    /// Records what a contact said of being written to, unless they said something later.
    pub async fn preferred(&self, chat: &Chat, wants_messages: bool, by: OptOutBy, at: Timestamp) -> Result<()> {
        let preference = Preference::new(wants_messages, by, at).0;
        let values = [(":preference", AttributeValue::S(preference)), (":account", account(chat.account_id))];
        let set = "SET preference = :preference, account_id = :account";
        self.set_if(chat, set, "attribute_not_exists(preference) OR preference < :preference", values).await
    }

    /// The write that counts one more unread message: part of the transaction that stores the message.
    pub(crate) fn one_more_unread(&self, chat: &Chat) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("contact", AttributeValue::S(chat.key()))
            .update_expression("SET unread_account = :account ADD unread_count :one")
            .expression_attribute_values(":account", account(chat.account_id))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Everything in the conversation has been read. `false`: there is no such conversation.
    pub async fn read(&self, chat: &Chat) -> Result<bool> {
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("contact", AttributeValue::S(chat.key()))
            // Whoever takes over what another program counted must know that somebody has read it all since.
            .update_expression("SET unread_count = :none, read_here = :yes REMOVE unread_account")
            .condition_expression("attribute_exists(last_message_at)")
            .expression_attribute_values(":none", AttributeValue::N("0".to_owned()))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        Ok(self.database.update(update).await?.is_done())
    }

    /// Reads a conversation as it is now.
    pub async fn get(&self, chat: &Chat) -> Result<Option<Conversation>> {
        let answer = self
            .database
            .client()
            .get_item()
            .table_name(&self.table)
            .key("contact", AttributeValue::S(chat.key()))
            .consistent_read(true)
            .send()
            .await
            .map_err(outage)?;
        answer.item.map(serde_dynamo::from_item).transpose().map_err(Error::internal)
    }

    /// At most `limit` conversations of an account, newest first, perhaps only those with unread messages; behind the
    /// place `after`, if one is given.
    pub async fn newest(
        &self,
        account_id: AccountId,
        only_unread: bool,
        after: Option<&Place>,
        limit: i32,
    ) -> Result<Page<Conversation>> {
        let (index, partition) = if only_unread { (UNREAD, "unread_account") } else { (NEWEST, "account_id") };
        let start_key = |place: &Place| -> Result<_> {
            Ok(HashMap::from([
                (partition.to_owned(), account(account_id)),
                ("last_message_at".to_owned(), epoch_millis(place.at()?)),
                ("contact".to_owned(), text(place.id())),
            ]))
        };
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#partition = :account")
            .expression_attribute_names("#partition", partition)
            .expression_attribute_values(":account", account(account_id))
            .scan_index_forward(false)
            .limit(Page::<Conversation>::query_limit(limit))
            .set_exclusive_start_key(after.map(start_key).transpose()?);
        let answer = query.send().await.map_err(outage)?;
        Page::of(answer, limit, |row| serde_dynamo::from_item(row).map_err(Error::internal))
    }

    /// Whether the condition holds or not: afterwards the row is as it should be.
    async fn set_if(
        &self,
        chat: &Chat,
        expression: &str,
        condition: &str,
        values: impl IntoIterator<Item = (&str, AttributeValue)>,
    ) -> Result<()> {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("contact", AttributeValue::S(chat.key()))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(
                expression.contains("#name").then(|| HashMap::from([("#name".to_owned(), "name".to_owned())])),
            )
            .set_expression_attribute_values(Some(values));
        self.database.update(update).await.map(|_| ())
    }
}

fn account(id: AccountId) -> AttributeValue {
    AttributeValue::N(id.to_string())
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[cfg(test)]
mod tests;
