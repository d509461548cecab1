//! The real program, as Lambda runs it.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use lambda_runtime_stand_in::{Environment, Events, Function, FunctionError, NO_JSON};
use meta_simulator::{ACCESS_TOKEN, PHONE_NUMBER_ID};
use serde_json::{Value, json};
use testbed::{SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID, Testbed};
use whatsapp::WhatsApp;

const NAME: &str = "refresh-blocked";

async fn start(environment: Environment) -> Function {
    Function::start(env!("CARGO_BIN_EXE_refresh-blocked"), &environment).await
}

/// The environment with both accounts, the second one with this token.
fn environment(bed: &Testbed, second_token: &str) -> Environment {
    let accounts = json!([
        {"id": 1, "waba_id": "1", "phone_number_id": PHONE_NUMBER_ID, "access_token": ACCESS_TOKEN},
        {"id": SECOND_ACCOUNT, "waba_id": "1", "phone_number_id": SECOND_PHONE_NUMBER_ID, "access_token": second_token},
    ]);
    Environment::new(NAME, bed).with("WHATSAPP_ACCOUNTS", &accounts.to_string())
}

fn scheduled() -> String {
    Events::default().event("schedule", &Value::Null)
}

/// Somebody blocks a contact of the first account in Meta's own pages.
async fn block_elsewhere(bed: &Testbed, contact: &str) {
    let number = WhatsApp::new(&bed.simulator.graph_api_url()).unwrap().number(PHONE_NUMBER_ID, &ACCESS_TOKEN.into());
    number.block(&[contact]).await.unwrap();
}

/// What it wrote, which holds no secret.
fn log(function: &Function) -> Vec<String> {
    let log = function.log();
    for secret in ["canary", ACCESS_TOKEN, PHONE_NUMBER_ID, SECOND_PHONE_NUMBER_ID, "9876543"] {
        assert!(log.iter().all(|line| !line.contains(secret)), "{secret} in {log:#?}");
    }
    log
}

/// The lines of the log, each of them JSON.
fn lines(function: &Function) -> Vec<Value> {
    log(function).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn whatever_the_event_the_lists_are_brought_level() {
    let bed = Testbed::start().await;
    let function = start(environment(&bed, ACCESS_TOKEN)).await;
    let recorded = Events { path: "/any".to_owned(), ..Events::default() };
    let mut events = vec![scheduled(), "{}".to_owned(), "null".to_owned(), "[]".to_owned(), "1e999".to_owned()];
    events.extend([r#""\ud800""#.to_owned(), format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))]);
    events.extend(recorded.odd().into_iter().map(|case| case.event));
    let mut contacts = Vec::new();
    for (number, event) in events.iter().enumerate() {
        contacts.push(format!("9198765{number:05}"));
        block_elsewhere(&bed, &contacts[number]).await;
        assert_eq!(function.invoke(event).await.unwrap(), Value::Null, "{event:.200}");
        assert_eq!(bed.blocked_now().await, contacts, "{event:.200}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_an_error_and_stops_nothing() {
    let bed = Testbed::start().await;
    let function = start(environment(&bed, ACCESS_TOKEN)).await;
    for event in NO_JSON {
        assert!(matches!(function.invoke(event).await, Err(FunctionError::Reported(_))), "{event:?}");
    }
    block_elsewhere(&bed, "919876543210").await;
    function.invoke(&scheduled()).await.unwrap();
    assert_eq!(bed.blocked_now().await, ["919876543210"]);
}

#[tokio::test]
async fn when_an_account_fails_the_invocation_does_and_the_other_account_is_level() {
    let bed = Testbed::start().await;
    let function = start(environment(&bed, "canary of a token")).await;
    block_elsewhere(&bed, "919876543210").await;
    for _ in 0..2 {
        let Err(FunctionError::Reported(error)) = function.invoke(&scheduled()).await else {
            panic!("it did not fail")
        };
        let message = "The lists of those blocked by these accounts are not level with WhatsApp's: 2";
        assert_eq!(error, json!({"errorType": "not_refreshed", "errorMessage": message}));
        assert_eq!(bed.blocked_now().await, ["919876543210"]);
    }
    function.kill().await;
    let lines = lines(&function);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for line in lines {
        assert_eq!(
            (&line["level"], &line["outcome"], &line["code"]),
            (&json!("ERROR"), &json!("UpstreamFailed"), &json!("not_refreshed"))
        );
        assert!(
            line["cause"].as_str().unwrap().starts_with("account 2: upstream_auth: Meta does not accept"),
            "{line}"
        );
    }
}

/// However much the environment asks to be logged.
#[tokio::test]
async fn every_run_is_one_line_of_the_log() {
    let bed = Testbed::start().await;
    let all = environment(&bed, ACCESS_TOKEN).with("RUST_LOG", "trace").with("AWS_LAMBDA_LOG_LEVEL", "TRACE");
    let function = start(all).await;
    block_elsewhere(&bed, "919876543210").await;
    for _ in 0..3 {
        function.invoke(&scheduled()).await.unwrap();
    }
    function.kill().await;
    let lines = lines(&function);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for line in lines {
        assert_eq!(
            (&line["level"], &line["outcome"], &line["span"]["task"]),
            (&json!("INFO"), &json!("Done"), &json!(NAME))
        );
        assert!(line["elapsed_ms"].is_u64() && line["span"]["request_id"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn without_its_settings_it_says_which_is_missing_and_does_not_start() {
    let bed = Testbed::start().await;
    for (missing, told) in [
        ("TABLE_PREFIX", "TABLE_PREFIX"),
        ("GRAPH_API_URL", "GRAPH_API_URL"),
        ("AWS_REGION", "AWS_REGION"),
        ("WHATSAPP_ACCOUNTS", "WHATSAPP_ACCOUNTS_SECRET"),
    ] {
        let function = start(environment(&bed, ACCESS_TOKEN).without(missing)).await;
        function.assert_refused(told).await;
        log(&function);
    }
    let function = start(environment(&bed, ACCESS_TOKEN).with("WHATSAPP_ACCOUNTS", "canary")).await;
    function.assert_refused("WHATSAPP_ACCOUNTS").await;
    log(&function);
}
