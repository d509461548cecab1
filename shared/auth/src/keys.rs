//! Table `ApiKeys`: what is known of each key, by its hash.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AccountId, Clock, Error, Result, Scope};
use jiff::fmt::serde::timestamp::millisecond;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::{Database, Written, epoch_millis, outage};
use uuid::Uuid;

use crate::caller::Caller;
use crate::key::ApiKey;

/// A key in steady use is written to this seldom, however busy it is.
const LAST_USED_STEP: SignedDuration = SignedDuration::from_mins(15);

/// The API keys of a deployment.
#[derive(Clone, Debug)]
pub struct Keys {
    database: Database,
    table: String,
    clock: Clock,
}

/// What a new key may do, and what people call it.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The accounts that it may use; `None` for all.
    pub accounts: Option<BTreeSet<AccountId>>,
    /// From then on it is refused; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// What is stored of a key. The key itself is not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyRecord {
    key_hash: String,
    /// Names the key in logs and on the key page.
    pub id: String,
    /// For people.
    pub name: String,
    /// The key's first four characters, unless they would give it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_four: Option<String>,
    /// The key's last four characters, unless they would give it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_four: Option<String>,
    /// Whether it is accepted at all.
    pub is_active: bool,
    /// When it was made.
    #[serde(with = "millisecond::required")]
    pub created_at: Timestamp,
    /// From then on it is refused.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What it may do. Texts, so that a scope of another version neither breaks a key nor grants anything.
    pub scopes: BTreeSet<String>,
    /// The accounts that it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<AccountId>>,
    /// When it was last used, to 15 minutes.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

impl Keys {
    /// The keys of a deployment.
    pub fn new(database: &Database, clock: Clock) -> Self {
        Self { table: database.table("ApiKeys"), database: database.clone(), clock }
    }

    /// Opens the connection to DynamoDB ahead of the first request. That may fail: the request will tell.
    pub async fn warm(&self) {
        let _ = self.read("warm").await;
    }

    /// Makes a key. It is in the answer and nowhere else.
    pub async fn create(&self, new: NewKey) -> Result<(ApiKey, KeyRecord)> {
        let key = ApiKey::generate();
        let record = self.add(&key, new).await?;
        // The same 122 random bits twice: that does not happen by chance.
        let record = record.ok_or_else(|| Error::internal("a new key was there already"))?;
        Ok((key, record))
    }

    /// Takes in a key that was made elsewhere: it holds every scope. `None`: it is there already, and stays as it is.
    pub async fn import(&self, key: &ApiKey, name: &str) -> Result<Option<KeyRecord>> {
        let new = NewKey { name: name.to_owned(), scopes: Scope::ALL.into(), accounts: None, expires_at: None };
        self.add(key, new).await
    }

    async fn add(&self, key: &ApiKey, new: NewKey) -> Result<Option<KeyRecord>> {
        let (first_four, last_four) = key.ends().unzip();
        let record = KeyRecord {
            key_hash: key.hash(),
            id: Uuid::now_v7().to_string(),
            name: new.name,
            first_four,
            last_four,
            is_active: true,
            created_at: self.clock.now(),
            expires_at: new.expires_at,
            scopes: new.scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect(),
            accounts: new.accounts,
            last_used_at: None,
        };
        let put = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(&record).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(key_hash) OR id = :id")
            .expression_attribute_values(":id", AttributeValue::S(record.id.clone()))
            .send()
            .await;
        Ok(Written::put(put)?.is_done().then_some(record))
    }

    /// Switches a key off, or on again. The next request with it already sees that. `false`: there is no such key.
    pub async fn set_active(&self, key: &ApiKey, is_active: bool) -> Result<bool> {
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("key_hash", AttributeValue::S(key.hash()))
            .update_expression("SET is_active = :is_active")
            .condition_expression("attribute_exists(key_hash)")
            .expression_attribute_values(":is_active", AttributeValue::Bool(is_active))
            .send()
            .await;
        Ok(Written::update(update)?.is_done())
    }

