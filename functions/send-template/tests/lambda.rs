//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::Subject;
use serde_json::json;

lambda_runtime_stand_in::every_function!(Subject {
    name: "send-template",
    binary: env!("CARGO_BIN_EXE_send-template"),
    body: json!({
        "phone": "+919876543210",
        "template_name": "order_update",
        "header_params": ["the canary"],
        "body_params": ["canary-7", "Monday"],
    }),
    sent: json!({
        "messaging_product": "whatsapp",
        "to": "919876543210",
        "type": "template",
        "template": {
            "name": "order_update",
            "language": {"code": "en"},
            "components": [
                {"type": "header", "parameters": [{"type": "text", "text": "the canary"}]},
                {"type": "body", "parameters": [
                    {"type": "text", "text": "canary-7"},
                    {"type": "text", "text": "Monday"},
                ]},
            ],
        },
    }),
});
