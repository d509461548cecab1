//! Tables `ApiKeys` and `ApiKeyIds` as an administrator meets them. Every change and its row of the audit trail are one
//! transaction, and the very next request already sees it.
//!
//! `ApiKeyIds` leads from a key's id, which people see, to its hash. Both are read strongly consistently, so that a page
//! shows what was done a moment ago.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem};
use domain::{Clock, Error, Kind, Result};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::{Actor, AuditTrail, Change, Database, Facts, Transacted, outage};
use uuid::{NoContext, Uuid};

use crate::key::ApiKey;
use crate::keys::read;
use crate::record::{KeyRecord, KeySettings, KeyState};

/// The partition of `ApiKeyIds` with the keys that there are.
const KEYS: &str = "keys";
/// The partition with those that were deleted, so that no form that made one makes it again.
const DELETED: &str = "deleted";
/// Somebody else may change a key between reading and writing it; so often it is read again.
const ATTEMPTS: usize = 4;
/// An imported key that can be guessed is refused from then on.
const WEAK_KEY_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The API keys of a deployment, to administer.
#[derive(Clone, Debug)]
pub struct Registry {
    database: Database,
    keys: String,
    ids: String,
    audit: AuditTrail,
    clock: Clock,
}

/// A row of `ApiKeyIds`.
#[derive(Debug, Serialize, Deserialize)]
struct IdRow {
    directory: String,
    id: String,
    key_hash: String,
    name: String,
    /// The name in small letters, to search in.
    name_folded: String,
}

/// Some keys, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The keys.
    pub keys: Vec<KeyRecord>,
    /// The id to go on after, if there are more.
    pub next: Option<String>,
}

/// A key that was made elsewhere.
#[derive(Clone, Debug)]
pub struct Import {
    /// For people.
    pub name: String,
    /// Whether it was accepted there.
    pub is_active: bool,
    /// When it was made; `None`: now.
    pub created_at: Option<Timestamp>,
}

/// What an edit of a key comes to.
enum Edit {
    /// It is to be written.
    Write,
    /// The key is so already.
    Nothing,
}

impl Registry {
    /// The keys of a deployment.
    pub fn new(database: &Database, clock: Clock) -> Self {
        Self {
            keys: database.table("ApiKeys"),
            ids: database.table("ApiKeyIds"),
            audit: AuditTrail::new(database),
            database: database.clone(),
            clock,
        }
    }

    /// A new id for a key that is about to be made. A form carries it, so that sending the form again makes no second
    /// key.
    pub fn new_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Makes a key under an id of [`Registry::new_id`]. It is in the answer and nowhere else. If there is, or was, a key
    /// with this id, that is a conflict and makes none.
    pub async fn create(&self, id: &str, settings: KeySettings, by: &Actor) -> Result<(ApiKey, KeyRecord)> {
        let (key, id) = (ApiKey::generate(), own_id(id)?);
        let record = self.new_record(&key, id, settings);
        let mut writes = self.adding(&record)?;
        writes.push(self.change(by, "created", None, Some(&record))?);
        match self.database.transact(writes).await? {
            Transacted::Done => Ok((key, record)),
            Transacted::Refused { .. } => Err(made_already()),
        }
    }

    /// Takes in a key that was made elsewhere: it holds every scope. One that can be guessed expires after 30 days.
    /// `None`: it is there already, and stays as it is.
    pub async fn import(&self, key: &ApiKey, import: Import, by: &Actor) -> Result<Option<KeyRecord>> {
        let now = self.clock.now();
        let created_at = import.created_at.unwrap_or(now);
        let mut settings = KeySettings::unlimited(import.name);
        if key.is_weak() {
            settings.expires_at = Some(now.saturating_add(WEAK_KEY_LIFE).map_err(Error::internal)?);
        }
        let record = KeyRecord {
            created_at,
            is_active: import.is_active,
            is_weak: key.is_weak(),
            ..self.new_record(key, id_at(created_at), settings)
        };
        let mut writes = self.adding(&record)?;
        writes.push(self.change(by, "imported", None, Some(&record))?);
        let transacted = self.database.transact(writes).await?;
        Ok((transacted == Transacted::Done).then_some(record))
    }

