//! Table `ApiKeyUse`, the rows by day: how often and when each key is used.
//!
//! Requests are counted in memory and written together. What is not written yet is lost when a function's environment is
//! torn down: at most an eighth of what it counted, and at most a quarter of an hour's.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Clock, Error, Result};
use futures::future;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use storage::{Database, Written, epoch_millis, outage};

use crate::per_key::PerKey;

const TABLE: &str = "ApiKeyUse";
/// Unwritten requests are written once they are this part of those that are.
const PART: u64 = 8;
/// And after this time in any case, so that a key in steady use is known to be used.
const STEP: SignedDuration = SignedDuration::from_mins(15);
/// After a write that failed, no other is tried for so long: an outage of this table slows no request but one.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// When a key was last used is known for more than a year.
const RETENTION: SignedDuration = SignedDuration::from_hours(400 * 24);
const HOURS_OF_A_WEEK: usize = 7 * 24;
/// The rows that the last seven days touch.
const DAYS_OF_A_WEEK: i32 = 8;

/// Counts requests.
#[derive(Clone, Debug)]
pub(crate) struct UseCounts {
    database: Database,
    table: String,
    counts: PerKey<Count>,
}

#[derive(Clone, Debug, Default)]
struct Count {
    unwritten: u64,
    written: u64,
    written_at: Option<Timestamp>,
    paused_until: Option<Timestamp>,
}

impl Count {
    /// Counts a request. Gives how many are to be written now, if any.
    fn add(&mut self, now: Timestamp) -> Option<u64> {
        self.unwritten += 1;
        let is_paused = self.paused_until.is_some_and(|until| now < until);
        let is_old = self.written_at.is_none_or(|at| now.duration_since(at) >= STEP);
        let is_large = self.unwritten.saturating_mul(PART) >= self.written;
        if is_paused || !(is_old || is_large) {
            return None;
        }
        self.written_at = Some(now);
        Some(std::mem::take(&mut self.unwritten))
    }
}

impl UseCounts {
    pub(crate) fn new(database: &Database) -> Self {
        Self { table: database.table(TABLE), database: database.clone(), counts: PerKey::default() }
    }

    /// Counts a request. Nobody's request fails for it.
    pub(crate) async fn count(&self, key_id: &str, now: Timestamp) {
        let Some(requests) = self.counts.with(key_id, |count| count.add(now)) else { return };
        let written = self.write(key_id, requests, now).await;
        let Err(error) = written else {
            self.counts.with(key_id, |count| count.written = count.written.saturating_add(requests));
            return;
        };
        tracing::warn!(cause = error.source_chain(), "the use of a key was not written down");
        self.counts.with(key_id, |count| {
            count.unwritten = count.unwritten.saturating_add(requests);
            count.paused_until = now.checked_add(PAUSE).ok();
        });
    }

    /// Adds to the hour's count. An answer that was lost counts the same requests again: they are figures for people.
    async fn write(&self, key_id: &str, requests: u64, now: Timestamp) -> Result<()> {
        let hour = now.to_zoned(TimeZone::UTC);
        let forgotten_at = now.saturating_add(RETENTION).map_err(Error::internal)?;
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("key_id", AttributeValue::S(key_id.to_owned()))
            .key("item", AttributeValue::S(hour.date().to_string()))
            .update_expression("ADD #hour :requests SET last_used_at = :now, time_to_live = :forgotten")
            .expression_attribute_names("#hour", attribute(hour.hour()))
            .expression_attribute_values(":requests", AttributeValue::N(requests.to_string()))
            .expression_attribute_values(":now", epoch_millis(now))
            .expression_attribute_values(":forgotten", AttributeValue::N(forgotten_at.as_second().to_string()))
            .send()
            .await;
        Written::update(update).map(drop)
    }
}

/// The attribute that counts the requests of an hour of the day, in UTC.
fn attribute(hour: i8) -> String {
    format!("h{hour:02}")
}

/// How much a key is used. Up to an eighth more may have come in the last quarter of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// When it was last used, to a quarter of an hour; `None`: not in the last year.
    pub last_used_at: Option<Timestamp>,
    /// Requests in each of the last 168 hours, the present one last.
    hours: Vec<u64>,
}

impl KeyUse {
    /// Requests of the last 24 hours, the present one among them.
    pub fn last_day(&self) -> u64 {
        self.hours.iter().rev().take(24).sum()
    }

    /// Requests of the last 7 days.
    pub fn last_week(&self) -> u64 {
        self.hours.iter().sum()
    }

    /// Requests in each of the last seven times 24 hours, the latest last.
    pub fn by_day(&self) -> Vec<u64> {
        self.hours.chunks(24).map(|hours| hours.iter().sum()).collect()
    }
}

/// How much keys are used, for people who look.
#[derive(Clone, Debug)]
pub struct Usage {
    database: Database,
    table: String,
    clock: Clock,
}

impl Usage {
    /// The usage of a deployment's keys.
    pub fn new(database: &Database, clock: Clock) -> Self {
        Self { table: database.table(TABLE), database: database.clone(), clock }
    }

    /// How much each of these keys is used, in their order.
    pub async fn of(&self, key_ids: impl IntoIterator<Item = &str>) -> Result<Vec<KeyUse>> {
        let now = self.clock.now();
        future::try_join_all(key_ids.into_iter().map(|id| self.read(id, now))).await
    }

