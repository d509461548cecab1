//! The Lambda function `get-openapi`.

use get_openapi::GetOpenapi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async { Ok(GetOpenapi) }).await
}
