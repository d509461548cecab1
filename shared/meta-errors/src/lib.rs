//! What a failed call to Meta means for the client: the one table from Meta's codes (Meta's page "Error codes") to ours.
//!
//! Meta's codes mean the same whatever was asked of it. What differs are our words where Meta has none, and what it means
//! that Meta did not answer: a message may have been sent, while blocking somebody twice is blocking them.

mod advice;

use std::time::Duration;

use domain::{Error, Kind};
use whatsapp::GraphError;

pub use advice::{Advice, advice};

/// What was asked of Meta, in the words of its failures.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// No connection came about.
    pub not_reached: &'static str,
    /// Meta throttles, and says no more about it.
    pub throttled: &'static str,
    /// Meta refuses, and does not say why.
    pub refused: &'static str,
    /// Meta did not say what became of it.
    pub unknown: fn() -> Error,
}

/// Turns what became of a call to Meta into what the client reads. Meta's 401 and 403 never become the client's own: its
/// API key is fine.
pub fn to_domain(error: whatsapp::Error, asked: &Asked) -> Error {
    use whatsapp::Error as Meta;

    let retry_after = error.retry_after();
    let (kind, code) = match &error {
        Meta::OutcomeUnknown(_) => return (asked.unknown)().caused_by(error),
        Meta::NotReached(_) => (Kind::Unavailable, "upstream_unreachable"),
        Meta::Throttled(_) => (Kind::Throttled, "rate_limited"),
        Meta::Unauthorized(_) => (Kind::UpstreamFailed, "upstream_auth"),
        Meta::Forbidden(_) => (Kind::UpstreamFailed, "upstream_permission"),
        Meta::Restricted(_) => (Kind::UpstreamFailed, "account_restricted"),
        Meta::Refused(graph) => refused(graph),
        // "Bad request or server fault", says Meta of it.
        Meta::Unavailable(graph) if graph.code == 1 => (Kind::UpstreamFailed, "upstream_failed"),
        Meta::Unavailable(_) => (Kind::UpstreamUnavailable, "upstream_unavailable"),
        Meta::Unreadable { .. } => (Kind::UpstreamFailed, "upstream_failed"),
        Meta::Invalid(_) => (Kind::Internal, "internal"),
    };
    let mut public = Error::new(kind, words(&error, asked)).code(code).retryable(error.retryable());
    // A bare status has no object of Meta's.
    if let Some(graph) = error.graph().filter(|graph| !graph.raw.is_null()) {
        public = public.meta(graph.raw.clone());
    }
    match kind {
        Kind::Throttled => public = public.retry_after(retry_after.unwrap_or_else(|| usual_wait(error.graph()))),
        Kind::Unavailable | Kind::UpstreamUnavailable => public = public.retry_after(Duration::from_secs(1)),
        _ => {}
    }
    public.caused_by(error)
}

/// Meta's own words where there are any, as the reference shows them.
fn words(error: &whatsapp::Error, asked: &Asked) -> String {
    use whatsapp::Error as Meta;

    if let Some(words) = error.graph().map(GraphError::words).filter(|words| !words.is_empty()) {
        return words;
    }
    let ours = match error {
        Meta::NotReached(_) => asked.not_reached,
        Meta::Throttled(_) => asked.throttled,
        Meta::Invalid(_) => "Internal error",
        _ => asked.refused,
    };
    ours.to_owned()
}

/// A refusal that the caller can mend by another request, or one that only whoever runs the account can.
const fn refused(graph: &GraphError) -> (Kind, &'static str) {
    const CALLER: Kind = Kind::Invalid;
    const OPERATOR: Kind = Kind::UpstreamFailed;
    match graph.code {
        // The number that sends does not exist, or is not the token's.
        33 => (OPERATOR, "sender_not_found"),
        100 if matches!(graph.subcode, Some(33)) => (OPERATOR, "sender_not_found"),
        131_042 | 131_044 => (OPERATOR, "payment_required"),
        131_045 | 133_000..=133_015 => (OPERATOR, "sender_not_registered"),
        131_037 | 131_063 | 134_011 | 134_102 => (OPERATOR, "sender_not_ready"),
        130_403 => (CALLER, "recipient_blocked"),
        130_497 => (CALLER, "country_restricted"),
        131_021 => (CALLER, "recipient_is_sender"),
        131_026 => (CALLER, "undeliverable"),
        131_030 => (CALLER, "recipient_not_allowed"),
        131_047 => (CALLER, "window_closed"),
        131_049 => (CALLER, "marketing_limited"),
        131_050 => (CALLER, "opted_out"),
        132_001 => (CALLER, "template_not_found"),
        132_000 | 132_005 | 132_008 | 132_012 | 132_018 => (CALLER, "template_parameters"),
        132_007 => (CALLER, "template_policy"),
        132_015 => (CALLER, "template_paused"),
        132_016 => (CALLER, "template_disabled"),
        // Parameters, media, groups, Flows, calls, blocking, usernames.
        100
        | 130_472
        | 131_008
        | 131_009
        | 131_020
        | 131_041
        | 131_051..=131_053
        | 131_055
        | 131_059
        | 131_062
        | 131_201..=131_215
        | 132_068
        | 134_100
        | 137_000
        | 138_000..=138_018
        | 139_000..=139_004
        | 139_100
        | 139_101
        | 147_001..=147_005
        | 1_752_041 => (CALLER, "refused"),
        _ => (OPERATOR, NOT_EXPLAINED),
    }
}

/// The code of a refusal of which nobody knows who can mend it: 135000, which says nothing, and codes that Meta has added since.
pub const NOT_EXPLAINED: &str = "upstream_failed";

/// How long a throttle lasts when Meta does not say (Meta: "Throughput", "Pair rate limits").
pub fn usual_wait(graph: Option<&GraphError>) -> Duration {
    let seconds = match graph.map(|graph| graph.code) {
        // Messages a second of the sending number.
        Some(130_429) => 1,
        // One message in 6 seconds to one recipient.
        Some(131_056) => 6,
        // The sending number's quality.
        Some(131_048 | 131_064) => 3600,
        // Calls of the app or the account, counted over minutes.
        _ => 60,
    };
    Duration::from_secs(seconds)
}
