//! Every minute: starts the campaigns whose time has come, hands out again what has stopped, and counts what became known.

use std::time::Duration;

use api::Task;
use campaigns::Caretaker;
use domain::Result;

/// The task, and all that it may touch.
#[derive(Debug)]
pub struct TendCampaigns {
    /// What takes care of them.
    pub caretaker: Caretaker,
}

impl Task for TendCampaigns {
    const NAME: &'static str = "tend-campaigns";

    async fn run(&self, time_left: Duration) -> Result<()> {
        self.caretaker.tend(time_left).await
    }
}

#[cfg(test)]
mod tests;
