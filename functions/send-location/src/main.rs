//! The Lambda function `send-location`.

use send_location::SendLocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, outbox) = outbox::from_env().await?;
        Ok(SendLocation { keys, outbox })
    })
    .await
}
