//! The one place that asks what time it is.

use std::time::Instant;

use jiff::Timestamp;

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator stands for the outside world, whose clock is the real one"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// For what is measured rather than dated.
pub(crate) fn instant() -> Instant {
    Instant::now()
}
