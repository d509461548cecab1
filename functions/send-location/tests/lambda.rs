//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Subject;
use serde_json::json;

lambda_runtime_stand_in::every_function!(Subject {
    name: "send-location",
    binary: env!("CARGO_BIN_EXE_send-location"),
    body: json!({"phone": "+919876543210", "latitude": 28.6, "longitude": "77.2", "name": "the canary's cage"}),
    sent: json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "919876543210",
        "type": "location",
        "location": {"latitude": 28.6, "longitude": 77.2, "name": "the canary's cage", "address": ""},
    }),
});
