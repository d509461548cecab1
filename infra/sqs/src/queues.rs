//! All queues: who finds them, and who waits for their messages.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::errors::Refusal;
use crate::message::{Message, Sent};
use crate::mischief::{Chance, Mischief};
use crate::queue::Queue;
use crate::requests::{NewMessage, Receive};
use crate::settings::{ACCOUNT, Settings};

#[derive(Debug)]
pub(crate) struct Queues {
    base_url: String,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    by_name: BTreeMap<String, Queue>,
    chance: Chance,
    /// Nobody waits any longer.
    is_over: bool,
}

/// What a look into a queue gives.
struct Look {
    messages: Vec<Value>,
    next_visible_at: Option<Instant>,
    is_over: bool,
}

impl Queues {
    /// None yet. Their addresses begin with `base_url`.
    pub(crate) fn new(base_url: &str) -> Self {
        let chance = Chance::new(Mischief::default());
        let state = State { by_name: BTreeMap::new(), chance, is_over: false };
        Self { base_url: base_url.to_owned(), clock: Clock::new(), state: Mutex::new(state) }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.base_url)
    }

    /// Makes a queue. One that is there and just the same is no error.
    pub(crate) fn create(&self, name: &str, settings: Settings) -> Result<(), Refusal> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=80).contains(&name.len()) || !name.chars().all(is_allowed) {
            let problem = "A queue's name has 1 to 80 letters, digits, hyphens and underscores.";
            return Err(Refusal::Parameter(problem.to_owned()));
        }
        let by_name = &mut self.state().by_name;
        if let Some(dead_letters) = &settings.dead_letters
            && !by_name.contains_key(&dead_letters.queue)
        {
            let problem = format!("The queue for dead letters, {}, does not exist.", dead_letters.queue);
            return Err(Refusal::Parameter(problem));
        }
        match by_name.get(name) {
            None => drop(by_name.insert(name.to_owned(), Queue::new(name, settings))),
            Some(queue) if queue.settings == settings => {}
            Some(_) => return Err(Refusal::QueueExists),
        }
        Ok(())
    }

    /// The addresses of all queues, by their names.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.state().by_name.keys().map(|name| self.url(name)).collect()
    }

    /// Does something with a queue.
    pub(crate) fn on<T>(
        &self,
        name: &str,
        act: impl FnOnce(&mut Queue, Instant) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        act(self.state().by_name.get_mut(name).ok_or(Refusal::NoSuchQueue)?, Instant::now())
    }

    pub(crate) fn send(&self, name: &str, new: NewMessage) -> Result<Sent, Refusal> {
        let state = &mut *self.state();
        let queue = state.by_name.get_mut(name).ok_or(Refusal::NoSuchQueue)?;
        Ok(queue.send(new, &mut state.chance, self.clock.now()))
    }

    /// Receives messages, and waits for one if it is to. Whoever gives up waiting takes none.
    pub(crate) async fn receive(&self, name: &str, receive: &Receive) -> Result<Vec<Value>, Refusal> {
        let (changed, wait) =
            self.on(name, |queue, _| Ok((Arc::clone(queue.changed()), queue.settings.receive_wait)))?;
        let deadline = Instant::now() + receive.wait.unwrap_or(wait);
        loop {
            // It listens before it looks: nothing happens unnoticed in between.
            let mut change = pin!(changed.notified());
            change.as_mut().enable();
            let Look { messages, next_visible_at, is_over } = self.look(name, receive)?;
            if !messages.is_empty() || is_over || Instant::now() >= deadline {
                return Ok(messages);
            }
            tokio::select! {
                () = change => {}
                () = sleep_until(next_visible_at.map_or(deadline, |next| next.min(deadline))) => {}
            }
        }
    }

    fn look(&self, name: &str, receive: &Receive) -> Result<Look, Refusal> {
        let State { by_name, chance, is_over } = &mut *self.state();
        let now = self.clock.now();
        bury_dead(by_name, name, now.instant);
        let queue = by_name.get_mut(name).ok_or(Refusal::NoSuchQueue)?;
        let messages = queue.receive(receive, chance, now);
        Ok(Look { messages, next_visible_at: queue.next_visible_at(), is_over: *is_over })
    }

    /// Those who wait for a message are told that there is none, now and from now on.
    pub(crate) fn end_polls(&self) {
        let mut state = self.state();
        state.is_over = true;
        state.by_name.values().for_each(|queue| queue.changed().notify_waiters());
    }

    pub(crate) fn set_mischief(&self, mischief: Mischief) {
        self.state().chance = Chance::new(mischief);
    }

    pub(crate) fn bodies(&self, name: &str) -> Vec<String> {
        let state = self.state();
        let messages = state.by_name.get(name).map_or(&[][..], Queue::messages);
        messages.iter().map(|message| message.body().to_owned()).collect()
    }

    pub(crate) fn is_idle(&self, name: &str) -> bool {
        let now = Instant::now();
        let is_busy = |message: &Message| message.is_visible(now) || message.is_in_flight(now);
        self.state().by_name.get(name).is_some_and(|queue| !queue.messages().iter().any(is_busy))
    }

    /// What was there stays as it was, whatever became of who had it last.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves what was received too often to the queue for it.
fn bury_dead(by_name: &mut BTreeMap<String, Queue>, name: &str, now: Instant) {
    let Some(queue) = by_name.get_mut(name) else { return };
    let Some(target) = queue.settings.dead_letters.as_ref().map(|dead_letters| dead_letters.queue.clone()) else {
        return;
    };
    let dead = queue.take_dead(now);
    // It is there: no queue is made without it, and none is ever removed.
    if let Some(target) = by_name.get_mut(&target) {
        target.bury(dead);
    }
}
