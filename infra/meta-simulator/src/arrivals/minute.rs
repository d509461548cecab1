//! How many messages arrived in each of the last sixty seconds.

use std::collections::VecDeque;

const SECONDS: usize = 60;

#[derive(Clone, Debug)]
pub(super) struct Minute {
    /// One for each second, the latest last.
    counts: VecDeque<u32>,
    /// The latest second in which anything arrived.
    latest: i64,
}

impl Default for Minute {
    fn default() -> Self {
        Self { counts: VecDeque::from([0; SECONDS]), latest: 0 }
    }
}

impl Minute {
    /// One more arrived in this second. When the clock was set back, it counts into the latest one.
    pub(super) fn count(&mut self, second: i64) {
        self.pass(second);
        if let Some(count) = self.counts.back_mut() {
            *count += 1;
        }
    }

    /// The counts of the minute that ends with this second, the oldest first.
    pub(super) fn until(&self, now: i64) -> Vec<u32> {
        let mut minute = self.clone();
        minute.pass(now);
        minute.counts.into()
    }

    fn pass(&mut self, second: i64) {
        for _ in (self.latest..second).take(SECONDS) {
            self.counts.pop_front();
            self.counts.push_back(0);
        }
        self.latest = self.latest.max(second);
    }
}

#[cfg(test)]
mod tests {
    use super::{Minute, SECONDS};

    const START: i64 = 1_767_323_045;

    #[test]
    fn each_second_of_the_last_minute_has_its_count_and_older_ones_are_forgotten() {
        let mut minute = Minute::default();
        for (after, times) in [(0, 3), (1, 1), (59, 2)] {
            (0..times).for_each(|_| minute.count(START + after));
        }
        let until = minute.until(START + 59);
        assert_eq!((until[0], until[1], until[2], until[59]), (3, 1, 0, 2));
        let until = minute.until(START + 60);
        assert_eq!((until[0], until[58], until[59]), (1, 2, 0), "it moves on although nothing arrives");
        minute.count(START + 60);
        assert_eq!(minute.until(START + 60)[59], 1, "what was there a minute ago is gone");
        assert_eq!(minute.until(START + 60).iter().sum::<u32>(), 4);
        minute.count(START + 1_000);
        assert_eq!(minute.until(START + 1_000).iter().sum::<u32>(), 1);
        assert_eq!(minute.until(START + 2_000), [0; SECONDS]);
    }

    #[test]
    fn a_clock_that_is_set_back_loses_no_message() {
        let mut minute = Minute::default();
        minute.count(START);
        minute.count(START - 3_600);
        assert_eq!(minute.until(START - 3_600)[59], 2);
    }
}
