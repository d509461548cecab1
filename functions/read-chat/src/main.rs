//! The Lambda function `read-chat`.

use read_chat::ReadChat;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, receipts) = chats::receipts_from_env().await?;
        Ok(ReadChat { keys, receipts })
    })
    .await
}
