//! Table `AuditTrail`: who changed what, when and from where. Rows are added, never changed and never removed.
//!
//! A change and its row are one transaction: neither is there without the other.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::{Error, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::database::{Database, outage};

/// The partition of all rows. Administrators write far less than one partition takes.
const TRAIL: &str = "trail";
const BY_KEY: &str = "by_key";

/// Who makes a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// How the person or the program signed in: `admin`, or `command line (NAME)`.
    pub name: String,
    /// The network address that the request came from, as API Gateway saw it.
    pub address: Option<String>,
}

/// What of a thing is told in the trail: names and values for people, and never a secret.
pub type Facts = BTreeMap<String, String>;

/// A change that is about to be made.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Who makes it.
    pub by: &'a Actor,
    /// What is done, as a stable word: `created`, `disabled`, `signed_in`.
    pub action: &'a str,
    /// The id and the name of the API key that it is about.
    pub key: Option<(&'a str, &'a str)>,
    /// What it was before, of all that changes.
    pub before: Facts,
    /// What it is afterwards.
    pub after: Facts,
}

/// A row of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    trail: String,
    /// Its own id; ids grow with time.
    pub id: String,
    /// When it happened.
    #[serde(with = "millisecond::required")]
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// From which network address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What was done.
    pub action: String,
    /// The id of the API key that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The key's name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// What it was before, of all that changed.
    #[serde(default)]
    pub before: Facts,
    /// What it was afterwards.
    #[serde(default)]
    pub after: Facts,
}

/// The audit trail of a deployment.
#[derive(Clone, Debug)]
pub struct AuditTrail {
    database: Database,
    table: String,
}

impl AuditTrail {
    /// The audit trail of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("AuditTrail"), database: database.clone() }
    }

    /// The write that belongs into the transaction that makes the change.
    pub fn record(&self, change: Change<'_>, at: Timestamp) -> Result<TransactWriteItem> {
        let (key_id, key_name) = change.key.map(|(id, name)| (id.to_owned(), name.to_owned())).unzip();
        let entry = Entry {
            trail: TRAIL.to_owned(),
            id: Uuid::now_v7().to_string(),
            at,
            by: change.by.name.clone(),
            address: change.by.address.clone(),
            action: change.action.to_owned(),
            key_id,
            key_name,
            before: change.before,
            after: change.after,
        };
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(entry).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(id)")
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// At most `limit` rows, newest first: all, or those about one API key; after the row called `after`, if one is
    /// given.
    pub async fn newest(&self, key_id: Option<&str>, after: Option<&str>, limit: i32) -> Result<Vec<Entry>> {
        let (partition, value) = key_id.map_or(("trail", TRAIL), |id| ("key_id", id));
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            .set_index_name(key_id.map(|_| BY_KEY.to_owned()))
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", partition)
            .expression_attribute_values(":partition", AttributeValue::S(value.to_owned()))
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(after.map(|id| start_key(key_id, id)));
        let rows = query.send().await.map_err(outage)?.items.unwrap_or_default();
        serde_dynamo::from_items(rows).map_err(Error::internal)
    }
}

/// Where a page begins: behind the row `id`, which is named by every key of the index.
fn start_key(key_id: Option<&str>, id: &str) -> HashMap<String, AttributeValue> {
    let mut names = vec![("trail", TRAIL), ("id", id)];
    names.extend(key_id.map(|key_id| ("key_id", key_id)));
    names.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use embedded_dynamodb::Engine;

    use super::*;
    use crate::database::Transacted;

    async fn record(database: &Database, trail: &AuditTrail, key_id: Option<&str>, action: &str) {
        let by = Actor { name: "admin".to_owned(), address: Some("192.0.2.1".to_owned()) };
        let change = Change {
            by: &by,
            action,
            key: key_id.map(|id| (id, "shop")),
            before: Facts::new(),
            after: [("name".to_owned(), "shop".to_owned())].into(),
        };
        let write = trail.record(change, "2026-01-02T03:04:05.678Z".parse().unwrap()).unwrap();
        assert_eq!(database.transact(vec![write]).await.unwrap(), Transacted::Done);
    }

    #[tokio::test]
    async fn the_trail_is_read_page_by_page_newest_first_and_by_key() {
        let engine = Engine::in_memory().await.unwrap();
        let database = Database::local(engine.url(), engine.table_prefix());
        let trail = AuditTrail::new(&database);
        for number in 0..5 {
            record(&database, &trail, Some("a"), &format!("a{number}")).await;
            record(&database, &trail, (number > 2).then_some("b"), &format!("b{number}")).await;
        }
        let pages = async |key_id: Option<&str>| {
            let (mut actions, mut after) = (Vec::new(), None);
            loop {
                let page = trail.newest(key_id, after.as_deref(), 3).await.unwrap();
                let Some(last) = page.last() else { return actions };
                after = Some(last.id.clone());
                actions.extend(page.into_iter().map(|entry| entry.action));
            }
        };
        assert_eq!(pages(None).await, ["b4", "a4", "b3", "a3", "b2", "a2", "b1", "a1", "b0", "a0"]);
        assert_eq!(pages(Some("a")).await, ["a4", "a3", "a2", "a1", "a0"]);
        assert_eq!(pages(Some("b")).await, ["b4", "b3"]);
        assert_eq!(pages(Some("nobody")).await, [""; 0]);
    }
}
