//! The Lambda function `start-campaign`.

use start_campaign::StartCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, starter) = campaigns::starter_from_env().await?;
        Ok(StartCampaign { keys, starter })
    })
    .await
}
