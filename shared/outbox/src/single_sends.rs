//! What single messages take of a number's rate. They never wait: campaigns, which do, come after them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Account;
use jiff::{SignedDuration, Timestamp};
use storage::SendRates;
use whatsapp::{Error, Sent};

/// So many messages are noted with one write.
const NOTED_TOGETHER: u32 = 8;
/// Messages that so few others follow are too seldom to matter.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// The longest that this takes, beside recording the outcome.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long campaigns wait at least when Meta says that the number sends too much.
const THROTTLED_FOR: Duration = Duration::from_secs(1);
/// Meta: "Error codes": the number's messages a second.
const NUMBER_THROTTLED: i64 = 130_429;

/// Counts the single messages of this environment. A clone shares the count.
#[derive(Clone, Debug)]
pub(crate) struct SingleSends {
    rates: SendRates,
    counts: Arc<Mutex<HashMap<String, Count>>>,
}

/// What is to be noted of a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    /// So many messages went.
    taken: Option<u32>,
    /// Meta says that it is too much: for so long.
    throttled: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    messages: u32,
    last_at: Timestamp,
}

impl SingleSends {
    pub(crate) fn new(rates: SendRates) -> Self {
        Self { rates, counts: Arc::default() }
    }

    /// Counts a single message that was sent, or refused. Gives what is to be noted of it, if anything.
    pub(crate) fn count(&self, account: &Account, result: &Result<Sent, Error>, now: Timestamp) -> Option<Note> {
        let throttled = match result {
            Err(error @ Error::Throttled(throttle)) => {
                let code = throttle.graph.as_ref().map(|graph| graph.code);
                (code == Some(NUMBER_THROTTLED)).then(|| error.retry_after().unwrap_or(THROTTLED_FOR))
            }
            _ => None,
        };
        let taken = self.taken(&account.phone_number_id, now);
        (throttled.is_some() || taken.is_some()).then_some(Note { taken, throttled })
    }

    /// Notes what a message takes of the number's rate. Whatever goes wrong here is logged: it must not harm the message.
    pub(crate) async fn note(&self, account: &Account, note: Option<Note>, now: Timestamp) {
        let Some(Note { taken, throttled }) = note else { return };
        let number = &account.phone_number_id;
        let taken = async {
            match taken {
                Some(count) => self.rates.taken(number, account.messages_per_second, count, now).await,
                None => Ok(()),
            }
        };
        let slowed_down = async {
            match throttled {
                Some(wait) => self.rates.slow_down(number, wait, now).await,
                None => Ok(()),
            }
        };
        let both = Box::pin(async { taken.await.and(slowed_down.await) });
        let noted = tokio::time::timeout(PATIENCE, both).await.unwrap_or_else(|late| Err(domain::Error::storage(late)));
        if let Err(error) = noted {
            tracing::warn!(
                cause = error.source_chain(),
                "what single messages take of the number's rate was not noted"
            );
        }
    }

    /// Counts one. `Some`: so many are to be noted now.
    fn taken(&self, phone_number_id: &str, now: Timestamp) -> Option<u32> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let first = Count { messages: 0, last_at: now };
        let count = counts.entry(phone_number_id.to_owned()).or_insert(first);
        if now.duration_since(count.last_at) > FORGOTTEN_AFTER {
            *count = first;
        }
        (count.messages, count.last_at) = (count.messages + 1, now);
        if count.messages < NOTED_TOGETHER {
            return None;
        }
        count.messages = 0;
        Some(NOTED_TOGETHER)
    }
}
