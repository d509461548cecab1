//! What standard queues may do to messages, and seldom do: deliver one twice, and in any order (AWS: "Amazon SQS standard
//! queues").

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// What befalls messages. Chance is seeded: the same sends and receives in the same order meet the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mischief {
    /// How often a message is delivered at most, each time at random. Every copy has the message's id, and is received and
    /// deleted by itself.
    pub copies: u32,
    /// Whether messages are received in any order, rather than in that in which they were sent.
    pub shuffled: bool,
    /// Where chance begins.
    pub seed: u64,
}

impl Default for Mischief {
    /// None.
    fn default() -> Self {
        Self { copies: 1, shuffled: false, seed: 0 }
    }
}

/// Mischief, and the chance that decides when it happens.
#[derive(Debug)]
pub(crate) struct Chance {
    mischief: Mischief,
    random: StdRng,
}

impl Chance {
    pub(crate) fn new(mischief: Mischief) -> Self {
        Self { mischief, random: StdRng::seed_from_u64(mischief.seed) }
    }

    /// How often a message is delivered.
    pub(crate) fn copies(&mut self) -> u32 {
        let most = self.mischief.copies.max(1);
        self.random.random_range(1..=most)
    }

    /// Puts messages into the order in which they are received.
    pub(crate) fn arrange<T>(&mut self, messages: &mut [T]) {
        if self.mischief.shuffled {
            messages.shuffle(&mut self.random);
        }
    }
}
