//! The Lambda function `create-campaign`.

use create_campaign::CreateCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, planner) = campaigns::planner_from_env().await?;
        Ok(CreateCampaign { keys, planner })
    })
    .await
}
