//! The queue, as Lambda reads it for a function.

use embedded_sqs::Engine;
use reqwest::Client;
use serde_json::{Value, json};
use testbed::campaigns::QUEUE;

/// A reader of the queue.
pub(crate) struct Queue {
    client: Client,
    endpoint: String,
    url: String,
}

impl Queue {
    pub(crate) fn of(engine: &Engine) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, endpoint: engine.url().to_owned(), url: engine.queue_url(QUEUE) }
    }

    async fn call(&self, operation: &str, mut body: Value) -> Value {
        body["QueueUrl"] = json!(self.url);
        let request = self.client.post(&self.endpoint).header("X-Amz-Target", format!("AmazonSQS.{operation}"));
        let response = request.header("Content-Type", "application/x-amz-json-1.0").body(body.to_string()).send().await;
        let text = response.unwrap().error_for_status().unwrap().text().await.unwrap();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// Up to ten messages, once there is one or so many seconds are over.
    pub(crate) async fn receive(&self, wait_s: u32) -> Vec<Value> {
        let answer = self.call("ReceiveMessage", json!({"MaxNumberOfMessages": 10, "WaitTimeSeconds": wait_s})).await;
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    /// Deletes what was done: all but those that the function reports, which are delivered again at once.
    pub(crate) async fn delete(&self, messages: &[Value], report: &Value) {
        let failures = report["batchItemFailures"].as_array().unwrap();
        let is_done =
            |message: &&Value| !failures.iter().any(|failure| failure["itemIdentifier"] == message["MessageId"]);
        let (done, failed): (Vec<_>, Vec<_>) = messages.iter().partition(is_done);
        for message in done {
            self.call("DeleteMessage", json!({"ReceiptHandle": message["ReceiptHandle"]})).await;
        }
        self.put_back(failed).await;
    }

    /// Has these delivered again at once, as Lambda does after a while with what a function that died had in hand.
    pub(crate) async fn put_back(&self, messages: impl IntoIterator<Item = &Value>) {
        for message in messages {
            let visible = json!({"ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0});
            self.call("ChangeMessageVisibility", visible).await;
        }
    }
}

/// Lambda's event for these messages.
pub(crate) fn event(messages: &[Value]) -> String {
    let record = |message: &Value| json!({"messageId": message["MessageId"], "body": message["Body"]});
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()}).to_string()
}
