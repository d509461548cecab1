//! The Lambda function `add-recipients`.

use add_recipients::AddRecipients;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, uploader) = campaigns::uploader_from_env().await?;
        Ok(AddRecipients { keys, uploader })
    })
    .await
}
