//! The Lambda function `get-campaign`.

use get_campaign::GetCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, reports) = campaigns::reports_from_env().await?;
        Ok(GetCampaign { keys, reports })
    })
    .await
}
