//! The Lambda function `list-campaigns`.

use list_campaigns::ListCampaigns;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, reports) = campaigns::reports_from_env().await?;
        Ok(ListCampaigns { keys, reports })
    })
    .await
}
