//! Hands out chunks of a running campaign, so that as many are under way as the number's rate needs.

use std::time::Duration;

use domain::{Account, Result};
use jiff::Timestamp;
use storage::{Campaign, Chunks, WorkQueue};

/// A chunk under way sends at least so many messages a second, with Meta as slow as it usually is.
const CHUNK_PER_SECOND: u32 = 20;
/// As few and as many chunks of a campaign are under way, whatever its rate.
const FEWEST: u32 = 2;
const MOST: u32 = 50;

/// What hands out. A clone shares the connections.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(crate) chunks: Chunks,
    pub(crate) queue: WorkQueue,
}

impl Dispatch {
    /// Hands out what is missing to what is needed. Gives how many chunks that are.
    pub(crate) async fn top_up(&self, campaign: &Campaign, account: &Account, now: Timestamp) -> Result<usize> {
        let needed = account.messages_per_second.per_second().div_ceil(CHUNK_PER_SECOND).clamp(FEWEST, MOST);
        let jobs = self.chunks.hand_out(campaign.new.id, needed, now).await?;
        self.queue.send(&jobs, Duration::ZERO).await?;
        Ok(jobs.len())
    }
}
