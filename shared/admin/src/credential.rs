//! Row `credential` of table `Admin`: the one password, and all that ends with it.
//!
//! Every change goes with its row of the audit trail in one transaction, under a condition that it makes untrue: of two
//! at once, one is made and the other is refused.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::{Error, Result};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use storage::{Actor, AuditTrail, Change, Database, Facts, SetupToken, Transacted, Written, epoch_millis, outage};

use crate::one_time_code::OneTimeSecret;

const ID: &str = "credential";

/// What is stored of the password and of what hangs on it. Not to be printed.
#[derive(Deserialize)]
pub(crate) struct Credential {
    /// A PHC string. One that is missing matches nothing.
    #[serde(default)]
    pub(crate) password_hash: String,
    /// A session of another epoch is over.
    pub(crate) epoch: i64,
    /// In base32. There is one if sign-in asks for a code.
    #[serde(default)]
    one_time_secret: Option<String>,
}

impl Credential {
    /// Whether a password was ever set: where people sign in by a provider, none need be.
    pub(crate) fn has_password(&self) -> bool {
        !self.password_hash.is_empty()
    }

    /// Whether sign-in asks for a code.
    pub(crate) fn wants_code(&self) -> bool {
        self.one_time_secret.is_some()
    }

    /// The step that the code belongs to, if it is good now. A secret that can't be read has no good codes.
    pub(crate) fn step(&self, code: Option<&SecretString>, now: Timestamp) -> Option<u64> {
        let secret = OneTimeSecret::parse(self.one_time_secret.as_deref()?).ok()?;
        secret.step(code?.expose_secret(), now)
    }

    fn secret_value(&self) -> AttributeValue {
        AttributeValue::S(self.one_time_secret.clone().unwrap_or_default())
    }
}

/// The credential of a deployment.
#[derive(Clone)]
pub(crate) struct Credentials {
    database: Database,
    table: String,
    audit: AuditTrail,
}

impl Credentials {
    pub(crate) fn new(database: &Database) -> Self {
        Self { table: database.table("Admin"), audit: AuditTrail::new(database), database: database.clone() }
    }

    /// The credential, if one was ever set. A row that can't be read is an error: everything is refused.
    pub(crate) async fn read(&self) -> Result<Option<Credential>> {
        let get = self.database.client().get_item().table_name(&self.table).key("id", id()).consistent_read(true);
        let row = get.send().await.map_err(outage)?.item;
        row.map(serde_dynamo::from_item).transpose().map_err(Error::internal)
    }

