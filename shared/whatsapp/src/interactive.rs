//! Interactive messages: buttons, lists, links, products, Flows. The limits are those of Meta's pages on each kind.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use crate::media::Media;

/// A message that its recipient can tap.
///
/// ```
/// use whatsapp::{Interactive, Message};
///
/// let question = Interactive::buttons("Shall we deliver tomorrow?", [("yes", "Yes"), ("no", "No")]);
/// let message = Message::new("919876543210", question.footer("Answer until 18:00"));
/// # assert!(serde_json::to_string(&message).is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interactive {
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<Words>,
    action: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Words {
    text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum Header {
    Text {
        #[serde(rename = "type")]
        kind: &'static str,
        text: String,
    },
    #[serde(serialize_with = "Media::serialize_with_type")]
    Media(Media),
}

/// A part of a list: at most ten parts, with ten rows in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListSection {
    /// At most 24 characters; required when there is more than one section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its rows.
    pub rows: Vec<ListRow>,
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListRow {
    /// What comes back by webhook when the row is chosen; at most 200 characters.
    pub id: String,
    /// At most 24 characters.
    pub title: String,
    /// At most 72 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A part of a list of products: at most ten parts, with thirty products in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSection {
    /// At most 24 characters.
    pub title: String,
    /// The products' ids in the catalog (`product_retailer_id`).
    pub products: Vec<String>,
}

/// A WhatsApp Flow to open.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Meta's id of the Flow.
    pub id: String,
    /// What the button says; at most 30 characters, no emoji.
    pub cta: String,
    /// Comes back with the Flow's answers, to tell them apart.
    pub token: String,
    /// The first screen, and the data for it (not an empty object). Without a screen, the Flow's endpoint is asked for it
    /// (`data_exchange`).
    pub screen: Option<(String, Option<Value>)>,
    /// Whether to open the Flow's draft, for testing.
    pub draft: bool,
}

impl Interactive {
    /// Up to three buttons, each an id (256 characters) that comes back by webhook, and a title (20 characters).
    pub fn buttons<I, T>(body: impl Into<String>, buttons: impl IntoIterator<Item = (I, T)>) -> Self
    where
        I: Into<String>,
        T: Into<String>,
    {
        let button =
            |(id, title): (I, T)| json!({ "type": "reply", "reply": { "id": id.into(), "title": title.into() } });
        let buttons: Vec<Value> = buttons.into_iter().map(button).collect();
        Self::new("button", json!({ "buttons": buttons })).body(body)
    }

    /// A list that opens when its button (20 characters) is tapped.
    pub fn list(body: impl Into<String>, button: impl Into<String>, sections: &[ListSection]) -> Self {
        Self::new("list", json!({ "button": button.into(), "sections": sections })).body(body)
    }

    /// A button (20 characters) that opens a web page.
    pub fn cta_url(body: impl Into<String>, display_text: impl Into<String>, url: impl Into<String>) -> Self {
        let parameters = json!({ "display_text": display_text.into(), "url": url.into() });
        Self::new("cta_url", json!({ "name": "cta_url", "parameters": parameters })).body(body)
    }

    /// A button with which the recipient sends a location.
    pub fn location_request(body: impl Into<String>) -> Self {
        Self::new("location_request_message", json!({ "name": "send_location" })).body(body)
    }

    /// One product of a catalog.
    pub fn product(catalog_id: impl Into<String>, product: impl Into<String>) -> Self {
        Self::new("product", json!({ "catalog_id": catalog_id.into(), "product_retailer_id": product.into() }))
    }

    /// Several products of a catalog. Meta requires the header text.
    pub fn product_list(
        header: impl Into<String>,
        body: impl Into<String>,
        catalog_id: impl Into<String>,
        sections: &[ProductSection],
    ) -> Self {
        let sections: Vec<Value> = sections.iter().map(ProductSection::to_json).collect();
        let action = json!({ "catalog_id": catalog_id.into(), "sections": sections });
        Self::new("product_list", action).header_text(header).body(body)
    }

    /// The whole catalog, shown with the picture of one of its products (`product_retailer_id`).
    pub fn catalog(body: impl Into<String>, thumbnail: impl Into<String>) -> Self {
        let parameters = json!({ "thumbnail_product_retailer_id": thumbnail.into() });
        Self::new("catalog_message", json!({ "name": "catalog_message", "parameters": parameters })).body(body)
    }

    /// A button that opens a Flow.
    pub fn flow(body: impl Into<String>, flow: Flow) -> Self {
        Self::new("flow", json!({ "name": "flow", "parameters": flow.into_json() })).body(body)
    }

    /// Any other kind that Meta offers (`carousel`, `voice_call`, …), with a ready-made `action`.
    pub fn other(kind: impl Into<String>, action: Value) -> Self {
        Self::new(kind.into(), action)
    }

    /// A line of text above the body; at most 60 characters.
    #[must_use]
    pub fn header_text(self, text: impl Into<String>) -> Self {
        Self { header: Some(Header::Text { kind: "text", text: text.into() }), ..self }
    }

    /// An image, a video or a document above the body.
    #[must_use]
    pub fn header_media(self, media: Media) -> Self {
        Self { header: Some(Header::Media(media)), ..self }
    }

    /// The main text; at most 1,024 characters (4,096 in a list).
    #[must_use]
    pub fn body(self, text: impl Into<String>) -> Self {
        Self { body: Some(Words { text: text.into() }), ..self }
    }

    /// Small text below; at most 60 characters.
    #[must_use]
    pub fn footer(self, text: impl Into<String>) -> Self {
        Self { footer: Some(Words { text: text.into() }), ..self }
    }

    fn new(kind: impl Into<Cow<'static, str>>, action: Value) -> Self {
        Self { kind: kind.into(), header: None, body: None, footer: None, action }
    }
}

impl ProductSection {
    fn to_json(&self) -> Value {
        let products: Vec<Value> =
            self.products.iter().map(|product| json!({ "product_retailer_id": product })).collect();
        json!({ "title": self.title, "product_items": products })
    }
}

impl Flow {
    fn into_json(self) -> Value {
        let mut parameters = serde_json::Map::from_iter([
            ("flow_message_version".to_owned(), json!("3")),
            ("flow_id".to_owned(), Value::String(self.id)),
            ("flow_cta".to_owned(), Value::String(self.cta)),
            ("flow_token".to_owned(), Value::String(self.token)),
        ]);
        if self.draft {
            parameters.insert("mode".to_owned(), json!("draft"));
        }
        let action = if self.screen.is_some() { "navigate" } else { "data_exchange" };
        parameters.insert("flow_action".to_owned(), json!(action));
        if let Some((screen, data)) = self.screen {
            let payload = match data {
                Some(data) => json!({ "screen": screen, "data": data }),
                None => json!({ "screen": screen }),
            };
            parameters.insert("flow_action_payload".to_owned(), payload);
        }
        Value::Object(parameters)
    }
}
