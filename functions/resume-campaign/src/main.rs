//! The Lambda function `resume-campaign`.

use resume_campaign::ResumeCampaign;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, controls) = campaigns::controls_from_env().await?;
        Ok(ResumeCampaign { keys, controls })
    })
    .await
}
