//! Conversations that another program had before. What has happened here since stays as it is.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Error, Result};
use jiff::Timestamp;

use super::{BEFORE, Chat, Conversations, OptOutBy, Preference, account, text};
use crate::database::{epoch_millis, outage};
use crate::place::sortable;

/// More changes than this under our hands, and others are at it.
const ROUNDS: usize = 8;

/// What another program knew of a conversation, or of a contact with whom it had none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownChat {
    /// The number by which clients know it, if it was a conversation: less than 2^32, where no computed one is.
    pub id: Option<u32>,
    /// The contact's number as the other program wrote it.
    pub phone_number: String,
    /// The contact's name.
    pub name: Option<String>,
    /// The other program's number of its label.
    pub label: Option<i64>,
    /// How many messages nobody has read yet.
    pub unread_count: i64,
    /// When the newest message was sent, by either side.
    pub last_message_at: Option<Timestamp>,
    /// When the contact last wrote, and Meta's id of that message.
    pub last_inbound: Option<(Timestamp, String)>,
    /// Whether the contact wants no messages, and since when that is known.
    pub opted_out: Option<(bool, Timestamp)>,
}

type Row = HashMap<String, AttributeValue>;

/// The attributes that are to change, each with its new value; `None` takes it away.
type Changes = Vec<(&'static str, Option<AttributeValue>)>;

impl Conversations {
    /// Takes over what another program knew, unless something newer is known here; doing so again changes nothing. Gives
    /// whether anything was new.
    ///
    /// Unread messages are added to those that came here, unless somebody has read the conversation here since. Told a
    /// second time, only what the other program has counted in between is added.
    pub async fn take_over(&self, chat: &Chat, known: &KnownChat) -> Result<bool> {
        for _ in 0..ROUNDS {
            let row = self.row(chat).await?;
            let changes = changes(&row, chat, known);
            if changes.is_empty() {
                return Ok(false);
            }
            if self.change(chat, &row, changes).await? {
                return Ok(true);
            }
        }
        Err(Error::storage("a conversation changes all the time"))
    }

    async fn row(&self, chat: &Chat) -> Result<Row> {
        let get = self.database.client().get_item().table_name(&self.table).key("contact", text(&chat.key()));
        Ok(get.consistent_read(true).send().await.map_err(outage)?.item.unwrap_or_default())
    }

    /// Makes the changes, if the row is still as it was seen. `false`: it is not.
    async fn change(&self, chat: &Chat, seen: &Row, changes: Changes) -> Result<bool> {
        let (mut set, mut remove, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        // What a change of the others depends on is not changed without them.
        let touched: Vec<_> = changes.iter().map(|(name, _)| *name).collect();
        let watched = ["read_here", "taken_unread"].into_iter().filter(|name| !touched.contains(name));
        let all = changes.into_iter().map(|(name, new)| (name, Some(new))).chain(watched.map(|name| (name, None)));
        for (index, (name, change)) in all.enumerate() {
            names.insert(format!("#a{index}"), name.to_owned());
            match seen.get(name) {
                Some(old) => {
                    conditions.push(format!("#a{index} = :old{index}"));
                    values.insert(format!(":old{index}"), old.clone());
                }
                None => conditions.push(format!("attribute_not_exists(#a{index})")),
            }
            match change {
                None => {}
                Some(None) => remove.push(format!("#a{index}")),
                Some(Some(new)) => {
                    set.push(format!("#a{index} = :new{index}"));
                    values.insert(format!(":new{index}"), new);
                }
            }
        }
        let part = |word: &str, list: &[String]| {
            if list.is_empty() { String::new() } else { format!("{word} {} ", list.join(", ")) }
        };
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("contact", text(&chat.key()))
            .update_expression(format!("{}{}", part("SET", &set), part("REMOVE", &remove)).trim_end())
            .condition_expression(conditions.join(" AND "))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values).filter(|values| !values.is_empty()));
        Ok(self.database.update(update).await?.is_done())
    }
}

