//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "list-campaigns",
    binary: env!("CARGO_BIN_EXE_list-campaigns"),
    method: "GET",
    path: "/whatsapp/api/campaigns",
    body: String::new(),
    statuses: &[200],
    also_needs: &[],
});
