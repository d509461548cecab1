//! What a customer can send, in the shapes of Meta's webhooks.

use serde_json::{Map, Value, json};

use super::sample::Sample;

/// A message that a customer sends: one constructor for each type, and [`CustomerMessage::raw`] for any other.
///
/// ```
/// # use meta_simulator::CustomerMessage;
/// let answer = CustomerMessage::text("Yes, please").quoting("wamid.HBgL");
/// let photo = CustomerMessage::image(Some("Look!"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerMessage {
    kind: String,
    /// What stands beside `type` in the webhook, the content under the type's own name among it.
    members: Map<String, Value>,
    pub(super) quoted: Option<String>,
    pub(super) file: Option<Sample>,
}

impl CustomerMessage {
    /// A text.
    pub fn text(body: &str) -> Self {
        Self::raw("text", json!({ "body": body }))
    }

    /// A photo (JPEG). This and every other file can be had from the media endpoint.
    pub fn image(caption: Option<&str>) -> Self {
        Self::with_file("image", json!({ "caption": caption }), Sample::Photo)
    }

    /// A video (MP4).
    pub fn video(caption: Option<&str>) -> Self {
        Self::with_file("video", json!({ "caption": caption }), Sample::Video)
    }

    /// A voice note (Ogg with Opus).
    pub fn voice() -> Self {
        Self::with_file("audio", json!({ "voice": true }), Sample::Voice)
    }

    /// A document (PDF) under this name.
    pub fn document(filename: &str, caption: Option<&str>) -> Self {
        Self::with_file("document", json!({ "filename": filename, "caption": caption }), Sample::Document)
    }

    /// A sticker (WebP) that stands still.
    pub fn sticker() -> Self {
        Self::with_file("sticker", json!({ "animated": false }), Sample::Sticker)
    }

    /// A place, in degrees; `name` and `address` are there when the customer picked a known one.
    pub fn location(latitude: f64, longitude: f64, name: Option<&str>, address: Option<&str>) -> Self {
        let place = json!({ "latitude": latitude, "longitude": longitude, "name": name, "address": address });
        Self::raw("location", place)
    }

    /// A contact card with one phone number.
    pub fn contact(name: &str, phone: &str) -> Self {
        let name = json!({ "formatted_name": name, "first_name": name });
        Self::raw("contacts", json!([{ "name": name, "phones": [{ "phone": phone, "type": "CELL" }] }]))
    }

    /// A reaction to a message; `None` takes it back.
    pub fn reaction(message_id: &str, emoji: Option<&str>) -> Self {
        Self::raw("reaction", json!({ "message_id": message_id, "emoji": emoji }))
    }

    /// A tap on a template's quick-reply button. [`Self::quoting`] says of which message.
    pub fn button(text: &str, payload: &str) -> Self {
        Self::raw("button", json!({ "payload": payload, "text": text }))
    }

    /// A tap on a reply button of an interactive message. [`Self::quoting`] says of which message.
    pub fn button_reply(id: &str, title: &str) -> Self {
        let reply = json!({ "id": id, "title": title });
        Self::raw("interactive", json!({ "type": "button_reply", "button_reply": reply }))
    }

    /// A pick from the list of an interactive message. [`Self::quoting`] says of which message.
    pub fn list_reply(id: &str, title: &str, description: Option<&str>) -> Self {
        let reply = without_nulls(json!({ "id": id, "title": title, "description": description }));
        Self::raw("interactive", json!({ "type": "list_reply", "list_reply": reply }))
    }

    /// A completed flow with what was filled in. Meta sends it as JSON within a string, and so does this.
    pub fn flow_reply(response: &Value) -> Self {
        let reply = json!({ "name": "flow", "body": "Sent", "response_json": response.to_string() });
        Self::raw("interactive", json!({ "type": "nfm_reply", "nfm_reply": reply }))
    }

    /// An order from a catalog. The items are Meta's `product_items`, each with `product_retailer_id`, `quantity`,
    /// `item_price` and `currency`.
    pub fn order(catalog_id: &str, product_items: Value) -> Self {
        let mut order = json!({ "catalog_id": catalog_id, "text": "" });
        crate::json::set(&mut order, "product_items", product_items);
        Self::raw("order", order)
    }

    /// Meta's note that the customer changed the phone number. It opens no 24-hour window.
    pub fn number_changed(new_wa_id: &str) -> Self {
        let body = format!("The customer changed the number to {new_wa_id}");
        Self::raw("system", json!({ "body": body, "wa_id": new_wa_id, "type": "user_changed_number" }))
    }

    /// Something that Meta does not hand on, such as a poll (error 131051).
    pub fn unsupported() -> Self {
        let title = crate::graph::errors::title(131_051);
        let details = json!({ "details": "Message type is currently not supported." });
        Self::raw("unsupported", json!({ "type": "poll" }))
            .with("errors", json!([{ "code": 131_051, "title": title, "message": title, "error_data": details }]))
    }

    /// An earlier text of the customer, changed.
    pub fn edit(original_message_id: &str, body: &str) -> Self {
        let message = json!({ "type": "text", "text": { "body": body } });
        Self::raw("edit", json!({ "original_message_id": original_message_id, "message": message }))
    }

    /// An earlier message of the customer, taken back.
    pub fn revoke(original_message_id: &str) -> Self {
        Self::raw("revoke", json!({ "original_message_id": original_message_id }))
    }

    /// Any type with any content under the type's name. Members that are `null` are left out.
    pub fn raw(kind: &str, content: Value) -> Self {
        let mut members = Map::from_iter([("type".to_owned(), json!(kind))]);
        if !content.is_null() {
            members.insert(kind.to_owned(), without_nulls(content));
        }
        Self { kind: kind.to_owned(), members, quoted: None, file: None }
    }

    /// The message that this one answers: `context`.
    #[must_use]
    pub fn quoting(mut self, message_id: &str) -> Self {
        self.quoted = Some(message_id.to_owned());
        self
    }

    /// Another member beside `type`, such as `referral` or `errors`, or in place of one that the simulator gives, such
    /// as `id`, `timestamp` or `context`.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    fn with_file(kind: &str, content: Value, file: Sample) -> Self {
        Self { file: Some(file), ..Self::raw(kind, content) }
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// What a person reads of it, as far as it holds any text.
    pub(super) fn words(&self) -> String {
        let places: &[&str] = match self.kind.as_str() {
            "text" | "system" => &["/body"],
            "location" => &["/name", "/address"],
            "contacts" => &["/0/name/formatted_name"],
            "reaction" => &["/emoji"],
            "button" => &["/text"],
            "interactive" => &["/button_reply/title", "/list_reply/title", "/nfm_reply/body"],
            "edit" => &["/message/text/body"],
            _ => &["/caption", "/filename"],
        };
        let content = self.members.get(&self.kind);
        let words = places.iter().find_map(|place| content?.pointer(place)?.as_str());
        words.unwrap_or_default().to_owned()
    }

    pub(super) fn into_members(self) -> (String, Map<String, Value>) {
        (self.kind, self.members)
    }
}

/// What is not there has no member, rather than an empty one.
fn without_nulls(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}
