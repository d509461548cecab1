//! Table `SendRates`: up to when the messages a second of each of the business's numbers are taken.
//!
//! A token bucket per number, as the generic cell rate algorithm has it: one moment, `full_at`. Whoever sends a campaign
//! [reserves](SendRates::reserve) the next moments and waits for them, so that all of them together keep to the rate. Whoever
//! sends a single message never waits: what it takes is [noted](SendRates::taken), and campaigns come after it. Where Meta
//! says that it is too much all the same, everybody waits and then goes [slower](SendRates::slow_down) for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{Error, Result, SendRate};
use jiff::Timestamp;

use crate::database::{Database, Written};

const SECOND_US: i64 = 1_000_000;
/// A row is forgotten after so long without a message.
const FORGOTTEN_AFTER_S: i64 = 24 * 60 * 60;
/// Others take tokens at the same moment; whoever loses that often to them asks again later.
const ATTEMPTS: usize = 6;
/// For so long everybody goes slower after Meta said that it was too much.
const SLOW_FOR_US: i64 = 60 * SECOND_US;
/// Those who are told so within this time of each other tell the same.
const SAME_US: i64 = SECOND_US;
/// Half as fast each time, down to this part of the rate.
const MOST_HALVINGS: i64 = 5;

/// How fast each number sends. A clone shares the connection, and what is known.
#[derive(Clone, Debug)]
pub struct SendRates {
    database: Database,
    table: String,
    /// What the rows held when they were last seen, so that the first guess is mostly right.
    seen: Arc<Mutex<HashMap<String, Bucket>>>,
}

/// What became of a wish to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The first message may go then, and each further one that much later.
    From {
        /// When.
        first_at: Timestamp,
        /// How much later.
        interval: Duration,
    },
    /// Too many wait already: ask again in a while.
    Later(Duration),
}

/// A number's bucket. Moments are microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    full_at: i64,
    slow_until: i64,
    halvings: i64,
}

impl Bucket {
    fn of(row: Option<&HashMap<String, AttributeValue>>) -> Self {
        let number = |name: &str| row.and_then(|row| row.get(name)?.as_n().ok()?.parse().ok()).unwrap_or_default();
        Self { full_at: number("full_at"), slow_until: number("slow_until"), halvings: number("halvings") }
    }

    /// The time between two messages. Rounded up: never more than the rate.
    fn interval(&self, rate: SendRate, now: i64) -> i64 {
        let rate = i64::from(rate.per_second());
        let interval = (SECOND_US + rate - 1) / rate;
        if now < self.slow_until { interval << self.halvings.clamp(0, MOST_HALVINGS) } else { interval }
    }
}

