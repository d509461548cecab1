//! The Lambda function `send-campaign`.

use send_campaign::SendCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve_consumer(async { Ok(SendCampaign { worker: campaigns::worker_from_env().await? }) }).await
}
