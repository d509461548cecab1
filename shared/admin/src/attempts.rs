//! Rows `attempts` and `device#HASH` of table `Admin`: how often somebody may guess.
//!
//! An attempt is reserved by one conditional write before anything is verified, so that of any number of guesses at the
//! same moment one is verified. Each doubles the wait for the next: 1 s, 2 s, 4 s and so on up to 15 min, which leaves
//! a guesser about 13 guesses in the first hour and 4 in each further one. Nobody is locked out for good.
//!
//! All unknown browsers share one counter, and a guesser can keep it waiting for ever. A browser that signed in before
//! has its own, which nobody else can touch: the administrator gets in while strangers guess.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::{Clock, Error, Result};
use jiff::fmt::serde::timestamp::{millisecond, second};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::{Database, Written, epoch_millis, outage};

use crate::opaque::DeviceId;

/// The counter of all browsers that are not known.
const STRANGERS: &str = "attempts";
/// The wait after the first attempt.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_secs(1);
/// The wait after the eleventh attempt and all that follow.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// Whoever might try again and doesn't for so long begins anew.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// A browser that doesn't sign in for so long is unknown again.
const DEVICE_LIFETIME: SignedDuration = SignedDuration::from_hours(180 * 24);

/// What a counter's row says.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counter {
    id: String,
    /// Attempts since the last that succeeded.
    failures: u32,
    #[serde(with = "millisecond::required")]
    next_allowed_at: Timestamp,
    /// Names the last attempt. Every attempt changes it: a write under a condition on it stands on the wait that was
    /// seen, or fails.
    attempt: String,
    /// Only of a device: from then on it is unknown.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// DynamoDB's own clock for removal, in seconds: it runs up to days late, so that code never asks it.
    #[serde(with = "second::required")]
    time_to_live: Timestamp,
}

/// The right to verify something once.
#[derive(Debug)]
pub(crate) struct Attempt {
    counter: String,
    /// Names this attempt, and nothing else ever.
    pub(crate) id: String,
}

/// What became of the wish to try.
#[derive(Debug)]
pub(crate) enum Reserved {
    /// Verify, once.
    Attempt(Attempt),
    /// Verify nothing: it is too early by this much.
    Wait(SignedDuration),
}

/// The counters of a deployment.
#[derive(Clone)]
pub(crate) struct Attempts {
    database: Database,
    table: String,
    clock: Clock,
}

impl Attempts {
    pub(crate) fn new(database: &Database, clock: Clock) -> Self {
        Self { table: database.table("Admin"), database: database.clone(), clock }
    }

    /// Asks for an attempt for the browser that presents this device id, if it presents one. Without storage there is
    /// none: the error is an outage, and nothing is verified.
    pub(crate) async fn reserve(&self, device: Option<&str>) -> Result<Reserved> {
        let seen = match self.device(device).await? {
            Some(counter) => Some(counter),
            None => self.strangers().await?,
        };
        let now = self.clock.now();
        if let Some(wait) = seen.as_ref().and_then(|seen| wait(seen, now)) {
            return Ok(Reserved::Wait(wait));
        }
        self.take(seen, now, hex::encode(rand::random::<[u8; 16]>())).await
    }

