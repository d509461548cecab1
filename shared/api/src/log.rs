//! The log: JSON lines on standard output, where Lambda collects them.
//!
//! One line a request, from within a span that carries the route, the request's id and, once known, the id of the API
//! key. Never in a line: a key, a token, a message's text, a whole event, a whole phone number.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

/// What is logged: our own lines. The AWS SDK warns of every condition that does not hold, which here is everyday
/// business; what really fails is in our own line, with its cause.
pub fn log_filter() -> Targets {
    Targets::new().with_default(LevelFilter::INFO).with_target("aws_", LevelFilter::OFF)
}

/// Starts logging for the whole process.
pub(crate) fn start() {
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false).with_target(false);
    // A second start, in a test, changes nothing.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(log_filter()).with(lines));
}
