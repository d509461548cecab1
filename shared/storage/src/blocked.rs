//! Table `BlockedContacts`: whom each account blocks or once blocked, since when, why, and whose API key did it.
//!
//! A row stays when its contact is unblocked. The attribute `listed` is there only while the contact is blocked, so that
//! the index `blocked_now` holds nobody else: a page of the list is one query, however many rows the table has.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use domain::{AccountId, Contact, Error, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::Deserialize;

use crate::database::{Database, Written, epoch_millis, outage};
use crate::page::Page;
use crate::place::Place;

const BLOCKED_NOW: &str = "blocked_now";

/// Whom the accounts of a deployment block.
#[derive(Clone, Debug)]
pub struct BlockedContacts {
    database: Database,
    table: String,
}

/// Something that Meta did to a contact.
#[derive(Clone, Debug)]
pub struct BlockEvent<'a> {
    /// Whose list it is on.
    pub account: AccountId,
    /// The contact in its canonical form: the digits of a number, or a business-scoped user id.
    pub contact: String,
    /// The number as the client wrote it.
    pub phone_number: &'a str,
    /// What the contact now is.
    pub became: Became<'a>,
    /// The id of the API key that asked for it; `None` if it was done elsewhere.
    pub by: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// What a contact has become.
#[derive(Clone, Copy, Debug)]
pub enum Became<'a> {
    /// Blocked.
    Blocked {
        /// Why, in the client's words.
        reason: Option<&'a str>,
    },
    /// No longer blocked.
    Unblocked,
}

/// A contact that is blocked now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockedContact {
    /// The number as the client wrote it who blocked it.
    pub phone_number: String,
    /// Since when.
    #[serde(with = "millisecond::required")]
    pub blocked_at: Timestamp,
    /// Why, in the client's words; or empty.
    #[serde(default)]
    pub reason: String,
    /// Where it stands in the list.
    pub listed: Place,
}

