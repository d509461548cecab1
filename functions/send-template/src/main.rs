//! The Lambda function `send-template`.

use send_template::SendTemplate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, outbox) = outbox::from_env().await?;
        Ok(SendTemplate { keys, outbox })
    })
    .await
}
