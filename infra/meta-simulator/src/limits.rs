//! Meta's limits on how fast a number may send: so many messages a second in all, and so many to one recipient.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
/// The time in which one recipient may get one message from one number.
const PAIR_PACE: Duration = Duration::from_secs(6);
/// As many may come at once, borrowed from the time that follows (Meta: "Pair rate limits").
const PAIR_BURST: u32 = 45;
/// Fewer pairs than this are not worth looking through.
const FEW_PAIRS: usize = 1_000;

/// Which limits hold, and how far each number is from them. Only what was accepted counts.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) messages_per_second: Option<u32>,
    pub(crate) pair_rate_limit: bool,
    /// By the phone number id of the business.
    numbers: HashMap<String, Number>,
}

#[derive(Debug, Default)]
struct Number {
    window: Window,
    pairs: Pairs,
}

impl Limits {
    pub(crate) fn new(messages_per_second: Option<u32>, pair_rate_limit: bool) -> Self {
        Self { messages_per_second, pair_rate_limit, numbers: HashMap::new() }
    }

    /// Counts a message, or tells the code of the error with which Meta refuses it.
    pub(crate) fn admit(&mut self, phone_number_id: &str, wa_id: &str, now: Instant) -> Result<(), i64> {
        if self.messages_per_second.is_none() && !self.pair_rate_limit {
            return Ok(());
        }
        if !self.numbers.contains_key(phone_number_id) {
            self.numbers.insert(phone_number_id.to_owned(), Number::default());
        }
        let Some(number) = self.numbers.get_mut(phone_number_id) else { return Ok(()) };
        if self.messages_per_second.is_some_and(|limit| number.window.is_full(limit, now)) {
            return Err(130_429);
        }
        if self.pair_rate_limit && !number.pairs.admit(wa_id, now) {
            return Err(131_056);
        }
        if self.messages_per_second.is_some() {
            number.window.add(now);
        }
        Ok(())
    }
}

/// When the messages of the last second were accepted.
#[derive(Debug, Default)]
struct Window(VecDeque<Instant>);

impl Window {
    /// Whether one more would be more than `limit` within one second.
    fn is_full(&mut self, limit: u32, now: Instant) -> bool {
        while self.0.front().is_some_and(|first| now.saturating_duration_since(*first) >= SECOND) {
            self.0.pop_front();
        }
        self.0.len() >= limit as usize
    }

    fn add(&mut self, now: Instant) {
        self.0.push_back(now);
    }
}

/// A bucket of [`PAIR_BURST`] tokens for each recipient, kept as the moment at which it is full again.
#[derive(Debug, Default)]
struct Pairs {
    full_at: HashMap<String, Instant>,
    /// As many pairs as there were when the full ones were last taken out.
    remained: usize,
}

impl Pairs {
    /// Takes a token, if there is one.
    fn admit(&mut self, wa_id: &str, now: Instant) -> bool {
        self.forget_full(now);
        let full_at = self.full_at.get(wa_id).map_or(now, |full_at| now.max(*full_at));
        if full_at.duration_since(now) > PAIR_PACE * (PAIR_BURST - 1) {
            return false;
        }
        self.full_at.insert(wa_id.to_owned(), full_at + PAIR_PACE);
        true
    }

    /// Looks through the pairs only when they have become twice as many, so that it costs each message next to nothing.
    fn forget_full(&mut self, now: Instant) {
        if self.full_at.len() >= FEW_PAIRS.max(self.remained * 2) {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.remained = self.full_at.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{FEW_PAIRS, Limits, Pairs};

    const NUMBER: &str = "106540352242922";
    const TO: &str = "919876543210";

    fn start() -> Instant {
        crate::clock::instant()
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn in_no_second_wherever_it_begins_are_more_messages_accepted_than_the_limit() {
        let (start, mut limits) = (start(), Limits::new(Some(3), false));
        // Where each message comes from the start, and whether it is taken.
        let messages = [(0, true), (400, true), (900, true), (950, false), (999, false), (1000, true), (1001, false)];
        let later = [(1399, false), (1400, true), (1899, false), (1900, true), (9000, true)];
        for (at, taken) in messages.into_iter().chain(later) {
            let refused = limits.admit(NUMBER, TO, start + ms(at)).err();
            assert_eq!(refused, (!taken).then_some(130_429), "at {at} ms");
        }
        assert_eq!(limits.admit("another", TO, start + ms(9000)), Ok(()), "each number has its own");
    }

    #[test]
    fn what_is_refused_takes_nothing_from_either_limit() {
        let (start, mut limits) = (start(), Limits::new(Some(1), true));
        assert_eq!(limits.admit(NUMBER, TO, start), Ok(()));
        for _ in 0..100 {
            assert_eq!(limits.admit(NUMBER, TO, start + ms(999)), Err(130_429));
        }
        let mut limits = Limits { messages_per_second: Some(100), ..limits };
        for _ in 0..44 {
            assert_eq!(limits.admit(NUMBER, TO, start + ms(999)), Ok(()), "the refused ones took no token");
        }
        for _ in 0..100 {
            assert_eq!(limits.admit(NUMBER, TO, start + ms(999)), Err(131_056));
        }
        assert_eq!(limits.admit(NUMBER, "another", start + ms(999)), Ok(()), "nor have these filled the second");
    }

    #[test]
    fn a_recipient_gets_45_at_once_and_then_one_every_six_seconds() {
        let (start, mut limits) = (start(), Limits::new(None, true));
        let taken = |limits: &mut Limits, at: u64| {
            (0..100).filter(|_| limits.admit(NUMBER, TO, start + ms(at)).is_ok()).count()
        };
        assert_eq!(taken(&mut limits, 0), 45);
        assert_eq!(taken(&mut limits, 5_999), 0);
        assert_eq!(taken(&mut limits, 6_000), 1);
        assert_eq!(taken(&mut limits, 18_000), 2);
        assert_eq!(taken(&mut limits, 18_000 + 45 * 6_000), 45, "all are back");
        assert_eq!(limits.admit("another", TO, start), Ok(()), "a pair is both of them");
    }

    #[test]
    fn recipients_whose_bucket_is_full_are_forgotten() {
        let (start, mut pairs) = (start(), Pairs::default());
        for number in 0..FEW_PAIRS as u64 * 5 {
            // One every 100 ms: 60 of them are less than 6 s old.
            assert!(pairs.admit(&number.to_string(), start + ms(number * 100)));
        }
        assert!(pairs.full_at.len() <= FEW_PAIRS, "{}", pairs.full_at.len());
    }

    #[test]
    fn without_a_limit_nothing_is_refused_or_remembered() {
        let (start, mut limits) = (start(), Limits::default());
        assert!((0..1_000).all(|_| limits.admit(NUMBER, TO, start).is_ok()));
        assert!(limits.numbers.is_empty());
    }
}
