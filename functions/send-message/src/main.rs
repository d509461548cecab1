//! The Lambda function `send-message`.

use send_message::SendMessage;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, outbox) = outbox::from_env().await?;
        Ok(SendMessage { keys, outbox })
    })
    .await
}
