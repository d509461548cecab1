//! Table `ApiKeyUse`, the rows `limit`: how many requests a key may make a minute.
//!
//! A token bucket per key, as the generic cell rate algorithm has it: one moment, `full_at`, up to which the bucket's
//! tokens are taken. A request needs a token, and a function's environment leases several with one write: one at first,
//! twice as many each time it has used them up in good time, a tenth of a minute's at most. So a busy key costs far less
//! than a write a request, and an idle one hoards nothing: leased tokens are good only for the time in which that many
//! come anew, and the bucket is debited as if they were used at its end. Hence between any two moments, over all
//! environments, no more requests are let in than the limit and what came anew in between.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{Error, Kind, Result};
use jiff::Timestamp;
use storage::{Database, Written};

use crate::per_key::PerKey;

const MINUTE_US: i64 = 60_000_000;
/// A lease is at most this part of a minute's tokens.
const PART: i64 = 10;
/// Others take tokens at the same moment; whoever loses that often to them waits like somebody who is over the limit.
const ATTEMPTS: usize = 6;

/// The limits of all keys. A clone shares what is leased.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    database: Database,
    table: String,
    leases: PerKey<Lease>,
}

/// What this environment knows of a key's bucket. All times are microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Lease {
    limit: i64,
    tokens: i64,
    /// The tokens are good until then.
    spend_by: i64,
    /// How many were leased the last time.
    size: i64,
    /// Up to when the bucket's tokens are taken, as far as is known here.
    full_at: i64,
    /// Until then the bucket is empty: nobody needs to ask.
    empty_until: i64,
}

/// What a lease asks the bucket for.
#[derive(Clone, Copy, Debug)]
struct Debit {
    tokens: i64,
    /// The time in which one token comes anew.
    interval: i64,
    now: i64,
}

impl Debit {
    /// The moment at which the tokens count as used: the last at which they may be.
    fn counts_at(self) -> i64 {
        self.now + (self.tokens - 1) * self.interval
    }

    /// The latest moment up to which tokens may be taken before this.
    fn latest(self, limit: i64) -> i64 {
        self.now + (limit - self.tokens) * self.interval
    }
}

impl Lease {
    /// Uses a token that is here, if there is one. `Some`: that decided it.
    fn spend(&mut self, limit: i64, now: i64) -> Option<Result<(), Duration>> {
        if self.limit != limit {
            *self = Self { limit, full_at: self.full_at, ..Self::default() };
        }
        if now < self.empty_until {
            return Some(Err(Duration::from_micros(self.empty_until.abs_diff(now))));
        }
        if self.tokens > 0 && now > self.spend_by {
            (self.tokens, self.size) = (0, 0);
        }
        let token = self.tokens.checked_sub(1).filter(|left| *left >= 0)?;
        self.tokens = token;
        Some(Ok(()))
    }

    /// How many to lease now: more each time, as long as they are used faster than they come anew.
    fn next_size(&self, now: i64) -> i64 {
        if now < self.full_at { (self.size * 2).clamp(1, (self.limit / PART).max(1)) } else { 1 }
    }

    /// Takes in what was leased, one of which is used already.
    fn add(&mut self, debit: Debit, full_at: i64) {
        let spend_by = debit.counts_at();
        self.spend_by = if self.tokens > 0 { self.spend_by.min(spend_by) } else { spend_by };
        self.tokens += debit.tokens - 1;
        (self.size, self.full_at) = (debit.tokens, full_at);
    }
}

/// What became of a wish to lease.
enum Leased {
    /// The tokens are ours, and the bucket's are taken up to then.
    Until(i64),
    /// They are not there, or not as believed: the bucket's are taken up to then.
    Not { full_at: i64 },
}

impl Limits {
    pub(crate) fn new(database: &Database) -> Self {
        Self { table: database.table("ApiKeyUse"), database: database.clone(), leases: PerKey::default() }
    }

    /// Takes a token for a request of a key that may make `limit` a minute.
    pub(crate) async fn take(&self, key_id: &str, limit: u32, now: Timestamp) -> Result<()> {
        let (per_minute, now) = (i64::from(limit.max(1)), now.as_microsecond());
        if let Some(decided) = self.leases.with(key_id, |lease| lease.spend(per_minute, now)) {
            return decided.map_err(|wait| over_the_limit(limit, wait));
        }
        // Rounded up: never more than the limit.
        let interval = (MINUTE_US + per_minute - 1) / per_minute;
        let (mut full_at, size) = self.leases.with(key_id, |lease| (lease.full_at, lease.next_size(now)));
        let mut debit = Debit { tokens: size, interval, now };
        for _ in 0..ATTEMPTS {
            match self.lease(key_id, debit, per_minute, full_at).await? {
                Leased::Until(until) => {
                    self.leases.with(key_id, |lease| lease.add(debit, until));
                    return Ok(());
                }
                Leased::Not { full_at: seen } => {
                    full_at = seen;
                    let left = (debit.now + per_minute * interval - full_at).div_euclid(interval);
                    if left < 1 {
                        break;
                    }
                    debit.tokens = debit.tokens.min(left);
                }
            }
        }
        let empty_until = (full_at - (per_minute - 1) * interval).max(now + 1);
        self.leases.with(key_id, |lease| (lease.full_at, lease.empty_until, lease.tokens) = (full_at, empty_until, 0));
        Err(over_the_limit(limit, Duration::from_micros(empty_until.abs_diff(now))))
    }

