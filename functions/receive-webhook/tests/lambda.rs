//! The real program, as Lambda runs it: killed at every point, it loses nothing and counts nothing twice.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

use hmac::{Hmac, KeyInit, Mac};
use lambda_runtime_stand_in::{Environment, Function, FunctionError, Gate, Held};
use serde_json::{Value, json};
use sha2::Sha256;
use testbed::Testbed;

const BINARY: &str = env!("CARGO_BIN_EXE_receive-webhook");
/// What template.yaml's tests give the account.
const SECRET: &str = "canary of the app secret";
const TABLES: [&str; 3] = ["Conversations", "Messages", "WebhookEvents"];
/// What stands in every request to DynamoDB.
const ANY_OPERATION: &str = "DynamoDB_20120810";

fn event(body: &str, secret: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let headers = json!({"X-Hub-Signature-256": signature});
    json!({"httpMethod": "POST", "path": "/whatsapp/webhook/", "headers": headers, "body": body}).to_string()
}

fn message(from: &str, id: &str, second: u32, text: &str) -> Value {
    json!({"from": from, "id": id, "timestamp": (1_767_323_045 + second).to_string(), "type": "text", "text": {"body": text}})
}

/// Messages of two people, statuses of a message sent elsewhere, an event, and something that can't be read.
fn webhook() -> String {
    let status = |word: &str, second: u32| json!({"id": "wamid.S", "status": word, "timestamp": (1_767_323_045 + second).to_string(), "recipient_id": "16505551234"});
    let metadata = json!({"phone_number_id": meta_simulator::PHONE_NUMBER_ID, "display_phone_number": "15550783881"});
    let value = |kind: &str, items: Value| json!({"messaging_product": "whatsapp", "metadata": metadata, kind: items});
    let messages = json!([
        message("16505551234", "wamid.A", 1, "canary hello"),
        message("16505551234", "wamid.B", 2, "stop"),
        message("919876543210", "wamid.C", 3, "canary hi"),
        {"nonsense": "canary"},
    ]);
    json!({"object": "whatsapp_business_account", "entry": [{"id": meta_simulator::WABA_ID, "time": 1_767_323_045, "changes": [
        {"field": "messages", "value": value("messages", messages)},
        {"field": "messages", "value": value("statuses", json!([status("delivered", 5), status("sent", 4)]))},
        {"field": "account_update", "value": {"event": "canary"}},
    ]}]})
    .to_string()
}

async fn status(function: &Function, event: &str) -> Result<u64, FunctionError> {
    function.invoke(event).await.map(|answer| answer["statusCode"].as_u64().unwrap())
}

#[tokio::test]
async fn killed_between_any_two_writes_and_told_again_it_loses_nothing_and_doubles_nothing() {
    let event = event(&webhook(), SECRET);
    let expected = {
        let testbed = Testbed::start().await;
        let function = Function::start(BINARY, &Environment::new("receive-webhook", &testbed)).await;
        assert_eq!(status(&function, &event).await.unwrap(), 200);
        testbed.dump(&TABLES).await
    };
    for held in [Held::Request, Held::Answer] {
        let mut kills = 0;
        for passing in 0.. {
            let testbed = Testbed::start().await;
            let gate = Gate::to(testbed.engine.url()).await;
            let environment =
                Environment::new("receive-webhook", &testbed).with("AWS_ENDPOINT_URL_DYNAMODB", gate.url());
            let function = Function::start(BINARY, &environment).await;
            gate.close_behind(passing, held, ANY_OPERATION);
            let killed = async {
                gate.reached().await;
                function.kill().await;
            };
            let answered = tokio::select! {
                answered = status(&function, &event) => answered.ok(),
                () = killed => None,
            };
            gate.open();
            if answered == Some(200) {
                break;
            }
            kills += 1;
            let function = Function::start(BINARY, &environment).await;
            assert_eq!(status(&function, &event).await.unwrap(), 200, "{held:?} {passing}");
            assert_eq!(testbed.dump(&TABLES).await, expected, "{held:?} {passing}");
        }
        assert!(kills >= 10, "it was killed {kills} times only");
    }
}

#[tokio::test]
async fn its_log_holds_no_secret_no_text_and_no_number() {
    let testbed = Testbed::start().await;
    let environment = Environment::new("receive-webhook", &testbed).with("RUST_LOG", "trace");
    let function = Function::start(BINARY, &environment).await;
    assert_eq!(status(&function, &event(&webhook(), SECRET)).await.unwrap(), 200);
    assert_eq!(status(&function, &event(&webhook(), "another")).await.unwrap(), 401);
    assert_eq!(status(&function, &event("canary", SECRET)).await.unwrap(), 200);
    function.kill().await;
    let log = function.log();
    assert!(log.len() >= 3, "{log:?}");
    for line in log {
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
        for told in ["canary", "16505551234", "919876543210", "sha256="] {
            assert!(!line.contains(told), "{told} in {line}");
        }
    }
}

#[tokio::test]
async fn no_event_stops_the_program() {
    let testbed = Testbed::start().await;
    let function = Function::start(BINARY, &Environment::new("receive-webhook", &testbed)).await;
    for event in [
        json!(null),
        json!([]),
        json!({}),
        json!({"httpMethod": "POST"}),
        json!({"httpMethod": "GET", "body": 7}),
        json!({"httpMethod": "POST", "body": "\u{0}", "headers": {"x-hub-signature-256": "sha256=\u{0}"}}),
    ] {
        assert!([400, 401, 403, 405].contains(&status(&function, &event.to_string()).await.unwrap()), "{event}");
    }
    assert_eq!(status(&function, &event(&webhook(), SECRET)).await.unwrap(), 200);
}

#[tokio::test]
async fn without_its_settings_it_says_which_is_missing_and_does_not_start() {
    for (missing, told) in [("TABLE_PREFIX", "TABLE_PREFIX"), ("WHATSAPP_ACCOUNTS", "WHATSAPP_ACCOUNTS_SECRET")] {
        let testbed = Testbed::start().await;
        let environment = Environment::new("receive-webhook", &testbed).without(missing);
        let function = Function::start(BINARY, &environment).await;
        assert!(!function.ended().await.success());
        assert!(function.log().iter().any(|line| line.contains(told)), "{:?}", function.log());
    }
}
