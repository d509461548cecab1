//! The pages, and the stream of events that keeps the one of the phones up to date.

mod arrivals;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{Stream, stream};
use http::{HeaderMap, header};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::newest::Newest;
use crate::phones::Kept;
use crate::settings::Account;
use crate::world::{State as WorldState, World};

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/// As many phones as a page gets when it opens, those that were active last.
const PHONES_SHOWN: usize = 100;
/// As many of a phone's messages.
const MESSAGES_SHOWN: usize = 50;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/", get(async || file("text/html; charset=utf-8", include_str!("page/index.html"))))
        .route("/page.css", get(async || file("text/css; charset=utf-8", include_str!("page/page.css"))))
        .route("/page.js", get(async || file("text/javascript; charset=utf-8", include_str!("page/page.js"))))
        .route("/icon.svg", get(async || file("image/svg+xml", include_str!("page/icon.svg"))))
        .route("/elements.js", get(async || file("text/javascript; charset=utf-8", include_str!("page/elements.js"))))
        .route("/events", get(events))
        .merge(arrivals::routes())
}

fn file(kind: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}

/// The last events, numbered, so that a page that lost its connection gets exactly what it missed.
pub(crate) struct Journal {
    /// Tells this run's numbers from those of a simulator that ran before on the same port.
    run: u32,
    events: Newest<(u64, &'static str, String)>,
    newest: watch::Sender<u64>,
    /// Whether a page was ever open. Before that nobody can miss anything, and a campaign need not be written down.
    is_read: bool,
}

impl Journal {
    pub(crate) fn new() -> Self {
        let events = Newest::new(5_000, 16 * 1024 * 1024);
        Self { run: rand::random(), events, newest: watch::Sender::new(0), is_read: false }
    }

    pub(crate) fn push(&mut self, name: &'static str, data: &impl Serialize) {
        if !self.is_read {
            return;
        }
        let number = *self.newest.borrow() + 1;
        // What is pushed is plain data with text keys, which always becomes JSON.
        let data = serde_json::to_string(data).unwrap_or_default();
        let weight = data.len() + 64;
        self.events.push((number, name, data), weight);
        self.newest.send_replace(number);
    }

    fn event(&self, number: u64, name: &str, data: &str) -> Event {
        Event::default().id(format!("{}-{number}", self.run)).event(name).data(data)
    }

    /// The events after `number`; `None` when some of them are gone.
    fn after(&self, number: u64) -> Option<Vec<Event>> {
        let newest = *self.newest.borrow();
        // Each event's number is one more than that of the event before.
        let first = self.events.iter().next().map_or(newest + 1, |(first, ..)| *first);
        if number > newest || first > number + 1 {
            return None;
        }
        let seen = usize::try_from(number + 1 - first).unwrap_or(usize::MAX);
        Some(self.events.behind(seen).map(|(number, name, data)| self.event(*number, name, data)).collect())
    }

    /// The number in an id of this run.
    fn number_of(&self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        (run.parse() == Ok(self.run)).then(|| number.parse().ok()).flatten()
    }
}

/// Where one page stands in the stream.
struct Reader {
    world: Arc<World>,
    newest: watch::Receiver<u64>,
    /// The last event that the page has; `None` before its first.
    seen: Option<u64>,
}

async fn events(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let (newest, seen) = {
        let mut state = world.lock();
        state.journal.is_read = true;
        (state.journal.newest.subscribe(), last_id.and_then(|id| state.journal.number_of(id)))
    };
    let reader = Reader { world, newest, seen };
    let batches = stream::unfold(reader, async |mut reader| Some((reader.next_batch().await?, reader)));
    let events = futures::StreamExt::flat_map(batches, |batch| stream::iter(batch.into_iter().map(Ok)));
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl Reader {
    /// The events that the page lacks, as soon as there are any. `None` when the simulator is gone.
    async fn next_batch(&mut self) -> Option<Vec<Event>> {
        loop {
            let batch = self.missed();
            if !batch.is_empty() {
                return Some(batch);
            }
            self.newest.changed().await.ok()?;
        }
    }

    fn missed(&mut self) -> Vec<Event> {
        let state = self.world.lock();
        let newest = *self.newest.borrow_and_update();
        let missed = self.seen.and_then(|seen| state.journal.after(seen));
        self.seen = Some(newest);
        missed.unwrap_or_else(|| {
            // Plain data with text keys once more.
            let snapshot = serde_json::to_string(&Snapshot::of(&self.world, &state)).unwrap_or_default();
            vec![state.journal.event(newest, "snapshot", &snapshot)]
        })
    }
}

/// Everything the page shows, for one that opens or that missed too much.
#[derive(Serialize)]
struct Snapshot<'a> {
    account: Value,
    messages: Vec<&'a Kept>,
    notices: Vec<&'a Value>,
    webhook: Option<&'a str>,
}

impl<'a> Snapshot<'a> {
    fn of(world: &World, state: &'a WorldState) -> Self {
        let phones: Vec<_> = state.phones.newest().take(PHONES_SHOWN).collect();
        let messages = phones.into_iter().rev().flat_map(|(_, phone)| {
            let skipped = phone.messages.len().saturating_sub(MESSAGES_SHOWN);
            phone.messages.range(skipped..)
        });
        Self {
            account: account(world),
            messages: messages.collect(),
            notices: state.notices.iter().collect(),
            webhook: state.webhook_url.as_ref().map(url::Url::as_str),
        }
    }
}

/// The account of the command that a page shows. A token that somebody configured may be a real one, and is not shown.
fn account(world: &World) -> Value {
    let built_in = |account: &&Account| account.access_token == crate::ACCESS_TOKEN;
    let account = world.settings.accounts.iter().find(built_in);
    json!(account.map(|account| json!({ "number": account.phone_number_id, "token": account.access_token })))
}
