//! The Lambda function `add-recipients`.

use add_recipients::AddRecipients;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), api::StartError> {
    api::serve(async {
        let (keys, planner) = campaigns::planner_from_env().await?;
        Ok(AddRecipients { keys, planner })
    })
    .await
}
