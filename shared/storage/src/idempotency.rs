//! Table `IdempotencyKeys`: which message, or which campaign, stands for an `Idempotency-Key`.
//!
//! A row points at it and holds nothing of what became of it: its own row is the one truth, so that a status webhook which
//! settles a message settles the key's answer with it.

use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use domain::{CampaignId, Error, IdempotencyKey, MessageId, Result};
use jiff::fmt::serde::timestamp::{millisecond, second};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::database::{Database, Written, epoch_millis, outage};

/// When a key may be reserved.
const FREE: &str = "attribute_not_exists(id) OR expires_at <= :now";
/// How long a key is kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A message that was sent, or is about to be.
    MessageId(MessageId),
    /// A campaign that was made.
    CampaignId(CampaignId),
}

/// A claim to be the one request that sends, or makes, under a key.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The API key that the idempotency key belongs to: two clients may use the same words.
    pub key_id: String,
    /// The idempotency key.
    pub key: IdempotencyKey,
    /// SHA-256 over what the request asks for, once read and cleaned.
    pub fingerprint: [u8; 32],
    /// What would be sent or made.
    pub subject: Subject,
    /// Now.
    pub at: Timestamp,
}

/// A key that is reserved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reservation {
    /// The partition key: SHA-256 over the API key's id and the idempotency key.
    id: String,
    fingerprint: String,
    /// What it stands for.
    #[serde(flatten)]
    pub subject: Subject,
    /// When it was reserved.
    #[serde(with = "millisecond::required")]
    pub reserved_at: Timestamp,
    #[serde(with = "millisecond::required")]
    expires_at: Timestamp,
    /// DynamoDB's own clock for removal, in seconds: it runs up to days late, so that code asks `expires_at`.
    #[serde(with = "second::required")]
    time_to_live: Timestamp,
}

impl Reservation {
    fn of(claim: &Claim) -> Result<Self> {
        let expires_at = claim.at.saturating_add(RETENTION).map_err(Error::internal)?;
        Ok(Self {
            id: row_id(&claim.key_id, &claim.key),
            fingerprint: hex::encode(claim.fingerprint),
            subject: claim.subject,
            reserved_at: claim.at,
            expires_at,
            time_to_live: expires_at,
        })
    }

    /// Whether it was made by a request that asked for the same.
    pub fn is_for(&self, claim: &Claim) -> bool {
        self.fingerprint == hex::encode(claim.fingerprint)
    }
}

/// The idempotency keys of the last 24 hours.
#[derive(Clone, Debug)]
pub struct IdempotencyKeys {
    database: Database,
    table: String,
}

impl IdempotencyKeys {
    /// The idempotency keys of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("IdempotencyKeys"), database: database.clone() }
    }

    /// Reserves a key for what the claim is about. `None`: it is reserved. Otherwise what it stands for already.
    pub async fn reserve(&self, claim: &Claim) -> Result<Option<Reservation>> {
        self.put(claim, FREE, (":now", epoch_millis(claim.at))).await
    }

    /// The write that reserves a key, as a part of the transaction that makes what the claim is about.
    pub fn reservation(&self, claim: &Claim) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(Reservation::of(claim)?).map_err(Error::internal)?))
            .condition_expression(FREE)
            .expression_attribute_values(":now", epoch_millis(claim.at))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Reserves a key whose message was surely not sent for the claim's message in its place. `None`: it is
    /// reserved. Otherwise somebody else was faster: what it stands for now.
    pub async fn replace(&self, claim: &Claim, unsent: MessageId) -> Result<Option<Reservation>> {
        self.put(claim, "message_id = :unsent", (":unsent", AttributeValue::S(unsent.to_string()))).await
    }

    /// What the claim's key stands for now, without claiming it. `None`: for nothing, or not any more.
    pub async fn get(&self, claim: &Claim) -> Result<Option<Reservation>> {
        let get = self.database.client().get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("id", AttributeValue::S(row_id(&claim.key_id, &claim.key)));
        let row = get.send().await.map_err(outage)?.item;
        let standing: Option<Reservation> = row.map(serde_dynamo::from_item).transpose().map_err(Error::internal)?;
        Ok(standing.filter(|standing| standing.expires_at > claim.at))
    }

    async fn put(
        &self,
        claim: &Claim,
        condition: &str,
        (name, value): (&str, AttributeValue),
    ) -> Result<Option<Reservation>> {
        let row = Reservation::of(claim)?;
        let put = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(Error::internal)?))
            .condition_expression(condition)
            .expression_attribute_values(name, value)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let standing = match Written::put(put)? {
            Written::Done => return Ok(None),
            Written::Refused(row) => row.ok_or_else(|| Error::internal("a key that is reserved shows no row"))?,
        };
        let standing: Reservation = serde_dynamo::from_item(standing).map_err(Error::internal)?;
        // The SDK tries again when an answer is lost: then the row that stands in the way is our own.
        Ok((standing.subject != claim.subject).then_some(standing))
    }
}

