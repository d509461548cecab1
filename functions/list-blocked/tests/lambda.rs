//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program!(Program {
    name: "list-blocked",
    binary: env!("CARGO_BIN_EXE_list-blocked"),
    method: "GET",
    path: "/whatsapp/api/blocked",
    body: String::new(),
    statuses: &[200],
    also_needs: &[],
});
