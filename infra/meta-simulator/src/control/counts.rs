//! How often each phone was written to, and in all.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Serialize, Serializer};

use crate::counts::{Digits, Totals};
use crate::world::World;

#[derive(Serialize)]
pub(super) struct Told {
    totals: Totals,
    webhooks_pending: usize,
    posts: ByPhone,
    accepted: ByPhone,
}

/// An object with the phones' numbers as its members' names, in their order.
struct ByPhone(Vec<(Digits, u32)>);

impl Serialize for ByPhone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(phone, count)| (phone, count)))
    }
}

pub(super) async fn tell(State(world): State<Arc<World>>) -> Json<Told> {
    // Copied while the world waits, put in order and written down while it goes on.
    let mut told = {
        let state = world.lock();
        Told {
            totals: state.counts.totals(),
            webhooks_pending: state.pending.count(),
            posts: ByPhone(state.counts.posts()),
            accepted: ByPhone(state.counts.accepted()),
        }
    };
    told.posts.0.sort_unstable();
    told.accepted.0.sort_unstable();
    Json(told)
}
