//! Table `ApiKeys` as a request meets it: who may come in.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Clock, Error, Result, Scope};
use futures::future;
use storage::{Database, outage};

use crate::caller::Caller;
use crate::key::ApiKey;
use crate::limit::Limits;
use crate::record::KeyRecord;
use crate::usage::UseCounts;

/// The API keys of a deployment. A clone shares what it has counted and leased.
#[derive(Clone, Debug)]
pub struct Keys {
    database: Database,
    table: String,
    counts: UseCounts,
    limits: Limits,
    clock: Clock,
}

impl Keys {
    /// The keys of a deployment.
    pub fn new(database: &Database, clock: Clock) -> Self {
        Self {
            table: database.table("ApiKeys"),
            counts: UseCounts::new(database),
            limits: Limits::new(database),
            database: database.clone(),
            clock,
        }
    }

    /// Decides whether whoever presents this key may do what `scope` names: one strongly consistent read, nothing
    /// cached. No key, an unknown, a disabled and an expired one are all the same to the client.
    pub async fn authorize(&self, presented: Option<&str>, scope: Scope) -> Result<Caller> {
        let key = presented.and_then(|text| ApiKey::parse(text).ok()).ok_or_else(Error::unauthorized)?;
        let record = read(&self.database, &self.table, &key.hash()).await?.ok_or_else(Error::unauthorized)?;
        let now = self.clock.now();
        if !record.is_accepted(now) {
            return Err(Error::unauthorized());
        }
        tracing::Span::current().record("key_id", &record.id);
        if !record.scopes.contains(scope.as_str()) {
            return Err(Error::missing_scope(scope));
        }
        let limited = async {
            match record.requests_per_minute {
                Some(limit) => self.limits.take(&record.id, limit, now).await,
                None => Ok(()),
            }
        };
        // Seldom a write at all, and never one after the other. On the heap: it is some kilobytes of state.
        let (limited, ()) = Box::pin(future::join(limited, self.counts.count(&record.id, now))).await;
        limited?;
        Ok(Caller { key_id: record.id, accounts: record.accounts })
    }
}

/// The record of a key by its hash, as it is at this moment.
pub(crate) async fn read(database: &Database, table: &str, key_hash: &str) -> Result<Option<KeyRecord>> {
    let get = database.client().get_item().table_name(table).key("key_hash", AttributeValue::S(key_hash.to_owned()));
    let answer = get.consistent_read(true).send().await.map_err(outage)?;
    answer.item.map(serde_dynamo::from_item).transpose().map_err(Error::internal)
}
