//! What a person reads of a message of either direction: in the words of the reference's chat.

use serde_json::Value;

/// Longer than any text that WhatsApp lets people write, in characters.
const LONGEST: usize = 16_000;

/// The text of a message of a type, as Meta writes and takes messages: its words, its caption or the place's name; the type in
/// brackets where it has none of these.
pub fn message_body(kind: &str, message: &Value) -> String {
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let words = match kind {
        "text" => text("/text/body").to_owned(),
        "button" => text("/button/text").to_owned(),
        "reaction" => text("/reaction/emoji").to_owned(),
        "template" => text("/template/name").to_owned(),
        "interactive" => interactive(message),
        "location" => location(message),
        "image" | "video" | "document" | "audio" | "voice" | "sticker" => match text(&format!("/{kind}/caption")) {
            "" => in_brackets(kind),
            caption => caption.to_owned(),
        },
        "edit" => edit(message),
        other => in_brackets(other),
    };
    words.chars().take(LONGEST).collect()
}

/// What the message reads like now. The reference knows no edits.
fn edit(message: &Value) -> String {
    let edited = message.pointer("/edit/message");
    let kind = edited.and_then(|edited| edited.get("type")?.as_str()).filter(|kind| *kind != "edit");
    edited.zip(kind).map_or_else(|| in_brackets("edit"), |(edited, kind)| message_body(kind, edited))
}

fn interactive(message: &Value) -> String {
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let words = match text("/interactive/type") {
        Some("button_reply") => text("/interactive/button_reply/title"),
        Some("list_reply") => text("/interactive/list_reply/title"),
        // A completed form.
        Some("nfm_reply") => text("/interactive/nfm_reply/body").or_else(|| text("/interactive/nfm_reply/name")),
        // One that offers choices.
        _ => text("/interactive/body/text"),
    };
    words.map_or_else(|| in_brackets("interactive"), str::to_owned)
}

fn location(message: &Value) -> String {
    let member = |name: &str| message.get("location")?.get(name);
    match member("name").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => {
            let number = |name: &str| member(name).map_or_else(|| "?".to_owned(), Value::to_string);
            format!("📍 {},{}", number("latitude"), number("longitude"))
        }
    }
}

fn in_brackets(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("[{}]", first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_reads_as_in_the_chat_of_the_reference() {
        for (message, words) in [
            (json!({"type": "text", "text": {"body": "hi"}}), "hi"),
            (json!({"type": "button", "button": {"payload": "P", "text": "Yes"}}), "Yes"),
            (
                json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"title": "Cancel"}}}),
                "Cancel",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"title": "Express"}}}),
                "Express",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"body": "Sent"}}}),
                "Sent",
            ),
            (json!({"type": "interactive", "errors": []}), "[Interactive]"),
            (json!({"type": "location", "location": {"latitude": 37.4, "longitude": -122, "name": "Philz"}}), "Philz"),
            (json!({"type": "location", "location": {"latitude": 37.44221, "longitude": -122}}), "📍 37.44221,-122"),
            (json!({"type": "image", "image": {"caption": "Taj Mahal"}}), "Taj Mahal"),
            (json!({"type": "image", "image": {"id": "1"}}), "[Image]"),
            (json!({"type": "document", "document": {"filename": "a.pdf"}}), "[Document]"),
            (json!({"type": "sticker", "sticker": {}}), "[Sticker]"),
            (json!({"type": "reaction", "reaction": {"emoji": "👍"}}), "👍"),
            (json!({"type": "reaction", "reaction": {"message_id": "w"}}), ""),
            (json!({"type": "contacts", "contacts": []}), "[Contacts]"),
            (json!({"type": "order"}), "[Order]"),
            (json!({"type": "system", "system": {"body": "changed"}}), "[System]"),
            (json!({"type": "unsupported"}), "[Unsupported]"),
            (json!({"type": "template", "template": {"name": "order_update"}}), "order_update"),
            (json!({"type": "interactive", "interactive": {"type": "button", "body": {"text": "Which?"}}}), "Which?"),
            (json!({"type": "edit", "edit": {"message": {"type": "text", "text": {"body": "better"}}}}), "better"),
            (json!({"type": "edit", "edit": {"message": {"type": "edit", "edit": {}}}}), "[Edit]"),
            (json!({"type": "brand_NEW"}), "[Brand_new]"),
            (json!({"type": "text", "text": 7}), ""),
        ] {
            assert_eq!(message_body(message["type"].as_str().unwrap(), &message), words, "{message}");
        }
    }
}
