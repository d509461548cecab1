//! The real program, as Lambda runs it.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use lambda_runtime_stand_in::{Environment, Events, Function, FunctionError, NO_JSON};
use serde_json::{Value, json};
use testbed::Testbed;
use testbed::campaigns::{QUEUE, people};

const NAME: &str = "tend-campaigns";

async fn start(environment: Environment) -> Function {
    Function::start(env!("CARGO_BIN_EXE_tend-campaigns"), &environment).await
}

fn scheduled() -> String {
    Events::default().event("schedule", &Value::Null)
}

/// What it wrote, which holds no secret.
fn log(function: &Function) -> Vec<String> {
    let log = function.log();
    assert!(log.iter().all(|line| !line.contains("canary")), "{log:#?}");
    log
}

/// One that its queue has forgotten.
async fn stopped(bed: &Testbed) {
    let id = bed.campaign(1, people(0..3)).await;
    bed.starter.start(&bed.caller().await, id).await.unwrap();
}

#[tokio::test]
async fn whatever_the_event_what_has_stopped_is_handed_out_again() {
    let bed = Testbed::start().await;
    let function = start(Environment::new(NAME, &bed)).await;
    for event in [scheduled(), "{}".to_owned(), "null".to_owned(), "[]".to_owned(), "1e999".to_owned()] {
        // The testbed's clock stands at a moment long ago: what was handed out then was lost.
        stopped(&bed).await;
        let before = bed.queues.messages(QUEUE).len();
        assert_eq!(function.invoke(&event).await.unwrap(), Value::Null, "{event}");
        assert!(bed.queues.messages(QUEUE).len() > before, "{event}");
    }
    for event in NO_JSON {
        assert!(matches!(function.invoke(event).await, Err(FunctionError::Reported(_))), "{event:?}");
    }
    assert!(function.is_running());
}

/// However much the environment asks to be logged.
#[tokio::test]
async fn every_run_is_one_line_of_the_log_and_a_failure_is_one_of_the_invocation() {
    let bed = Testbed::start().await;
    let all = Environment::new(NAME, &bed).with("RUST_LOG", "trace").with("AWS_LAMBDA_LOG_LEVEL", "TRACE");
    let function = start(all).await;
    function.invoke(&scheduled()).await.unwrap();
    let Testbed { engine, .. } = bed;
    engine.stop().await;
    let Err(FunctionError::Reported(error)) = function.invoke(&scheduled()).await else { panic!("it did not fail") };
    assert_eq!(error["errorType"], "storage_unavailable");
    function.kill().await;
    let lines: Vec<Value> = log(&function).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = lines.iter().map(|line| (&line["level"], &line["outcome"], &line["span"]["task"])).collect();
    let name = json!(NAME);
    let expected = [(json!("INFO"), json!("Done")), (json!("ERROR"), json!("Unavailable"))];
    assert_eq!(told, expected.each_ref().map(|(level, outcome)| (level, outcome, &name)));
}

#[tokio::test]
async fn without_its_settings_it_says_which_is_missing_and_does_not_start() {
    let bed = Testbed::start().await;
    for (missing, told) in [
        ("TABLE_PREFIX", "TABLE_PREFIX"),
        ("SEND_CAMPAIGN_QUEUE_URL", "SEND_CAMPAIGN_QUEUE_URL"),
        ("AWS_REGION", "AWS_REGION"),
        ("WHATSAPP_ACCOUNTS", "WHATSAPP_ACCOUNTS_SECRET"),
    ] {
        let function = start(Environment::new(NAME, &bed).without(missing)).await;
        function.assert_refused(told).await;
        log(&function);
    }
}
