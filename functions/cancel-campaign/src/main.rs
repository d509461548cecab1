//! The Lambda function `cancel-campaign`.

use cancel_campaign::CancelCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, brakes) = campaigns::brakes_from_env().await?;
        Ok(CancelCampaign { keys, brakes })
    })
    .await
}
