//! Rows `session#HASH` of table `Admin`: who is signed in.
//!
//! A session is over when it was not used for 30 minutes, 12 hours after it began, when it is ended, and when its epoch
//! is. All of that is asked of the table at every request, with strongly consistent reads: nothing is cached.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use domain::{Clock, Error, Result};
use hmac::Mac;
use jiff::fmt::serde::timestamp::{millisecond, second};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::{Actor, Database, Written, epoch_millis, outage};

use crate::constant_time::tag;
use crate::credential::{Credential, Credentials};
use crate::opaque::SessionId;
use crate::sign_in::Principal;

/// How long a session lives without a request.
const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// How long it lives at most.
const ABSOLUTE: SignedDuration = SignedDuration::from_hours(12);
/// A session in steady use is written to this seldom.
const LAST_SEEN_STEP: SignedDuration = SignedDuration::from_mins(1);

/// A session that is valid now.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) id: SessionId,
    pub(crate) epoch: i64,
    /// Who opened it.
    pub principal: Principal,
    /// When it was opened.
    pub created_at: Timestamp,
}

impl Session {
    /// What a form of this session must bring back, for the server to know that it came from its own page. It tells
    /// nothing of the session's id.
    pub fn csrf_token(&self) -> String {
        self.csrf_tag().map(|tag| hex::encode(tag.finalize().into_bytes())).unwrap_or_default()
    }

    /// Whether a form brought the token back.
    pub fn is_csrf_token(&self, presented: &str) -> bool {
        let presented = hex::decode(presented);
        self.csrf_tag().zip(presented.ok()).is_some_and(|(tag, presented)| tag.verify_slice(&presented).is_ok())
    }

    /// Who acts in this session, for the audit trail.
    pub fn actor(&self, address: Option<&str>) -> Actor {
        self.principal.actor(address)
    }

    fn csrf_tag(&self) -> Option<hmac::Hmac<sha2::Sha256>> {
        // The length in front keeps this label apart from any other that may come to be used with the same key.
        tag(self.id.reveal().as_bytes(), b"\x0acsrf token")
    }
}

/// What is stored of a session.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    id: String,
    principal: Principal,
    epoch: i64,
    #[serde(with = "millisecond::required")]
    created_at: Timestamp,
    #[serde(with = "millisecond::required")]
    last_seen_at: Timestamp,
    /// DynamoDB's own clock for removal, in seconds: it runs up to days late, so that code never asks it.
    #[serde(with = "second::required")]
    time_to_live: Timestamp,
}

impl Row {
    fn is_valid(&self, epoch: i64, now: Timestamp) -> bool {
        // Absolute: a moment in the future is no reason to live for ever.
        let is_within = |at: Timestamp, limit: SignedDuration| now.duration_since(at).abs() < limit;
        self.epoch == epoch && is_within(self.last_seen_at, IDLE) && is_within(self.created_at, ABSOLUTE)
    }
}

/// The epoch of now. Before the first that is written it is 0: then no password was set, and nobody signed out everywhere.
pub(crate) fn epoch(credential: Option<&Credential>) -> i64 {
    credential.map_or(0, |credential| credential.epoch)
}

/// The sessions of a deployment.
#[derive(Clone)]
pub(crate) struct Sessions {
    database: Database,
    table: String,
    credentials: Credentials,
    clock: Clock,
}

impl Sessions {
    pub(crate) fn new(database: &Database, credentials: Credentials, clock: Clock) -> Self {
        Self { table: database.table("Admin"), database: database.clone(), credentials, clock }
    }

    /// The write that opens a session, under an id that nobody had before.
    pub(crate) fn open(&self, principal: Principal, epoch: i64) -> Result<(SessionId, TransactWriteItem)> {
        let now = self.clock.now();
        let id = SessionId::generate();
        let time_to_live = now.saturating_add(IDLE).map_err(Error::internal)?;
        let row = Row { id: id.row_id(), principal, epoch, created_at: now, last_seen_at: now, time_to_live };
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(id)")
            .build()
            .map_err(Error::internal)?;
        Ok((id, TransactWriteItem::builder().put(put).build()))
    }

    /// The write that ends a session, whether it is there or not.
    pub(crate) fn close(&self, id: &SessionId) -> Result<TransactWriteItem> {
        self.delete(id, None)
    }

    /// The write that ends a session, if it is still there.
    pub(crate) fn close_open(&self, id: &SessionId) -> Result<TransactWriteItem> {
        self.delete(id, Some("attribute_exists(id)"))
    }

    fn delete(&self, id: &SessionId, condition: Option<&str>) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.row_id()))
            .set_condition_expression(condition.map(str::to_owned))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// The session that the cookie names, if it is valid. What can't be an id is not looked for.
    pub(crate) async fn find(&self, presented: &str) -> Result<Option<Session>> {
        let Some(id) = SessionId::parse(presented) else { return Ok(None) };
        let (row, credential) = futures::try_join!(self.read(&id), self.credentials.read())?;
        let now = self.clock.now();
        let epoch = epoch(credential.as_ref());
        let Some(row) = row.filter(|row| row.is_valid(epoch, now)) else { return Ok(None) };
        if !self.note_use(&row, now).await {
            return Ok(None);
        }
        Ok(Some(Session { id, epoch: row.epoch, principal: row.principal, created_at: row.created_at }))
    }

    /// Ends the session that the cookie names. One that is over already stays so.
    pub(crate) async fn end(&self, presented: &str) -> Result<()> {
        let Some(id) = SessionId::parse(presented) else { return Ok(()) };
        let id = AttributeValue::S(id.row_id());
        self.database.client().delete_item().table_name(&self.table).key("id", id).send().await.map_err(outage)?;
        Ok(())
    }

    /// A row of another version is no session: whoever has it signs in again.
    pub(crate) async fn read(&self, id: &SessionId) -> Result<Option<Row>> {
        let id = AttributeValue::S(id.row_id());
        let get = self.database.client().get_item().table_name(&self.table).key("id", id).consistent_read(true);
        Ok(get.send().await.map_err(outage)?.item.and_then(|row| serde_dynamo::from_item(row).ok()))
    }

    /// Writes down that the session is used, at most once in [`LAST_SEEN_STEP`]. `false`: it was ended meanwhile. The
    /// condition keeps a slow request from bringing back a session that was ended.
    pub(crate) async fn note_use(&self, row: &Row, now: Timestamp) -> bool {
        if now.duration_since(row.last_seen_at) < LAST_SEEN_STEP {
            return true;
        }
        let Ok(time_to_live) = now.saturating_add(IDLE) else { return true };
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(row.id.clone()))
            .update_expression("SET last_seen_at = :now, time_to_live = :time_to_live")
            .condition_expression("attribute_exists(id) AND last_seen_at < :now")
            .expression_attribute_values(":now", epoch_millis(now))
            .expression_attribute_values(":time_to_live", AttributeValue::N(time_to_live.as_second().to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match Written::update(update) {
            Ok(Written::Refused(None)) => false,
            // Refused with a row: another request, or our own whose answer was lost, wrote it down.
            Ok(_) => true,
            Err(error) => {
                // Nobody's request fails for it: the session is as valid as it was read.
                tracing::warn!(cause = error.source_chain(), "the use of a session was not written down");
                true
            }
        }
    }
}
