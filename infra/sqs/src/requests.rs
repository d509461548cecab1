//! What is asked for, read and checked: what comes out of here is within the limits that AWS documents.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::errors::Refusal;
use crate::message::Receipt;
use crate::settings::Settings;

/// The members of a request, or of an entry of a batch.
pub(crate) type Members = Map<String, Value>;

/// The most that the bodies of one request may have (AWS: "Amazon SQS message quotas").
pub(crate) const MOST_BYTES: usize = 1024 * 1024;

fn read<T: DeserializeOwned>(members: Members) -> Result<T, Refusal> {
    T::deserialize(Value::Object(members)).map_err(|error| Refusal::Parameter(error.to_string()))
}

/// A number of seconds or messages that may be left out.
fn number(name: &str, value: Option<i64>, range: RangeInclusive<i64>) -> Result<Option<u64>, Refusal> {
    let (least, most) = (range.start(), range.end());
    match value {
        Some(value) if !range.contains(&value) => {
            Err(Refusal::Parameter(format!("{name} is {value}, and must be between {least} and {most}.")))
        }
        value => Ok(value.map(i64::unsigned_abs)),
    }
}

fn seconds(name: &str, value: Option<i64>, most: i64) -> Result<Option<Duration>, Refusal> {
    Ok(number(name, value, 0..=most)?.map(Duration::from_secs))
}

/// Takes out the name of the queue that is meant: the end of its address.
pub(crate) fn take_queue(members: &mut Members) -> Result<String, Refusal> {
    match members.remove("QueueUrl") {
        Some(Value::String(url)) => Ok(url.rsplit('/').next().unwrap_or_default().to_owned()),
        _ => Err(Refusal::Parameter("There is no QueueUrl.".to_owned())),
    }
}

pub(crate) struct NewQueue {
    pub(crate) queue: String,
    pub(crate) settings: Settings,
}

impl NewQueue {
    pub(crate) fn read(members: Members) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Raw {
            queue_name: String,
            #[serde(default)]
            attributes: BTreeMap<String, String>,
        }
        let raw: Raw = read(members)?;
        Ok(Self { queue: raw.queue_name, settings: Settings::read(&raw.attributes)? })
    }
}

/// The name of a queue whose address is asked for.
pub(crate) fn queue_name(members: Members) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Raw {
        queue_name: String,
    }
    read(members).map(|raw: Raw| raw.queue_name)
}

/// The names of the attributes of a queue that are asked for.
pub(crate) fn attribute_names(members: Members) -> Result<Vec<String>, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Raw {
        #[serde(default)]
        attribute_names: Vec<String>,
    }
    read(members).map(|raw: Raw| raw.attribute_names)
}

/// The entries of a batch.
pub(crate) fn entries(members: Members) -> Result<Vec<Members>, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Raw {
        #[serde(default)]
        entries: Vec<Members>,
    }
    read(members).map(|raw: Raw| raw.entries)
}

/// Nothing is asked for but what was taken out already.
pub(crate) fn nothing_more(members: Members) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Raw {}
    read(members).map(|Raw {}| ())
}

pub(crate) struct NewMessage {
    pub(crate) body: String,
    pub(crate) delay: Option<Duration>,
}

impl NewMessage {
    pub(crate) fn read(members: Members) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Raw {
            message_body: String,
            delay_seconds: Option<i64>,
        }
        let raw: Raw = read(members)?;
        if !(1..=MOST_BYTES).contains(&raw.message_body.len()) {
            return Err(Refusal::Parameter(format!("A message has 1 to {MOST_BYTES} bytes.")));
        }
        Ok(Self { body: raw.message_body, delay: seconds("DelaySeconds", raw.delay_seconds, 900)? })
    }
}

pub(crate) struct Receive {
    pub(crate) most: usize,
    pub(crate) visibility_timeout: Option<Duration>,
    pub(crate) wait: Option<Duration>,
    pub(crate) attributes: Vec<String>,
}

impl Receive {
    pub(crate) fn read(members: Members) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Raw {
            max_number_of_messages: Option<i64>,
            visibility_timeout: Option<i64>,
            wait_time_seconds: Option<i64>,
            /// What the newer name stands for, too.
            #[serde(default)]
            attribute_names: Vec<String>,
            #[serde(default)]
            message_system_attribute_names: Vec<String>,
            /// Of those that a sender gave, of which there are none.
            #[serde(default, rename = "MessageAttributeNames")]
            _message_attribute_names: Vec<String>,
        }
        let raw: Raw = read(members)?;
        let most = number("MaxNumberOfMessages", raw.max_number_of_messages, 1..=10)?;
        Ok(Self {
            most: most.and_then(|most| most.try_into().ok()).unwrap_or(1),
            visibility_timeout: visibility_timeout(raw.visibility_timeout)?,
            wait: seconds("WaitTimeSeconds", raw.wait_time_seconds, 20)?,
            attributes: [raw.attribute_names, raw.message_system_attribute_names].concat(),
        })
    }
}

fn visibility_timeout(value: Option<i64>) -> Result<Option<Duration>, Refusal> {
    seconds("VisibilityTimeout", value, 43_200)
}

/// The receipt of a message that is to be deleted.
pub(crate) fn receipt(members: Members) -> Result<Receipt, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Raw {
        receipt_handle: String,
    }
    let raw: Raw = read(members)?;
    Receipt::parse(&raw.receipt_handle)
}

pub(crate) struct Change {
    pub(crate) receipt: Receipt,
    pub(crate) visibility_timeout: Duration,
}

impl Change {
    pub(crate) fn read(members: Members) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Raw {
            receipt_handle: String,
            visibility_timeout: Option<i64>,
        }
        let raw: Raw = read(members)?;
        let timeout = visibility_timeout(raw.visibility_timeout)?;
        let timeout = timeout.ok_or_else(|| Refusal::Parameter("There is no VisibilityTimeout.".to_owned()))?;
        Ok(Self { receipt: Receipt::parse(&raw.receipt_handle)?, visibility_timeout: timeout })
    }
}
