//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;
use lambda_runtime_stand_in::programs::PHONE;
use serde_json::json;

lambda_runtime_stand_in::every_program!(Program {
    name: "create-campaign",
    binary: env!("CARGO_BIN_EXE_create-campaign"),
    method: "POST",
    path: "/whatsapp/api/campaigns",
    body: json!({"name": "canary", "template_name": "hello_world", "recipients": [PHONE]}).to_string(),
    statuses: &[201],
    also_needs: &[],
});
