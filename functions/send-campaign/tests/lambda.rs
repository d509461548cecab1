//! The real program, as Lambda runs it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

use lambda_runtime_stand_in::{Environment, Events, Function, FunctionError, NO_JSON};
use serde_json::{Value, json};
use testbed::Testbed;
use testbed::campaigns::{QUEUE, TIME_LEFT, people, phone};

const NAME: &str = "send-campaign";

async fn start(environment: Environment) -> Function {
    Function::start(env!("CARGO_BIN_EXE_send-campaign"), &environment).await
}

/// Lambda's event for messages with these bodies, whose ids are their places.
fn batch(bodies: &[Value]) -> String {
    let recorded: Value = serde_json::from_str(&Events::default().event("sqs", &Value::Null)).unwrap();
    let record = |(place, body): (usize, &Value)| {
        let mut record = recorded["Records"][0].clone();
        (record["messageId"], record["body"]) = (json!(place.to_string()), body.clone());
        record
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()}).to_string()
}

fn failures(places: &[&str]) -> Value {
    json!({"batchItemFailures": places.iter().map(|place| json!({"itemIdentifier": place})).collect::<Vec<_>>()})
}

/// What it wrote, which holds no secret and nobody's number.
fn log(function: &Function) -> Vec<String> {
    let log = function.log();
    for secret in ["canary", meta_simulator::ACCESS_TOKEN, "98765"] {
        assert!(log.iter().all(|line| !line.contains(secret)), "{secret} in {log:#?}");
    }
    log
}

/// Hands over a batch, with the time that the function has.
async fn invoke(function: &Function, bodies: &[Value]) -> Value {
    function.invoke_within(&batch(bodies), TIME_LEFT).await.unwrap()
}

/// What is in the queue for a campaign of these people, which is started.
async fn jobs(bed: &Testbed, numbers: std::ops::Range<u32>) -> Vec<Value> {
    let (id, before) = (bed.campaign(1, people(numbers)).await, bed.queues.messages(QUEUE).len());
    bed.starter.start(&bed.caller().await, id).await.unwrap();
    bed.queues.messages(QUEUE).split_off(before).into_iter().map(Value::from).collect()
}

#[tokio::test]
async fn a_batch_is_sent_and_what_is_no_job_comes_again_alone() {
    let bed = Testbed::start().await;
    let function = start(Environment::new(NAME, &bed)).await;
    let (first, second) = (jobs(&bed, 0..3).await, jobs(&bed, 3..5).await);
    let bodies = [&first[0], &json!("canary"), &second[0], &json!("{}"), &first[0], &json!(null)].map(Clone::clone);
    assert_eq!(invoke(&function, &bodies).await, failures(&["1", "3", "5"]));
    let accepted = bed.simulator.accepted_by_phone();
    assert!((0..5).all(|number| accepted[&phone(number)] == 1) && accepted.len() == 5, "{accepted:?}");
    assert_eq!(invoke(&function, &[]).await, failures(&[]));
    assert_eq!(invoke(&function, &first).await, failures(&[]));
    function.kill().await;
    log(&function);
}

#[tokio::test]
async fn what_is_no_batch_is_an_error_and_stops_nothing() {
    let bed = Testbed::start().await;
    let function = start(Environment::new(NAME, &bed)).await;
    let events = Events { path: "/any".to_owned(), ..Events::default() };
    let odd = events.odd().into_iter().map(|case| case.event);
    for event in NO_JSON.map(str::to_owned).into_iter().chain(["{}".to_owned(), "null".to_owned()]).chain(odd) {
        match function.invoke(&event).await {
            Err(FunctionError::Reported(_)) => {}
            // One of the recorded events is a batch, of messages that are no jobs.
            Ok(report) => assert_ne!(report, failures(&[]), "{event:.200}"),
            Err(FunctionError::Ended(status)) => panic!("{event:.200}: {status}"),
        }
    }
    let jobs = jobs(&bed, 0..1).await;
    assert_eq!(invoke(&function, &jobs).await, failures(&[]));
    assert_eq!(bed.simulator.accepted_by_phone().len(), 1);
}

/// However much the environment asks to be logged.
#[tokio::test]
async fn every_batch_is_one_line_of_the_log() {
    let bed = Testbed::start().await;
    let all = Environment::new(NAME, &bed).with("RUST_LOG", "trace").with("AWS_LAMBDA_LOG_LEVEL", "TRACE");
    let function = start(all).await;
    let jobs = jobs(&bed, 0..3).await;
    invoke(&function, &jobs).await;
    invoke(&function, &[json!("canary")]).await;
    function.kill().await;
    let lines: Vec<Value> = log(&function).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (line["level"].clone(), line["outcome"].clone())).collect();
    assert_eq!(told, [(json!("INFO"), json!("Done")), (json!("ERROR"), json!("Failed"))]);
    assert!(lines.iter().all(|line| line["span"]["consumer"] == NAME && line["elapsed_ms"].is_u64()), "{lines:#?}");
}

#[tokio::test]
async fn without_its_settings_it_says_which_is_missing_and_does_not_start() {
    let bed = Testbed::start().await;
    for (missing, told) in [
        ("TABLE_PREFIX", "TABLE_PREFIX"),
        ("GRAPH_API_URL", "GRAPH_API_URL"),
        ("SEND_CAMPAIGN_QUEUE_URL", "SEND_CAMPAIGN_QUEUE_URL"),
        ("AWS_REGION", "AWS_REGION"),
        ("WHATSAPP_ACCOUNTS", "WHATSAPP_ACCOUNTS_SECRET"),
    ] {
        let function = start(Environment::new(NAME, &bed).without(missing)).await;
        function.assert_refused(told).await;
        log(&function);
    }
}
