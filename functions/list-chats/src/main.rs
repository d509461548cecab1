//! The Lambda function `list-chats`.

use list_chats::ListChats;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, chats) = chats::from_env().await?;
        Ok(ListChats { keys, chats })
    })
    .await
}
