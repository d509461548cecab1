//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "get-message",
    binary: env!("CARGO_BIN_EXE_get-message"),
    method: "GET",
    path: "/whatsapp/api/messages/wamid.First",
    body: String::new(),
    statuses: &[200],
    also_needs: &[],
});
