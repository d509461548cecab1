//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Subject;
use serde_json::json;

lambda_runtime_stand_in::every_function!(Subject {
    name: "send-message",
    binary: env!("CARGO_BIN_EXE_send-message"),
    body: json!({"phone": "+919876543210", "message": "a \"canary\" 🐤"}),
    sent: json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "919876543210",
        "type": "text",
        "text": {"body": "a \"canary\" 🐤", "preview_url": false},
    }),
});
