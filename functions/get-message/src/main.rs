//! The Lambda function `get-message`.

use get_message::GetMessage;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, chats) = chats::from_env().await?;
        Ok(GetMessage { keys, chats })
    })
    .await
}
