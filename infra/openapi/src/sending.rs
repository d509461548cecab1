//! Sending.

use domain::Scope;
use outbox::DryRun;
use serde_json::{Value, json};

use crate::failures::{account_not_found, field, of_a_body, of_a_message, of_a_template, of_meta};
use crate::operation::{Described, Operation};
use crate::shape::{Shape, account_id, flag, language, optional, phone, reply_to, template_name};

const TAG: &str = "Sending";

fn text_message() -> Shape {
    Shape::written(
        "TextMessage",
        json!({
            "type": "object",
            "required": ["phone", "message"],
            "properties": {
                "phone": phone(),
                "message": {"type": "string", "minLength": 1, "maxLength": 4096, "description": "The text."},
                "preview_url": flag("Show a preview of the first link; `false` if left out."),
                "account_id": account_id(),
                "reply_to": reply_to(),
            },
        }),
    )
}

fn location_message() -> Shape {
    let degrees = |most: i64, pattern: &str, words: &str| {
        let number = json!({"type": "number", "minimum": -most, "maximum": most});
        let text = json!({"type": "string", "pattern": pattern});
        json!({"anyOf": [number, text], "description": words})
    };
    let words = |text: &str| optional(json!({"type": "string", "maxLength": 1000}), text);
    Shape::written(
        "LocationMessage",
        json!({
            "type": "object",
            "required": ["phone", "latitude", "longitude"],
            "properties": {
                "phone": phone(),
                "latitude": degrees(90, r"^[+-]?(90(\.0+)?|[0-8]?[0-9](\.[0-9]+)?)$", "Degrees north, also as a text."),
                "longitude":
                    degrees(180, r"^[+-]?(180(\.0+)?|(1[0-7]|[0-9])?[0-9](\.[0-9]+)?)$", "Degrees east, also as a text."),
                "name": words("What is there; empty if left out."),
                "address": words("Where it is; empty if left out."),
                "account_id": account_id(),
                "reply_to": reply_to(),
            },
        }),
    )
}

fn template_message() -> Shape {
    let named = json!({"type": "object", "additionalProperties": value()});
    let values =
        |item: Value, words: &str| optional(json!({"anyOf": [{"type": "array", "items": item}, named.clone()]}), words);
    Shape::written(
        "TemplateMessage",
        json!({
            "type": "object",
            "required": ["phone", "template_name"],
            "properties": {
                "phone": phone(),
                "template_name": template_name(),
                "language": language(),
                "body_params": values(
                    value(),
                    "The values of the body's variables: a list, or `{\"name\": value}` for a template with named variables.",
                ),
                "header_params": values(
                    json!({"anyOf": [value(), media()]}),
                    "The same for the header; or its media, as one of Meta's parameter objects.",
                ),
                "buttons":
                    optional(json!({"type": "array", "maxItems": 10, "items": button()}), "What the template's buttons need."),
                "components": optional(
                    json!({"type": "array", "items": {"type": "object", "required": ["type"],
                        "properties": {"type": {"type": "string"}}}}),
                    "Meta's own components, ready made, in place of the three above.",
                ),
                "despite_opt_out": flag("Send also to a contact who opted out."),
                "account_id": account_id(),
                "reply_to": reply_to(),
            },
            // `components` stands in place of the short forms.
            "dependentSchemas": {"components": {"if": {"properties": {"components": {"type": "array"}}}, "then": {
                "properties": {"body_params": {"type": "null"}, "header_params": {"type": "null"},
                    "buttons": {"type": "null"}},
            }}},
        }),
    )
}

