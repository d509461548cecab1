//! The one error type: a public side that a client may read, and an internal side that is only logged.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result of everything that can fail on the way of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words free of any transport. Crate `api` holds the one table from here to HTTP statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The caller must change the request: it is malformed, or Meta refuses it for good.
    Invalid,
    /// No API key, or none that is valid now.
    Unauthorized,
    /// A valid API key that may not do this.
    Forbidden,
    /// What the request names does not exist, or the caller may not know that it does.
    NotFound,
    /// The same request is being worked on at this moment.
    InFlight,
    /// What the request wants was changed by somebody else in the meantime, or is done already.
    Conflict,
    /// An idempotency key that was used for another request.
    KeyReused,
    /// The request is larger than allowed.
    TooLarge,
    /// Too many requests, by our limits or by Meta's.
    Throttled,
    /// Meta answered with something that neither the caller nor a second try can mend.
    UpstreamFailed,
    /// Meta says that it failed. Presumably nothing was sent, but nobody promises that.
    UpstreamUnavailable,
    /// Meta can't be reached, or our own storage can't be used: surely nothing was sent.
    Unavailable,
    /// Meta did not say what became of the message: it may have been sent.
    OutcomeUnknown,
    /// Meta did not say what became of something that may be repeated without harm.
    Unanswered,
    /// Our own fault.
    Internal,
}

/// The side of an [`Error`] that a client may read, and that is kept with a message whose sending failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublicError {
    /// What went wrong, free of any transport.
    pub kind: Kind,
    /// What happened and what to do about it, for a person.
    pub message: String,
    /// A stable word for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'static, str>>,
    /// The field of the request that is wrong, as a path: `phone`, `body_params[2]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Whether the same request may succeed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// The scope that the caller's key lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_scope: Option<Cow<'static, str>>,
    /// Our id of the message that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Meta's own error object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Value>,
    /// How long to wait before the next try, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// An error with a public side and, where there is one, the internal error that caused it.
///
/// It has no `Display`, so that neither side can slip into the other's place: the edge sends [`Error::public`] and
/// logs [`Error::source_chain`].
#[derive(Debug)]
pub struct Error {
    // Boxed: a Result is as large as its error.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    public: PublicError,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    replayed: bool,
}

impl Error {
    /// An error of `kind` with a message for people.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        PublicError {
            kind,
            message: message.into(),
            code: None,
            field: None,
            retryable: None,
            missing_scope: None,
            message_id: None,
            meta: None,
            retry_after_s: None,
        }
        .into()
    }

    /// A field of the request that the caller must change. `message` names the field and says what it must be.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Invalid, message).code("invalid_field").retryable(false);
        error.inner.public.field = Some(field.into());
        error
    }

    /// No valid API key. Says the same whether the key is absent, unknown, disabled or expired.
    pub fn unauthorized() -> Self {
        Self::new(Kind::Unauthorized, "Unauthorized")
    }

    /// A valid API key without the scope that the request needs.
    pub fn missing_scope(scope: crate::Scope) -> Self {
        let mut error = Self::new(Kind::Forbidden, "Forbidden");
        error.inner.public.missing_scope = Some(Cow::Borrowed(scope.as_str()));
        error
    }

    /// Our storage can't be reached or refuses. Never "not found": an outage must not look like missing data.
    pub fn storage(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Unavailable, "The service can't reach its storage. Nothing was sent. Try again.")
            .code("storage_unavailable")
            .retryable(true)
            .retry_after(Duration::from_secs(1))
            .caused_by(source)
    }

    /// Our own fault. The client learns only that; `source` goes to the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "Internal error").code("internal").caused_by(source)
    }

    /// The stable word for programs.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.inner.public.code = Some(Cow::Borrowed(code));
        self
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.inner.public.retryable = Some(retryable);
        self
    }

    /// How long to wait before the next try; rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.inner.public.retry_after_s = Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        self
    }

    /// The message that this is about.
    #[must_use]
    pub fn about_message(mut self, id: crate::MessageId) -> Self {
        self.inner.public.message_id = Some(id.to_string());
        self
    }

    /// Meta's own error object, for the client to see.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.inner.public.meta = Some(meta);
        self
    }

    /// The internal error behind this one: logged, never sent.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// The answer to an earlier request, given again.
    #[must_use]
    pub fn replayed(mut self) -> Self {
        self.inner.replayed = true;
        self
    }

    /// Whether this is the answer to an earlier request.
    pub fn is_replayed(&self) -> bool {
        self.inner.replayed
    }

    /// What a client may read.
    pub fn public(&self) -> &PublicError {
        &self.inner.public
    }

    /// What went wrong, free of any transport.
    pub fn kind(&self) -> Kind {
        self.inner.public.kind
    }

    /// The internal errors behind this one, outermost first, for the log.
    pub fn source_chain(&self) -> Option<String> {
        let mut next: Option<&dyn std::error::Error> = self.inner.source.as_deref().map(|source| source as _);
        let mut chain: Option<String> = None;
        while let Some(error) = next {
            let text = error.to_string();
            chain = Some(match chain {
                // Many errors repeat their source in their own text.
                Some(chain) if chain.ends_with(&text) => chain,
                Some(chain) => format!("{chain}: {text}"),
                None => text,
            });
            next = error.source();
        }
        chain
    }
}

impl From<PublicError> for Error {
    fn from(public: PublicError) -> Self {
        Self { inner: Box::new(Inner { public, source: None, replayed: false }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_public_side_holds_nothing_of_the_internal_one() {
        let error = Error::storage(Outer(std::io::Error::other("table arn:aws:secret")));
        let public = serde_json::to_string(error.public()).unwrap();
        assert!(!public.contains("arn:aws") && !public.contains("outer"), "{public}");
        assert_eq!(error.source_chain().as_deref(), Some("outer: table arn:aws:secret"));
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        let wait =
            |millis| Error::new(Kind::Throttled, "").retry_after(Duration::from_millis(millis)).public().retry_after_s;
        assert_eq!((wait(0), wait(1), wait(1000), wait(1001)), (Some(0), Some(1), Some(1), Some(2)));
    }

    #[test]
    fn a_stored_error_reads_back_as_it_was() {
        let error = Error::invalid_field("phone", "phone is required").meta(serde_json::json!({"code": 1}));
        let stored = serde_json::to_string(error.public()).unwrap();
        assert_eq!(&serde_json::from_str::<PublicError>(&stored).unwrap(), error.public());
    }
}
