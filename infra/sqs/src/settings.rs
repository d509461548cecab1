//! How a queue behaves: what `CreateQueue` is told, and `GetQueueAttributes` tells.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::engine::REGION;
use crate::errors::Refusal;

/// The account that all queues belong to.
pub(crate) const ACCOUNT: &str = "000000000000";

pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) visibility_timeout: Duration,
    pub(crate) delay: Duration,
    pub(crate) receive_wait: Duration,
    pub(crate) dead_letters: Option<DeadLetters>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DeadLetters {
    /// The full name of the queue for them.
    pub(crate) queue: String,
    pub(crate) max_receive_count: u32,
}

impl Settings {
    /// Those of a queue in the template, whose queue for dead letters has the same prefix.
    pub(crate) fn of(queue: &template::Queue, prefix: &str) -> Result<Self, Refusal> {
        let seconds = |duration: Duration| duration.as_secs().to_string();
        let mut attributes = BTreeMap::from([
            ("VisibilityTimeout".to_owned(), seconds(queue.visibility_timeout)),
            ("DelaySeconds".to_owned(), seconds(queue.delay)),
            ("ReceiveMessageWaitTimeSeconds".to_owned(), seconds(queue.receive_wait)),
        ]);
        if let Some(dead_letters) = &queue.dead_letters {
            let queue = format!("{prefix}-{}", dead_letters.queue);
            let policy = DeadLetters { queue, max_receive_count: dead_letters.max_receive_count }.tell();
            attributes.insert("RedrivePolicy".to_owned(), policy);
        }
        Self::read(&attributes)
    }

    pub(crate) fn read(attributes: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let mut settings = Self {
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            receive_wait: Duration::ZERO,
            dead_letters: None,
        };
        for (name, value) in attributes {
            let wrong = || Refusal::AttributeValue(name.clone());
            let seconds = |range: RangeInclusive<u64>| {
                let seconds = value.parse().ok().filter(|seconds| range.contains(seconds));
                seconds.map(Duration::from_secs).ok_or_else(wrong)
            };
            match name.as_str() {
                "VisibilityTimeout" => settings.visibility_timeout = seconds(0..=43_200)?,
                "DelaySeconds" => settings.delay = seconds(0..=900)?,
                "ReceiveMessageWaitTimeSeconds" => settings.receive_wait = seconds(0..=20)?,
                "RedrivePolicy" => settings.dead_letters = Some(DeadLetters::read(value).ok_or_else(wrong)?),
                _ => return Err(Refusal::AttributeName(name.clone())),
            }
        }
        Ok(settings)
    }

    pub(crate) fn tell(&self) -> BTreeMap<&'static str, String> {
        let mut attributes = BTreeMap::from([
            ("VisibilityTimeout", self.visibility_timeout.as_secs().to_string()),
            ("DelaySeconds", self.delay.as_secs().to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.receive_wait.as_secs().to_string()),
        ]);
        attributes.extend(self.dead_letters.iter().map(|dead_letters| ("RedrivePolicy", dead_letters.tell())));
        attributes
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    max_receive_count: Count,
}

/// AWS takes the number as a text too.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u32),
    Text(String),
}

impl DeadLetters {
    fn read(policy: &str) -> Option<Self> {
        let policy: RedrivePolicy = serde_json::from_str(policy).ok()?;
        let count = match policy.max_receive_count {
            Count::Number(number) => number,
            Count::Text(text) => text.parse().ok()?,
        };
        let queue = policy.dead_letter_target_arn.strip_prefix(&arn(""))?.to_owned();
        (1..=1000).contains(&count).then_some(Self { queue, max_receive_count: count })
    }

    fn tell(&self) -> String {
        json!({"deadLetterTargetArn": arn(&self.queue), "maxReceiveCount": self.max_receive_count}).to_string()
    }
}