    async fn read(&self, key_id: &str, now: Timestamp) -> Result<KeyUse> {
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            // Beside the days stands a row with the limit; days begin with a digit.
            .key_condition_expression("key_id = :key_id AND #item < :after_digits")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":key_id", AttributeValue::S(key_id.to_owned()))
            .expression_attribute_values(":after_digits", AttributeValue::S(":".to_owned()))
            .scan_index_forward(false)
            .limit(DAYS_OF_A_WEEK);
        let rows = query.send().await.map_err(outage)?.items.unwrap_or_default();
        let last_used_at = rows.first().and_then(|row| {
            let epoch_ms = row.get("last_used_at")?.as_n().ok()?.parse().ok()?;
            Timestamp::from_millisecond(epoch_ms).ok()
        });
        let days: HashMap<&str, &HashMap<_, _>> =
            rows.iter().filter_map(|row| Some((row.get("item")?.as_s().ok()?.as_str(), row))).collect();
        let requests = |hours_ago: i64| -> Option<u64> {
            let hour = now.checked_sub(hours_ago.hours()).ok()?.to_zoned(TimeZone::UTC);
            let day: Date = hour.date();
            days.get(day.to_string().as_str())?.get(&attribute(hour.hour()))?.as_n().ok()?.parse().ok()
        };
        let hours = (0..HOURS_OF_A_WEEK).rev();
        let hours = hours.map(|ago| i64::try_from(ago).ok().and_then(requests).unwrap_or_default());
        Ok(KeyUse { last_used_at, hours: hours.collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use embedded_dynamodb::Engine;

    use super::*;

    struct Bed {
        engine: Engine,
        counts: UseCounts,
        usage: Usage,
        clock: Clock,
    }

    async fn bed() -> Bed {
        let engine = Engine::in_memory().await.unwrap();
        let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
        let database = Database::local(engine.url(), engine.table_prefix());
        Bed { engine, counts: UseCounts::new(&database), usage: Usage::new(&database, clock.clone()), clock }
    }

    impl Bed {
        async fn requests(&self, count: u64) {
            for _ in 0..count {
                self.counts.count("k", self.clock.now()).await;
            }
        }

        async fn seen(&self) -> KeyUse {
            self.usage.of(["k"]).await.unwrap().remove(0)
        }
    }

    #[tokio::test]
    async fn the_first_requests_of_a_key_are_seen_at_once() {
        let bed = bed().await;
        assert_eq!(bed.seen().await.last_used_at, None);
        for requests in 1..=9 {
            bed.requests(1).await;
            let seen = bed.seen().await;
            assert_eq!((seen.last_day(), seen.last_used_at), (requests, Some(bed.clock.now())));
        }
    }

    #[tokio::test]
    async fn a_day_and_a_week_are_the_hours_that_are_not_yet_gone() {
        let bed = bed().await;
        bed.requests(2).await;
        bed.clock.advance(Duration::from_hours(23));
        bed.requests(3).await;
        assert_eq!((bed.seen().await.last_day(), bed.seen().await.last_week()), (5, 5));
        bed.clock.advance(Duration::from_hours(1));
        assert_eq!((bed.seen().await.last_day(), bed.seen().await.last_week()), (3, 5));
        assert_eq!(bed.seen().await.by_day(), [0, 0, 0, 0, 0, 2, 3]);
        bed.clock.advance(Duration::from_hours(6 * 24));
        assert_eq!((bed.seen().await.last_day(), bed.seen().await.last_week()), (0, 3));
        bed.clock.advance(Duration::from_hours(100 * 24));
        let seen = bed.seen().await;
        assert!(seen.last_week() == 0 && seen.last_used_at.is_some(), "{seen:?}");
    }

    #[tokio::test]
    async fn a_count_is_never_an_eighth_short_nor_short_for_longer_than_a_quarter_of_an_hour() {
        let bed = bed().await;
        let mut made = 0;
        for step in 0..60 {
            bed.requests(step).await;
            made += step;
            let seen = bed.seen().await.last_day();
            assert!(seen <= made && (made - seen) * PART <= made, "{seen} of {made}");
        }
        bed.clock.advance(Duration::from_mins(15));
        bed.requests(1).await;
        assert_eq!(bed.seen().await.last_day(), made + 1);
    }

    #[test]
    fn a_day_of_a_busy_key_is_a_few_hundred_writes() {
        let (mut count, mut now) = (Count::default(), "2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap());
        let mut writes = 0;
        for _ in 0..100_000 {
            if let Some(requests) = count.add(now) {
                writes += 1;
                count.written += requests;
            }
            now += Duration::from_millis(864);
        }
        assert!((96..300).contains(&writes), "{writes}");
    }

    #[tokio::test]
    async fn an_outage_is_met_once_a_minute_and_loses_no_count() {
        let Bed { engine, counts, clock, .. } = bed().await;
        engine.stop().await;
        for _ in 0..5 {
            counts.count("k", clock.now()).await;
        }
        let count = counts.counts.with("k", |count| (count.unwritten, count.paused_until));
        assert_eq!(count, (5, Some(clock.now() + Duration::from_mins(1))));
    }
}