    /// At most `limit` keys, newest first: those with `search` in their names, in whatever case; after the key with the
    /// id `after`, if one is given.
    pub async fn newest(&self, search: &str, after: Option<&str>, limit: usize) -> Result<Page> {
        let (mut rows, mut after) = (Vec::new(), after.map(|id| id_key(KEYS, id)));
        // One more than asked for tells whether there are more.
        while rows.len() <= limit {
            let mut query = self
                .database
                .client()
                .query()
                .table_name(&self.ids)
                .consistent_read(true)
                .key_condition_expression("directory = :keys")
                .expression_attribute_values(":keys", AttributeValue::S(KEYS.to_owned()))
                .scan_index_forward(false)
                .limit(if search.is_empty() { i32::try_from(limit + 1).unwrap_or(i32::MAX) } else { i32::MAX })
                .set_exclusive_start_key(after);
            if !search.is_empty() {
                query = query
                    .filter_expression("contains(name_folded, :search)")
                    .expression_attribute_values(":search", AttributeValue::S(search.to_lowercase()));
            }
            let answer = query.send().await.map_err(outage)?;
            let found: Vec<IdRow> =
                serde_dynamo::from_items(answer.items.unwrap_or_default()).map_err(Error::internal)?;
            rows.extend(found);
            after = answer.last_evaluated_key;
            if after.is_none() {
                break;
            }
        }
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(|row| row.id.clone());
        Ok(Page { keys: self.records(&rows).await?, next })
    }

    /// The key with this id.
    pub async fn find(&self, id: &str) -> Result<Option<KeyRecord>> {
        let get = self.database.client().get_item().table_name(&self.ids).set_key(Some(id_key(KEYS, id)));
        let answer = get.consistent_read(true).send().await.map_err(outage)?;
        let Some(row) = answer.item else { return Ok(None) };
        let row: IdRow = serde_dynamo::from_item(row).map_err(Error::internal)?;
        read(&self.database, &self.keys, &row.key_hash).await
    }

    /// A key as it stands. `None`: it is not there.
    pub async fn by_key(&self, key: &ApiKey) -> Result<Option<KeyRecord>> {
        read(&self.database, &self.keys, &key.hash()).await
    }

    /// Switches a key off, or on again. The next request with it already sees that.
    pub async fn set_active(&self, id: &str, is_active: bool, by: &Actor) -> Result<KeyRecord> {
        let action = if is_active { "enabled" } else { "disabled" };
        self.edit(id, action, by, |key| {
            let edit = if key.is_active == is_active { Edit::Nothing } else { Edit::Write };
            key.is_active = is_active;
            Ok(edit)
        })
        .await
    }

    /// Gives a key other settings. `version` is the one that they were decided on: a key that somebody else has changed
    /// since is a conflict.
    pub async fn set(&self, id: &str, version: u64, settings: KeySettings, by: &Actor) -> Result<KeyRecord> {
        self.edit(id, "changed", by, |key| {
            if key.settings() == settings {
                return Ok(Edit::Nothing);
            }
            if key.version != version {
                return Err(conflict("This key was changed in the meantime: look at it again, then change it."));
            }
            key.set(settings.clone());
            Ok(Edit::Write)
        })
        .await
    }