impl SendRates {
    /// The rates of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("SendRates"), database: database.clone(), seen: Arc::default() }
    }

    /// Reserves the moments at which the next `count` messages may go, the first of them within `patience`. What is reserved
    /// and not used is lost; that an answer is lost costs moments, too, and errs on the safe side.
    pub async fn reserve(
        &self,
        phone_number_id: &str,
        rate: SendRate,
        count: u32,
        now: Timestamp,
        patience: Duration,
    ) -> Result<Reserved> {
        let (now_us, patience_us) = (now.as_microsecond(), micros(patience));
        let mut believed = self.seen(phone_number_id);
        for _ in 0..ATTEMPTS {
            let interval = believed.interval(rate, now_us);
            let span = i64::from(count) * interval;
            let update = if believed.full_at <= now_us {
                self.update(phone_number_id, now_us)
                    .update_expression("SET full_at = :full_at, time_to_live = :forgotten")
                    .condition_expression(
                        "(attribute_not_exists(full_at) OR full_at <= :now) \
                         AND (attribute_not_exists(slow_until) OR slow_until <= :now OR halvings = :halvings)",
                    )
                    .expression_attribute_values(":full_at", number(now_us + span))
                    .expression_attribute_values(":now", number(now_us))
            } else {
                self.update(phone_number_id, now_us)
                    .update_expression("SET full_at = full_at + :span, time_to_live = :forgotten")
                    .condition_expression(
                        "full_at > :now AND full_at <= :latest \
                         AND (attribute_not_exists(slow_until) OR slow_until <= :now OR halvings = :halvings)",
                    )
                    .expression_attribute_values(":span", number(span))
                    .expression_attribute_values(":now", number(now_us))
                    .expression_attribute_values(":latest", number(now_us + patience_us))
            };
            let update = update.expression_attribute_values(":halvings", number(believed.halvings));
            let answer = update.send().await;
            let full_at = answer.as_ref().ok().map(|output| Bucket::of(output.attributes.as_ref()).full_at);
            match (Written::update(answer)?, full_at) {
                (Written::Done, full_at) => {
                    believed.full_at = full_at.unwrap_or(now_us + span);
                    self.see(phone_number_id, believed);
                    let first_at = believed.full_at - span;
                    let first_at = Timestamp::from_microsecond(first_at).map_err(Error::internal)?;
                    return Ok(Reserved::From { first_at, interval: Duration::from_micros(interval.unsigned_abs()) });
                }
                (Written::Refused(row), _) => {
                    believed = Bucket::of(row.as_ref());
                    self.see(phone_number_id, believed);
                    let wait = believed.full_at - now_us;
                    if wait > patience_us {
                        return Ok(Reserved::Later(Duration::from_micros(wait.unsigned_abs())));
                    }
                }
            }
        }
        Ok(Reserved::Later(Duration::from_secs(1)))
    }

    fn seen(&self, phone_number_id: &str) -> Bucket {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(phone_number_id).copied().unwrap_or_default()
    }

    fn see(&self, phone_number_id: &str, bucket: Bucket) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(phone_number_id.to_owned(), bucket);
    }

    /// Notes that so many single messages went, which never wait.
    pub async fn taken(&self, phone_number_id: &str, rate: SendRate, count: u32, now: Timestamp) -> Result<()> {
        // As long as it takes: nobody waits for these moments.
        let forever = Duration::from_hours(1);
        self.reserve(phone_number_id, rate, count, now, forever).await.map(|_| ())
    }

    /// Meta says that it is too much: nobody sends for `wait`, and for a minute everybody half as fast as before.
    pub async fn slow_down(&self, phone_number_id: &str, wait: Duration, now: Timestamp) -> Result<()> {
        let now_us = now.as_microsecond();
        let slower = |halvings: &str, condition: &str| {
            self.update(phone_number_id, now_us)
                .update_expression(format!(
                    "SET slow_until = :slow_until, throttled_at = :now, halvings = {halvings}, time_to_live = :forgotten"
                ))
                .condition_expression(condition)
                .expression_attribute_values(":slow_until", number(now_us + SLOW_FOR_US))
                .expression_attribute_values(":now", number(now_us))
                .expression_attribute_values(":one", number(1))
        };
        // Of those who tell so at the same moment one counts.
        let again = slower("halvings + :one", "slow_until > :now AND throttled_at <= :before")
            .expression_attribute_values(":before", number(now_us - SAME_US));
        if !Written::update(again.send().await)?.is_done() {
            let first = slower(":one", "attribute_not_exists(slow_until) OR slow_until <= :now");
            Written::update(first.send().await)?;
        }
        let until = number(now_us + micros(wait));
        let update = self
            .update(phone_number_id, now_us)
            .update_expression("SET full_at = :until, time_to_live = :forgotten")
            .condition_expression("attribute_not_exists(full_at) OR full_at < :until")
            .expression_attribute_values(":until", until);
        Written::update(update.send().await).map(|_| ())
    }

    fn update(&self, phone_number_id: &str, now_us: i64) -> UpdateItemFluentBuilder {
        self.database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("phone_number_id", AttributeValue::S(phone_number_id.to_owned()))
            .expression_attribute_values(":forgotten", number(now_us / SECOND_US + FORGOTTEN_AFTER_S))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;
