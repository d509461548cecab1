//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Program;
use lambda_runtime_stand_in::programs::PHONE;
use serde_json::json;

lambda_runtime_stand_in::every_program_without_meta!(Program {
    name: "add-recipients",
    binary: env!("CARGO_BIN_EXE_add-recipients"),
    method: "POST",
    path: "/whatsapp/api/campaigns/1/recipients",
    body: json!({"recipients": [{"phone": PHONE, "name": "canary"}]}).to_string(),
    statuses: &[200],
    also_needs: &[],
});
