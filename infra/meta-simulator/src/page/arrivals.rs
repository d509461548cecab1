//! The page that shows a campaign arriving. It gets a summary now and then, never an event for each message.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures::{Stream, stream};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::file;
use crate::arrivals::Summary;
use crate::world::World;

/// From one summary to the next.
const PACE: Duration = Duration::from_millis(250);

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/arrivals", get(async || file("text/html; charset=utf-8", include_str!("arrivals.html"))))
        .route("/arrivals.css", get(async || file("text/css; charset=utf-8", include_str!("arrivals.css"))))
        .route("/arrivals.js", get(async || file("text/javascript; charset=utf-8", include_str!("arrivals.js"))))
        .route("/arrivals/events", get(events))
}

/// What one page has.
struct Reader {
    world: Arc<World>,
    pace: Interval,
    told: String,
}

async fn events(State(world): State<Arc<World>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let account = Event::default().event("account").data(super::account(&world).to_string());
    let reader = Reader { world, pace, told: String::new() };
    let summaries = stream::unfold(reader, async |mut reader| {
        let summary = Event::default().event("arrivals").data(reader.next().await);
        Some((Ok(summary), reader))
    });
    let events = futures::StreamExt::chain(stream::iter([Ok(account)]), summaries);
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl Reader {
    /// The next summary that differs from the last one.
    async fn next(&mut self) -> String {
        loop {
            self.pace.tick().await;
            let summary = Summary::of(&self.world.lock());
            // What it holds is plain data with text keys, which always becomes JSON.
            let summary = serde_json::to_string(&summary).unwrap_or_default();
            if summary != self.told {
                self.told.clone_from(&summary);
                return summary;
            }
        }
    }
}