    /// Decides whether whoever presents this key may do what `scope` names: one strongly consistent read, nothing
    /// cached. No key, an unknown, a disabled and an expired one are all the same to the client.
    pub async fn authorize(&self, presented: Option<&str>, scope: Scope) -> Result<Caller> {
        let key = presented.and_then(|text| ApiKey::parse(text).ok()).ok_or_else(Error::unauthorized)?;
        let record = self.read(&key.hash()).await?.ok_or_else(Error::unauthorized)?;
        let now = self.clock.now();
        if !record.is_active || record.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::unauthorized());
        }
        tracing::Span::current().record("key_id", &record.id);
        if !record.scopes.contains(scope.as_str()) {
            return Err(Error::missing_scope(scope));
        }
        self.note_use(&record, now).await;
        Ok(Caller { key_id: record.id, accounts: record.accounts })
    }

    async fn read(&self, key_hash: &str) -> Result<Option<KeyRecord>> {
        let answer = self
            .database
            .client()
            .get_item()
            .table_name(&self.table)
            .key("key_hash", AttributeValue::S(key_hash.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(outage)?;
        answer.item.map(serde_dynamo::from_item).transpose().map_err(Error::internal)
    }

    /// Writes down that the key is used, at most once in [`LAST_USED_STEP`]. Nobody's request fails for it.
    async fn note_use(&self, record: &KeyRecord, now: Timestamp) {
        let Ok(step_ago) = now.checked_sub(LAST_USED_STEP) else { return };
        if record.last_used_at.is_some_and(|at| at > step_ago) {
            return;
        }
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("key_hash", AttributeValue::S(record.key_hash.clone()))
            .update_expression("SET last_used_at = :now")
            .condition_expression("id = :id AND (attribute_not_exists(last_used_at) OR last_used_at <= :step_ago)")
            .expression_attribute_values(":id", AttributeValue::S(record.id.clone()))
            .expression_attribute_values(":now", epoch_millis(now))
            .expression_attribute_values(":step_ago", epoch_millis(step_ago))
            .send()
            .await;
        // Refused: another request was faster.
        if let Err(error) = Written::update(update) {
            tracing::warn!(cause = error.source_chain(), "the use of a key was not written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Kind;
    use embedded_dynamodb::Engine;

    use super::*;

    const LEGACY: &str = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9";

    struct Bed {
        engine: Engine,
        keys: Keys,
        clock: Clock,
    }

    async fn bed() -> Bed {
        let engine = Engine::in_memory().await.unwrap();
        let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
        let keys = Keys::new(&Database::local(engine.url(), engine.table_prefix()), clock.clone());
        Bed { engine, keys, clock }
    }

    fn sender() -> NewKey {
        NewKey { name: "shop".to_owned(), scopes: [Scope::MessagesSend].into(), accounts: None, expires_at: None }
    }

    async fn stored(bed: &Bed, key: &ApiKey) -> KeyRecord {
        bed.keys.read(&key.hash()).await.unwrap().unwrap()
    }

    async fn kind(bed: &Bed, presented: Option<&str>, scope: Scope) -> Kind {
        bed.keys.authorize(presented, scope).await.unwrap_err().kind()
    }

    #[tokio::test]
    async fn a_valid_key_makes_a_caller() {
        let bed = bed().await;
        let (key, record) = bed.keys.create(sender()).await.unwrap();
        let caller = bed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap();
        assert_eq!(caller.key_id(), record.id);
    }

    #[tokio::test]
    async fn no_key_and_an_unknown_key_are_unauthorized() {
        let bed = bed().await;
        let unknown = ApiKey::generate();
        for presented in [None, Some(""), Some(unknown.reveal()), Some(LEGACY)] {
            assert_eq!(kind(&bed, presented, Scope::MessagesSend).await, Kind::Unauthorized);
        }
    }

    #[tokio::test]
    async fn a_disabled_key_is_refused_on_the_next_request() {
        let bed = bed().await;
        let (key, _) = bed.keys.create(sender()).await.unwrap();
        for _ in 0..20 {
            bed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap();
            assert!(bed.keys.set_active(&key, false).await.unwrap());
            assert_eq!(kind(&bed, Some(key.reveal()), Scope::MessagesSend).await, Kind::Unauthorized);
            assert!(bed.keys.set_active(&key, true).await.unwrap());
        }
        assert!(!bed.keys.set_active(&ApiKey::generate(), false).await.unwrap());
    }

    #[tokio::test]
    async fn a_key_is_refused_from_the_moment_it_expires() {
        let bed = bed().await;
        let expires_at = Some(bed.clock.now() + Duration::from_mins(1));
        let (key, _) = bed.keys.create(NewKey { expires_at, ..sender() }).await.unwrap();
        bed.clock.advance(Duration::from_millis(59_999));
        bed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap();
        bed.clock.advance(Duration::from_millis(1));
        assert_eq!(kind(&bed, Some(key.reveal()), Scope::MessagesSend).await, Kind::Unauthorized);
    }

    #[tokio::test]
    async fn a_key_without_the_scope_is_forbidden_and_told_which() {
        let bed = bed().await;
        let (key, _) = bed.keys.create(sender()).await.unwrap();
        let error = bed.keys.authorize(Some(key.reveal()), Scope::ChatsRead).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden);
        assert_eq!(error.public().missing_scope.as_deref(), Some("chats:read"));
    }

    #[tokio::test]
    async fn an_imported_key_holds_every_scope_and_is_taken_exactly() {
        let bed = bed().await;
        assert!(bed.keys.import(&ApiKey::parse(LEGACY).unwrap(), "old").await.unwrap().is_some());
        for scope in Scope::ALL {
            bed.keys.authorize(Some(LEGACY), scope).await.unwrap();
        }
        for other in [LEGACY.to_uppercase(), format!(" {LEGACY}"), format!("{LEGACY}\n")] {
            assert_eq!(kind(&bed, Some(&other), Scope::ChatsRead).await, Kind::Unauthorized);
        }
    }

    #[tokio::test]
    async fn importing_a_key_again_leaves_it_as_it_is() {
        let bed = bed().await;
        let key = ApiKey::parse(LEGACY).unwrap();
        bed.keys.import(&key, "old").await.unwrap();
        bed.keys.set_active(&key, false).await.unwrap();
        assert!(bed.keys.import(&key, "again").await.unwrap().is_none());
        assert_eq!(kind(&bed, Some(LEGACY), Scope::ChatsRead).await, Kind::Unauthorized);
    }

    #[tokio::test]
    async fn a_key_with_a_wrong_checksum_is_refused_without_a_read() {
        let bed = bed().await;
        bed.engine.stop().await;
        // With no table to read from, only what needs no read is refused; the rest is an outage.
        let presented = "wak_0123456789abcdef0123456789abcdef000000";
        assert_eq!(bed.keys.authorize(Some(presented), Scope::ChatsRead).await.unwrap_err().kind(), Kind::Unauthorized);
        let well_formed = ApiKey::generate();
        let error = bed.keys.authorize(Some(well_formed.reveal()), Scope::ChatsRead).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "an outage is never an unknown key");
    }

    #[tokio::test]
    async fn the_last_use_is_written_at_most_every_15_minutes() {
        let bed = bed().await;
        let (key, _) = bed.keys.create(sender()).await.unwrap();
        let begin = bed.clock.now();
        let mut seen = BTreeSet::new();
        for _ in 0..60 {
            bed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap();
            seen.insert(stored(&bed, &key).await.last_used_at.unwrap());
            bed.clock.advance(Duration::from_mins(1));
        }
        let quarter = Duration::from_mins(15);
        assert_eq!(
            seen.into_iter().collect::<Vec<_>>(),
            [begin, begin + quarter, begin + 2 * quarter, begin + 3 * quarter]
        );
    }

    #[tokio::test]
    async fn the_table_holds_nothing_of_a_key_but_its_hash_and_its_ends() {
        let bed = bed().await;
        let (key, _) = bed.keys.create(sender()).await.unwrap();
        let rows = bed.keys.database.client().scan().table_name(&bed.keys.table).send().await.unwrap();
        let dump = format!("{rows:?}");
        assert!(dump.contains(&key.hash()) && !dump.contains(&key.reveal()[4..38]) && !dump.contains(key.reveal()));
    }

    #[tokio::test]
    async fn a_scope_of_a_later_version_neither_breaks_a_key_nor_grants_anything() {
        let bed = bed().await;
        let (key, mut record) = bed.keys.create(sender()).await.unwrap();
        record.scopes.insert("phones:dance".to_owned());
        let row = serde_dynamo::to_item(record).unwrap();
        bed.keys.database.client().put_item().table_name(&bed.keys.table).set_item(Some(row)).send().await.unwrap();
        bed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap();
        assert_eq!(kind(&bed, Some(key.reveal()), Scope::ChatsRead).await, Kind::Forbidden);
    }
}
