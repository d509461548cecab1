//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;
use lambda_runtime_stand_in::programs::PHONE;
use serde_json::json;

lambda_runtime_stand_in::every_program!(Program {
    name: "unblock-contact",
    binary: env!("CARGO_BIN_EXE_unblock-contact"),
    method: "DELETE",
    path: "/whatsapp/api/unblock",
    body: json!({"phones": [PHONE], "unknown": "canary"}).to_string(),
    statuses: &[200],
    also_needs: &[],
});
