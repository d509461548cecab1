//! The Lambda function `unblock-contact`.

use unblock_contact::UnblockContact;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, block_list) = block_list::from_env().await?;
        Ok(UnblockContact { keys, block_list })
    })
    .await
}
