//! Template messages: the only ones that may open a conversation.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::media::MediaSource;
use crate::message::Location;

/// A message from a template that Meta has approved, with values for its variables.
///
/// Only parts with variables are named; the values must fit the template, or Meta refuses with 132000 or 132012.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::time::Duration;
/// # let meta = meta_simulator::Simulator::start().await?;
/// # let token = whatsapp::SecretString::from(meta_simulator::ACCESS_TOKEN);
/// # let number = whatsapp::WhatsApp::new(&meta.graph_api_url())?.number(meta_simulator::PHONE_NUMBER_ID, &token);
/// use whatsapp::{Message, Template};
///
/// let plain = Template::new("hello_world", "en_US");
/// number.send(&Message::new("919876543210", plain), Duration::from_secs(12)).await?;
///
/// let offer = Template::new("spring_offer", "en")
///     .body(["10 %"])
///     .url_button(0, "spring")
///     .quick_reply_button(1, "no-more-offers")
///     .copy_code_button(2, "SPRING20")
///     .flow_button(3, "a-token", None);
/// number.send(&Message::new("919876543210", offer), Duration::from_secs(12)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    name: String,
    language: String,
    header: Option<Value>,
    body: Option<Value>,
    buttons: Vec<Value>,
    ready_made: Vec<Value>,
}

impl Template {
    /// A template by its name and language code, such as `en` or `en_US`.
    pub fn new(name: impl Into<String>, language: impl Into<String>) -> Self {
        let (name, language) = (name.into(), language.into());
        Self { name, language, header: None, body: None, buttons: Vec::new(), ready_made: Vec::new() }
    }

    /// The value of a text header's variable. A template has one header: the last call holds.
    #[must_use]
    pub fn header_text(self, text: impl Into<String>) -> Self {
        self.header(&json!({ "type": "text", "text": text.into() }))
    }

    /// The value of a text header's variable that has a name.
    #[must_use]
    pub fn header_text_named(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.header(&json!({ "type": "text", "parameter_name": name.into(), "text": text.into() }))
    }

    /// The image of a header.
    #[must_use]
    pub fn header_image(self, image: MediaSource) -> Self {
        self.header(&json!({ "type": "image", "image": source(image) }))
    }

    /// The video of a header.
    #[must_use]
    pub fn header_video(self, video: MediaSource) -> Self {
        self.header(&json!({ "type": "video", "video": source(video) }))
    }

    /// The document of a header; its recipient sees the file's name in it.
    #[must_use]
    pub fn header_document(self, document: MediaSource, filename: impl Into<String>) -> Self {
        let mut document = source(document);
        if let Some(members) = document.as_object_mut() {
            members.insert("filename".to_owned(), Value::String(filename.into()));
        }
        self.header(&json!({ "type": "document", "document": document }))
    }

    /// The place of a header.
    #[must_use]
    pub fn header_location(self, location: &Location) -> Self {
        let Location { latitude, longitude, name, address } = location;
        let location = json!({ "latitude": latitude, "longitude": longitude, "name": name, "address": address });
        self.header(&json!({ "type": "location", "location": location }))
    }

    /// The values of the body's variables, in their order: `{{1}}`, `{{2}}`, …
    #[must_use]
    pub fn body<T: Into<String>>(self, values: impl IntoIterator<Item = T>) -> Self {
        let parameter = |text: T| json!({ "type": "text", "text": text.into() });
        self.body_parameters(&values.into_iter().map(parameter).collect::<Vec<_>>())
    }

    /// The values of the body's variables, by their names. For templates made with named parameters.
    #[must_use]
    pub fn body_named<N: Into<String>, T: Into<String>>(self, values: impl IntoIterator<Item = (N, T)>) -> Self {
        let parameter =
            |(name, text): (N, T)| json!({ "type": "text", "parameter_name": name.into(), "text": text.into() });
        self.body_parameters(&values.into_iter().map(parameter).collect::<Vec<_>>())
    }

    /// What a URL button puts at the end of its address. `index` counts all buttons of the template, from 0.
    #[must_use]
    pub fn url_button(self, index: u8, text: impl Into<String>) -> Self {
        self.button("url", index, &json!({ "type": "text", "text": text.into() }))
    }

    /// What comes back by webhook when the quick reply is tapped. `index` as in [`url_button`](Self::url_button).
    #[must_use]
    pub fn quick_reply_button(self, index: u8, payload: impl Into<String>) -> Self {
        self.button("quick_reply", index, &json!({ "type": "payload", "payload": payload.into() }))
    }

    /// The code that the button copies, at most 20 characters. `index` as in [`url_button`](Self::url_button).
    #[must_use]
    pub fn copy_code_button(self, index: u8, code: impl Into<String>) -> Self {
        self.button("copy_code", index, &json!({ "type": "coupon_code", "coupon_code": code.into() }))
    }

    /// The token, and the data if there is any, with which the button opens a Flow. `index` as in
    /// [`url_button`](Self::url_button).
    #[must_use]
    pub fn flow_button(self, index: u8, token: impl Into<String>, data: Option<Value>) -> Self {
        let token = token.into();
        let action = match data {
            Some(data) => json!({ "flow_token": token, "flow_action_data": data }),
            None => json!({ "flow_token": token }),
        };
        self.button("flow", index, &json!({ "type": "action", "action": action }))
    }

    /// Ready-made components, sent as they are, after those of the other methods: for what these do not cover.
    #[must_use]
    pub fn components(mut self, components: Vec<Value>) -> Self {
        self.ready_made.extend(components);
        self
    }

    fn header(self, parameter: &Value) -> Self {
        Self { header: Some(json!({ "type": "header", "parameters": [parameter] })), ..self }
    }

    /// No values, no component: Meta counts parameters, and an empty list would be one of the wrong length.
    fn body_parameters(self, parameters: &[Value]) -> Self {
        let body = (!parameters.is_empty()).then(|| json!({ "type": "body", "parameters": parameters }));
        Self { body, ..self }
    }

    fn button(mut self, sub_type: &str, index: u8, parameter: &Value) -> Self {
        let index = index.to_string();
        self.buttons.push(json!({ "type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter] }));
        self
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ready_made = &self.ready_made;
        let components: Vec<&Value> =
            self.header.iter().chain(&self.body).chain(&self.buttons).chain(ready_made).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("language", &json!({ "code": self.language }))?;
        if !components.is_empty() {
            map.serialize_entry("components", &components)?;
        }
        map.end()
    }
}

fn source(source: MediaSource) -> Value {
    match source {
        MediaSource::Id(id) => json!({ "id": id }),
        MediaSource::Link(link) => json!({ "link": link }),
    }
}
