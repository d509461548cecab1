//! In place of AWS: hands what is in the queues to functions, as Lambda's event source mappings do (AWS: "Using Lambda with
//! Amazon SQS").

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::BehaviorVersion;
use aws_sdk_sqs::error::{BuildError, DisplayErrorContext};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use aws_smithy_http_client::Builder;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use embedded_sqs::{Engine, REGION};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use template::{Source, Template};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::gateway::NoSuchFunction;

/// A function that messages are handed to: from an event, an invocation's id and the time left to what became of it.
pub(crate) type Consumer = Arc<dyn Fn(String, String, Duration) -> Run + Send + Sync>;
pub(crate) type Run = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What became of an invocation.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The function ended well, and answered this. It may be `null`.
    Answered(Value),
    /// The function failed.
    Failed,
}

/// What takes messages, by its function's name.
pub(crate) fn consumer<C: api::Consumer + 'static>(consumer: C) -> (&'static str, Consumer) {
    let consumer = Arc::new(consumer);
    let run = move |event: String, id: String, time_left: Duration| -> Run {
        let consumer = Arc::clone(&consumer);
        Box::pin(async move {
            // A failure is in the log.
            let report = api::consume(&*consumer, &event, &id, time_left).await;
            let answer = report.ok().and_then(|report| serde_json::to_value(report).ok());
            answer.map_or(Outcome::Failed, Outcome::Answered)
        })
    };
    (C::NAME, Arc::new(run))
}

/// How many events a function is handed at the same time when the template doesn't say: as many as Lambda begins with.
const USUAL_POLLERS: u32 = 5;
/// The most that a receive gives (AWS: "`ReceiveMessage`").
const MOST_MESSAGES: usize = 10;
const LONG_POLL_S: i32 = 20;
/// After a queue could not be read.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a stop waits for invocations that are under way. Nothing is lost by it: what is to be done stands in DynamoDB.
const PATIENCE: Duration = Duration::from_secs(30);

/// What reads the queues. Dropping it ends that, and what runs then.
#[derive(Debug)]
pub(crate) struct Pollers {
    stopping: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Pollers {
    /// Reads no more, and waits for what runs, though not forever.
    pub(crate) async fn stop(mut self) {
        self.stopping.send_replace(true);
        let ended = async { while self.running.join_next().await.is_some() {} };
        if timeout(PATIENCE, ended).await.is_err() {
            tracing::warn!("what was handed to functions was not done in time");
        }
    }
}

/// Starts to hand the messages in the engine's queues to the functions of a template.
pub(crate) fn start(
    template: &Template,
    consumers: &HashMap<&str, Consumer>,
    engine: &Engine,
) -> Result<Pollers, NoSuchFunction> {
    let sqs = Client::new(&config(engine.url()));
    let mut pollers = Pollers { stopping: watch::Sender::new(false), running: JoinSet::new() };
    for function in &template.functions {
        for source in &function.sources {
            let consumer =
                consumers.get(function.name.as_str()).ok_or_else(|| NoSuchFunction(function.name.clone()))?;
            let poller = Arc::new(Poller {
                sqs: sqs.clone(),
                queue_url: engine.queue_url(&source.queue),
                queue_arn: engine.queue_arn(&source.queue),
                source: source.clone(),
                consumer: Arc::clone(consumer),
                timeout: function.timeout,
            });
            for _ in 0..source.most_at_once.unwrap_or(USUAL_POLLERS) {
                pollers.running.spawn(Arc::clone(&poller).run(pollers.stopping.subscribe()));
            }
        }
    }
    Ok(pollers)
}

/// A client for the engine, which takes any credentials.
fn config(endpoint_url: &str) -> SdkConfig {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
    // Longer than a long poll.
    const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local")))
        .http_client(Builder::new().build_http())
        .timeout_config(timeouts)
        .endpoint_url(endpoint_url)
        .build()
}

/// One of those that read a queue for a function.
struct Poller {
    sqs: Client,
    queue_url: String,
    queue_arn: String,
    source: Source,
    consumer: Consumer,
    timeout: Duration,
}

impl Poller {
    async fn run(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        loop {
            let messages = tokio::select! {
                biased;
                // An error is a dropped sender: nobody is left to stop this otherwise.
                _ = stopping.wait_for(|stopping| *stopping) => return,
                messages = self.receive() => messages,
            };
            if !messages.is_empty() {
                let outcome = self.invoke(event(&messages, &self.queue_arn)).await;
                self.delete(done(&messages, &outcome, self.source.reports_failures)).await;
            }
        }
    }

