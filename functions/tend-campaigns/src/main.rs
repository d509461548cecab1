//! The Lambda function `tend-campaigns`.

use tend_campaigns::TendCampaigns;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve_task(async { Ok(TendCampaigns { caretaker: campaigns::caretaker_from_env().await? }) }).await
}
