//! The Lambda function `list-blocked`.

use list_blocked::ListBlocked;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, block_list) = block_list::listing_from_env().await?;
        Ok(ListBlocked { keys, block_list })
    })
    .await
}
