//! Every hour: brings the lists of those blocked level with Meta's own, for all accounts, also for contacts who were blocked
//! or unblocked elsewhere.

use std::time::Duration;

use api::Task;
use block_list::BlockList;
use domain::Result;

/// The task, and all that it may touch.
#[derive(Debug)]
pub struct RefreshBlocked {
    /// What is brought level.
    pub block_list: BlockList,
}

impl Task for RefreshBlocked {
    const NAME: &'static str = "refresh-blocked";

    async fn run(&self, time_left: Duration) -> Result<()> {
        self.block_list.refresh_all(time_left).await
    }
}

#[cfg(test)]
mod tests;