/// What of the row is to change.
fn changes(row: &Row, chat: &Chat, known: &KnownChat) -> Changes {
    let number = |name: &str| row.get(name).and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
    let is_text_before =
        |name: &str, new: &str| row.get(name).and_then(|value| value.as_s().ok()).is_none_or(|old| old.as_str() < new);
    let integer = |value: i64| Some(AttributeValue::N(value.to_string()));
    let mut changes: Changes = Vec::new();
    let mut if_absent = |name: &'static str, value: Option<AttributeValue>| {
        if value.is_some() && !row.contains_key(name) {
            changes.push((name, value));
        }
    };
    if_absent("account_id", Some(account(chat.account_id)));
    if_absent("kept_id", known.id.and_then(|id| integer(id.into())));
    if_absent("phone_number", Some(text(&known.phone_number)).filter(|_| !known.phone_number.is_empty()));
    if_absent("name", known.name.as_deref().map(text));
    if known.id.is_some() && number("label") != known.label {
        changes.push(("label", known.label.and_then(integer)));
    }
    if let Some(at) = known.last_message_at
        && number("last_message_at").is_none_or(|there| there < at.as_millisecond())
    {
        changes.push(("last_message_at", Some(epoch_millis(at))));
    }
    if let Some((at, wamid)) = &known.last_inbound {
        let name = known.name.as_deref().unwrap_or_default();
        let order = format!("{}#{wamid}#{}#{name}", sortable(*at), known.phone_number);
        if is_text_before("heard", &order) {
            changes.push(("heard", Some(text(&order))));
            changes.push(("last_inbound_at", Some(epoch_millis(*at))));
            changes.push(("last_inbound_wamid", Some(text(wamid))));
        }
    }
    unread(row, chat, known, &mut changes);
    if let Some((is_out, at)) = known.opted_out {
        let new = Preference::new(!is_out, OptOutBy::Before, at).0;
        let there = row.get("preference").and_then(|value| value.as_s().ok());
        // What somebody said here counts, however much later a note on them was changed elsewhere. And that somebody wants
        // messages is only news where the other program has said otherwise before.
        let is_news = there.map_or(is_out, |there| there.ends_with(BEFORE) && *there < new);
        if is_news {
            changes.push(("preference", Some(text(&new))));
        }
    }
    changes
}

/// Counts what the other program has counted since it was last asked.
fn unread(row: &Row, chat: &Chat, known: &KnownChat, changes: &mut Changes) {
    let number = |name: &str| row.get(name).and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
    let integer = |value: i64| Some(AttributeValue::N(value.to_string()));
    if known.last_message_at.is_none() {
        return;
    }
    let (here, taken) = (number("unread_count"), number("taken_unread").unwrap_or_default());
    let more = if row.contains_key("read_here") { 0 } else { known.unread_count - taken };
    let count = (here.unwrap_or_default() + more).max(0);
    if here != Some(count) {
        changes.push(("unread_count", integer(count)));
    }
    if more != 0 {
        changes.push(("taken_unread", integer(known.unread_count)));
    }
    if (count > 0) != row.contains_key("unread_account") {
        changes.push(("unread_account", (count > 0).then(|| account(chat.account_id))));
    }
}

#[cfg(test)]
mod tests {
    use domain::{AccountId, Contact};
    use embedded_dynamodb::Engine;