impl BlockedContacts {
    /// Whom the accounts of a deployment block.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("BlockedContacts"), database: database.clone() }
    }

    /// Records what Meta did, unless something newer is recorded: of two requests the later one counts, however slow
    /// the writes of either are. Recording the same again changes nothing.
    ///
    /// Whoever is blocked again while blocked stays so since the first time and by the first key: Meta changed nothing
    /// either, and "since when" is what people ask. Only a reason is taken over, since somebody has just written it.
    pub async fn record(&self, event: &BlockEvent<'_>) -> Result<()> {
        /// More changes than this under our hands, and others are at it.
        const ROUNDS: usize = 4;
        for _ in 0..ROUNDS {
            match self.turn(event).await? {
                Written::Done => return Ok(()),
                Written::Refused(Some(row)) if is_newer(&row, event.at) => return Ok(()),
                Written::Refused(_) => {}
            }
            // It was so already. That it was so at this time too must be known to slower writes.
            if self.confirm(event).await?.is_done() {
                return Ok(());
            }
        }
        Err(Error::storage("a contact is blocked and unblocked all the time"))
    }

    /// Makes the contact what it became, if it is not so yet.
    async fn turn(&self, event: &BlockEvent<'_>) -> Result<Written> {
        let (mut set, mut remove) = (vec!["changed_at = :at"], Vec::new());
        let condition = match event.became {
            Became::Blocked { .. } => {
                set.extend(["phone_number = :phone", "blocked_at = :at", "listed = :listed", "reason = :reason"]);
                match event.by {
                    Some(_) => set.push("blocked_by = :by"),
                    None => remove.push("blocked_by"),
                }
                "attribute_not_exists(changed_at) OR (attribute_not_exists(listed) AND changed_at <= :at)"
            }
            // A row also for somebody who was never blocked here: a slower block must find it.
            Became::Unblocked => {
                set.extend(["phone_number = if_not_exists(phone_number, :phone)", "unblocked_at = :at"]);
                remove.push("listed");
                match event.by {
                    Some(_) => set.push("unblocked_by = :by"),
                    None => remove.push("unblocked_by"),
                }
                "attribute_not_exists(changed_at) OR (attribute_exists(listed) AND changed_at <= :at)"
            }
        };
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let mut values = vec![(":at", epoch_millis(event.at)), (":phone", text(event.phone_number))];
        values.extend(event.by.map(|by| (":by", text(by))));
        if let Became::Blocked { reason } = event.became {
            let listed = Place::new(event.at, &event.contact);
            values.extend([(":listed", text(listed.as_str())), (":reason", text(reason.unwrap_or_default()))]);
        }
        self.update(event, &expression, condition, values).await
    }

    /// The contact is what it became already: notes that it was so at this time too.
    async fn confirm(&self, event: &BlockEvent<'_>) -> Result<Written> {
        let mut values = vec![(":at", epoch_millis(event.at))];
        match event.became {
            Became::Blocked { reason: Some(reason) } => {
                values.push((":reason", text(reason)));
                let condition = "attribute_exists(listed) AND changed_at <= :at";
                self.update(event, "SET changed_at = :at, reason = :reason", condition, values).await
            }
            Became::Blocked { reason: None } => {
                let condition = "attribute_exists(listed) AND changed_at <= :at";
                self.update(event, "SET changed_at = :at", condition, values).await
            }
            Became::Unblocked => {
                let condition = "attribute_not_exists(listed) AND changed_at <= :at";
                self.update(event, "SET changed_at = :at", condition, values).await
            }
        }
    }

    async fn update(
        &self,
        event: &BlockEvent<'_>,
        expression: &str,
        condition: &str,
        values: Vec<(&str, AttributeValue)>,
    ) -> Result<Written> {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("account", text(&event.account.to_string()))
            .key("contact", text(&event.contact))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Written::update(update)
    }

    fn blocked_now(&self, account: AccountId) -> QueryFluentBuilder {
        let query = self.database.client().query().table_name(&self.table).index_name(BLOCKED_NOW);
        let account = text(&account.to_string());
        query.key_condition_expression("account = :account").expression_attribute_values(":account", account)
    }

    /// The contact, under whichever form of their number, if the account blocks them at this moment. Of several forms the
    /// one that was blocked first.
    pub async fn get(&self, account: AccountId, contact: &Contact) -> Result<Option<BlockedContact>> {
        let account = account.to_string();
        let key = |form: String| {
            HashMap::from([("account".to_owned(), text(&account)), ("contact".to_owned(), AttributeValue::S(form))])
        };
        let keys = contact.forms().into_iter().map(key).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let get = self.database.client().batch_get_item();
        let get = get.request_items(&self.table, keys.map_err(Error::internal)?);
        let answer = get.send().await.map_err(outage)?;
        if answer.unprocessed_keys.is_some_and(|keys| !keys.is_empty()) {
            return Err(Error::storage("a read of blocked contacts was left undone: the table is throttled"));
        }
        let rows = answer.responses.into_iter().flat_map(HashMap::into_values).flatten();
        let blocked: Vec<_> = rows.filter(|row| row.contains_key("listed")).collect();
        let blocked: Vec<BlockedContact> = serde_dynamo::from_items(blocked).map_err(Error::internal)?;
        Ok(blocked.into_iter().min_by_key(|contact| contact.blocked_at))
    }

    /// At most `limit` contacts that the account blocks now, newest first; behind the place `after`, if one is given.
    pub async fn newest(&self, account: AccountId, after: Option<&Place>, limit: i32) -> Result<Page<BlockedContact>> {
        let query = self
            .blocked_now(account)
            .scan_index_forward(false)
            .limit(Page::<BlockedContact>::query_limit(limit))
            .set_exclusive_start_key(after.map(|place| start_key(account, place)));
        let answer = query.send().await.map_err(outage)?;
        Page::of(answer, limit, |row| serde_dynamo::from_item(row).map_err(Error::internal))
    }

    /// Everybody whom the account blocks now, in their canonical form.
    pub async fn everybody(&self, account: AccountId) -> Result<BTreeSet<String>> {
        let (mut everybody, mut start_key) = (BTreeSet::new(), None);
        loop {
            let query = self.blocked_now(account).projection_expression("contact").set_exclusive_start_key(start_key);
            let page = query.send().await.map_err(outage)?;
            let contact = |row: HashMap<String, AttributeValue>| row.get("contact")?.as_s().ok().cloned();
            everybody.extend(page.items.unwrap_or_default().into_iter().filter_map(contact));
            start_key = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start_key.is_none() {
                return Ok(everybody);
            }
        }
    }
}

/// Whether something happened to the contact after `at`.
fn is_newer(row: &HashMap<String, AttributeValue>, at: Timestamp) -> bool {
    let changed_at = row.get("changed_at").and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
    changed_at.is_some_and(|changed_at| changed_at > at.as_millisecond())
}

/// Where a page begins: behind the row at `place`, which is named by every key of the index.
fn start_key(account: AccountId, place: &Place) -> HashMap<String, AttributeValue> {
    let account = account.to_string();
    let names = [("account", account.as_str()), ("contact", place.id()), ("listed", place.as_str())];
    names.map(|(name, value)| (name.to_owned(), text(value))).into()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[cfg(test)]
mod tests;
