//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;
use serde_json::json;

lambda_runtime_stand_in::every_program!(Program {
    name: "read-chat",
    binary: env!("CARGO_BIN_EXE_read-chat"),
    method: "POST",
    path: "/whatsapp/api/chats/%2B919876543210/read",
    body: json!({"tell_whatsapp": true}).to_string(),
    statuses: &[200],
    also_needs: &[],
});
