use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use embedded_sqs::Mischief;
use template::{DeadLetters, Function, Queue};

use super::*;

/// A queue whose messages go to the function `works`, and what came of it.
struct Bed {
    engine: Engine,
    sqs: Client,
    pollers: Pollers,
    events: Arc<Mutex<Vec<Value>>>,
}

fn source() -> Source {
    Source { queue: "Work".to_owned(), batch_size: 10, most_at_once: None, reports_failures: false }
}

fn reporting() -> Source {
    Source { reports_failures: true, ..source() }
}

fn template(source: Source) -> Template {
    let function = Function {
        name: "works".to_owned(),
        timeout: Duration::from_secs(28),
        routes: Vec::new(),
        schedules: Vec::new(),
        sources: vec![source],
        grants: BTreeSet::new(),
    };
    Template { functions: vec![function], tables: Vec::new(), queues: Vec::new() }
}

fn work() -> Queue {
    Queue {
        id: "Work".to_owned(),
        name: "Work".to_owned(),
        visibility_timeout: Duration::from_mins(1),
        delay: Duration::ZERO,
        receive_wait: Duration::ZERO,
        dead_letters: Some(DeadLetters { queue: "Failed".to_owned(), max_receive_count: 2 }),
    }
}

async fn engine(queues: &[Queue]) -> Engine {
    Engine::with_queues(SocketAddr::from(([127, 0, 0, 1], 0)), queues, "test").await.unwrap()
}

