//! What time it is: the system's answer, or a test's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time. A clone of a [`Clock::fixed`] clock shows the same time as the original.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Milliseconds since the Unix epoch.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `now` until it is told to [advance](Self::advance).
    pub fn fixed(now: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(now.as_millisecond()))))
    }

    /// The present moment, to the millisecond: what is stored and what is compared are the same.
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
            Source::System => Timestamp::now().as_millisecond(),
            Source::Fixed(millis) => millis.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    /// Moves a fixed clock on by `step`. The system's clock takes no orders.
    pub fn advance(&self, step: Duration) {
        if let Source::Fixed(millis) = &self.0 {
            millis.fetch_add(i64::try_from(step.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clone_of_a_fixed_clock_shows_the_same_time() {
        let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().unwrap());
        let seen_elsewhere = clock.clone();
        clock.advance(Duration::from_millis(22));
        assert_eq!(seen_elsewhere.now().to_string(), "2026-01-02T03:04:05.7Z");
    }

    #[test]
    fn the_system_clock_tells_whole_milliseconds_and_takes_no_orders() {
        let clock = Clock::system();
        clock.advance(Duration::from_secs(1_000_000));
        assert_eq!(clock.now().as_nanosecond() % 1_000_000, 0);
        #[expect(clippy::disallowed_methods, reason = "compared with the system's own answer")]
        let system = Timestamp::now();
        assert!((system.as_second() - clock.now().as_second()).abs() < 60);
    }
}