    use super::*;
    use crate::conversations::Conversation;
    use crate::database::Database;
    use crate::messages::{Messages, Received};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_323_045 + second).unwrap()
    }

    fn chat() -> Chat {
        Chat { account_id: AccountId(1), contact: Contact::of_number("919876543210").unwrap() }
    }

    fn known() -> KnownChat {
        KnownChat {
            id: Some(7),
            phone_number: "+919876543210".to_owned(),
            name: Some("Ann".to_owned()),
            label: Some(2),
            unread_count: 3,
            last_message_at: Some(at(10)),
            last_inbound: Some((at(9), "wamid.old".to_owned())),
            opted_out: None,
        }
    }

    struct Bed {
        _engine: Engine,
        conversations: Conversations,
        messages: Messages,
    }

    impl Bed {
        async fn new() -> Self {
            let engine = Engine::in_memory().await.unwrap();
            let database = Database::local(engine.url(), engine.table_prefix());
            Self { conversations: Conversations::new(&database), messages: Messages::new(&database), _engine: engine }
        }

        async fn get(&self) -> Conversation {
            self.conversations.get(&chat()).await.unwrap().unwrap()
        }

        async fn takes_over(&self, known: &KnownChat) -> bool {
            self.conversations.take_over(&chat(), known).await.unwrap()
        }

        async fn comes(&self, second: i64) {
            let received = Received {
                chat: chat(),
                phone: "919876543210".to_owned(),
                wamid: format!("wamid.{second}"),
                kind: "text".to_owned(),
                body: "hi".to_owned(),
                content: "{}".to_owned(),
                reply_to: None,
                at: at(second),
            };
            self.conversations.moved(&chat(), &received.phone, received.at).await.unwrap();
            self.messages.receive(&received, &self.conversations).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_conversation_is_as_the_other_program_had_it_however_often_it_is_taken_over() {
        let bed = Bed::new().await;
        assert!(bed.takes_over(&known()).await);
        let first = bed.get().await;
        assert_eq!((first.id(), first.label, first.unread_count), (7, Some(2), 3));
        assert_eq!((first.phone_number.as_str(), first.name.as_deref()), ("+919876543210", Some("Ann")));
        assert_eq!((first.last_message_at, first.last_inbound_at), (Some(at(10)), Some(at(9))));
        assert!(!bed.takes_over(&known()).await);
        assert_eq!(bed.get().await, first);
        for only_unread in [false, true] {
            let page = bed.conversations.newest(AccountId(1), only_unread, None, 10).await.unwrap();
            assert_eq!(page.rows, std::slice::from_ref(&first));
        }
    }

    #[tokio::test]
    async fn unread_messages_of_both_programs_add_up_and_each_counts_once() {
        let bed = Bed::new().await;
        bed.takes_over(&known()).await;
        bed.comes(20).await;
        assert_eq!((bed.get().await.id(), bed.get().await.unread_count), (7, 4));
        let later = KnownChat { unread_count: 5, last_message_at: Some(at(12)), ..known() };
        bed.takes_over(&later).await;
        bed.takes_over(&later).await;
        assert_eq!((bed.get().await.unread_count, bed.get().await.last_message_at), (6, Some(at(20))));
        // The other program's were read there.
        bed.takes_over(&KnownChat { unread_count: 0, ..later }).await;
        assert_eq!(bed.get().await.unread_count, 1);
    }

    #[tokio::test]
    async fn what_was_read_here_stays_read() {
        let bed = Bed::new().await;
        bed.takes_over(&known()).await;
        assert!(bed.conversations.read(&chat()).await.unwrap());
        bed.takes_over(&KnownChat { unread_count: 9, ..known() }).await;
        assert_eq!(bed.get().await.unread_count, 0);
        let unread = bed.conversations.newest(AccountId(1), true, None, 10).await.unwrap();
        assert!(unread.rows.is_empty());
    }

    #[tokio::test]
    async fn a_conversation_that_began_here_gets_the_number_it_had_there() {
        let bed = Bed::new().await;
        bed.comes(20).await;
        assert!(bed.get().await.id() >= 1 << 32);
        bed.takes_over(&known()).await;
        let now = bed.get().await;
        assert_eq!((now.id(), now.unread_count, now.last_message_at), (7, 4, Some(at(20))));
        // Nor does another number ever take its place.
        bed.takes_over(&KnownChat { id: Some(8), ..known() }).await;
        assert_eq!(bed.get().await.id(), 7);
    }

    #[tokio::test]
    async fn what_a_contact_said_here_is_never_undone_by_what_was_noted_there() {
        let bed = Bed::new().await;
        let noted = |is_out, second| KnownChat { opted_out: Some((is_out, at(second))), ..known() };
        bed.takes_over(&noted(false, 1)).await;
        assert_eq!(bed.get().await.opted_out(), None);
        bed.takes_over(&noted(true, 2)).await;
        assert_eq!(bed.get().await.opted_out().map(|out| (out.by, out.since)), Some((OptOutBy::Before, at(2))));
        bed.takes_over(&noted(false, 3)).await;
        assert_eq!(bed.get().await.opted_out(), None);
        bed.conversations.preferred(&chat(), false, OptOutBy::Word, at(5)).await.unwrap();
        bed.takes_over(&noted(false, 9)).await;
        assert_eq!(bed.get().await.opted_out().map(|out| out.by), Some(OptOutBy::Word));
    }

    #[tokio::test]
    async fn of_a_contact_without_a_conversation_only_name_and_wish_are_kept_and_no_chat_is_listed() {
        let bed = Bed::new().await;
        let known =
            KnownChat { id: None, label: None, unread_count: 0, last_message_at: None, last_inbound: None, ..known() };
        bed.takes_over(&KnownChat { opted_out: Some((true, at(1))), ..known }).await;
        assert!(bed.get().await.opted_out().is_some());
        let page = bed.conversations.newest(AccountId(1), false, None, 10).await.unwrap();
        assert!(page.rows.is_empty());
        bed.comes(3).await;
        assert_eq!(bed.get().await.name.as_deref(), Some("Ann"));
    }
}
