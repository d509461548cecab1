//! Events of every kind, some of which are about the same thing.

use domain::MessageId;
use serde_json::{Value, json};

use crate::bed::{NUMBER, seconds, status, text_message};

/// Where an event stands in a webhook.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Among a change's `messages`.
    Message(Value),
    /// Among a change's `statuses`.
    Status(Value),
    /// A change of its own.
    Change(Value),
}

/// The messages that were sent before: one of unknown outcome, one that is still being sent.
pub(crate) struct Sent {
    pub(crate) unknown: MessageId,
    pub(crate) sending: MessageId,
}

fn message(number: &str, id: &str, second: i64, kind: &str, content: Value) -> Event {
    let mut message = json!({"from": number, "id": id, "timestamp": seconds(second), "type": kind});
    message[kind] = content;
    Event::Message(message)
}

fn text(number: &str, id: &str, second: i64, text: &str) -> Event {
    Event::Message(text_message(number, id, second, text))
}

fn preference(value: &str, second: i64) -> Event {
    Event::Change(json!({"field": "user_preferences", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": NUMBER},
        "user_preferences": [{"wa_id": "16505551234", "category": "marketing_messages", "value": value, "detail": "d",
            "timestamp": crate::bed::at(second).as_second()}],
    }}))
}

/// About forty events.
pub(crate) fn events(sent: &Sent) -> Vec<Event> {
    let (ann, ben, bia) = ("16505551234", "919876543210", ["5511988887777", "551188887777"]);
    let from_id = |id: &str, second: i64| {
        Event::Message(json!({"from_user_id": "US.13491208655302741918", "id": id, "timestamp": seconds(second),
            "type": "text", "text": {"body": "no number"}}))
    };
    let mut events = vec![
        text(ann, "wamid.A1", 10, "hi"),
        text(ann, "wamid.A2", 10, "in the same second"),
        text(ann, "wamid.A3", 12, "STOP"),
        text(ann, "wamid.A4", 14, "start"),
        message(ann, "wamid.A1", 11, "reaction", json!({"message_id": "wamid.B1", "emoji": "👍"})),
        message(ann, "wamid.A5", 15, "image", json!({"id": "1", "mime_type": "image/jpeg", "caption": "Taj Mahal"})),
        message(ann, "wamid.A6", 16, "system", json!({"body": "changed", "wa_id": "1", "type": "user_changed_number"})),
        text(ben, "wamid.B1", 20, "hello"),
        message(ben, "wamid.B2", 19, "location", json!({"latitude": 1.5, "longitude": 2})),
        message(ben, "wamid.B3", 21, "brand_new", json!({"what": "ever"})),
        text(bia[0], "wamid.C1", 30, "with the nine"),
        text(bia[1], "wamid.C2", 31, "without it"),
        from_id("wamid.D1", 40),
        from_id("wamid.D2", 41),
        // The same id with another text, which Meta does not do.
        text(ben, "wamid.B4", 22, "one"),
        text(ben, "wamid.B4", 23, "another"),
        // Not to be understood.
        Event::Message(json!({"from": ann, "timestamp": seconds(50), "type": "text", "text": {"body": "no id"}})),
        Event::Message(json!("no object")),
        Event::Message(
            json!({"from": ann, "id": "wamid.G", "group_id": "g", "timestamp": seconds(51), "type": "text"}),
        ),
        Event::Status(json!({"id": "wamid.S1", "status": "brand_new", "timestamp": seconds(52)})),
        preference("stop", 13),
        preference("resume", 13),
        preference("stop", 17),
        Event::Change(json!({"field": "message_template_status_update", "value": {"event": "APPROVED",
            "message_template_id": 1_689_556_908_129_835_i64, "message_template_name": "x"}})),
        Event::Change(json!({"field": "phone_number_quality_update", "value": {"event": "FLAGGED"}})),
        Event::Change(json!({"field": "messages", "value": {"metadata": {"phone_number_id": "999"}, "messages": []}})),
        Event::Change(json!({"value": {}})),
    ];
    for (wamid, ours) in
        [("wamid.S1", Some(sent.unknown)), ("wamid.S2", Some(sent.sending)), ("wamid.S3", None), ("wamid.S4", None)]
    {
        for (second, word) in [(60, "sent"), (62, "delivered"), (61, "delivered"), (64, "read"), (63, "failed")] {
            if wamid != "wamid.S4" || word == "failed" || word == "sent" {
                events.push(Event::Status(status(wamid, word, second, ours)));
            }
        }
    }
    events
}
