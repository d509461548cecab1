//! One message: whether it can be received, and how it is told to whoever receives it.

use std::time::Duration;

use md5::{Digest, Md5};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::clock::Moment;
use crate::errors::Refusal;

/// What a message is deleted by: a new one at every receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt(Uuid);

impl Receipt {
    pub(crate) fn parse(handle: &str) -> Result<Self, Refusal> {
        Uuid::try_parse(handle).map(Self).map_err(|_| Refusal::ReceiptHandle)
    }
}

/// What its sender is told.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) id: Uuid,
    pub(crate) md5: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    sent: Sent,
    body: String,
    sent_epoch_ms: u128,
    first_received_epoch_ms: Option<u128>,
    times_received: u32,
    visible_at: Instant,
    /// That of the last receive; none once it is among the dead letters, until it is received there.
    receipt: Option<Receipt>,
    /// The ARN of the queue where it was received too often.
    died_in: Option<String>,
}

impl Message {
    pub(crate) fn new(body: String, delay: Duration, now: Moment) -> Self {
        Self {
            sent: Sent { id: Uuid::new_v4(), md5: hex::encode(Md5::digest(&body)) },
            body,
            sent_epoch_ms: now.epoch_ms,
            first_received_epoch_ms: None,
            times_received: 0,
            visible_at: now.instant + delay,
            receipt: None,
            died_in: None,
        }
    }

    pub(crate) fn sent(&self) -> &Sent {
        &self.sent
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    pub(crate) fn times_received(&self) -> u32 {
        self.times_received
    }

    /// From when on it can be received.
    pub(crate) fn visible_at(&self) -> Instant {
        self.visible_at
    }

    pub(crate) fn is_visible(&self, now: Instant) -> bool {
        self.visible_at <= now
    }

    pub(crate) fn is_in_flight(&self, now: Instant) -> bool {
        self.receipt.is_some() && !self.is_visible(now)
    }

    /// The last receipt counts even when its time is over, until somebody else receives the message.
    pub(crate) fn is_of(&self, receipt: Receipt) -> bool {
        self.receipt == Some(receipt)
    }

    pub(crate) fn hide_until(&mut self, instant: Instant) {
        self.visible_at = instant;
    }

    /// Hands it out, and tells it with those of its attributes that were asked for.
    pub(crate) fn receive(&mut self, hidden_for: Duration, asked: &[String], now: Moment) -> Value {
        let receipt = Uuid::new_v4();
        self.receipt = Some(Receipt(receipt));
        self.times_received = self.times_received.saturating_add(1);
        self.first_received_epoch_ms.get_or_insert(now.epoch_ms);
        self.hide_until(now.instant + hidden_for);
        let mut told = Map::new();
        told.insert("MessageId".to_owned(), json!(self.sent.id));
        told.insert("ReceiptHandle".to_owned(), json!(receipt));
        told.insert("Body".to_owned(), json!(self.body));
        told.insert("MD5OfBody".to_owned(), json!(self.sent.md5));
        let attributes = self.attributes(asked);
        if !attributes.is_empty() {
            told.insert("Attributes".to_owned(), Value::Object(attributes));
        }
        Value::Object(told)
    }

    fn attributes(&self, asked: &[String]) -> Map<String, Value> {
        let first_received = self.first_received_epoch_ms.map(|ms| ms.to_string());
        let all = [
            ("SenderId", Some("local".to_owned())),
            ("SentTimestamp", Some(self.sent_epoch_ms.to_string())),
            ("ApproximateReceiveCount", Some(self.times_received.to_string())),
            ("ApproximateFirstReceiveTimestamp", first_received),
            ("DeadLetterQueueSourceArn", self.died_in.clone()),
        ];
        let is_asked = |name: &str| asked.iter().any(|asked| asked == "All" || asked == name);
        let told = all.into_iter().filter(|(name, _)| is_asked(name));
        told.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }

    /// Puts it among the dead letters, as one that nobody has received there yet.
    pub(crate) fn die_in(mut self, queue_arn: &str) -> Self {
        self.receipt = None;
        self.died_in = Some(queue_arn.to_owned());
        self
    }
}
