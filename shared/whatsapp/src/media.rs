//! Images, video, audio, documents and stickers.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Where Meta takes a file from. Serializes as `"id":…` or `"link":…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaSource {
    /// A media id from [`Number::upload_media`](crate::Number::upload_media), or from an inbound message.
    Id(String),
    /// A public URL, which Meta fetches after it has taken the message and keeps for ten minutes. If it can't, the message
    /// fails by webhook.
    Link(String),
}

/// A file to upload.
#[derive(Debug, Clone)]
pub struct MediaUpload {
    /// The content.
    pub bytes: Bytes,
    /// Such as `image/jpeg`.
    pub mime_type: String,
    /// A name with a fitting extension. Recipients don't see this one, but [`Media::filename`].
    pub filename: String,
}

impl MediaUpload {
    /// A file to upload.
    pub fn new(bytes: impl Into<Bytes>, mime_type: impl Into<String>, filename: impl Into<String>) -> Self {
        Self { bytes: bytes.into(), mime_type: mime_type.into(), filename: filename.into() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

/// A media message, or the media header of an interactive message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Media {
    #[serde(skip)]
    kind: Kind,
    #[serde(flatten)]
    source: MediaSource,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<bool>,
}

impl Media {
    /// A JPEG or PNG of at most 5 MB.
    pub fn image(source: MediaSource) -> Self {
        Self::new(Kind::Image, source)
    }

    /// An MP4 or 3GP (H.264 and AAC) of at most 16 MB.
    pub fn video(source: MediaSource) -> Self {
        Self::new(Kind::Video, source)
    }

    /// AAC, AMR, MP3, M4A or OGG (Opus) of at most 16 MB. No caption.
    pub fn audio(source: MediaSource) -> Self {
        Self::new(Kind::Audio, source)
    }

    /// A voice message: OGG with Opus; up to 512 KB it shows a play icon. No caption.
    pub fn voice(source: MediaSource) -> Self {
        Self { voice: Some(true), ..Self::new(Kind::Audio, source) }
    }

    /// A document of at most 100 MB.
    pub fn document(source: MediaSource) -> Self {
        Self::new(Kind::Document, source)
    }

    /// A WebP of 512 × 512 pixels: 100 KB, or 500 KB if animated. No caption.
    pub fn sticker(source: MediaSource) -> Self {
        Self::new(Kind::Sticker, source)
    }

    /// A text under an image, a video or a document; at most 1,024 characters.
    #[must_use]
    pub fn caption(self, caption: impl Into<String>) -> Self {
        Self { caption: Some(caption.into()), ..self }
    }

    /// The name under which the recipient sees a document; its extension decides the icon.
    #[must_use]
    pub fn filename(self, filename: impl Into<String>) -> Self {
        Self { filename: Some(filename.into()), ..self }
    }

    fn new(kind: Kind, source: MediaSource) -> Self {
        Self { kind, source, caption: None, filename: None, voice: None }
    }

    /// Meta's word for the kind, which is also the name of the member that holds it.
    pub(crate) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Image => "image",
            Kind::Video => "video",
            Kind::Audio => "audio",
            Kind::Document => "document",
            Kind::Sticker => "sticker",
        }
    }

    /// `{"type":"image","image":{…}}`, the form in headers and template parameters.
    pub(crate) fn serialize_with_type<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", self.kind())?;
        map.serialize_entry(self.kind(), self)?;
        map.end()
    }
}