    /// Makes a key with the same settings that takes the place of another, which is accepted for `overlap` longer. Gives
    /// the new key, its record, and the old one's. `successor_id` is of [`Registry::new_id`], as for
    /// [`create`](Self::create).
    pub async fn rotate(
        &self,
        id: &str,
        successor_id: &str,
        overlap: SignedDuration,
        by: &Actor,
    ) -> Result<(ApiKey, KeyRecord, KeyRecord)> {
        let (key, successor_id) = (ApiKey::generate(), own_id(successor_id)?);
        let now = self.clock.now();
        let before = self.existing(id).await?;
        if before.successor_id.as_deref() == Some(successor_id.as_str()) {
            return Err(made_already());
        }
        if !matches!(before.state(now), KeyState::Active | KeyState::ExpiresSoon) {
            return Err(conflict("Only a key that is active, and not being rotated already, can be rotated."));
        }
        let mut settings = before.settings();
        // As long a life as the old one was given; what was cut short for being weak is not any more.
        let life = before.expires_at.filter(|_| !before.is_weak).map(|at| at.duration_since(before.created_at));
        settings.expires_at = life.map(|life| now.saturating_add(life)).transpose().map_err(Error::internal)?;
        let successor = KeyRecord {
            predecessor_id: Some(before.id.clone()),
            ..self.new_record(&key, successor_id.clone(), settings)
        };
        let mut after = before.clone();
        after.successor_id = Some(successor_id);
        after.retires_at = Some(now.saturating_add(overlap).map_err(Error::internal)?);
        after.version += 1;

        let mut writes = self.adding(&successor)?;
        writes.push(self.replacing(&before, &after)?);
        writes.push(self.change(by, "created", None, Some(&successor))?);
        writes.push(self.change(by, "rotated", Some(&before), Some(&after))?);
        match self.database.transact(writes).await? {
            Transacted::Done => Ok((key, successor, after)),
            Transacted::Refused { .. } => Err(made_already()),
        }
    }

    /// Ends the time in which a key and its successor are both accepted.
    pub async fn end_rotation(&self, id: &str, by: &Actor) -> Result<KeyRecord> {
        let now = self.clock.now();
        self.edit(id, "rotation_ended", by, |key| match key.retires_at {
            Some(at) if at <= now => Ok(Edit::Nothing),
            Some(_) => {
                key.retires_at = Some(now);
                Ok(Edit::Write)
            }
            None => Err(conflict("This key is not being rotated.")),
        })
        .await
    }

    /// Takes a rotation back while both keys are accepted: the old key stays, and its successor is switched off.
    pub async fn undo_rotation(&self, id: &str, by: &Actor) -> Result<KeyRecord> {
        let before = self.existing(id).await?;
        if before.retires_at.is_none_or(|at| at <= self.clock.now()) {
            return Err(conflict("This key is not being rotated any more."));
        }
        let successor = match &before.successor_id {
            Some(id) => self.find(id).await?,
            None => None,
        };
        let mut after = KeyRecord { successor_id: None, retires_at: None, ..before.clone() };
        after.version += 1;
        let mut writes = vec![self.replacing(&before, &after)?];
        writes.push(self.change(by, "rotation_undone", Some(&before), Some(&after))?);
        if let Some(successor) = successor {
            let mut off = KeyRecord { is_active: false, predecessor_id: None, ..successor.clone() };
            off.version += 1;
            writes.push(self.replacing(&successor, &off)?);
            writes.push(self.change(by, "disabled", Some(&successor), Some(&off))?);
        }
        match self.database.transact(writes).await? {
            Transacted::Done => Ok(after),
            Transacted::Refused { .. } => Err(changed_meanwhile()),
        }
    }

    /// Deletes a key that is switched off, if `name` is its name. Its rows of the audit trail stay.
    pub async fn delete(&self, id: &str, name: &str, by: &Actor) -> Result<KeyRecord> {
        let key = self.existing(id).await?;
        if key.is_active {
            return Err(conflict("Only a key that is disabled can be deleted: disable it first."));
        }
        if key.name.trim() != name.trim() {
            return Err(Error::invalid_field("name", "Type the key's name exactly as it is shown, to delete it."));
        }
        let delete = Delete::builder()
            .table_name(&self.keys)
            .key("key_hash", AttributeValue::S(key.key_hash.clone()))
            .condition_expression(unchanged(&key))
            .expression_attribute_values(":version", version(&key))
            .build();
        let forget = Delete::builder().table_name(&self.ids).set_key(Some(id_key(KEYS, &key.id))).build();
        let remember = Put::builder().table_name(&self.ids).set_item(Some(id_key(DELETED, &key.id))).build();
        let writes = vec![
            TransactWriteItem::builder().delete(delete.map_err(Error::internal)?).build(),
            TransactWriteItem::builder().delete(forget.map_err(Error::internal)?).build(),
            TransactWriteItem::builder().put(remember.map_err(Error::internal)?).build(),
            self.change(by, "deleted", Some(&key), None)?,
        ];
        match self.database.transact(writes).await? {
            Transacted::Done => Ok(key),
            Transacted::Refused { .. } => Err(changed_meanwhile()),
        }
    }

