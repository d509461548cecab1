//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "retry-failed",
    binary: env!("CARGO_BIN_EXE_retry-failed"),
    method: "POST",
    path: "/whatsapp/api/campaigns/1/retry-failed",
    body: String::new(),
    statuses: &[409],
    also_needs: &["SEND_CAMPAIGN_QUEUE_URL"],
});
