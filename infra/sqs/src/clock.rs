//! What time it is: tokio's clock for deadlines, and dated by the system's when the engine started.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) instant: Instant,
    pub(crate) epoch_ms: u128,
}

#[derive(Debug)]
pub(crate) struct Clock {
    start: Moment,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the engine stands for AWS, whose clock is the real one")]
    pub(crate) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Moment { instant: Instant::now(), epoch_ms: since_epoch.as_millis() } }
    }

    pub(crate) fn now(&self) -> Moment {
        let instant = Instant::now();
        let passed = instant.saturating_duration_since(self.start.instant);
        Moment { instant, epoch_ms: self.start.epoch_ms + passed.as_millis() }
    }
}
