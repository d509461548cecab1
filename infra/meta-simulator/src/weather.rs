//! How untidily webhooks arrive. Meta promises neither order, nor that each comes once, nor that each comes alone.

use serde::Serialize;

/// What befalls the webhooks on their way. Each trouble is chosen by itself; by default there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "four troubles that are chosen independently of each other")]
pub struct Weather {
    /// Every other status of a message arrives after the next one: delivered, sent, read.
    pub late: bool,
    /// Each call that was taken comes once more, byte for byte.
    pub doubled: bool,
    /// A message's statuses arrive backwards: read, delivered, sent.
    pub shuffled: bool,
    /// What falls due within the status delay (at least 100 ms) comes in one call, with
    /// [`Settings::batch_size`](crate::Settings::batch_size) changes at most.
    pub batched: bool,
}

impl Weather {
    /// Every trouble at once.
    pub const fn stormy() -> Self {
        Self { late: true, doubled: true, shuffled: true, batched: true }
    }

    /// Whether the status at this position still waits for a later one. Those that waited leave backwards.
    pub(crate) const fn holds_back(self, position: usize, of: usize) -> bool {
        let is_last = position + 1 >= of;
        !is_last && (self.shuffled || (self.late && position.is_multiple_of(2)))
    }
}
