//! The guarantees of this endpoint.

use std::time::{Duration, Instant};

use api::Invocation;
use serde_json::{Value, json};

use super::*;

async fn answer(method: &str) -> Value {
    let event = json!({"httpMethod": method, "path": "/whatsapp/api/docs/", "headers": {}}).to_string();
    let deadline = Instant::now() + Duration::from_secs(28);
    let invocation = Invocation { id: "test", deadline, query_key_allowed: false };
    serde_json::to_value(api::respond(&ReadDocs, &event, invocation).await).unwrap()
}

#[tokio::test]
async fn everybody_gets_the_page_and_it_may_run_and_load_nothing() {
    let answer = answer("GET").await;
    assert_eq!(
        (&answer["statusCode"], &answer["headers"]["Content-Type"]),
        (&json!(200), &json!("text/html; charset=utf-8"))
    );
    assert!(answer["headers"]["Content-Security-Policy"].as_str().unwrap().starts_with("default-src 'none'"));
    let page = answer["body"].as_str().unwrap();
    assert!(page.contains("/whatsapp/api/send-message/"));
    for elsewhere in ["<script", "src=", "http://", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[tokio::test]
async fn another_method_is_refused() {
    let answer = answer("POST").await;
    assert_eq!((&answer["statusCode"], &answer["headers"]["Allow"]), (&json!(405), &json!("GET")));
}
