//! What a person reads of a message that was sent, from the request that went to Meta.

use serde_json::Value;

/// The type, as Meta names it.
pub(crate) fn kind(request: &Value) -> &str {
    request.get("type").and_then(Value::as_str).unwrap_or("text")
}

/// The text; of what has none, the type in brackets, as received messages have it.
pub(crate) fn body(request: &Value) -> String {
    let kind = kind(request);
    let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let words = match kind {
        "text" => return text("/text/body").unwrap_or_default().to_owned(),
        "reaction" => return text("/reaction/emoji").unwrap_or_default().to_owned(),
        "template" => text("/template/name"),
        "location" => return text("/location/name").map_or_else(|| coordinates(request), str::to_owned),
        "interactive" => text("/interactive/body/text"),
        other => text(&format!("/{other}/caption")),
    };
    words.map_or_else(|| in_brackets(kind), str::to_owned)
}

fn coordinates(request: &Value) -> String {
    let number = |name: &str| request.pointer(&format!("/location/{name}")).map_or("?".to_owned(), Value::to_string);
    format!("📍 {},{}", number("latitude"), number("longitude"))
}

fn in_brackets(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    format!("[{}]", first.into_iter().chain(letters).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use whatsapp::{Content, Location, Media, MediaSource, Message, Reaction};

    use super::*;

    fn read(content: impl Into<Content>) -> String {
        body(&serde_json::to_value(Message::new("919876543210", content)).unwrap())
    }

    #[test]
    fn whatever_is_sent_reads_as_its_words_or_else_as_its_type() {
        let place =
            |name: &str| Location { latitude: 28.6, longitude: -77.0, name: name.to_owned(), address: String::new() };
        let file = || MediaSource::Id("1".to_owned());
        assert_eq!(body(&serde_json::to_value(Message::text("91", "Hello!\n😀")).unwrap()), "Hello!\n😀");
        assert_eq!(read(place("Taj Mahal")), "Taj Mahal");
        assert_eq!(read(place("")), "📍 28.6,-77.0");
        assert_eq!(read(Media::image(file()).caption("Look")), "Look");
        assert_eq!(read(Media::image(file())), "[Image]");
        assert_eq!(read(Media::document(file()).filename("a.pdf")), "[Document]");
        assert_eq!(read(Reaction { message_id: "wamid.X".to_owned(), emoji: "👍".to_owned() }), "👍");
        assert_eq!(read(Vec::new()), "[Contacts]");
        assert_eq!(body(&json!({"type": "template", "template": {"name": "order_update"}})), "order_update");
        assert_eq!(body(&json!({"type": "interactive", "interactive": {"body": {"text": "Which?"}}})), "Which?");
        for odd in [json!({}), json!(null), json!({"text": 1})] {
            assert_eq!(body(&odd), "", "{odd}");
        }
        assert_eq!(body(&json!({"type": "ÿ~/0"})), "[ÿ~/0]");
    }
}
