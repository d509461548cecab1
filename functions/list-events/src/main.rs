//! The Lambda function `list-events`.

use list_events::ListEvents;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, events) = chats::events_from_env().await?;
        Ok(ListEvents { keys, events })
    })
    .await
}
