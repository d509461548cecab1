//! The Lambda function `refresh-blocked`.

use refresh_blocked::RefreshBlocked;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve_task(async { Ok(RefreshBlocked { block_list: block_list::without_keys_from_env().await? }) }).await
}