    /// Sets a password by a setup token, once: nobody needs to know the one before, and all that it protected ends.
    pub(crate) async fn set_by_token(
        &self,
        token: &SetupToken,
        password_hash: String,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool> {
        let token_hash = hex::encode(Sha256::digest(token.secret.expose_secret()));
        // Both: the clocks of AWS and of this function may differ, so that a used token may seem younger than its use.
        let condition = "attribute_not_exists(password_hash) OR (set_at < :created_at AND \
                         (attribute_not_exists(setup_token_hash) OR setup_token_hash <> :token))";
        let set = self
            .update(&format!("{SET_PASSWORD}, setup_token_hash = :token {FORGET_CODES}"), condition)
            .values([
                (":hash", AttributeValue::S(password_hash)),
                (":now", epoch_millis(now)),
                (":one", AttributeValue::N("1".to_owned())),
                (":token", AttributeValue::S(token_hash)),
                (":created_at", epoch_millis(token.created_at)),
            ])
            .build()?;
        self.change(vec![set], "password_set", facts("by", "setup token"), by, now).await
    }

    /// Sets a password without a condition, for the one who starts the local stack.
    pub(crate) async fn set_freely(&self, password_hash: String, by: &Actor, now: Timestamp) -> Result<()> {
        let set = self
            .update(&format!("{SET_PASSWORD} {FORGET_CODES}"), "")
            .values([
                (":hash", AttributeValue::S(password_hash)),
                (":now", epoch_millis(now)),
                (":one", AttributeValue::N("1".to_owned())),
            ])
            .build()?;
        self.change(vec![set], "password_set", facts("by", "local stack"), by, now).await.map(drop)
    }

    /// Sets a password in the place of the one that was seen, together with `writes`, which begin the next epoch. Codes
    /// stay as they are.
    pub(crate) async fn replace(
        &self,
        seen: &Credential,
        password_hash: String,
        mut writes: Vec<TransactWriteItem>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool> {
        let set = self
            .update(SET_PASSWORD, "password_hash = :seen AND epoch = :epoch")
            .values([
                (":hash", AttributeValue::S(password_hash)),
                (":now", epoch_millis(now)),
                (":one", AttributeValue::N("1".to_owned())),
                (":seen", AttributeValue::S(seen.password_hash.clone())),
                (":epoch", AttributeValue::N(seen.epoch.to_string())),
            ])
            .build()?;
        writes.push(set);
        self.change(writes, "password_set", facts("by", "current password"), by, now).await
    }

    /// Ends the epoch, and with it all sessions. Where no password was ever set it is the first that ends.
    pub(crate) async fn end_epoch(&self, by: &Actor, now: Timestamp) -> Result<()> {
        let end = self
            .update(&format!("SET {NEXT_EPOCH}"), "")
            .values([(":now", epoch_millis(now)), (":one", AttributeValue::N("1".to_owned()))])
            .build()?;
        self.change(vec![end], "signed_out_everywhere", Facts::new(), by, now).await.map(drop)
    }

    /// Asks for codes from now on; `step` is used up. Not in the place of another secret: that one must be given up
    /// first, by a code of its own.
    pub(crate) async fn set_secret(
        &self,
        secret: &OneTimeSecret,
        step: u64,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool> {
        let set = self
            .update(
                "SET one_time_secret = :secret, last_step = :step",
                "attribute_exists(id) AND attribute_not_exists(one_time_secret)",
            )
            .values([
                (":secret", AttributeValue::S(secret.reveal().to_owned())),
                (":step", AttributeValue::N(step.to_string())),
            ])
            .build()?;
        self.change(vec![set], "one_time_codes_on", Facts::new(), by, now).await
    }

    /// Asks for no code any more, for a code of `step`.
    pub(crate) async fn forget_secret(&self, seen: &Credential, step: u64, by: &Actor, now: Timestamp) -> Result<bool> {
        let forget = self
            .update(FORGET_CODES, IS_FRESH)
            .values([(":secret", seen.secret_value()), (":step", AttributeValue::N(step.to_string()))])
            .build()?;
        self.change(vec![forget], "one_time_codes_off", Facts::new(), by, now).await
    }

    /// Uses up the code of `step`, and those before it. `false`: it is used already, or the secret is another now.
    pub(crate) async fn use_step(&self, seen: &Credential, step: u64, attempt: &str) -> Result<bool> {
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", id())
            .update_expression("SET last_step = :step, last_step_attempt = :attempt")
            .condition_expression(IS_FRESH)
            .expression_attribute_values(":secret", seen.secret_value())
            .expression_attribute_values(":step", AttributeValue::N(step.to_string()))
            .expression_attribute_values(":attempt", AttributeValue::S(attempt.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match Written::update(update)? {
            Written::Done => true,
            // The SDK tries again when an answer is lost: then it was this very attempt that used it.
            Written::Refused(row) => {
                let used_by = row.as_ref().and_then(|row| row.get("last_step_attempt"));
                used_by.and_then(|by| by.as_s().ok()).is_some_and(|by| by == attempt)
            }
        })
    }

    /// Makes a change and its row in the audit trail. `false`: it is not as it was seen any more.
    pub(crate) async fn change(
        &self,
        mut writes: Vec<TransactWriteItem>,
        action: &str,
        after: Facts,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool> {
        let change = Change { by, action, key: None, before: Facts::new(), after };
        writes.push(self.audit.record(change, now)?);
        Ok(self.database.transact(writes).await? == Transacted::Done)
    }

    fn update<'a>(&'a self, expression: &'a str, condition: &'a str) -> UpdateOf<'a> {
        UpdateOf { table: &self.table, expression, condition, values: HashMap::new() }
    }
}

/// A code is fresh if it is of the secret that it was checked against, and younger than the last that was used.
const IS_FRESH: &str = "one_time_secret = :secret AND (attribute_not_exists(last_step) OR last_step < :step)";
const FORGET_CODES: &str = "REMOVE one_time_secret, last_step, last_step_attempt";

/// A new password begins a new epoch.
const SET_PASSWORD: &str = "SET password_hash = :hash, set_at = :now, epoch = if_not_exists(epoch, :now) + :one";
/// The first epoch that is written is the time, so that a credential which was removed and set anew doesn't come upon the
/// sessions of the old one.
const NEXT_EPOCH: &str = "epoch = if_not_exists(epoch, :now) + :one";

fn id() -> AttributeValue {
    AttributeValue::S(ID.to_owned())
}

fn facts(name: &str, value: &str) -> Facts {
    [(name.to_owned(), value.to_owned())].into()
}

/// An update of the row, as a transaction takes it.
struct UpdateOf<'a> {
    table: &'a str,
    expression: &'a str,
    condition: &'a str,
    values: HashMap<String, AttributeValue>,
}

impl UpdateOf<'_> {
    fn values<const N: usize>(mut self, values: [(&str, AttributeValue); N]) -> Self {
        self.values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self
    }

    fn build(self) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(self.table)
            .key("id", id())
            .update_expression(self.expression)
            .set_condition_expression((!self.condition.is_empty()).then(|| self.condition.to_owned()))
            .set_expression_attribute_values(Some(self.values))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
