//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "cancel-campaign",
    binary: env!("CARGO_BIN_EXE_cancel-campaign"),
    method: "POST",
    path: "/whatsapp/api/campaigns/1/cancel",
    body: String::new(),
    statuses: &[200, 409],
    also_needs: &[],
});
