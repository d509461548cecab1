//! The log: JSON lines on standard output, where Lambda collects them.
//!
//! One line a request, from within a span that carries the route, the request's id and, once known, the id of the API
//! key; one a run of a scheduled task; and one a batch of messages from a queue. Never in a line: a key, a token, a message's text, a whole event, a whole phone
//! number.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

/// Starts logging for the whole process.
pub(crate) fn start() {
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false).with_target(false);
    // The runtime's own line about a failed run would be a second one.
    let ours =
        Targets::new().with_default(LevelFilter::INFO).with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    // A second start, in a test, changes nothing.
    let _ = tracing::subscriber::set_global_default(subscriber.finish().with(ours));
}
