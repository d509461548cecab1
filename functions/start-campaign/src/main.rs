//! The Lambda function `start-campaign`.

use start_campaign::StartCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, controls) = campaigns::controls_from_env().await?;
        Ok(StartCampaign { keys, controls })
    })
    .await
}