    /// Takes the attempt that the seen row allows. Of all who see the same row one takes it, and the others wait.
    async fn take(&self, seen: Option<Counter>, now: Timestamp, id: String) -> Result<Reserved> {
        let failures = seen.as_ref().map_or(0, |seen| failures(seen, now)).saturating_add(1);
        let next_allowed_at = after(now, wait_after(failures))?;
        let counter = seen.as_ref().map_or(STRANGERS, |seen| &seen.id).to_owned();
        // A device lives on as long as it did before.
        let expires_at = match seen.as_ref().and_then(|seen| seen.expires_at) {
            Some(at) => at,
            None => after(next_allowed_at, FORGOTTEN_AFTER)?,
        };
        let attempt = Attempt { counter, id };
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(attempt.counter.clone()))
            .update_expression(
                "SET failures = :failures, next_allowed_at = :next, attempt = :attempt, time_to_live = :time_to_live",
            )
            .expression_attribute_values(":failures", AttributeValue::N(failures.to_string()))
            .expression_attribute_values(":next", epoch_millis(next_allowed_at))
            .expression_attribute_values(":attempt", AttributeValue::S(attempt.id.clone()))
            .expression_attribute_values(":time_to_live", AttributeValue::N(expires_at.as_second().to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match seen {
            None => update.condition_expression("attribute_not_exists(id)"),
            Some(seen) => update
                .condition_expression("attempt = :seen AND next_allowed_at <= :now")
                .expression_attribute_values(":seen", AttributeValue::S(seen.attempt))
                .expression_attribute_values(":now", epoch_millis(now)),
        };
        let standing = match Written::update(update.send().await)? {
            Written::Done => return Ok(Reserved::Attempt(attempt)),
            Written::Refused(row) => row.map(serde_dynamo::from_item::<_, Counter>).transpose(),
        };
        let standing = standing.map_err(Error::internal)?;
        // The SDK tries again when an answer is lost: then the row that stands in the way is our own, and it still
        // allows this one attempt and no other.
        if standing.as_ref().is_some_and(|standing| standing.attempt == attempt.id) {
            return Ok(Reserved::Attempt(attempt));
        }
        Ok(Reserved::Wait(standing.and_then(|standing| wait(&standing, now)).unwrap_or(SHORTEST_WAIT)))
    }

    /// Counts anew, after an attempt that succeeded.
    pub(crate) async fn succeeded(&self, attempt: &Attempt) -> Result<()> {
        self.reset(attempt, None).await
    }

    /// Knows the browser from now on, after an attempt to sign in that succeeded. `presented` is the device id that the
    /// attempt was reserved for: it is kept if it is known, so that a browser has one.
    pub(crate) async fn remember(&self, attempt: &Attempt, presented: Option<&str>) -> Result<DeviceId> {
        let now = self.clock.now();
        let expires_at = after(now, DEVICE_LIFETIME)?;
        let known = presented.and_then(DeviceId::parse).filter(|device| device.row_id() == attempt.counter);
        if let Some(device) = known {
            self.reset(attempt, Some(expires_at)).await?;
            return Ok(device);
        }
        self.reset(attempt, None).await?;
        let device = DeviceId::generate();
        let row = Counter {
            id: device.row_id(),
            failures: 0,
            next_allowed_at: now,
            attempt: attempt.id.clone(),
            expires_at: Some(expires_at),
            time_to_live: expires_at,
        };
        let row = serde_dynamo::to_item(row).map_err(Error::internal)?;
        // Without a condition: nobody else knows of the row.
        self.database.client().put_item().table_name(&self.table).set_item(Some(row)).send().await.map_err(outage)?;
        Ok(device)
    }

    async fn reset(&self, attempt: &Attempt, expires_at: Option<Timestamp>) -> Result<()> {
        let mut expression = "SET failures = :none, next_allowed_at = :now".to_owned();
        let mut update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(attempt.counter.clone()))
            .condition_expression("attempt = :attempt")
            .expression_attribute_values(":none", AttributeValue::N("0".to_owned()))
            .expression_attribute_values(":now", epoch_millis(self.clock.now()))
            .expression_attribute_values(":attempt", AttributeValue::S(attempt.id.clone()));
        if let Some(at) = expires_at {
            expression.push_str(", expires_at = :expires_at, time_to_live = :time_to_live");
            update = update
                .expression_attribute_values(":expires_at", epoch_millis(at))
                .expression_attribute_values(":time_to_live", AttributeValue::N(at.as_second().to_string()));
        }
        // Refused: somebody else has tried since, and that is not forgotten for our success.
        Written::update(update.update_expression(expression).send().await).map(drop)
    }

    /// The counter of a known browser. What is malformed, unknown, expired or of another version is a stranger's.
    async fn device(&self, presented: Option<&str>) -> Result<Option<Counter>> {
        let Some(device) = presented.and_then(DeviceId::parse) else { return Ok(None) };
        let now = self.clock.now();
        let counter = self.read(&device.row_id()).await?.and_then(Result::ok);
        Ok(counter.filter(|counter| counter.expires_at.is_some_and(|at| at > now)))
    }

    /// The counter of all others. One that can't be read is an error: nobody is let past it.
    async fn strangers(&self) -> Result<Option<Counter>> {
        self.read(STRANGERS).await?.transpose()
    }

    async fn read(&self, id: &str) -> Result<Option<Result<Counter>>> {
        let id = AttributeValue::S(id.to_owned());
        let get = self.database.client().get_item().table_name(&self.table).key("id", id).consistent_read(true);
        let row = get.send().await.map_err(outage)?.item;
        Ok(row.map(|row| serde_dynamo::from_item(row).map_err(Error::internal)))
    }
}

