//! The log: JSON lines on standard output, where Lambda collects them.
//!
//! One line a request, from within a span that carries the route, the request's id and, once known, the id of the API
//! key. Never in a line: a key, a token, a message's text, a whole event, a whole phone number.

/// Starts logging for the whole process.
pub(crate) fn start() {
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_span_list(false).with_target(false);
    // A second start, in a test, changes nothing.
    let _ = tracing::subscriber::set_global_default(subscriber.finish());
}