    async fn receive(&self) -> Vec<Message> {
        let most = self.source.batch_size.min(MOST_MESSAGES);
        let receive = self
            .sqs
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(i32::try_from(most).unwrap_or(1))
            .wait_time_seconds(LONG_POLL_S)
            .message_system_attribute_names(MessageSystemAttributeName::All);
        match receive.send().await {
            Ok(received) => received.messages.unwrap_or_default(),
            Err(error) => {
                let error = DisplayErrorContext(error).to_string();
                tracing::warn!(queue = self.source.queue, error, "the queue can't be read, and is tried again");
                tokio::time::sleep(PAUSE).await;
                Vec::new()
            }
        }
    }

    async fn invoke(&self, event: Value) -> Outcome {
        let consumer = Arc::clone(&self.consumer);
        // A task of its own, so that a panic fails nothing but this invocation; and in a set, so that it ends with the poller.
        let mut invocation = JoinSet::new();
        let (event, id, time_left) = (event.to_string(), Uuid::new_v4().to_string(), self.timeout);
        invocation.spawn(async move { consumer(event, id, time_left).await });
        match timeout(self.timeout, invocation.join_next()).await {
            Ok(Some(Ok(outcome))) => outcome,
            Ok(_) => Outcome::Failed,
            Err(_) => {
                tracing::error!(queue = self.source.queue, "the function took longer than its Timeout, and was ended");
                Outcome::Failed
            }
        }
    }

    /// What can't be deleted comes again, as on AWS.
    async fn delete(&self, done: Vec<&Message>) {
        if done.is_empty() {
            return;
        }
        let entry = |(at, message): (usize, &Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
            entry.set_receipt_handle(message.receipt_handle.clone()).build()
        };
        let problem = match done.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, BuildError>>() {
            Ok(entries) => {
                let delete = self.sqs.delete_message_batch().queue_url(&self.queue_url).set_entries(Some(entries));
                match delete.send().await {
                    Ok(deleted) if deleted.failed.is_empty() => return,
                    Ok(deleted) => format!("{:?}", deleted.failed),
                    Err(error) => DisplayErrorContext(error).to_string(),
                }
            }
            Err(error) => error.to_string(),
        };
        tracing::warn!(queue = self.source.queue, problem, "messages that are done can't be deleted, and come again");
    }
}

/// Lambda's event for messages (AWS: "Example Amazon SQS message event").
fn event(messages: &[Message], queue_arn: &str) -> Value {
    let record = |message: &Message| {
        let attributes = message.attributes.iter().flatten();
        let attributes: Map<_, _> =
            attributes.map(|(name, value)| (name.as_str().to_owned(), value.as_str().into())).collect();
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": message.md5_of_body,
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": REGION,
        })
    };
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()})
}

/// Which messages failed, as a function reports it (AWS: "Implementing partial batch responses"). No report, and one of
/// none, mean that nothing did.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Report {
    batch_item_failures: Option<Vec<Failure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// The messages that need not come again.
fn done<'a>(messages: &'a [Message], outcome: &Outcome, reports_failures: bool) -> Vec<&'a Message> {
    let answer = match outcome {
        Outcome::Failed => return Vec::new(),
        Outcome::Answered(_) if !reports_failures => return messages.iter().collect(),
        Outcome::Answered(answer) => answer,
    };
    let Ok(report) = Option::<Report>::deserialize(answer) else { return Vec::new() };
    let failures = report.unwrap_or_default().batch_item_failures.unwrap_or_default();
    let is = |message: &Message, failure: &Failure| message.message_id.as_ref() == Some(&failure.item_identifier);
    // Who names a message that was not in the batch may mean any of them.
    if !failures.iter().all(|failure| messages.iter().any(|message| is(message, failure))) {
        return Vec::new();
    }
    messages.iter().filter(|message| !failures.iter().any(|failure| is(message, failure))).collect()
}

#[cfg(test)]
mod tests;