    /// Debits the bucket. A bucket that has filled up meanwhile is debited from now on, any other behind what is taken;
    /// `believed` says which to try. A lost answer that the SDK asks for again debits it twice: that errs on the safe side.
    async fn lease(&self, key_id: &str, debit: Debit, limit: i64, believed: i64) -> Result<Leased> {
        let number = |value: i64| AttributeValue::N(value.to_string());
        let (span, counts_at) = (debit.tokens * debit.interval, debit.counts_at());
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("key_id", AttributeValue::S(key_id.to_owned()))
            .key("item", AttributeValue::S("limit".to_owned()))
            .expression_attribute_values(":forgotten", number((debit.now + 24 * 60 * MINUTE_US) / 1_000_000))
            .expression_attribute_values(":counts_at", number(counts_at))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = if believed <= counts_at {
            update
                .update_expression("SET full_at = :full_at, time_to_live = :forgotten")
                .condition_expression("attribute_not_exists(full_at) OR full_at <= :counts_at")
                .expression_attribute_values(":full_at", number(counts_at + span))
        } else {
            update
                .update_expression("SET full_at = full_at + :span, time_to_live = :forgotten")
                .condition_expression("full_at > :counts_at AND full_at <= :latest")
                .expression_attribute_values(":span", number(span))
                .expression_attribute_values(":latest", number(debit.latest(limit)))
        };
        let answer = update.send().await;
        let now_full_at = answer.as_ref().ok().and_then(|output| full_at(output.attributes.as_ref()));
        match (Written::update(answer)?, now_full_at) {
            (Written::Done, Some(until)) => Ok(Leased::Until(until)),
            (Written::Done, None) => Err(Error::internal("a bucket that was debited does not say until when")),
            // No row: the bucket is full.
            (Written::Refused(row), _) => Ok(Leased::Not { full_at: full_at(row.as_ref()).unwrap_or(0) }),
        }
    }
}

fn full_at(row: Option<&HashMap<String, AttributeValue>>) -> Option<i64> {
    row?.get("full_at")?.as_n().ok()?.parse().ok()
}

fn over_the_limit(limit: u32, wait: Duration) -> Error {
    let message = format!("This API key may make {limit} requests a minute, and has made them");
    Error::new(Kind::Throttled, message).code("rate_limited").retryable(true).retry_after(wait)
}

#[cfg(test)]
mod tests {
    use domain::Clock;
    use embedded_dynamodb::Engine;

    use super::*;

    struct Bed {
        _engine: Engine,
        limits: Limits,
        clock: Clock,
    }

    async fn bed() -> Bed {
        let engine = Engine::in_memory().await.unwrap();
        let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
        let limits = Limits::new(&Database::local(engine.url(), engine.table_prefix()));
        Bed { _engine: engine, limits, clock }
    }

    impl Bed {
        /// Another environment of a function.
        fn elsewhere(&self) -> Limits {
            Limits { leases: PerKey::default(), ..self.limits.clone() }
        }

        /// How many of `requests` get in at this moment.
        async fn let_in(&self, limits: &Limits, limit: u32, requests: usize) -> usize {
            let mut count = 0;
            for _ in 0..requests {
                count += usize::from(limits.take("k", limit, self.clock.now()).await.is_ok());
            }
            count
        }
    }

    #[tokio::test]
    async fn a_minutes_requests_may_come_at_once_and_no_more() {
        let bed = bed().await;
        for limit in [1, 2, 5, 60, 100, 601] {
            let fresh = Limits { leases: PerKey::default(), ..bed.limits.clone() };
            let expected = usize::try_from(limit).unwrap();
            assert_eq!(bed.let_in(&fresh, limit, expected + 20).await, expected, "{limit}");
            bed.clock.advance(Duration::from_mins(2));
        }
    }

