//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "get-campaign",
    binary: env!("CARGO_BIN_EXE_get-campaign"),
    method: "GET",
    path: "/whatsapp/api/campaigns/1",
    body: String::new(),
    statuses: &[200],
    also_needs: &[],
});
