//! What is still on its way to the webhook.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Counts the webhooks that were neither taken nor given up, from the moment when it is known that they will come.
#[derive(Debug, Default)]
pub(crate) struct Pending(Arc<Count>);

/// Counts as one pending webhook for as long as it lives.
#[derive(Debug)]
pub(crate) struct Ticket(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    webhooks: AtomicUsize,
    void: AtomicBool,
}

impl Pending {
    pub(crate) fn ticket(&self) -> Ticket {
        self.0.webhooks.fetch_add(1, Ordering::SeqCst);
        Ticket(Arc::clone(&self.0))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.webhooks.load(Ordering::SeqCst)
    }

    /// From now on nothing is pending: what was concerns what is gone.
    pub(crate) fn reset(&mut self) {
        self.0.void.store(true, Ordering::SeqCst);
        self.0 = Arc::default();
    }
}

impl Ticket {
    /// Whether a reset came in between, so that the webhook need not come any more.
    pub(crate) fn is_void(&self) -> bool {
        self.0.void.load(Ordering::SeqCst)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.webhooks.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::Pending;

    #[test]
    fn a_webhook_is_pending_for_as_long_as_its_ticket_lives_and_none_is_after_a_reset() {
        let mut pending = Pending::default();
        let (taken, waiting) = (pending.ticket(), pending.ticket());
        drop(taken);
        assert_eq!(pending.count(), 1);
        pending.reset();
        let later = pending.ticket();
        assert!(waiting.is_void() && !later.is_void());
        drop(waiting);
        assert_eq!(pending.count(), 1, "an old ticket takes nothing from the new count");
    }
}
