//! What stands in the way of writing to many contacts: one read for a hundred rows, from two tables.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AccountId, Contact, Error, Result};

use crate::conversations::{Chat, Conversation, OptOut};
use crate::database::Database;

/// The contacts of all accounts.
#[derive(Clone, Debug)]
pub struct Contacts {
    database: Database,
    conversations: String,
    blocked: String,
}

/// What is known of a contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContactKnown {
    /// Whether they want no messages.
    pub opted_out: Option<OptOut>,
    /// Whether the account blocks them.
    pub is_blocked: bool,
}

impl Contacts {
    /// The contacts of a deployment.
    pub fn new(database: &Database) -> Self {
        Self {
            conversations: database.table("Conversations"),
            blocked: database.table("BlockedContacts"),
            database: database.clone(),
        }
    }

    /// What is known at this moment of an account's contacts, each of whom is named once: in their order.
    pub async fn known(&self, account_id: AccountId, contacts: &[&Contact]) -> Result<Vec<ContactKnown>> {
        let account = account_id.to_string();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut keys = Vec::new();
        let (mut by_chat, mut by_form) = (HashMap::new(), HashMap::new());
        for (index, contact) in contacts.iter().enumerate() {
            let chat = Chat { account_id, contact: (*contact).clone() }.key();
            keys.push((self.conversations.clone(), HashMap::from([("contact".to_owned(), text(&chat))])));
            by_chat.insert(chat, index);
            for form in contact.forms() {
                let key = HashMap::from([("account".to_owned(), text(&account)), ("contact".to_owned(), text(&form))]);
                keys.push((self.blocked.clone(), key));
                by_form.insert(form, index);
            }
        }
        let mut known = vec![ContactKnown::default(); contacts.len()];
        for (table, row) in self.database.get_all(keys).await? {
            let contact = row.get("contact").and_then(|contact| contact.as_s().ok());
            let by_contact = if table == self.conversations { &by_chat } else { &by_form };
            let index = contact.and_then(|contact| by_contact.get(contact));
            let known = index.and_then(|index| known.get_mut(*index));
            let known = known.ok_or_else(|| Error::internal("the row of a contact is of nobody"))?;
            if table == self.conversations {
                let conversation: Conversation = serde_dynamo::from_item(row).map_err(Error::internal)?;
                known.opted_out = conversation.opted_out();
            } else {
                known.is_blocked |= row.contains_key("listed");
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use domain::Kind;
    use embedded_dynamodb::Engine;
    use jiff::Timestamp;

    use super::*;
    use crate::blocked::{Became, BlockEvent, BlockedContacts};
    use crate::conversations::{Conversations, OptOutBy};

    #[tokio::test]
    async fn of_many_contacts_each_is_known_by_what_they_want_and_by_every_form_under_which_they_are_blocked() {
        let engine = Engine::in_memory().await.unwrap();
        let database = Database::local(engine.url(), engine.table_prefix());
        let (conversations, blocked) = (Conversations::new(&database), BlockedContacts::new(&database));
        let at = Timestamp::from_second(1_767_323_045).unwrap();
        let contacts: Vec<_> =
            (0..230).map(|number| Contact::of_number(&format!("55119888{number:05}")).unwrap()).collect();
        for (number, contact) in contacts.iter().enumerate() {
            let chat = Chat { account_id: AccountId(1), contact: contact.clone() };
            if number % 3 == 0 {
                conversations.preferred(&chat, number % 2 == 0, OptOutBy::Word, at).await.unwrap();
            }
            if number % 5 == 0 {
                // Under the form with the digit of mobiles, or without, as an earlier version wrote it.
                let form = contact.forms().pop().unwrap();
                let (account, became) = (AccountId(1), Became::Blocked { reason: None });
                let event = BlockEvent { account, contact: form, phone_number: "5", became, by: None, at };
                blocked.record(&event).await.unwrap();
                if number % 10 == 0 {
                    let at = at + jiff::SignedDuration::from_secs(1);
                    let unblocked = BlockEvent { became: Became::Unblocked, at, ..event };
                    blocked.record(&unblocked).await.unwrap();
                }
            }
        }
        let asked: Vec<_> = contacts.iter().rev().collect();
        let known = Contacts::new(&database).known(AccountId(1), &asked).await.unwrap();
        for (known, number) in known.iter().zip((0..230).rev()) {
            let expected = ContactKnown {
                opted_out: (number % 3 == 0 && number % 2 != 0).then_some(OptOut { since: at, by: OptOutBy::Word }),
                is_blocked: number % 5 == 0 && number % 10 != 0,
            };
            assert_eq!(*known, expected, "{number}");
        }
        let elsewhere = Contacts::new(&database).known(AccountId(2), &asked).await.unwrap();
        assert!(elsewhere.iter().all(|known| *known == ContactKnown::default()));
        engine.stop().await;
        let error = Contacts::new(&database).known(AccountId(1), &asked[..1]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
    }
}
