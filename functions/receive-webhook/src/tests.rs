//! What Meta gets for what it sends, in both formats of events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Invocation;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{AccountId, Accounts, Clock};
use embedded_dynamodb::Engine;
use hmac::{Hmac, KeyInit, Mac};
use inbox::Words;
use serde_json::Value;
use sha2::Sha256;
use storage::{Chat, Conversations, Database};

use super::*;

const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const ACCOUNT: &str = r#"[{"id":1,"phone_number_id":"106540352242922","waba_id":"102290129340398","access_token":"t",
    "app_secret":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","verify_token":"a word"}]"#;
const HELLO: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages",
    "value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"106540352242922"},"messages":[{"from":"16505551234",
    "id":"wamid.A","timestamp":"1749416383","type":"text","text":{"body":"\u00e4\/"}}]}}]}]}"#;

struct Bed {
    engine: Engine,
    conversations: Conversations,
    endpoint: ReceiveWebhook,
}

async fn bed(accounts: &str) -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let database = Database::local(engine.url(), engine.table_prefix());
    let accounts: Accounts = accounts.parse().unwrap();
    let inbox = Inbox::new(&database, Arc::new(accounts), Words::default(), Clock::system());
    Bed { conversations: Conversations::new(&database), engine, endpoint: ReceiveWebhook { inbox } }
}

impl Bed {
    /// The status, the headers and the body of the answer.
    async fn answer(&self, event: &Value) -> (u64, Value, String) {
        let deadline = Instant::now() + Duration::from_secs(28);
        let invocation = Invocation { id: "test", deadline, query_key_allowed: true };
        let answer = api::respond(&self.endpoint, &event.to_string(), invocation).await;
        let answer = serde_json::to_value(answer).unwrap();
        assert!(!answer.to_string().contains(SECRET));
        let body = answer["body"].as_str().unwrap().to_owned();
        (answer["statusCode"].as_u64().unwrap(), answer["headers"].clone(), body)
    }

    async fn unread(&self) -> Option<i64> {
        let chat = Chat::with_number(AccountId(1), "16505551234").unwrap();
        self.conversations.get(&chat).await.unwrap().map(|chat| chat.unread_count)
    }
}

