//! The guarantees of the rates.

use domain::{Clock, Kind};
use embedded_dynamodb::Engine;

use super::*;

const NUMBER: &str = "106540352242922";
const PATIENCE: Duration = Duration::from_secs(5);

struct Bed {
    engine: Engine,
    rates: SendRates,
    clock: Clock,
}

async fn bed() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let rates = SendRates::new(&Database::local(engine.url(), engine.table_prefix()));
    Bed { engine, rates, clock: Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap()) }
}

fn rate(per_second: u32) -> SendRate {
    per_second.try_into().unwrap()
}

impl Bed {
    /// Another environment of a function, which has seen nothing yet.
    fn elsewhere(&self) -> SendRates {
        SendRates { seen: Arc::default(), ..self.rates.clone() }
    }

    /// The moments that are reserved, in microseconds from now; `None`: too many wait.
    async fn reserve(&self, rates: &SendRates, per_second: u32, count: u32) -> Option<Vec<i64>> {
        let now = self.clock.now();
        match rates.reserve(NUMBER, rate(per_second), count, now, PATIENCE).await.unwrap() {
            Reserved::Later(wait) => {
                assert!(wait > PATIENCE, "{wait:?}");
                None
            }
            Reserved::From { first_at, interval } => {
                let moment = |index: u32| first_at + interval * index;
                let moments = (0..count).map(moment);
                Some(moments.map(|at| at.as_microsecond() - now.as_microsecond()).collect())
            }
        }
    }
}

#[tokio::test]
async fn moments_follow_each_other_at_the_rate_whoever_reserves_them() {
    let bed = bed().await;
    let workers = [bed.elsewhere(), bed.elsewhere(), bed.rates.clone()];
    let mut moments = Vec::new();
    for worker in workers.iter().cycle().take(9) {
        moments.extend(bed.reserve(worker, 50, 10).await.unwrap());
    }
    assert_eq!(moments, (0..90).map(|index| index * 20_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn in_no_second_there_are_more_than_the_rate_however_the_wishes_come() {
    const RATE: u32 = 75;
    let bed = bed().await;
    let workers: Vec<_> = (0..4).map(|_| bed.elsewhere()).collect();
    let mut moments = Vec::new();
    let mut state = 7_u64;
    for _ in 0..300 {
        // Knuth's generator: bursts and pauses that are the same every time.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = state >> 33;
        bed.clock.advance(Duration::from_millis(random % 150));
        let worker = &workers[usize::try_from(random % 4).unwrap()];
        let count = u32::try_from(1 + random % 10).unwrap();
        let now = bed.clock.now().as_microsecond();
        let reserved = bed.reserve(worker, RATE, count).await;
        moments.extend(reserved.into_iter().flatten().map(|moment| now + moment));
    }
    assert!(moments.is_sorted(), "a moment was given out twice, or before an earlier one");
    let most = usize::try_from(RATE).unwrap();
    for second in moments.windows(most + 1) {
        assert!(second[most] - second[0] >= SECOND_US, "{most} and one more in a second");
    }
    assert!(moments.len() > 800, "{}", moments.len());
}

#[tokio::test]
async fn whoever_would_wait_too_long_is_told_so_and_takes_nothing() {
    let bed = bed().await;
    for expected in [true, true, true, true, true, true, false, false] {
        assert_eq!(bed.reserve(&bed.rates, 10, 10).await.is_some(), expected);
    }
    bed.clock.advance(Duration::from_secs(1));
    let moments = bed.reserve(&bed.rates, 10, 10).await.unwrap();
    assert_eq!(moments.first(), Some(&5_000_000));
}

#[tokio::test]
async fn single_messages_never_wait_and_campaigns_come_after_them() {
    let bed = bed().await;
    for _ in 0..20 {
        bed.rates.taken(NUMBER, rate(10), 10, bed.clock.now()).await.unwrap();
    }
    assert_eq!(bed.reserve(&bed.rates, 10, 1).await, None);
    bed.clock.advance(Duration::from_secs(16));
    assert_eq!(bed.reserve(&bed.elsewhere(), 10, 1).await.unwrap(), [4_000_000]);
}

#[tokio::test]
async fn after_a_throttle_everybody_waits_and_then_goes_half_as_fast_for_a_minute() {
    let bed = bed().await;
    let worker = bed.elsewhere();
    bed.reserve(&worker, 10, 1).await.unwrap();
    // Told by two at the same moment, it is the same.
    for rates in [&bed.rates, &worker] {
        rates.slow_down(NUMBER, Duration::from_secs(2), bed.clock.now()).await.unwrap();
    }
    assert_eq!(bed.reserve(&worker, 10, 3).await.unwrap(), [2_000_000, 2_200_000, 2_400_000]);
    bed.clock.advance(Duration::from_secs(10));
    bed.rates.slow_down(NUMBER, Duration::from_secs(1), bed.clock.now()).await.unwrap();
    assert_eq!(bed.reserve(&worker, 10, 2).await.unwrap(), [1_000_000, 1_400_000]);
    bed.clock.advance(Duration::from_mins(1));
    assert_eq!(bed.reserve(&worker, 10, 2).await.unwrap(), [0, 100_000]);
    bed.rates.slow_down(NUMBER, Duration::from_secs(1), bed.clock.now()).await.unwrap();
    assert_eq!(bed.reserve(&worker, 10, 2).await.unwrap(), [1_000_000, 1_200_000]);
}

#[tokio::test]
async fn it_never_gets_slower_than_a_thirty_second_part() {
    let bed = bed().await;
    for _ in 0..12 {
        bed.rates.slow_down(NUMBER, Duration::ZERO, bed.clock.now()).await.unwrap();
        bed.clock.advance(Duration::from_secs(2));
    }
    assert_eq!(bed.reserve(&bed.rates, 100, 2).await.unwrap(), [0, 320_000]);
}

#[tokio::test]
async fn numbers_do_not_share_a_rate() {
    let bed = bed().await;
    bed.rates.slow_down("another", Duration::from_mins(1), bed.clock.now()).await.unwrap();
    assert_eq!(bed.reserve(&bed.rates, 10, 2).await.unwrap(), [0, 100_000]);
}

#[tokio::test]
async fn without_the_table_it_is_an_outage() {
    let Bed { engine, rates, clock } = bed().await;
    engine.stop().await;
    let error = rates.reserve(NUMBER, rate(10), 1, clock.now(), PATIENCE).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}
