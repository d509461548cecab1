//! Sends campaigns. A message of the queue names a chunk of a campaign's recipients; what is still to be done with it stands in
//! the chunk's row, so that a message may be lost, come twice, or come late.

use std::time::Duration;

use api::Consumer;
use campaigns::{ChunkJob, Worker};
use domain::{Error, Kind, Result};

/// The consumer, and all that it may touch.
#[derive(Debug)]
pub struct SendCampaign {
    /// What sends.
    pub worker: Worker,
}

impl Consumer for SendCampaign {
    const NAME: &'static str = "send-campaign";

    async fn take(&self, body: &str, time_left: Duration) -> Result<()> {
        let job: ChunkJob = serde_json::from_str(body).map_err(|error| {
            let place = format!("it stops being one at line {}, column {}", error.line(), error.column());
            Error::new(Kind::Invalid, "The message is no job").code("invalid_job").caused_by(place)
        })?;
        Box::pin(self.worker.work(&job, time_left)).await
    }
}

#[cfg(test)]
mod tests;
