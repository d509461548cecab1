//! The Lambda function `receive-webhook`.

use receive_webhook::ReceiveWebhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async { Ok(ReceiveWebhook { inbox: inbox::from_env().await? }) }).await
}
