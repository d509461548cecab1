//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "list-messages",
    binary: env!("CARGO_BIN_EXE_list-messages"),
    method: "GET",
    path: "/whatsapp/api/chats/%2B919876543210/messages",
    body: String::new(),
    statuses: &[200],
    also_needs: &[],
});
