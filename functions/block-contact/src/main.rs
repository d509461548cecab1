//! The Lambda function `block-contact`.

use block_contact::BlockContact;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, block_list) = block_list::from_env().await?;
        Ok(BlockContact { keys, block_list })
    })
    .await
}
