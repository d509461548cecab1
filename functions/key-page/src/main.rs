//! The Lambda function `key-page`.

use key_page::KeyPage;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async { Ok(KeyPage::from_env().await?) }).await
}
