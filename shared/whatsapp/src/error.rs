//! What a call can come to, other than success.

use std::fmt;
use std::time::Duration;

use crate::graph_error::GraphError;

/// What became of a call that did not succeed, told by what the caller can do about it.
///
/// `Display` and `Debug` hold no token, no phone number, no URL and no message text. Where Meta said something, its words
/// are in [`graph`](Self::graph).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// DNS, TCP or TLS failed, or no connection came about in two seconds: Meta never saw the request.
    #[error("Meta could not be reached")]
    NotReached(#[source] reqwest::Error),
    /// Too many calls, for this number, this recipient, this account or this app; Meta did not act. The same request may
    /// pass later.
    #[error("Meta throttles the caller ({0})")]
    Throttled(Throttle),
    /// The access token is expired, revoked or wrong.
    #[error("Meta does not accept the access token ({0})")]
    Unauthorized(Box<GraphError>),
    /// The token or the app lacks a permission.
    #[error("Meta denies the permission ({0})")]
    Forbidden(Box<GraphError>),
    /// The business account is restricted, disabled or locked.
    #[error("Meta restricts the business account ({0})")]
    Restricted(Box<GraphError>),
    /// Meta will not do this: the caller must change the request, or something about the account or the recipient, before
    /// it makes sense to ask again.
    #[error("Meta refuses the request ({0})")]
    Refused(Box<GraphError>),
    /// Meta says, in its own JSON, that it failed. Presumably nothing was done.
    #[error("Meta is unable to answer ({0})")]
    Unavailable(Box<GraphError>),
    /// The request was sent, or may have been, and what came back doesn't tell whether Meta acted on it. **A message may
    /// have been sent**: repeating the call can send it twice, since Meta has no idempotency key.
    #[error("it is unknown whether Meta acted on the request")]
    OutcomeUnknown(#[source] WhyUnknown),
    /// A refusal (4xx) that doesn't come from Meta's application, but from something before it.
    #[error("the request was refused with status {status}, not in Meta's words")]
    Unreadable {
        /// The status of the HTTP answer.
        status: u16,
    },
    /// Refused here, before any request, for this reason.
    #[error("the call is not valid: {0}")]
    Invalid(&'static str),
}

/// What Meta says of a throttle.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttle {
    /// Meta's error; absent if the answer was a bare 429.
    pub graph: Option<Box<GraphError>>,
    /// How long to wait, where Meta says so: from `Retry-After`, else from `X-Business-Use-Case-Usage`.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.graph {
            Some(graph) => graph.fmt(f),
            None => f.write_str("status 429"),
        }
    }
}

/// Why it is unknown what became of a request.
#[derive(Debug, thiserror::Error)]
pub enum WhyUnknown {
    /// No complete answer came in time.
    #[error("no answer in time")]
    TimedOut(#[source] reqwest::Error),
    /// The connection broke after the request had begun, or the answer broke off.
    #[error("the connection was lost")]
    ConnectionLost(#[source] reqwest::Error),
    /// The answer was longer than 1 MB, which no answer of Meta is.
    #[error("the answer is too long")]
    AnswerTooLong,
    /// A server error or a redirect, without an error object of Meta.
    #[error("status {status} without Meta's explanation")]
    NotFromMeta {
        /// The status of the HTTP answer.
        status: u16,
    },
    /// A success whose body isn't what a success looks like.
    #[error("status {status} with an answer that is not understood")]
    NotUnderstood {
        /// The status of the HTTP answer.
        status: u16,
    },
    /// A list that does not come to an end.
    #[error("the list does not end")]
    EndlessList,
}

impl Error {
    /// Whether it is certain that Meta did not act on the request: nothing was sent or changed.
    ///
    /// Not so for [`OutcomeUnknown`](Self::OutcomeUnknown), nor for [`Unavailable`](Self::Unavailable), where it is only
    /// likely.
    pub fn surely_not_sent(&self) -> bool {
        match self {
            Self::NotReached(_)
            | Self::Throttled(_)
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::Restricted(_)
            | Self::Refused(_)
            | Self::Unreadable { .. }
            | Self::Invalid(_) => true,
            Self::Unavailable(_) | Self::OutcomeUnknown(_) => false,
        }
    }

    /// Whether the very same request may pass later, with nothing changed by the caller.
    ///
    /// A program that repeats a send by itself should also ask for [`surely_not_sent`](Self::surely_not_sent).
    pub fn retryable(&self) -> bool {
        match self {
            Self::NotReached(_) | Self::Throttled(_) | Self::Unavailable(_) => true,
            Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::Restricted(_)
            | Self::Refused(_)
            | Self::OutcomeUnknown(_)
            | Self::Unreadable { .. }
            | Self::Invalid(_) => false,
        }
    }

    /// Meta's error object, where there is one.
    pub fn graph(&self) -> Option<&GraphError> {
        match self {
            Self::Throttled(throttle) => throttle.graph.as_deref(),
            Self::Unauthorized(graph)
            | Self::Forbidden(graph)
            | Self::Restricted(graph)
            | Self::Refused(graph)
            | Self::Unavailable(graph) => Some(graph),
            Self::NotReached(_) | Self::OutcomeUnknown(_) | Self::Unreadable { .. } | Self::Invalid(_) => None,
        }
    }

    /// How long Meta asks to wait, where it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled(throttle) => throttle.retry_after,
            _ => None,
        }
    }

    pub(crate) fn from_transport(error: reqwest::Error) -> Self {
        // The URL goes: it names the account. What remains says which step failed.
        let error = error.without_url();
        if error.is_builder() {
            Self::Invalid("the request cannot be written as HTTP: look at the access token and the media type")
        } else if error.is_connect() {
            Self::NotReached(error)
        } else if error.is_timeout() {
            Self::OutcomeUnknown(WhyUnknown::TimedOut(error))
        } else {
            Self::OutcomeUnknown(WhyUnknown::ConnectionLost(error))
        }
    }
}
