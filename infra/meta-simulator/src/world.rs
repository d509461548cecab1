//! Everything the simulator knows, behind one lock that is never held over an await.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use crate::arrivals::Arrivals;
use crate::clock;
use crate::counts::Counts;
use crate::customers::{NotSent, Stopped};
use crate::faults::ArmedFaults;
use crate::graph::block_users::BlockList;
use crate::graph::media::Media;
use crate::graph::templates::Template;
use crate::limits::Limits;
use crate::newest::Newest;
use crate::page::Journal;
use crate::pending::Pending;
use crate::phones::Phones;
use crate::requests::RecordedRequest;
use crate::settings::{Account, Settings};
use crate::weather::Weather;
use crate::webhooks::{self, Batch};

const MEBIBYTE: usize = 1024 * 1024;
const NOTICES: usize = 100;

pub(crate) struct World {
    pub(crate) settings: Settings,
    /// Where this simulator really listens.
    pub(crate) address: SocketAddr,
    pub(crate) webhook_client: webhooks::Client,
    pub(crate) tasks: Tasks,
    /// Tells every open connection to end as soon as it is idle.
    pub(crate) hang_up: watch::Sender<()>,
    state: Mutex<State>,
    next_id: AtomicU64,
}

pub(crate) struct State {
    pub(crate) webhook_url: Option<Url>,
    pub(crate) requests: Newest<Arc<RecordedRequest>>,
    pub(crate) phones: Phones,
    pub(crate) counts: Counts,
    pub(crate) arrivals: Arrivals,
    pub(crate) limits: Limits,
    pub(crate) faults: ArmedFaults,
    pub(crate) blocked: BlockList,
    pub(crate) stopped: Stopped,
    pub(crate) weather: Weather,
    /// Webhooks that wait to leave together.
    pub(crate) batch: Batch,
    pub(crate) pending: Pending,
    pub(crate) media: Newest<Arc<Media>>,
    pub(crate) templates: Vec<Template>,
    /// What went wrong lately, for the page.
    pub(crate) notices: Newest<Value>,
    pub(crate) journal: Journal,
}

impl World {
    pub(crate) fn new(settings: Settings, address: SocketAddr, webhook_client: webhooks::Client) -> Self {
        let state = State {
            webhook_url: settings.webhook_url.clone(),
            requests: Newest::new(10_000, 256 * MEBIBYTE),
            phones: Phones::default(),
            counts: Counts::default(),
            arrivals: Arrivals::default(),
            limits: settings.limits(),
            faults: ArmedFaults::default(),
            blocked: BlockList::default(),
            stopped: Stopped::default(),
            weather: settings.weather,
            batch: Batch::default(),
            pending: Pending::default(),
            media: Newest::new(1_000, 256 * MEBIBYTE),
            templates: crate::graph::templates::built_in(&settings.accounts),
            notices: Newest::new(NOTICES, MEBIBYTE),
            journal: Journal::new(),
        };
        Self {
            settings,
            address,
            webhook_client,
            tasks: Tasks::default(),
            hang_up: watch::Sender::new(()),
            state: Mutex::new(state),
            next_id: AtomicU64::new(1),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here panics halfway through a change, so a poisoned state is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account with this phone number id; without one, the first account.
    pub(crate) fn account(&self, phone_number_id: Option<&str>) -> Result<&Account, NotSent> {
        let account = match phone_number_id {
            Some(id) => self.account_of_number(id),
            None => self.settings.accounts.first(),
        };
        account.ok_or(NotSent::NoSuchAccount)
    }

    pub(crate) fn account_of_number(&self, phone_number_id: &str) -> Option<&Account> {
        self.settings.accounts.iter().find(|account| account.phone_number_id == phone_number_id)
    }

    pub(crate) fn account_of_waba(&self, waba_id: &str) -> Option<&Account> {
        self.settings.accounts.iter().find(|account| account.waba_id == waba_id)
    }

    /// A 16-digit id as media and templates have.
    pub(crate) fn numeric_id(&self) -> String {
        (1_500_000_000_000_000 + self.next_id.fetch_add(1, Ordering::Relaxed) * 7_919).to_string()
    }

    /// Back to how it was at the start. Ids go on counting, so that an old one never means something new.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.requests.clear();
        // Many phones take a while to go, and nobody need wait for them.
        let phones = std::mem::take(&mut state.phones);
        state.counts = Counts::default();
        state.arrivals = Arrivals::default();
        state.limits = self.settings.limits();
        state.faults = ArmedFaults::default();
        state.blocked = BlockList::default();
        state.stopped = Stopped::default();
        state.weather = self.settings.weather;
        // What waited concerns what is gone.
        drop(state.batch.take());
        state.pending.reset();
        state.media.clear();
        state.templates = crate::graph::templates::built_in(&self.settings.accounts);
        state.notices.clear();
        state.journal.push("reset", &json!({}));
        drop(state);
        drop(phones);
    }
}

impl State {
    pub(crate) fn set_webhook_url(&mut self, url: Option<Url>) {
        self.journal.push("webhook", &json!({ "webhook": url.as_ref().map(Url::as_str) }));
        self.webhook_url = url;
    }

    /// Puts a line on the page's strip of failures.
    pub(crate) fn notice(&mut self, text: &str) {
        let notice = json!({ "at": clock::now(), "text": text });
        self.journal.push("notice", &notice);
        let weight = text.len();
        self.notices.push(notice, weight);
    }
}

/// The background tasks, so that a dropped simulator leaves none behind.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<Running>);

#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    stopped: bool,
}

impl Tasks {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while running.tasks.try_join_next().is_some() {}
        if !running.stopped {
            running.tasks.spawn(task);
        }
    }

    pub(crate) fn stop(&self) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.stopped = true;
        running.tasks.abort_all();
    }
}
