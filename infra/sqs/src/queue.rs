//! One queue, and what may be done with its messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock::Moment;
use crate::errors::Refusal;
use crate::message::{Message, Receipt, Sent};
use crate::mischief::Chance;
use crate::requests::{Change, NewMessage, Receive};
use crate::settings::{Settings, arn};

#[derive(Debug)]
pub(crate) struct Queue {
    arn: String,
    pub(crate) settings: Settings,
    /// In the order in which they came.
    messages: Vec<Message>,
    /// Rouses those who wait: something may be visible now, or sooner than it was.
    changed: Arc<Notify>,
}

impl Queue {
    pub(crate) fn new(name: &str, settings: Settings) -> Self {
        Self { arn: arn(name), settings, messages: Vec::new(), changed: Arc::new(Notify::new()) }
    }

    pub(crate) fn changed(&self) -> &Arc<Notify> {
        &self.changed
    }

    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub(crate) fn send(&mut self, new: NewMessage, chance: &mut Chance, now: Moment) -> Sent {
        let message = Message::new(new.body, new.delay.unwrap_or(self.settings.delay), now);
        let sent = message.sent().clone();
        for _ in 1..chance.copies() {
            self.messages.push(message.clone());
        }
        self.messages.push(message);
        self.changed.notify_waiters();
        sent
    }

    /// Hands out what can be received. Those that were received too often are gone by then: [`Self::take_dead`].
    pub(crate) fn receive(&mut self, receive: &Receive, chance: &mut Chance, now: Moment) -> Vec<Value> {
        let hidden_for = receive.visibility_timeout.unwrap_or(self.settings.visibility_timeout);
        let mut visible: Vec<_> = self.messages.iter_mut().filter(|message| message.is_visible(now.instant)).collect();
        chance.arrange(&mut visible);
        let received = visible.into_iter().take(receive.most);
        received.map(|message| message.receive(hidden_for, &receive.attributes, now)).collect()
    }

    /// The next time at which a message can be received.
    pub(crate) fn next_visible_at(&self) -> Option<Instant> {
        self.messages.iter().map(Message::visible_at).min()
    }

    /// Takes out what would be received once too often.
    pub(crate) fn take_dead(&mut self, now: Instant) -> Vec<Message> {
        let Some(dead_letters) = &self.settings.dead_letters else { return Vec::new() };
        let is_dead = |message: &mut Message| {
            message.is_visible(now) && message.times_received() >= dead_letters.max_receive_count
        };
        self.messages.extract_if(.., is_dead).map(|message| message.die_in(&self.arn)).collect()
    }

    /// Takes in what was received too often elsewhere.
    pub(crate) fn bury(&mut self, dead: Vec<Message>) {
        if !dead.is_empty() {
            self.messages.extend(dead);
            self.changed.notify_waiters();
        }
    }

    /// An older receipt, or that of a message that is gone, is no error to AWS, and deletes nothing.
    pub(crate) fn delete(&mut self, receipt: Receipt) {
        self.messages.retain(|message| !message.is_of(receipt));
    }

    pub(crate) fn purge(&mut self) {
        self.messages.clear();
    }

    pub(crate) fn change_visibility(&mut self, change: &Change, now: Instant) -> Result<(), Refusal> {
        let in_flight = self.messages.iter_mut().filter(|message| message.is_in_flight(now));
        let mut meant = in_flight.filter(|message| message.is_of(change.receipt));
        meant.next().ok_or(Refusal::NotInFlight)?.hide_until(now + change.visibility_timeout);
        self.changed.notify_waiters();
        Ok(())
    }

    pub(crate) fn attributes(&self, now: Instant) -> BTreeMap<&'static str, String> {
        let count = |is_counted: &dyn Fn(&Message) -> bool| {
            self.messages.iter().filter(|message| is_counted(message)).count().to_string()
        };
        let is_delayed = |message: &Message| !message.is_visible(now) && !message.is_in_flight(now);
        let mut attributes = self.settings.tell();
        attributes.insert("QueueArn", self.arn.clone());
        attributes.insert("ApproximateNumberOfMessages", count(&|message| message.is_visible(now)));
        attributes.insert("ApproximateNumberOfMessagesNotVisible", count(&|message| message.is_in_flight(now)));
        attributes.insert("ApproximateNumberOfMessagesDelayed", count(&is_delayed));
        attributes
    }
}
