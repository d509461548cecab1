//! The Lambda function `list-messages`.

use list_messages::ListMessages;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, chats) = chats::from_env().await?;
        Ok(ListMessages { keys, chats })
    })
    .await
}