fn after(at: Timestamp, step: SignedDuration) -> Result<Timestamp> {
    at.saturating_add(step).map_err(Error::internal)
}

/// How long the counter's next attempt has to wait, if it has to.
fn wait(counter: &Counter, now: Timestamp) -> Option<SignedDuration> {
    let wait = counter.next_allowed_at.duration_since(now);
    wait.is_positive().then_some(wait)
}

/// The failures that still count.
fn failures(counter: &Counter, now: Timestamp) -> u32 {
    let is_forgotten = now.duration_since(counter.next_allowed_at) >= FORGOTTEN_AFTER;
    if is_forgotten { 0 } else { counter.failures }
}

/// The wait after so many attempts, of which none succeeded.
fn wait_after(failures: u32) -> SignedDuration {
    let doublings = failures.saturating_sub(1);
    let factor = 2_i32.checked_pow(doublings).unwrap_or(i32::MAX);
    SHORTEST_WAIT.checked_mul(factor).map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Kind;
    use embedded_dynamodb::Engine;
    use futures::future::join_all;

    use super::*;

    struct Bed {
        engine: Engine,
        attempts: Attempts,
        clock: Clock,
    }

    async fn bed() -> Bed {
        let engine = Engine::in_memory().await.unwrap();
        let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
        let attempts = Attempts::new(&Database::local(engine.url(), engine.table_prefix()), clock.clone());
        Bed { engine, attempts, clock }
    }

    impl Bed {
        async fn reserve(&self, device: Option<&str>) -> Result<Attempt, i64> {
            match self.attempts.reserve(device).await.unwrap() {
                Reserved::Attempt(attempt) => Ok(attempt),
                Reserved::Wait(wait) => Err(i64::try_from(wait.as_millis()).unwrap()),
            }
        }

        fn pass(&self, millis: i64) {
            self.clock.advance(Duration::from_millis(millis.try_into().unwrap()));
        }

        async fn known_device(&self) -> DeviceId {
            let attempt = self.reserve(None).await.unwrap();
            self.attempts.remember(&attempt, None).await.unwrap()
        }

        async fn put(&self, row: &[(&str, AttributeValue)]) {
            let row = row.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let client = self.attempts.database.client();
            client.put_item().table_name(&self.attempts.table).set_item(Some(row)).send().await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_wait_doubles_with_every_attempt_up_to_15_minutes_and_never_more() {
        let bed = bed().await;
        let mut waits = Vec::new();
        for _ in 0..14 {
            bed.reserve(None).await.unwrap();
            let wait = bed.reserve(None).await.unwrap_err();
            bed.pass(wait - 1);
            assert_eq!(bed.reserve(None).await.unwrap_err(), 1, "too early by a millisecond");
            bed.pass(1);
            waits.push(wait / 1000);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }

    #[tokio::test]
    async fn of_50_at_the_same_moment_one_is_verified() {
        let bed = bed().await;
        // The first has no row to begin with, the later ones have.
        for _ in 0..3 {
            let all = join_all((0..50).map(|_| bed.reserve(None))).await;
            assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
            bed.pass(bed.reserve(None).await.unwrap_err());
        }
        let device = bed.known_device().await;
        let all = join_all((0..50).map(|_| bed.reserve(Some(device.reveal())))).await;
        assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
    }

    #[tokio::test]
    async fn strangers_have_at_most_20_attempts_in_an_hour() {
        let bed = bed().await;
        let end = bed.clock.now() + Duration::from_hours(1);
        let mut attempts = 0;
        while bed.clock.now() < end {
            // As soon as it may be, with a device id that is made up, and once more with none.
            bed.reserve(Some(DeviceId::generate().reveal())).await.unwrap();
            attempts += 1;
            bed.pass(bed.reserve(None).await.unwrap_err());
        }
        assert_eq!(attempts, 13);
    }

    #[tokio::test]
    async fn a_known_browser_is_not_held_up_by_strangers_nor_they_by_it() {
        let bed = bed().await;
        let device = bed.known_device().await;
        bed.reserve(None).await.unwrap();
        assert!(bed.reserve(None).await.is_err());
        bed.reserve(Some(device.reveal())).await.unwrap();
        assert_eq!(bed.reserve(Some(device.reveal())).await.unwrap_err(), 1000);
        bed.pass(1000);
        bed.reserve(None).await.unwrap();
    }

    #[tokio::test]
    async fn an_unknown_device_counts_as_a_stranger() {
        let bed = bed().await;
        bed.reserve(None).await.unwrap();
        let unknown = DeviceId::generate();
        for device in [unknown.reveal(), "", "attempts", "credential", &"g".repeat(64)] {
            assert!(bed.reserve(Some(device)).await.is_err(), "{device}");
        }
    }

    #[tokio::test]
    async fn a_device_is_unknown_180_days_after_it_signed_in_last() {
        let bed = bed().await;
        let device = bed.known_device().await;
        bed.pass(100 * 24 * 3_600_000);
        let attempt = bed.reserve(Some(device.reveal())).await.unwrap();
        let again = bed.attempts.remember(&attempt, Some(device.reveal())).await.unwrap();
        assert_eq!(again.reveal(), device.reveal(), "a browser has one");
        bed.pass(180 * 24 * 3_600_000 - 1);
        assert_eq!(bed.reserve(Some(device.reveal())).await.unwrap().counter, device.row_id());
        bed.pass(1);
        assert_eq!(bed.reserve(Some(device.reveal())).await.unwrap().counter, STRANGERS);
    }

    #[tokio::test]
    async fn success_counts_anew_and_only_for_the_counter_that_was_used() {
        let bed = bed().await;
        let device = bed.known_device().await;
        for _ in 0..5 {
            bed.reserve(None).await.unwrap();
            bed.pass(bed.reserve(None).await.unwrap_err());
        }
        let attempt = bed.reserve(Some(device.reveal())).await.unwrap();
        bed.attempts.succeeded(&attempt).await.unwrap();
        bed.reserve(Some(device.reveal())).await.unwrap();
        assert_eq!(bed.reserve(Some(device.reveal())).await.unwrap_err(), 1000);
        bed.reserve(None).await.unwrap();
        assert_eq!(bed.reserve(None).await.unwrap_err(), 32_000, "the sixth, whoever else signed in");
    }

    #[tokio::test]
    async fn a_late_success_does_not_forget_what_others_tried_since() {
        let bed = bed().await;
        let slow = bed.reserve(None).await.unwrap();
        bed.pass(1000);
        bed.reserve(None).await.unwrap();
        bed.attempts.succeeded(&slow).await.unwrap();
        assert_eq!(bed.reserve(None).await.unwrap_err(), 2000);
    }

    #[tokio::test]
    async fn an_hour_without_an_attempt_begins_the_count_anew() {
        for (pause, expected) in [(3_600_000 - 1, 16_000), (3_600_000, 1000)] {
            let bed = bed().await;
            for _ in 0..4 {
                bed.reserve(None).await.unwrap();
                bed.pass(bed.reserve(None).await.unwrap_err());
            }
            bed.pass(pause);
            bed.reserve(None).await.unwrap();
            assert_eq!(bed.reserve(None).await.unwrap_err(), expected);
        }
    }

    #[tokio::test]
    async fn without_storage_nothing_is_verified() {
        let bed = bed().await;
        let device = bed.known_device().await;
        bed.engine.stop().await;
        for device in [None, Some(device.reveal())] {
            assert_eq!(bed.attempts.reserve(device).await.unwrap_err().kind(), Kind::Unavailable);
        }
    }

    #[tokio::test]
    async fn an_attempt_whose_answer_was_lost_is_found_again_and_by_nobody_else() {
        let bed = bed().await;
        let now = bed.clock.now();
        let take = async |id: &str| bed.attempts.take(None, now, id.to_owned()).await.unwrap();
        assert!(matches!(take("mine").await, Reserved::Attempt(_)));
        // The SDK asks again, with the same write; somebody else has another.
        assert!(matches!(take("mine").await, Reserved::Attempt(_)));
        assert!(matches!(take("another").await, Reserved::Wait(_)));
        assert_eq!(bed.reserve(None).await.unwrap_err(), 1000, "it counts once");
    }

    #[tokio::test]
    async fn a_counter_of_another_version_lets_nobody_past() {
        let bed = bed().await;
        bed.put(&[("id", AttributeValue::S(STRANGERS.to_owned())), ("failures", AttributeValue::S("none".to_owned()))])
            .await;
        assert_eq!(bed.attempts.reserve(None).await.unwrap_err().kind(), Kind::Internal);
    }

    #[tokio::test]
    async fn a_device_of_another_version_is_a_stranger() {
        let bed = bed().await;
        let device = DeviceId::generate();
        bed.put(&[("id", AttributeValue::S(device.row_id()))]).await;
        assert_eq!(bed.reserve(Some(device.reveal())).await.unwrap().counter, STRANGERS);
    }
}