fn row_id(key_id: &str, key: &IdempotencyKey) -> String {
    // No key id holds a NUL: no two pairs run together into the same bytes.
    hex::encode(Sha256::new().chain_update(key_id).chain_update([0]).chain_update(key.as_str()).finalize())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Kind;
    use embedded_dynamodb::Engine;

    use super::*;

    fn claim(key_id: &str, key: &str) -> Claim {
        Claim {
            key_id: key_id.to_owned(),
            key: IdempotencyKey::parse(key).unwrap(),
            fingerprint: [7; 32],
            subject: Subject::MessageId(MessageId::generate()),
            at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        }
    }

    async fn keys() -> (Engine, IdempotencyKeys) {
        let engine = Engine::in_memory().await.unwrap();
        let keys = IdempotencyKeys::new(&Database::local(engine.url(), engine.table_prefix()));
        (engine, keys)
    }

    #[tokio::test]
    async fn a_key_is_reserved_once_and_tells_for_which_message() {
        let (_engine, keys) = keys().await;
        let (first, second) = (claim("a", "k"), claim("a", "k"));
        assert!(keys.reserve(&first).await.unwrap().is_none());
        let standing = keys.reserve(&second).await.unwrap().unwrap();
        assert_eq!((standing.subject, standing.is_for(&second)), (first.subject, true));
        let other_body = Claim { fingerprint: [8; 32], ..second };
        assert!(!standing.is_for(&other_body));
    }

    #[tokio::test]
    async fn the_same_claim_twice_is_its_own_and_not_somebody_elses() {
        let (_engine, keys) = keys().await;
        let claim = claim("a", "k");
        assert!(keys.reserve(&claim).await.unwrap().is_none());
        assert!(keys.reserve(&claim).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_row_holds_what_it_stands_for_under_its_own_name() {
        for (subject, name, value) in [
            (Subject::CampaignId(CampaignId(7)), "campaign_id", AttributeValue::N("7".to_owned())),
            (
                Subject::MessageId("0193c0de-0000-7000-8000-000000000000".parse().unwrap()),
                "message_id",
                AttributeValue::S("0193c0de-0000-7000-8000-000000000000".to_owned()),
            ),
        ] {
            let row = Reservation::of(&Claim { subject, ..claim("a", "k") }).unwrap();
            let item: std::collections::HashMap<String, AttributeValue> = serde_dynamo::to_item(&row).unwrap();
            assert_eq!(item.get(name), Some(&value));
            assert_eq!(serde_dynamo::from_item::<_, Reservation>(item).unwrap().subject, subject);
        }
    }

    #[tokio::test]
    async fn two_api_keys_may_use_the_same_words() {
        let (_engine, keys) = keys().await;
        assert!(keys.reserve(&claim("a", "k")).await.unwrap().is_none());
        assert!(keys.reserve(&claim("b", "k")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_key_is_free_again_after_24_hours_and_not_before() {
        let (_engine, keys) = keys().await;
        let first = claim("a", "k");
        keys.reserve(&first).await.unwrap();
        let day = Duration::from_hours(24);
        let nearly = Claim { at: first.at + day - Duration::from_millis(1), ..claim("a", "k") };
        assert!(keys.reserve(&nearly).await.unwrap().is_some());
        let later = Claim { at: first.at + day, ..claim("a", "k") };
        assert!(keys.reserve(&later).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_a_key_stands_for_is_read_without_claiming_it_and_forgotten_after_24_hours() {
        let (_engine, keys) = keys().await;
        let (first, second) = (claim("a", "k"), claim("a", "k"));
        assert!(keys.get(&first).await.unwrap().is_none());
        keys.reserve(&first).await.unwrap();
        assert_eq!(keys.get(&second).await.unwrap().unwrap().subject, first.subject);
        assert!(keys.get(&claim("b", "k")).await.unwrap().is_none());
        let day = Duration::from_hours(24);
        let nearly = Claim { at: first.at + day - Duration::from_millis(1), ..claim("a", "k") };
        assert!(keys.get(&nearly).await.unwrap().is_some());
        assert!(keys.get(&Claim { at: first.at + day, ..nearly }).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_outage_is_never_a_key_that_stands_for_nothing() {
        let (engine, keys) = keys().await;
        engine.stop().await;
        assert_eq!(keys.get(&claim("a", "k")).await.unwrap_err().kind(), Kind::Unavailable);
    }

    #[tokio::test]
    async fn of_two_that_replace_an_unsent_message_one_wins() {
        let (_engine, keys) = keys().await;
        let first = claim("a", "k");
        keys.reserve(&first).await.unwrap();
        let (second, third) = (claim("a", "k"), claim("a", "k"));
        let Subject::MessageId(unsent) = first.subject else { panic!("it stands for a message") };
        assert!(keys.replace(&second, unsent).await.unwrap().is_none());
        let standing = keys.replace(&third, unsent).await.unwrap().unwrap();
        assert_eq!(standing.subject, second.subject);
    }
}
