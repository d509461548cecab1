//! The real AWS SDK, and shorthands for what most tests ask of it.

use std::collections::HashMap;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::BehaviorVersion;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use aws_smithy_http_client::Builder;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use uuid::Uuid;

/// Without a limit in time of its own, so that a paused clock has nothing but the queues' deadlines to go to.
pub(crate) fn client(url: &str) -> Client {
    let credentials = Credentials::new("local", "local", None, None, "local");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .endpoint_url(url)
        .build();
    Client::new(&config)
}

/// A name that no queue has yet.
pub(crate) fn new_name() -> String {
    format!("test-{}", Uuid::new_v4())
}

/// Makes a queue and gives its address.
pub(crate) async fn queue(sqs: &Client, attributes: &[(QueueAttributeName, &str)]) -> String {
    let attributes = attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned()));
    let create = sqs.create_queue().queue_name(new_name()).set_attributes(Some(attributes.collect()));
    create.send().await.unwrap().queue_url.unwrap()
}

pub(crate) async fn attributes(sqs: &Client, queue: &str) -> HashMap<QueueAttributeName, String> {
    let get = sqs.get_queue_attributes().queue_url(queue).attribute_names(QueueAttributeName::All);
    get.send().await.unwrap().attributes.unwrap_or_default()
}

/// How many messages can be received, are in flight, and are delayed.
pub(crate) async fn counts(sqs: &Client, queue: &str) -> [u32; 3] {
    let attributes = attributes(sqs, queue).await;
    [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ]
    .map(|name| attributes[&name].parse().unwrap())
}

/// Sends a message and gives its id.
pub(crate) async fn send(sqs: &Client, queue: &str, body: &str) -> String {
    sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap().message_id.unwrap()
}

pub(crate) fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

/// Sends so many messages, with their numbers from 0 as bodies.
pub(crate) async fn send_numbers(sqs: &Client, queue: &str, count: usize) {
    let numbers: Vec<_> = (0..count).map(|number| number.to_string()).collect();
    for numbers in numbers.chunks(10) {
        let entries = numbers.iter().map(|number| entry(number, number)).collect();
        let sent = sqs.send_message_batch().queue_url(queue).set_entries(Some(entries)).send().await.unwrap();
        assert!(sent.failed.is_empty(), "{sent:?}");
    }
}

/// Receives 10 messages at most, and waits so many seconds for the first.
pub(crate) async fn receive(sqs: &Client, queue: &str, wait_s: i32) -> Vec<Message> {
    let receive = sqs.receive_message().queue_url(queue).max_number_of_messages(10).wait_time_seconds(wait_s);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    receive.send().await.unwrap().messages.unwrap_or_default()
}

/// The one message that can be received within so many seconds.
pub(crate) async fn receive_one(sqs: &Client, queue: &str, wait_s: i32) -> Message {
    let mut messages = receive(sqs, queue, wait_s).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

pub(crate) async fn delete(sqs: &Client, queue: &str, message: &Message) {
    let handle = message.receipt_handle.clone().unwrap();
    sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await.unwrap();
}

pub(crate) fn delete_entry(id: &str, handle: &str) -> DeleteMessageBatchRequestEntry {
    DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
}

pub(crate) async fn change_visibility(sqs: &Client, queue: &str, message: &Message, seconds: i32) {
    let handle = message.receipt_handle.clone().unwrap();
    let change = sqs.change_message_visibility().queue_url(queue).receipt_handle(handle);
    change.visibility_timeout(seconds).send().await.unwrap();
}

pub(crate) fn attribute(message: &Message, name: &MessageSystemAttributeName) -> u64 {
    message.attributes.as_ref().unwrap()[name].parse().unwrap()
}

pub(crate) fn times_received(message: &Message) -> u64 {
    attribute(message, &MessageSystemAttributeName::ApproximateReceiveCount)
}

pub(crate) fn bodies(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| message.body.clone().unwrap()).collect()
}
