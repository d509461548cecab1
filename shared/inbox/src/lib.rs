//! What Meta tells: from a webhook's bytes to the tables.
//!
//! A body is believed when it is signed. Then every entry, change and item of it stands for itself. Whatever can't be read
//! is kept as it came, for a person: Meta would only send it again. All that is written may be written again, in whatever
//! order, and the tables are the same: so Meta's repetitions, which last for days, do no harm.

mod handshake;
mod message;
mod payload;
mod preference;
mod recording;
mod setup;
mod signature;
mod status;
mod words;

use std::sync::Arc;
use std::time::Duration;

use domain::{Accounts, Clock, Error, Result};
use storage::{Chunks, Conversations, Database, Messages, WebhookEvents};

use crate::payload::Reader;

pub use handshake::Handshake;
pub use setup::from_env;
pub use words::{START_WORDS, STOP_WORDS, Words};

/// What is kept back of the function's time for answering.
const ANSWERING_TIME: Duration = Duration::from_secs(1);

/// Takes what Meta tells. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Inbox {
    messages: Messages,
    conversations: Conversations,
    chunks: Chunks,
    events: WebhookEvents,
    accounts: Arc<Accounts>,
    words: Arc<Words>,
    clock: Clock,
}

impl Inbox {
    /// An inbox over a deployment's tables.
    pub fn new(database: &Database, accounts: Arc<Accounts>, words: Words, clock: Clock) -> Self {
        Self {
            messages: Messages::new(database),
            conversations: Conversations::new(database),
            chunks: Chunks::new(database),
            events: WebhookEvents::new(database),
            accounts,
            words: Arc::new(words),
            clock,
        }
    }

    /// Answers Meta's question whether this is the right address: with the challenge, when the token is right.
    pub fn verify(&self, handshake: &Handshake<'_>) -> Result<String> {
        handshake::answer(&self.accounts, handshake)
    }

    /// Takes a webhook: its body's bytes as they came, and the header `X-Hub-Signature-256`. `Ok` means that all of it is
    /// durable. An error means that Meta shall send it again, all of it, which does no harm.
    pub async fn receive(&self, body: &[u8], signature: Option<&str>, time_left: Duration) -> Result<()> {
        let signers = signature::signers(&self.accounts, body, signature)?;
        let told = Reader { signers: &signers, words: &self.words, now: self.clock.now() }.read(body);
        // On the heap: so many writes side by side are some kilobytes of state.
        let recorded =
            tokio::time::timeout(time_left.saturating_sub(ANSWERING_TIME), Box::pin(self.record(told))).await;
        recorded.unwrap_or_else(|late| Err(Error::storage(late)))
    }
}