    /// Changes a key as `edit` says; reads it anew when somebody else was faster.
    async fn edit(
        &self,
        id: &str,
        action: &str,
        by: &Actor,
        edit: impl Fn(&mut KeyRecord) -> Result<Edit>,
    ) -> Result<KeyRecord> {
        for _ in 0..ATTEMPTS {
            let before = self.existing(id).await?;
            let mut after = before.clone();
            if let Edit::Nothing = edit(&mut after)? {
                return Ok(before);
            }
            after.version += 1;
            let mut writes =
                vec![self.replacing(&before, &after)?, self.change(by, action, Some(&before), Some(&after))?];
            if before.name != after.name {
                let put = Put::builder().table_name(&self.ids).set_item(Some(id_row(&after)?)).build();
                writes.push(TransactWriteItem::builder().put(put.map_err(Error::internal)?).build());
            }
            if self.database.transact(writes).await? == Transacted::Done {
                return Ok(after);
            }
        }
        Err(changed_meanwhile())
    }

    async fn existing(&self, id: &str) -> Result<KeyRecord> {
        self.find(id).await?.ok_or_else(|| Error::new(Kind::NotFound, "There is no such API key").code("key_not_found"))
    }

    /// The records behind rows of the directory, in their order.
    async fn records(&self, rows: &[IdRow]) -> Result<Vec<KeyRecord>> {
        let mut records = HashMap::new();
        // DynamoDB gives at most 100 rows at once, and may leave some for the next time.
        for rows in rows.chunks(100) {
            let hash = |row: &IdRow| [("key_hash".to_owned(), AttributeValue::S(row.key_hash.clone()))].into();
            let keys =
                KeysAndAttributes::builder().set_keys(Some(rows.iter().map(hash).collect())).consistent_read(true);
            let mut wanted = Some(HashMap::from([(self.keys.clone(), keys.build().map_err(Error::internal)?)]));
            while let Some(request) = wanted.filter(|wanted| !wanted.is_empty()) {
                let get = self.database.client().batch_get_item().set_request_items(Some(request));
                let answer = get.send().await.map_err(outage)?;
                for row in answer.responses.unwrap_or_default().into_values().flatten() {
                    let record: KeyRecord = serde_dynamo::from_item(row).map_err(Error::internal)?;
                    records.insert(record.key_hash.clone(), record);
                }
                wanted = answer.unprocessed_keys;
            }
        }
        // One that is missing was deleted in between.
        Ok(rows.iter().filter_map(|row| records.remove(&row.key_hash)).collect())
    }

    fn new_record(&self, key: &ApiKey, id: String, settings: KeySettings) -> KeyRecord {
        let (first_four, last_four) = key.ends().unzip();
        let mut record = KeyRecord {
            key_hash: key.hash(),
            id,
            first_four,
            last_four,
            is_active: true,
            created_at: self.clock.now(),
            ..KeyRecord::default()
        };
        record.set(settings);
        record
    }

