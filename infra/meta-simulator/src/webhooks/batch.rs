//! Changes that wait to leave together.

use std::sync::Arc;
use std::time::Duration;

use super::{Outgoing, delivery};
use crate::world::World;

/// Without a status delay everything happens at once, and would yet leave one by one.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(crate) struct Batch {
    changes: Vec<Outgoing>,
    /// Grows with every batch that left, so that the wait of a full one doesn't end the next one early.
    number: u64,
}

impl Batch {
    /// What waited; from now on the next batch is gathered.
    pub(crate) fn take(&mut self) -> Vec<Outgoing> {
        self.number += 1;
        std::mem::take(&mut self.changes)
    }
}

/// Keeps a change until enough others came, or time is up.
pub(super) fn hold(world: &Arc<World>, change: Outgoing) {
    let mut state = world.lock();
    // A reset that came just now emptied the batch, and this must not be the first of the next one.
    if change.ticket.is_void() {
        return;
    }
    state.batch.changes.push(change);
    let number = state.batch.number;
    let full = state.batch.changes.len() >= world.settings.batch_size;
    let full = if full { state.batch.take() } else { Vec::new() };
    let is_first = state.batch.changes.len() == 1;
    drop(state);
    let task_world = Arc::clone(world);
    if is_first {
        world.tasks.spawn(async move {
            tokio::time::sleep(task_world.settings.status_delay.max(SHORTEST_WAIT)).await;
            let due = {
                let mut state = task_world.lock();
                if state.batch.number == number { state.batch.take() } else { Vec::new() }
            };
            delivery::deliver(&task_world, due).await;
        });
    } else if !full.is_empty() {
        world.tasks.spawn(async move { delivery::deliver(&task_world, full).await });
    }
}
