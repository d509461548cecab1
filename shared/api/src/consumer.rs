//! Functions that take messages from a queue: Lambda hands them over in batches, and takes back what failed.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use domain::{Clock, Error, Kind, Result};
use futures::FutureExt;
use futures::future::join_all;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tracing::Instrument;

use crate::serve::{StartError, panic_text, printable, started, time_left};
use crate::task::told;

/// What template.yaml gives such a function, at least.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Something that is done with each message of a queue. Its fields are what it depends on.
pub trait Consumer: Send + Sync {
    /// The function's one name: the same as in template.yaml.
    const NAME: &'static str;

    /// Does what a message asks for: its body. After `time_left` the function is stopped. Whatever fails comes again, and
    /// after some times goes to the dead letters.
    fn take(&self, body: &str, time_left: Duration) -> impl Future<Output = Result<()>> + Send;
}

/// Which messages of a batch shall come again (AWS: "Implementing partial batch responses").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchReport {
    batch_item_failures: Vec<Failed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    item_identifier: String,
}

/// What counts of the event that Lambda makes of messages (AWS: "Using Lambda with Amazon SQS").
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

/// What counts of a message. Each is read for itself: one that is broken concerns no other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: Option<String>,
}

/// Runs a consumer on Lambda at every batch, until its environment is torn down. `start` builds it.
pub async fn serve_consumer<C: Consumer>(start: impl Future<Output = Result<C, StartError>>) -> Result<(), StartError> {
    let consumer = started(start).await?;
    let (consumer, clock) = (&consumer, &Clock::system());
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let time_left = time_left(event.context.deadline, clock, TIMEOUT);
        let report = consume(consumer, event.payload.get(), &event.context.request_id, time_left).await;
        report.map_err(|error| told(&error))
    });
    Runtime::new(handler).run().await
}

/// Hands a batch's messages to a consumer, all at the same time, and logs one line about it. `id` is the invocation's. An
/// error means that all of them shall come again.
pub async fn consume<C: Consumer>(consumer: &C, event: &str, id: &str, time_left: Duration) -> Result<BatchReport> {
    let begun = Instant::now();
    async {
        let records = match records(event) {
            Ok(records) => records,
            Err(error) => {
                tracing::error!(outcome = ?error.kind(), cause = error.source_chain(), "a batch can't be read");
                return Err(error);
            }
        };
        let count = records.len();
        let outcomes = join_all(records.into_iter().map(|record| one(consumer, record, time_left))).await;
        let failed: Vec<_> = outcomes.into_iter().filter_map(|(id, outcome)| Some((id, outcome.err()?))).collect();
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if failed.is_empty() {
            tracing::info!(outcome = "Done", count, elapsed_ms, "took");
        } else {
            let cause = |(_, error): &(String, Error)| {
                let cause = error.source_chain().unwrap_or_else(|| error.public().message.clone());
                format!("{:?}: {cause}", error.kind())
            };
            let causes: Vec<_> = failed.iter().map(cause).collect();
            tracing::error!(
                outcome = "Failed",
                count,
                failed = failed.len(),
                elapsed_ms,
                cause = causes.join("; "),
                "took"
            );
        }
        let failures = failed.into_iter().map(|(item_identifier, _)| Failed { item_identifier });
        Ok(BatchReport { batch_item_failures: failures.collect() })
    }
    .instrument(tracing::info_span!("batch", consumer = C::NAME, request_id = printable(id)))
    .await
}

/// A message whose id can't be read can't be told from the others: then all of them come again.
fn records(event: &str) -> Result<Vec<Record>> {
    let unreadable = |error: serde_json::Error| {
        // Only the place: the error's own text may quote what it stumbled over.
        let place = format!("the event can't be read at line {}, column {}", error.line(), error.column());
        Error::new(Kind::Invalid, "The event can't be read").code("invalid_request").caused_by(place)
    };
    let event: Event<'_> = serde_json::from_str(event).map_err(unreadable)?;
    event.records.into_iter().map(|record| serde_json::from_str(record.get()).map_err(unreadable)).collect()
}

async fn one<C: Consumer>(consumer: &C, record: Record, time_left: Duration) -> (String, Result<()>) {
    let Record { message_id, body } = record;
    let Some(body) = body else { return (message_id, Err(Error::internal("a message has no body"))) };
    // On the heap, as an endpoint's state is.
    let outcome = AssertUnwindSafe(Box::pin(consumer.take(&body, time_left))).catch_unwind().await;
    (message_id, outcome.unwrap_or_else(|panic| Err(Error::internal(panic_text(panic.as_ref())))))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Takes what says so, fails and panics.
    struct Moody;

    impl Consumer for Moody {
        const NAME: &'static str = "moody";

        async fn take(&self, body: &str, time_left: Duration) -> Result<()> {
            assert_ne!(body, "panic", "{time_left:?}");
            if body == "good" { Ok(()) } else { Err(Error::new(Kind::Throttled, "Too many").caused_by("the inside")) }
        }
    }

    fn record(id: &str, body: &str) -> Value {
        json!({"messageId": id, "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs", "eventSourceARN": "arn", "awsRegion": "r"})
    }

    async fn report(event: &str) -> Result<Value> {
        let report = consume(&Moody, event, "id", Duration::from_secs(1)).await;
        report.map(|report| serde_json::to_value(report).unwrap())
    }

    #[tokio::test]
    async fn what_failed_is_reported_by_its_id_and_nothing_else() {
        let event = json!({"Records": [record("a", "good"), record("b", "bad"), record("c", "panic"), record("d", "good"),
            {"messageId": "e"}]});
        let failures = json!([{"itemIdentifier": "b"}, {"itemIdentifier": "c"}, {"itemIdentifier": "e"}]);
        assert_eq!(report(&event.to_string()).await.unwrap(), json!({"batchItemFailures": failures}));
        let good = json!({"Records": [record("a", "good")]}).to_string();
        assert_eq!(report(&good).await.unwrap(), json!({"batchItemFailures": []}));
        assert_eq!(report(r#"{"Records":[]}"#).await.unwrap(), json!({"batchItemFailures": []}));
    }

    /// Nothing of such a batch may be taken for done.
    #[tokio::test]
    async fn a_batch_that_cannot_be_read_is_an_error_as_a_whole() {
        let nameless = json!({"Records": [record("a", "good"), {"body": "good"}]}).to_string();
        let odd = json!({"Records": [record("a", "good"), {"messageId": 7, "body": "good"}]}).to_string();
        for event in ["", "null", "[]", "{}", r#"{"Records":null}"#, r#"{"Records":[1]}"#, &nameless, &odd] {
            assert_eq!(report(event).await.unwrap_err().kind(), Kind::Invalid, "{event}");
        }
    }
}