fn sign(body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn post(body: &str) -> Value {
    json!({"httpMethod": "POST", "path": "/whatsapp/webhook/", "headers": {"X-Hub-Signature-256": sign(body.as_bytes())}, "body": body})
}

fn get(query: &Value) -> Value {
    json!({"httpMethod": "GET", "path": "/whatsapp/webhook/", "queryStringParameters": query})
}

#[tokio::test]
async fn the_right_token_gets_the_challenge_and_nothing_around_it() {
    let bed = bed(ACCOUNT).await;
    let good = json!({"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "1158201444"});
    let http = json!({"version": "2.0", "rawPath": "/whatsapp/webhook", "requestContext": {"http": {"method": "GET"}},
        "rawQueryString": "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a+word"});
    for event in [get(&good), http] {
        let (status, headers, body) = bed.answer(&event).await;
        assert_eq!((status, body.as_str()), (200, "1158201444"));
        assert_eq!(headers["Content-Type"], "text/plain; charset=utf-8");
        assert_eq!(headers["X-Content-Type-Options"], "nosniff");
    }
}

#[tokio::test]
async fn another_token_is_a_403_and_what_is_no_question_of_metas_a_400() {
    let bed = bed(ACCOUNT).await;
    for (query, status) in [
        (json!({"hub.mode": "subscribe", "hub.verify_token": "whatsapp_verify", "hub.challenge": "1"}), 403),
        (json!({"hub.mode": "subscribe", "hub.challenge": "1"}), 403),
        (json!({"hub.mode": "unsubscribe", "hub.verify_token": "a word", "hub.challenge": "1"}), 400),
        (json!({"hub.mode": "subscribe", "hub.verify_token": "a word", "hub.challenge": "<script>"}), 400),
        (json!({"hub.mode": "subscribe", "hub.verify_token": "a word"}), 400),
        (Value::Null, 400),
    ] {
        let (answered, headers, body) = bed.answer(&get(&query)).await;
        assert_eq!((answered, &headers["Content-Type"]), (status, &json!("application/json")), "{query}: {body}");
        assert!(!body.contains("<script>"), "{body}");
    }
    let unset = self::bed(&ACCOUNT.replace("\"a word\"", "null")).await;
    let (status, _, _) =
        unset.answer(&get(&json!({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}))).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_signed_webhook_is_stored_and_answered_as_in_the_reference() {
    let bed = bed(ACCOUNT).await;
    let (status, _, body) = bed.answer(&post(HELLO)).await;
    assert_eq!((status, body.as_str(), bed.unread().await), (200, r#"{"status":"ok"}"#, Some(1)));
}

#[tokio::test]
async fn the_signature_is_over_the_decoded_bytes_in_both_formats() {
    for (body, is_base64) in [(HELLO.to_owned(), false), (STANDARD.encode(HELLO), true)] {
        let rest = json!({"httpMethod": "POST", "path": "/whatsapp/webhook/", "body": body, "isBase64Encoded": is_base64,
            "multiValueHeaders": {"x-hub-signature-256": [sign(HELLO.as_bytes())]}});
        let http = json!({"version": "2.0", "rawPath": "/whatsapp/webhook/", "requestContext": {"http": {"method": "POST"}},
            "headers": {"x-hub-signature-256": sign(HELLO.as_bytes())}, "body": body, "isBase64Encoded": is_base64});
        for event in [rest, http] {
            let bed = bed(ACCOUNT).await;
            assert_eq!((bed.answer(&event).await.0, bed.unread().await), (200, Some(1)), "{event}");
        }
    }
}

#[tokio::test]
async fn a_wrong_or_missing_signature_is_a_401_and_stores_nothing() {
    let bed = bed(ACCOUNT).await;
    let (mut unsigned, mut forged, mut changed) = (post(HELLO), post(HELLO), post(HELLO));
    unsigned["headers"] = json!({});
    forged["headers"] = json!({"X-Hub-Signature-256": format!("sha256={}", "0".repeat(64))});
    changed["body"] = json!(HELLO.replace("16505551234", "16505551235"));
    for event in [unsigned, forged, changed] {
        let (status, _, body) = bed.answer(&event).await;
        assert_eq!((status, body.as_str(), bed.unread().await), (401, r#"{"error":"Unauthorized"}"#, None), "{event}");
    }
}

#[tokio::test]
async fn without_any_app_secret_it_is_a_503() {
    let bed = bed(&ACCOUNT.replace(r#""app_secret":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","#, "")).await;
    assert_eq!((bed.answer(&post(HELLO)).await.0, bed.unread().await), (503, None));
}

#[tokio::test]
async fn while_the_storage_is_down_it_is_a_503() {
    let Bed { engine, endpoint, conversations } = bed(ACCOUNT).await;
    let down = Database::local("http://127.0.0.1:1", engine.table_prefix());
    let accounts: Accounts = ACCOUNT.parse().unwrap();
    let inbox = Inbox::new(&down, Arc::new(accounts), Words::default(), Clock::system());
    let mut bed = Bed { engine, conversations, endpoint: ReceiveWebhook { inbox } };
    assert_eq!((bed.answer(&post(HELLO)).await.0, bed.unread().await), (503, None));
    bed.endpoint = endpoint;
    assert_eq!((bed.answer(&post(HELLO)).await.0, bed.unread().await), (200, Some(1)));
}

#[tokio::test]
async fn a_body_over_4_mb_is_a_413_and_one_of_4_mb_is_taken() {
    let bed = bed(ACCOUNT).await;
    let padded = |length: usize| post(&format!("{HELLO}{}", " ".repeat(length - HELLO.len())));
    assert_eq!(bed.answer(&padded(4 * 1024 * 1024 + 1)).await.0, 413);
    assert_eq!(bed.unread().await, None);
    assert_eq!((bed.answer(&padded(4 * 1024 * 1024)).await.0, bed.unread().await), (200, Some(1)));
}

#[tokio::test]
async fn another_method_is_a_405() {
    let bed = bed(ACCOUNT).await;
    for method in ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "post", ""] {
        let mut event = post(HELLO);
        event["httpMethod"] = json!(method);
        let (status, headers, _) = bed.answer(&event).await;
        assert_eq!((status, &headers["Allow"]), (405, &json!("GET, POST")), "{method}");
    }
    assert_eq!(bed.unread().await, None);
}

#[tokio::test]
async fn what_is_signed_and_not_understood_is_a_200_since_meta_would_only_send_it_again() {
    let bed = bed(ACCOUNT).await;
    for body in ["", "not JSON", "{}", "[1,", "\u{0}"] {
        assert_eq!(bed.answer(&post(body)).await.0, 200, "{body:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_base64_that_the_event_says_is_a_400() {
    let bed = bed(ACCOUNT).await;
    let mut event = post("%%%");
    event["isBase64Encoded"] = json!(true);
    assert_eq!(bed.answer(&event).await.0, 400);
}
