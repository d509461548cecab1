//! The Lambda function `list-recipients`.

use list_recipients::ListRecipients;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, reports) = campaigns::reports_from_env().await?;
        Ok(ListRecipients { keys, reports })
    })
    .await
}