/// A value for a template's variable, which becomes a text.
fn value() -> Value {
    json!({"anyOf": [{"type": "string", "minLength": 1, "maxLength": 32_768},
        {"type": "integer", "minimum": i64::MIN, "maximum": u64::MAX},
        {"type": "number", "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64},
        {"type": "boolean"}]})
}

/// A header that is no text, as Meta takes it.
fn media() -> Value {
    let of = |kind: &str, content: Value| json!({"type": "object", "required": ["type", kind], "properties": {"type": {"const": kind}, kind: content}});
    let named = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string", "minLength": 1}}});
    let source = || json!({"oneOf": [named("id"), named("link")]});
    json!({"anyOf": [of("image", source()), of("video", source()), of("document", source()),
        of("location", json!({"type": "object"}))]})
}

/// A button: its type, its place in the template from 0, and the value that its type takes.
fn button() -> Value {
    let index =
        json!({"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "string", "pattern": "^[0-9]$"}]});
    let of = |kind: &str, takes: &str| {
        json!({"type": "object", "required": ["type", "index", takes],
            "properties": {"type": {"const": kind}, "index": index.clone(), takes: value()}})
    };
    let mut flow = of("flow", "flow_token");
    if let Some(members) = flow.get_mut("properties").and_then(Value::as_object_mut) {
        members.insert("flow_action_data".to_owned(), json!({"type": ["object", "null"]}));
    }
    json!({"anyOf": [of("url", "text"), of("quick_reply", "payload"), of("copy_code", "coupon_code"), flow]})
}

/// A message that Meta took.
fn sent_shape() -> Shape {
    let member = |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
    Shape::written(
        "SentMessage",
        json!({
            "type": "object",
            "required": ["status", "result"],
            "properties": {
                "status": {"const": "sent"},
                "result": {
                    "type": "object",
                    "description": "Meta's answer, unchanged.",
                    "required": ["messaging_product", "messages"],
                    "properties": {
                        "messaging_product": {"const": "whatsapp"},
                        "contacts": {"type": "array", "items": member("input"),
                            "description": "The recipient as they were given, and as WhatsApp knows them."},
                        "messages": {"type": "array", "items": member("id"), "description": "The message, by its wamid."},
                    },
                },
            },
        }),
    )
}

fn sent() -> Value {
    json!({"status": "sent", "result": {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "919876543210", "wa_id": "919876543210"}],
        "messages": [{"id": "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgSNUE3"}],
    }})
}

fn dry_run() -> Value {
    json!({
        "status": "dry_run", "would_send": true, "to": "919876543210", "account_id": 1,
        "request": {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "919876543210", "type": "text",
            "text": {"preview_url": false, "body": "Hello!"}},
        "window": {"is_open": false, "last_inbound_at": null, "closes_at": null},
        "opted_out": null, "blocked": null, "idempotency": null,
        "warnings": [{"code": "window_closed", "message": "This contact has not written in the last 24 hours."}],
    })
}

fn send<E: api::Endpoint>(summary: &str, text: &str) -> Operation {
    let text = format!(
        "{text}\n\n200 means that Meta took the message, not that it was delivered: `GET /whatsapp/api/messages/{{id}}/` tells \
         what becomes of it, under the id in the header `Message-Id`."
    );
    let answer = Shape::either("SendAnswer", "What became of it.", [sent_shape(), Shape::of::<DryRun>()]);
    Operation::of::<E>(Scope::MessagesSend, TAG, summary, &text)
        .with_dry_run()
        .once()
        .answers(200, "Meta took it; or what a dry run found.", answer, &[("sent", sent()), ("dry_run", dry_run())])
        .leads_to(200, &["get-message"], "id", "$response.header.Message-Id")
        .tells(200, "Message-Id", "Our id of the message.")
        .tells(200, "Idempotent-Replayed", "`true`: the answer to an earlier request, and nothing was sent again.")
        .fails(of_a_body())
        .fails([account_not_found()])
        .fails(of_a_message())
        .fails(of_meta())
}

/// The operations of this group.
pub(crate) fn operations() -> Vec<Described> {
    let text = [
        ("text", json!({"phone": "+919876543210", "message": "Hello!"})),
        (
            "reply",
            json!({"phone": "+919876543210", "message": "See https://example.com", "preview_url": true,
            "reply_to": "wamid.HBgMOTE5ODc2NTQzMjEwFQIAERgSNUE3", "account_id": 1}),
        ),
    ];
    let location = [(
        "place",
        json!({"phone": "+919876543210", "latitude": 28.6, "longitude": "77.2", "name": "Office", "address": "Delhi"}),
    )];
    let template = [
        ("plain", json!({"phone": "+919876543210", "template_name": "hello_world", "language": "en_US"})),
        ("values", json!({"phone": "+919876543210", "template_name": "order_update", "body_params": ["Rahul", 42]})),
    ];
    vec![
        send::<send_message::SendMessage>("Send a text", "Sends a text.")
            .takes(true, text_message(), &text)
            .fails([field("message", "message must have 1 to 4096 characters, and has 5000")])
            .describe(),
        send::<send_location::SendLocation>("Send a location", "Sends a point on the map.")
            .takes(true, location_message(), &location)
            .fails([field("latitude", "latitude must be between -90 and 90")])
            .describe(),
        send::<send_template::SendTemplate>(
            "Send a template",
            "Sends a template that Meta has approved. One to a contact who opted out is refused, unless it says \
             `despite_opt_out`.",
        )
        .takes(true, template_message(), &template)
        .fails([field("template_name", "template_name is required")])
        .fails(of_a_template())
        .describe(),
    ]
}