impl Bed {
    async fn new<R>(source: Source, works: impl Fn(Value) -> R + Send + Sync + Clone + 'static) -> Self
    where
        R: Future<Output = Outcome> + Send + 'static,
    {
        let failed = Queue { name: "Failed".to_owned(), dead_letters: None, ..work() };
        Self::on(engine(&[work(), failed]).await, source, works)
    }

    fn on<R>(engine: Engine, source: Source, works: impl Fn(Value) -> R + Send + Sync + Clone + 'static) -> Self
    where
        R: Future<Output = Outcome> + Send + 'static,
    {
        let events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&events);
        let consumer = move |event: String, _: String, _: Duration| -> Run {
            let event: Value = serde_json::from_str(&event).unwrap();
            seen.lock().unwrap().push(event.clone());
            let works = works.clone();
            Box::pin(async move { works(event).await })
        };
        let consumers: HashMap<_, Consumer> = HashMap::from([("works", Arc::new(consumer) as Consumer)]);
        let pollers = start(&template(source), &consumers, &engine).unwrap();
        Self { sqs: Client::new(&config(engine.url())), engine, pollers, events }
    }

    /// Sends messages in one request.
    async fn send(&self, bodies: &[&str]) {
        let entry = |(at, body): (usize, &&str)| {
            let entry = aws_sdk_sqs::types::SendMessageBatchRequestEntry::builder();
            entry.id(at.to_string()).message_body(*body).build().unwrap()
        };
        let entries = bodies.iter().enumerate().map(entry).collect();
        let send = self.sqs.send_message_batch().queue_url(self.engine.queue_url("Work")).set_entries(Some(entries));
        assert!(send.send().await.unwrap().failed.is_empty());
    }

    /// Sends them, and gives everybody the time to do what can be done at once.
    async fn send_and_wait(&self, bodies: &[&str]) {
        self.send(bodies).await;
        wait(1).await;
    }

    fn times_called(&self) -> usize {
        self.events.lock().unwrap().len()
    }
}

/// The clock goes on when nobody has anything left to do.
async fn wait(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

async fn succeeds(_: Value) -> Outcome {
    Outcome::Answered(Value::Null)
}

#[tokio::test(start_paused = true)]
async fn a_function_is_handed_the_event_that_lambda_makes() {
    let bed = Bed::new(source(), succeeds).await;
    bed.send_and_wait(&["one", "two"]).await;
    let events = bed.events.lock().unwrap().clone();
    let records = events[0]["Records"].as_array().unwrap();
    assert_eq!((events.len(), records.len()), (1, 2));
    let lambdas: Value =
        serde_json::from_str(include_str!("../../../../tests/lambda-runtime/events/sqs.json")).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for (record, body) in records.iter().zip(["one", "two"]) {
        assert_eq!(names(record), names(&lambdas["Records"][0]));
        assert_eq!(names(&record["attributes"]), names(&lambdas["Records"][0]["attributes"]));
        assert_eq!(record["body"], body);
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
        assert_eq!((&record["eventSource"], &record["messageAttributes"]), (&json!("aws:sqs"), &json!({})));
        assert_eq!(record["eventSourceARN"], format!("arn:aws:sqs:{REGION}:000000000000:test-Work"));
        assert_eq!(record["awsRegion"], REGION);
    }
    assert_eq!(records[0]["md5OfBody"], "f97c5d29941bfb1b2fdab0874906ab82");
    assert_ne!(records[0]["receiptHandle"], records[1]["receiptHandle"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_function_was_handed_is_gone_when_it_succeeded() {
    let bed = Bed::new(source(), succeeds).await;
    bed.send_and_wait(&["one", "two"]).await;
    assert!(bed.engine.messages("Work").is_empty());
    wait(600).await;
    assert_eq!(bed.times_called(), 1);
}

/// A function that fails with everything it is handed: nothing is lost before it is among the dead letters.
async fn comes_again_until_it_is_dead(bed: Bed) {
    bed.send_and_wait(&["poison"]).await;
    wait(30).await;
    assert_eq!((bed.times_called(), bed.engine.messages("Work")), (1, vec!["poison".to_owned()]));
    wait(60).await;
    assert_eq!((bed.times_called(), bed.engine.messages("Work")), (2, vec!["poison".to_owned()]));
    wait(60).await;
    assert_eq!((bed.times_called(), bed.engine.messages("Work")), (2, vec![]));
    assert_eq!(bed.engine.messages("Failed"), ["poison"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_function_failed_with_comes_again_until_it_is_among_the_dead_letters() {
    for source in [source(), reporting()] {
        comes_again_until_it_is_dead(Bed::new(source, async |_| Outcome::Failed).await).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_ends_nothing_else() {
    comes_again_until_it_is_dead(Bed::new(source(), async |_| panic!("as it is meant to")).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_function_that_takes_too_long_is_ended_and_has_failed() {
    let ended = Arc::new(AtomicUsize::new(0));
    let ends = Arc::clone(&ended);
    let slow = move |_| {
        let ends = Arc::clone(&ends);
        async move {
            wait(29).await;
            ends.fetch_add(1, Ordering::SeqCst);
            Outcome::Answered(Value::Null)
        }
    };
    comes_again_until_it_is_dead(Bed::new(source(), slow).await).await;
    assert_eq!(ended.load(Ordering::SeqCst), 0);
}

/// What is left of three messages, by what the function answers to an event with these ids.
async fn left_after(answer: impl Fn(&[&str]) -> Value + Send + Sync + Clone + 'static) -> Vec<String> {
    let works = move |event: Value| {
        let ids: Vec<_> =
            event["Records"].as_array().unwrap().iter().map(|record| record["messageId"].as_str()).collect();
        let answer = answer(&ids.into_iter().map(Option::unwrap).collect::<Vec<_>>());
        async move { Outcome::Answered(answer) }
    };
    let bed = Bed::new(reporting(), works).await;
    bed.send_and_wait(&["a", "b", "c"]).await;
    assert_eq!(bed.times_called(), 1);
    bed.engine.messages("Work")
}

fn report(ids: &[&str]) -> Value {
    json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

#[tokio::test(start_paused = true)]
async fn exactly_the_messages_that_a_function_reports_come_again() {
    assert_eq!(left_after(|ids| report(&ids[1..2])).await, ["b"]);
    assert_eq!(left_after(|ids| report(&[ids[0], ids[2], ids[0]])).await, ["a", "c"]);
    assert_eq!(left_after(report).await, ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_report_of_no_failure_is_a_success() {
    for none in [json!(null), json!({}), json!({"batchItemFailures": []}), json!({"batchItemFailures": null})] {
        let answer = none.clone();
        assert!(left_after(move |_| answer.clone()).await.is_empty(), "{none}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_report_of_these_messages_fails_all_of_them() {
    for odd in [
        report(&["unknown"]),
        report(&[""]),
        json!({"batchItemFailures": [{"itemIdentifier": null}]}),
        json!({"batchItemFailures": [{"identifier": "x"}]}),
        json!({"batchItemFailures": "x"}),
        json!({"statusCode": 200}),
        json!("done"),
        json!(5),
        json!([1]),
    ] {
        let answer = odd.clone();
        assert_eq!(left_after(move |_| answer.clone()).await.len(), 3, "{odd}");
    }
    assert_eq!(left_after(|ids| report(&[ids[0], "unknown"])).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_reports_a_function_that_answers_anything_has_succeeded() {
    let bed = Bed::new(source(), async |_| Outcome::Answered(report(&["unknown"]))).await;
    bed.send_and_wait(&["a", "b"]).await;
    assert!(bed.engine.messages("Work").is_empty());
}

#[tokio::test(start_paused = true)]
async fn copies_of_one_message_are_deleted_all_or_none() {
    for (answer, is_left) in [(report(&[]), false), (Value::Null, false), (report(&["unknown"]), true)] {
        let bed = Bed::new(reporting(), move |_| std::future::ready(Outcome::Answered(answer.clone()))).await;
        bed.engine.set_mischief(Mischief { copies: 5, shuffled: true, seed: 1 });
        bed.send_and_wait(&["x"]).await;
        assert_eq!(!bed.engine.messages("Work").is_empty(), is_left);
    }
}

/// Works for 10 seconds on each event; gives how many it works on at the same time, at most.
async fn most_at_once(source: Source, messages: &[&str]) -> (Bed, usize) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let works = move |_| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            wait(10).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Outcome::Answered(Value::Null)
        }
    };
    let bed = Bed::new(source, works).await;
    bed.send(messages).await;
    wait(55).await;
    let most = seen.load(Ordering::SeqCst);
    (bed, most)
}

const TEN: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

#[tokio::test(start_paused = true)]
async fn a_function_is_handed_as_many_events_at_once_as_the_template_says_else_five() {
    for (at_once, expected) in [(Some(2), 2), (None, 5)] {
        let source = Source { batch_size: 1, most_at_once: at_once, ..source() };
        let (bed, most) = most_at_once(source, &TEN).await;
        assert_eq!((most, bed.times_called()), (expected, 10));
        assert!(bed.engine.messages("Work").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_has_no_more_messages_than_the_template_says_or_a_receive_gives() {
    for (batch_size, expected) in [(3, 4), (10_000, 1)] {
        let bed = Bed::new(Source { batch_size, ..source() }, succeeds).await;
        bed.send_and_wait(&TEN).await;
        assert_eq!(bed.times_called(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_cannot_be_read_is_tried_again() {
    let bed = Bed::on(engine(&[]).await, source(), succeeds);
    wait(10).await;
    bed.sqs.create_queue().queue_name("test-Work").send().await.unwrap();
    bed.send(&["x"]).await;
    wait(2).await;
    assert_eq!((bed.times_called(), bed.engine.messages("Work").len()), (1, 0));
}

async fn takes_ten_seconds(_: Value) -> Outcome {
    wait(10).await;
    Outcome::Answered(Value::Null)
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_what_runs_and_hands_on_nothing_more() {
    let bed = Bed::new(Source { batch_size: 1, most_at_once: Some(2), ..source() }, takes_ten_seconds).await;
    bed.send_and_wait(&["a", "b", "c"]).await;
    let begun = tokio::time::Instant::now();
    bed.pollers.stop().await;
    assert_eq!(begun.elapsed().as_secs(), 9);
    assert_eq!(bed.engine.messages("Work"), ["c"]);
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_messages() {
    let bed = Bed::new(source(), succeeds).await;
    wait(1).await;
    let begun = tokio::time::Instant::now();
    bed.pollers.stop().await;
    assert!(begun.elapsed().is_zero(), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn stopping_has_an_end_whatever_runs() {
    let mut template = template(source());
    template.functions[0].timeout = Duration::from_mins(15);
    let engine = engine(&[Queue { dead_letters: None, ..work() }]).await;
    let hangs = |_: String, _: String, _: Duration| -> Run { Box::pin(std::future::pending()) };
    let consumers = HashMap::from([("works", Arc::new(hangs) as Consumer)]);
    let pollers = start(&template, &consumers, &engine).unwrap();
    let sqs = Client::new(&config(engine.url()));
    sqs.send_message().queue_url(engine.queue_url("Work")).message_body("x").send().await.unwrap();
    wait(1).await;
    let begun = tokio::time::Instant::now();
    pollers.stop().await;
    assert_eq!(begun.elapsed(), PATIENCE);
    assert_eq!(engine.messages("Work"), ["x"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_ends_what_runs() {
    let bed = Bed::new(source(), takes_ten_seconds).await;
    bed.send_and_wait(&["x"]).await;
    drop(bed.pollers);
    wait(30).await;
    assert_eq!(bed.engine.messages("Work"), ["x"]);
    bed.sqs.send_message().queue_url(bed.engine.queue_url("Work")).message_body("y").send().await.unwrap();
    wait(120).await;
    assert_eq!(bed.events.lock().unwrap().len(), 1);
}

/// Fails with what it is told to.
struct Moody;

impl api::Consumer for Moody {
    const NAME: &'static str = "works";

    async fn take(&self, body: &str, time_left: Duration) -> domain::Result<()> {
        assert_eq!(time_left, Duration::from_secs(28));
        if body == "bad" { Err(domain::Error::internal("as it is meant to")) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_has_the_functions_timeout_and_what_it_fails_with_comes_again() {
    let engine = engine(&[Queue { dead_letters: None, ..work() }]).await;
    let pollers = start(&template(reporting()), &HashMap::from([consumer(Moody)]), &engine).unwrap();
    let bed = Bed { sqs: Client::new(&config(engine.url())), engine, pollers, events: Arc::default() };
    bed.send_and_wait(&["good", "bad"]).await;
    assert_eq!(bed.engine.messages("Work"), ["bad"]);
}

#[tokio::test]
async fn a_source_of_a_function_that_nobody_built_is_told() {
    let engine = engine(&[]).await;
    let NoSuchFunction(name) = start(&template(source()), &HashMap::new(), &engine).unwrap_err();
    assert_eq!(name, "works");
}
