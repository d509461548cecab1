//! The Lambda function `pause-campaign`.

use pause_campaign::PauseCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, brakes) = campaigns::brakes_from_env().await?;
        Ok(PauseCampaign { keys, brakes })
    })
    .await
}
