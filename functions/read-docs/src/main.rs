//! The Lambda function `read-docs`.

use read_docs::ReadDocs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async { Ok(ReadDocs) }).await
}
