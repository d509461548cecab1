//! A message and what it can hold. `Serialize` gives the body that Meta expects.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::contacts::Contact;
use crate::interactive::Interactive;
use crate::media::Media;
use crate::template::Template;

/// A message to one person.
///
/// `Serialize` gives exactly the body of Meta's `POST /{phone_number_id}/messages`:
///
/// ```
/// # fn main() -> Result<(), serde_json::Error> {
/// use whatsapp::Message;
///
/// let message = Message::text("919876543210", "Hello!");
/// assert_eq!(
///     serde_json::to_string(&message)?,
///     concat!(
///         r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"919876543210","#,
///         r#""type":"text","text":{"preview_url":false,"body":"Hello!"}}"#,
///     )
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    to: String,
    content: Content,
    reply_to: Option<String>,
    callback_data: Option<String>,
}

/// What a message holds. Only a template can be sent when the recipient hasn't written in the last 24 hours.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// Plain text.
    Text(Text),
    /// A point on the map.
    Location(Location),
    /// A template that Meta has approved.
    Template(Template),
    /// An image, video, audio, document or sticker.
    Media(Media),
    /// Buttons, lists, products, Flows.
    Interactive(Interactive),
    /// An emoji on an earlier message.
    Reaction(Reaction),
    /// Contact cards; Meta's schema allows five.
    Contacts(Vec<Contact>),
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// Whether the first `http://` or `https://` address in the text is shown with a preview.
    pub preview_url: bool,
    /// 1 to 4,096 characters.
    pub body: String,
}

/// A point on the map. `name` and `address` are always sent, empty ones too.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What is there, or an empty string.
    pub name: String,
    /// Its address, or an empty string. Meta shows it only with a name.
    pub address: String,
}

/// A reaction to an earlier message, of the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaction {
    /// The wamid of that message.
    pub message_id: String,
    /// One emoji, or an empty string to take the reaction back.
    pub emoji: String,
}

impl Message {
    /// A message to a phone number: digits with the country code, which Meta also reads with `+`, spaces and hyphens.
    pub fn new(to: impl Into<String>, content: impl Into<Content>) -> Self {
        Self { to: to.into(), content: content.into(), reply_to: None, callback_data: None }
    }

    /// A text without a link preview.
    pub fn text(to: impl Into<String>, body: impl Into<String>) -> Self {
        Self::new(to, Text { preview_url: false, body: body.into() })
    }

    /// A text that shows a preview of the first link in it.
    pub fn text_with_preview(to: impl Into<String>, body: impl Into<String>) -> Self {
        Self::new(to, Text { preview_url: true, body: body.into() })
    }

    /// A point on the map, in degrees, without a name.
    pub fn location(to: impl Into<String>, latitude: f64, longitude: f64) -> Self {
        Self::new(to, Location { latitude, longitude, name: String::new(), address: String::new() })
    }

    /// An emoji on the message `wamid`; an empty one takes the reaction back.
    pub fn reaction(to: impl Into<String>, wamid: impl Into<String>, emoji: impl Into<String>) -> Self {
        Self::new(to, Reaction { message_id: wamid.into(), emoji: emoji.into() })
    }

    /// Quotes an earlier message, which must be of the last 30 days. Templates and reactions show no quote.
    #[must_use]
    pub fn reply_to(self, wamid: impl Into<String>) -> Self {
        Self { reply_to: Some(wamid.into()), ..self }
    }

    /// Up to 512 characters that come back in every status webhook of this message, and go nowhere else.
    ///
    /// An id of one's own here finds the message when the answer to the send was lost.
    #[must_use]
    pub fn callback_data(self, data: impl Into<String>) -> Self {
        Self { callback_data: Some(data.into()), ..self }
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Context<'a> {
            message_id: &'a str,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("messaging_product", "whatsapp")?;
        // Meta's own template examples have none: it is `individual` anyway unless told otherwise.
        if !matches!(self.content, Content::Template(_)) {
            map.serialize_entry("recipient_type", "individual")?;
        }
        map.serialize_entry("to", &self.to)?;
        map.serialize_entry("type", self.content.kind())?;
        match &self.content {
            Content::Text(text) => map.serialize_entry("text", text)?,
            Content::Location(location) => map.serialize_entry("location", location)?,
            Content::Template(template) => map.serialize_entry("template", template)?,
            Content::Media(media) => map.serialize_entry(media.kind(), media)?,
            Content::Interactive(interactive) => map.serialize_entry("interactive", interactive)?,
            Content::Reaction(reaction) => map.serialize_entry("reaction", reaction)?,
            Content::Contacts(contacts) => map.serialize_entry("contacts", contacts)?,
        }
        if let Some(message_id) = &self.reply_to {
            map.serialize_entry("context", &Context { message_id })?;
        }
        if let Some(data) = &self.callback_data {
            map.serialize_entry("biz_opaque_callback_data", data)?;
        }
        map.end()
    }
}

impl Content {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Location(_) => "location",
            Self::Template(_) => "template",
            Self::Media(media) => media.kind(),
            Self::Interactive(_) => "interactive",
            Self::Reaction(_) => "reaction",
            Self::Contacts(_) => "contacts",
        }
    }
}

impl From<Text> for Content {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Location> for Content {
    fn from(location: Location) -> Self {
        Self::Location(location)
    }
}

impl From<Template> for Content {
    fn from(template: Template) -> Self {
        Self::Template(template)
    }
}

impl From<Media> for Content {
    fn from(media: Media) -> Self {
        Self::Media(media)
    }
}

impl From<Interactive> for Content {
    fn from(interactive: Interactive) -> Self {
        Self::Interactive(interactive)
    }
}

impl From<Reaction> for Content {
    fn from(reaction: Reaction) -> Self {
        Self::Reaction(reaction)
    }
}

impl From<Vec<Contact>> for Content {
    fn from(contacts: Vec<Contact>) -> Self {
        Self::Contacts(contacts)
    }
}
