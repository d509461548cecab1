//! Tables `Conversations` and `Counters`: who the business talks with, and the whole numbers that clients know
//! conversations by.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{AccountId, Error, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};

use crate::database::{Database, Written, epoch_millis, outage};

/// The conversations of all accounts.
#[derive(Clone, Debug)]
pub struct Conversations {
    database: Database,
    table: String,
    counters: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Conversation {
    /// The partition key: account and phone number.
    contact: String,
    id: i64,
    account_id: AccountId,
    phone_number: String,
    unread_count: i64,
    #[serde(with = "millisecond::required")]
    last_message_at: Timestamp,
}

impl Conversations {
    /// The conversations of a deployment.
    pub fn new(database: &Database) -> Self {
        Self {
            table: database.table("Conversations"),
            counters: database.table("Counters"),
            database: database.clone(),
        }
    }

    /// Records that a message went from the account to `phone_number` (digits, as Meta knows the contact) at `at`. A
    /// conversation begins with its first message; an older message never moves it back.
    pub async fn message_sent(&self, account: AccountId, phone_number: &str, at: Timestamp) -> Result<()> {
        if self.touch(account, phone_number, at).await? {
            return Ok(());
        }
        let conversation = Conversation {
            contact: contact(account, phone_number),
            id: self.next_id().await?,
            account_id: account,
            phone_number: phone_number.to_owned(),
            unread_count: 0,
            last_message_at: at,
        };
        if !self.begin(conversation).await? {
            // Somebody else began it in the meantime.
            self.touch(account, phone_number, at).await?;
        }
        Ok(())
    }

    /// `false`: there is no such conversation.
    async fn touch(&self, account: AccountId, phone_number: &str, at: Timestamp) -> Result<bool> {
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("contact", AttributeValue::S(contact(account, phone_number)))
            .update_expression("SET last_message_at = :at")
            .condition_expression("last_message_at < :at")
            .expression_attribute_values(":at", epoch_millis(at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match Written::update(update)? {
            Written::Done => true,
            Written::Refused(row) => row.is_some(),
        })
    }

    /// `false`: it is there already.
    async fn begin(&self, conversation: Conversation) -> Result<bool> {
        let put = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(conversation).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(contact)")
            .send()
            .await;
        Ok(Written::put(put)?.is_done())
    }

    /// The next whole number. One may be skipped when an answer is lost; none is given twice.
    async fn next_id(&self) -> Result<i64> {
        let answer = self
            .database
            .client()
            .update_item()
            .table_name(&self.counters)
            .key("name", AttributeValue::S("conversations".to_owned()))
            .update_expression("ADD last_id :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(outage)?;
        let last_id = answer.attributes().and_then(|row| row.get("last_id")?.as_n().ok()?.parse().ok());
        last_id.ok_or_else(|| Error::internal("the counter answered with no number"))
    }
}

fn contact(account: AccountId, phone_number: &str) -> String {
    format!("{account}#{phone_number}")
}

#[cfg(test)]
mod tests {
    use embedded_dynamodb::Engine;

    use super::*;

    async fn conversations() -> (Engine, Conversations) {
        let engine = Engine::in_memory().await.unwrap();
        let conversations = Conversations::new(&Database::local(engine.url(), engine.table_prefix()));
        (engine, conversations)
    }

    async fn get(conversations: &Conversations, account: i64, phone: &str) -> Conversation {
        let answer = conversations
            .database
            .client()
            .get_item()
            .table_name(&conversations.table)
            .key("contact", AttributeValue::S(contact(AccountId(account), phone)))
            .send()
            .await
            .unwrap();
        serde_dynamo::from_item(answer.item.unwrap()).unwrap()
    }

    fn at(second: u32) -> Timestamp {
        format!("2026-01-02T03:04:{second:02}Z").parse().unwrap()
    }

    #[tokio::test]
    async fn a_conversation_begins_with_its_first_message_and_never_moves_back() {
        let (_engine, conversations) = conversations().await;
        for second in [5, 9, 7] {
            conversations.message_sent(AccountId(1), "919876543210", at(second)).await.unwrap();
        }
        let conversation = get(&conversations, 1, "919876543210").await;
        assert_eq!((conversation.id, conversation.last_message_at, conversation.unread_count), (1, at(9), 0));
    }

    #[tokio::test]
    async fn every_contact_of_every_account_has_an_id_of_its_own() {
        let (_engine, conversations) = conversations().await;
        for (account, phone) in [(1, "919876543210"), (2, "919876543210"), (1, "919876543211")] {
            conversations.message_sent(AccountId(account), phone, at(1)).await.unwrap();
        }
        let mut ids = Vec::new();
        for (account, phone) in [(1, "919876543210"), (2, "919876543210"), (1, "919876543211")] {
            ids.push(get(&conversations, account, phone).await.id);
        }
        assert_eq!(ids, [1, 2, 3]);
    }
}
