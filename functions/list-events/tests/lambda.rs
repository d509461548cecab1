//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "list-events",
    binary: env!("CARGO_BIN_EXE_list-events"),
    method: "GET",
    path: "/whatsapp/api/events",
    body: String::new(),
    statuses: &[200],
    also_needs: &[],
});