    #[tokio::test]
    async fn whoever_waits_as_long_as_told_gets_in_and_nobody_sooner() {
        let bed = bed().await;
        for limit in [1, 7, 60] {
            bed.let_in(&bed.limits, limit, 100).await;
            let error = bed.limits.take("k", limit, bed.clock.now()).await.unwrap_err();
            let public = error.public();
            assert_eq!((public.kind, public.code.as_deref()), (Kind::Throttled, Some("rate_limited")));
            assert_eq!(public.retry_after_s, Some(u64::from(60_u32.div_ceil(limit))));
            bed.clock.advance(Duration::from_millis(60_000 / u64::from(limit) - 1));
            assert_eq!(bed.let_in(&bed.limits, limit, 1).await, 0);
            bed.clock.advance(Duration::from_millis(2));
            assert_eq!(bed.let_in(&bed.limits, limit, 2).await, 1);
            bed.clock.advance(Duration::from_mins(2));
        }
    }

    #[tokio::test]
    async fn many_environments_share_one_limit_and_the_first_request_of_each_gets_in() {
        let bed = bed().await;
        let environments: Vec<_> = (0..16).map(|_| bed.elsewhere()).collect();
        let mut count = 0;
        for environment in &environments {
            assert_eq!(bed.let_in(environment, 100, 1).await, 1);
            count += 1;
        }
        for environment in environments.iter().cycle().take(16 * 20) {
            count += bed.let_in(environment, 100, 1).await;
        }
        assert_eq!(count, 100);
    }

    /// The bound that the module promises, over every pair of moments.
    #[tokio::test]
    async fn between_any_two_moments_no_more_get_in_than_the_limit_and_what_comes_anew() {
        const LIMIT: u32 = 120;
        let bed = bed().await;
        let environments: Vec<_> = (0..4).map(|_| bed.elsewhere()).collect();
        let mut let_in = Vec::new();
        let mut state = 7_u64;
        for _ in 0..1_500 {
            // Knuth's generator: bursts and pauses that are the same every time.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = state >> 33;
            bed.clock.advance(Duration::from_millis(if random.is_multiple_of(40) {
                random % 9_000
            } else {
                random % 90
            }));
            let environment = &environments[usize::try_from(random % 4).unwrap()];
            if environment.take("k", LIMIT, bed.clock.now()).await.is_ok() {
                let_in.push(bed.clock.now());
            }
        }
        for (first, from) in let_in.iter().enumerate() {
            for (last, to) in let_in.iter().enumerate().skip(first) {
                let came_anew = to.duration_since(*from).as_secs_f64() * f64::from(LIMIT) / 60.0;
                let count = f64::from(u32::try_from(last - first + 1).unwrap());
                assert!(count <= f64::from(LIMIT) + came_anew + 1e-6, "{count} in {}", to.duration_since(*from));
            }
        }
        assert!(let_in.len() > 300, "{}", let_in.len());
    }

    #[tokio::test]
    async fn a_busy_key_costs_far_less_than_a_write_a_request_and_a_refused_one_nothing() {
        let bed = bed().await;
        let (mut requests, mut writes, mut before) = (0, 0, 0);
        for _ in 0..600 {
            assert_eq!(bed.let_in(&bed.limits, 6_000, 1).await, 1);
            requests += 1;
            let full_at = bed.limits.leases.with("k", |lease| lease.full_at);
            writes += i32::from(full_at != before);
            before = full_at;
            bed.clock.advance(Duration::from_millis(5));
        }
        assert!(writes * 20 < requests, "{writes} writes for {requests} requests");
        bed.let_in(&bed.limits, 6_000, 7_000).await;
        let lease = bed.limits.leases.with("k", |lease| *lease);
        assert!(lease.empty_until > bed.clock.now().as_microsecond(), "{lease:?}");
    }

    #[tokio::test]
    async fn another_limit_counts_from_the_next_request() {
        let bed = bed().await;
        assert_eq!(bed.let_in(&bed.limits, 5, 10).await, 5);
        assert_eq!(bed.let_in(&bed.limits, 600, 10).await, 0, "the minute is used up");
        bed.clock.advance(Duration::from_secs(1));
        assert_eq!(bed.let_in(&bed.limits, 600, 20).await, 10);
    }

    #[tokio::test]
    async fn keys_do_not_share_a_limit() {
        let bed = bed().await;
        assert_eq!(bed.let_in(&bed.limits, 3, 10).await, 3);
        bed.limits.take("another", 3, bed.clock.now()).await.unwrap();
    }

    #[tokio::test]
    async fn without_the_table_a_limited_key_is_an_outage() {
        let bed = bed().await;
        let Bed { _engine: engine, limits, clock } = bed;
        engine.stop().await;
        assert_eq!(limits.take("k", 3, clock.now()).await.unwrap_err().kind(), Kind::Unavailable);
    }
}
