//! The Lambda function `retry-failed`.

use retry_failed::RetryFailed;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, controls) = campaigns::controls_from_env().await?;
        Ok(RetryFailed { keys, controls })
    })
    .await
}
