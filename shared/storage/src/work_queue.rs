//! The queue through which chunks of campaigns travel to those who send them.
//!
//! It only wakes: what is to be done stands in the chunks' rows. A job that is lost is handed out again, and one that comes
//! twice comes too late.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::{Error, Result};

use crate::aws::{self, SetupError};
use crate::campaigns::ChunkJob;

const URL: &str = "SEND_CAMPAIGN_QUEUE_URL";
/// SQS takes so many messages at once, and holds one back for so long (AWS: "`SendMessageBatch`").
const SENT_AT_ONCE: usize = 10;
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// The queue of chunks to be sent. A clone shares the connection.
#[derive(Clone, Debug)]
pub struct WorkQueue {
    client: Client,
    url: String,
}

impl WorkQueue {
    /// The queue that the environment names, `SEND_CAMPAIGN_QUEUE_URL`, reached with what Lambda itself sets.
    pub fn from_env() -> Result<Self, SetupError> {
        Ok(Self { client: Client::new(&aws::from_env("AWS_ENDPOINT_URL_SQS")?.config), url: aws::required(URL)? })
    }

    /// A queue of an engine on this machine.
    pub fn local(endpoint_url: &str, queue_url: &str) -> Self {
        Self { client: Client::new(&aws::local(endpoint_url).config), url: queue_url.to_owned() }
    }

    /// Sends jobs on their way, none of which arrives before `delay` is over. An error leaves open which are: those that are
    /// not are handed out again.
    pub async fn send(&self, jobs: &[ChunkJob], delay: Duration) -> Result<()> {
        let delay_s = i32::try_from(delay.min(LONGEST_DELAY).as_secs()).unwrap_or_default();
        for jobs in jobs.chunks(SENT_AT_ONCE) {
            let entry = |(index, job): (usize, &ChunkJob)| {
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).delay_seconds(delay_s);
                entry
                    .message_body(serde_json::to_string(job).map_err(Error::internal)?)
                    .build()
                    .map_err(Error::internal)
            };
            let entries = jobs.iter().enumerate().map(entry).collect::<Result<_>>()?;
            let send = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = send.send().await.map_err(|error| Error::storage(error.into_service_error()))?;
            if !answer.failed().is_empty() {
                return Err(Error::storage("the queue did not take every job"));
            }
        }
        Ok(())
    }
}
