//! Rows `handshake#HASH` of table `Admin`: which browsers are on their way to the provider and back.
//!
//! A handshake's three secrets are computed from its cookie, so that none of them is stored. The row says when it began,
//! and goes when it is used.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::{Clock, Error, Result};
use hmac::Mac;
use jiff::{SignedDuration, Timestamp};
use storage::{Database, epoch_millis, outage};

use crate::constant_time::tag;
use crate::opaque::HandshakeId;

/// How long somebody may take at the provider.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The handshakes of a deployment.
#[derive(Clone)]
pub(crate) struct Handshakes {
    database: Database,
    table: String,
    clock: Clock,
}

impl HandshakeId {
    /// What binds the provider's answer to the browser that holds this. Of none of them anybody gets to another, or to
    /// this.
    pub(crate) fn secrets(&self) -> Result<oidc::Handshake> {
        let secret = |label: &[u8]| {
            let tag = tag(self.reveal().as_bytes(), label).ok_or_else(|| Error::internal("HMAC takes any key"))?;
            Ok::<_, Error>(hex::encode(tag.finalize().into_bytes()))
        };
        // The length in front keeps the labels apart from any other that may come to be used.
        Ok(oidc::Handshake {
            state: secret(b"\x05state")?,
            nonce: secret(b"\x05nonce")?,
            code_verifier: secret(b"\x0dcode verifier")?.into(),
        })
    }
}

impl Handshakes {
    pub(crate) fn new(database: &Database, clock: Clock) -> Self {
        Self { table: database.table("Admin"), database: database.clone(), clock }
    }

    /// Writes down that it began.
    pub(crate) async fn begin(&self, id: &HandshakeId) -> Result<()> {
        let now = self.clock.now();
        let time_to_live = now.saturating_add(LIFETIME).map_err(Error::internal)?;
        let put = self.database.client().put_item().table_name(&self.table);
        put.item("id", AttributeValue::S(id.row_id()))
            .item("created_at", epoch_millis(now))
            .item("time_to_live", AttributeValue::N(time_to_live.as_second().to_string()))
            .send()
            .await
            .map_err(outage)?;
        Ok(())
    }

    /// Uses it up. `false`: it never began, was used already, or began too long ago. If an answer of `DynamoDB` is lost, it
    /// counts as used: whoever it was begins anew.
    pub(crate) async fn use_up(&self, id: &HandshakeId) -> Result<bool> {
        let delete = self.database.client().delete_item().table_name(&self.table);
        let delete = delete.key("id", AttributeValue::S(id.row_id())).return_values(ReturnValue::AllOld);
        let row = delete.send().await.map_err(outage)?.attributes.unwrap_or_default();
        let began_at = row.get("created_at").and_then(|at| at.as_n().ok()?.parse().ok());
        let began_at = began_at.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        // Absolute: a moment in the future is no reason to live longer.
        Ok(began_at.is_some_and(|at| self.clock.now().duration_since(at).abs() < LIFETIME))
    }
}
