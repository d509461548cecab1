//! The files that customers send: small, but real ones.

/// One file, made for this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    Photo,
    Video,
    Voice,
    Document,
    Sticker,
}

impl Sample {
    /// As Meta writes it in a webhook.
    pub(crate) const fn mime_type(self) -> &'static str {
        match self {
            Self::Photo => "image/jpeg",
            Self::Video => "video/mp4",
            Self::Voice => "audio/ogg; codecs=opus",
            Self::Document => "application/pdf",
            Self::Sticker => "image/webp",
        }
    }

    pub(crate) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Photo => include_bytes!("samples/photo.jpg"),
            Self::Video => include_bytes!("samples/video.mp4"),
            Self::Voice => include_bytes!("samples/voice.ogg"),
            Self::Document => include_bytes!("samples/document.pdf"),
            Self::Sticker => include_bytes!("samples/sticker.webp"),
        }
    }
}
