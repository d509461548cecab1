//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;
use lambda_runtime_stand_in::programs::PHONE;
use serde_json::json;

lambda_runtime_stand_in::every_program!(Program {
    name: "block-contact",
    binary: env!("CARGO_BIN_EXE_block-contact"),
    method: "POST",
    path: "/whatsapp/api/block",
    body: json!({"phone": PHONE, "reason": "a \"canary\" 🐤"}).to_string(),
    statuses: &[200],
    also_needs: &[],
});
