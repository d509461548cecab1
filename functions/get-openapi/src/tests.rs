//! The guarantees of this endpoint.

use std::time::{Duration, Instant};

use api::Invocation;
use serde_json::{Value, json};

use super::*;

async fn answer(method: &str, path: &str) -> Value {
    let event = json!({"httpMethod": method, "path": path, "headers": {}}).to_string();
    let deadline = Instant::now() + Duration::from_secs(28);
    let invocation = Invocation { id: "test", deadline, query_key_allowed: false };
    serde_json::to_value(api::respond(&GetOpenapi, &event, invocation).await).unwrap()
}

fn document(answer: &Value) -> Value {
    assert_eq!((&answer["statusCode"], &answer["headers"]["Content-Type"]), (&json!(200), &json!("application/json")));
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn everybody_gets_the_document_without_a_key() {
    let document = document(&answer("GET", "/whatsapp/api/openapi.json").await);
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.1.0"), &json!("/")));
}

#[tokio::test]
async fn behind_a_stage_the_paths_begin_at_the_stage() {
    let document = document(&answer("GET", "/prod/whatsapp/api/openapi.json").await);
    assert_eq!(document["servers"], json!([{"url": "/prod", "description": "This gateway"}]));
    assert_eq!(DOCUMENT.matches(SERVER).count(), 1);
}

#[tokio::test]
async fn what_stands_before_the_path_cannot_break_out_of_the_document() {
    for odd in ["/\"},{/whatsapp/api/openapi.json", "//evil.example/whatsapp/api/openapi.json"] {
        assert_eq!(document(&answer("GET", odd).await)["servers"][0]["url"], "/", "{odd}");
    }
}

#[tokio::test]
async fn another_method_is_refused() {
    let answer = answer("POST", "/whatsapp/api/openapi.json").await;
    assert_eq!((&answer["statusCode"], &answer["headers"]["Allow"]), (&json!(405), &json!("GET")));
}
