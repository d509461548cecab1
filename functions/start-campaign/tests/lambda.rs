//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program!(Program {
    name: "start-campaign",
    binary: env!("CARGO_BIN_EXE_start-campaign"),
    method: "POST",
    path: "/whatsapp/api/campaigns/1/start",
    body: String::new(),
    statuses: &[200, 409],
    also_needs: &["SEND_CAMPAIGN_QUEUE_URL"],
});