    /// The writes that add a key, unless it, or one under its id, is or was there.
    fn adding(&self, record: &KeyRecord) -> Result<Vec<TransactWriteItem>> {
        let key = Put::builder()
            .table_name(&self.keys)
            .set_item(Some(serde_dynamo::to_item(record).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(key_hash)")
            .build();
        let id = Put::builder()
            .table_name(&self.ids)
            .set_item(Some(id_row(record)?))
            .condition_expression("attribute_not_exists(id)")
            .build();
        let never_deleted = ConditionCheck::builder()
            .table_name(&self.ids)
            .set_key(Some(id_key(DELETED, &record.id)))
            .condition_expression("attribute_not_exists(id)")
            .build();
        Ok(vec![
            TransactWriteItem::builder().put(key.map_err(Error::internal)?).build(),
            TransactWriteItem::builder().put(id.map_err(Error::internal)?).build(),
            TransactWriteItem::builder().condition_check(never_deleted.map_err(Error::internal)?).build(),
        ])
    }

    /// The write that changes a key, unless somebody else has changed it since it was read.
    fn replacing(&self, before: &KeyRecord, after: &KeyRecord) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.keys)
            .set_item(Some(serde_dynamo::to_item(after).map_err(Error::internal)?))
            .condition_expression(unchanged(before))
            .expression_attribute_values(":version", version(before))
            .build();
        Ok(TransactWriteItem::builder().put(put.map_err(Error::internal)?).build())
    }

    /// The row of the audit trail: what differs.
    fn change(
        &self,
        by: &Actor,
        action: &str,
        before: Option<&KeyRecord>,
        after: Option<&KeyRecord>,
    ) -> Result<TransactWriteItem> {
        let facts = |record: Option<&KeyRecord>| record.map(KeyRecord::facts).unwrap_or_default();
        let (old, new) = (facts(before), facts(after));
        let differing = |facts: &Facts, others: &Facts| -> Facts {
            let differs = |(name, value): &(&String, &String)| others.get(*name) != Some(value);
            facts.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        let key = after.or(before).map(|record| (record.id.as_str(), record.name.as_str()));
        let change = Change { by, action, key, before: differing(&old, &new), after: differing(&new, &old) };
        self.audit.record(change, self.clock.now())
    }
}

/// The condition that a key is as it was read. Rows of earlier versions of this program have no version.
fn unchanged(record: &KeyRecord) -> &'static str {
    if record.version == 0 {
        "attribute_exists(key_hash) AND (attribute_not_exists(version) OR version = :version)"
    } else {
        "version = :version"
    }
}

fn version(record: &KeyRecord) -> AttributeValue {
    AttributeValue::N(record.version.to_string())
}

fn id_key(directory: &str, id: &str) -> HashMap<String, AttributeValue> {
    let attribute = |value: &str| AttributeValue::S(value.to_owned());
    [("directory".to_owned(), attribute(directory)), ("id".to_owned(), attribute(id))].into()
}

fn id_row(record: &KeyRecord) -> Result<HashMap<String, AttributeValue>> {
    let row = IdRow {
        directory: KEYS.to_owned(),
        id: record.id.clone(),
        key_hash: record.key_hash.clone(),
        name: record.name.clone(),
        name_folded: record.name.to_lowercase(),
    };
    serde_dynamo::to_item(row).map_err(Error::internal)
}

/// An id that came through a form: one of ours, or none.
fn own_id(id: &str) -> Result<String> {
    let id = Uuid::try_parse(id).ok().filter(|id| id.get_version_num() == 7);
    let id = id.ok_or_else(|| Error::invalid_field("id", "The form is incomplete: open it again."))?;
    Ok(id.to_string())
}

/// An id that stands in the list where a key of that time belongs.
fn id_at(created_at: Timestamp) -> String {
    let seconds = u64::try_from(created_at.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(created_at.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds)).to_string()
}

fn conflict(message: &'static str) -> Error {
    Error::new(Kind::Conflict, message).code("conflict").retryable(false)
}

fn made_already() -> Error {
    Error::new(Kind::Conflict, "This key was made already. It was shown once, and can't be shown again.")
        .code("made_already")
        .retryable(false)
}

fn changed_meanwhile() -> Error {
    conflict("This key was changed at the same moment by somebody else: look at it again.")
}

#[cfg(test)]
mod tests;
