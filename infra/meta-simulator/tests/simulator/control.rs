use meta_simulator::{ACCESS_TOKEN, PHONE_NUMBER_ID};
use reqwest::Method;
use serde_json::json;

use crate::{Meta, text_to};

const TO: &str = "919876543210";

#[tokio::test]
async fn faults_are_armed_told_and_cleared_over_http() {
    let meta = Meta::start().await;
    let arm = json!({ "fault": "error", "code": 131_056, "times": 2 });
    let (status, body) = meta.control(Method::POST, "/faults", Some(&arm)).await;
    assert_eq!((status, &body["next"][0]), (200, &arm));
    assert_eq!(meta.send(&text_to(TO)).await.1["error"]["code"], 131_056);
    assert_eq!(meta.control(Method::GET, "/faults", None).await.1["next"][0]["times"], 1);
    meta.control(Method::DELETE, "/faults", None).await;
    assert_eq!(meta.send(&text_to(TO)).await.0, 200);
    let (_, body) =
        meta.control(Method::POST, "/faults", Some(&json!({ "fault": "bad_gateway", "always": true }))).await;
    assert_eq!(body["always"], json!({ "fault": "bad_gateway" }));
    for wrong in [
        json!({ "fault": "earthquake" }),
        json!({ "fault": "error" }),
        json!({ "fault": "delay" }),
        json!({ "fault": "close_before_reading", "always": true }),
    ] {
        assert_eq!(meta.control(Method::POST, "/faults", Some(&wrong)).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn requests_and_phones_are_told_without_the_token_and_forgotten_after_a_reset() {
    let meta = Meta::start().await;
    meta.send(&text_to(TO)).await;
    let (_, body) = meta.control(Method::GET, "/requests", None).await;
    assert_eq!(body["requests"][0]["path"], format!("/v25.0/{PHONE_NUMBER_ID}/messages"));
    assert_eq!(body["requests"][0]["json"], text_to(TO));
    assert!(!body.to_string().contains(ACCESS_TOKEN));
    let (_, body) = meta.control(Method::GET, "/phones", None).await;
    assert_eq!(
        (&body["phones"][0]["number"], &body["phones"][0]["messages"][0]["text"]),
        (&json!(TO), &json!("Hello!"))
    );
    meta.control(Method::POST, "/reset", None).await;
    assert_eq!(meta.control(Method::GET, "/phones", None).await.1, json!({ "phones": [] }));
    assert_eq!(meta.control(Method::GET, "/requests", None).await.1, json!({ "requests": [] }));
    assert!(meta.simulator.requests().is_empty());
}

#[tokio::test]
async fn a_person_can_answer_as_the_customer() {
    let meta = Meta::start().await;
    let path = format!("/phones/{TO}/messages");
    let (status, body) = meta.control(Method::POST, &path, Some(&json!({ "text": "Hi" }))).await;
    assert_eq!((status, &body["webhook"]), (200, &json!(false)));
    let (_, body) = meta.control(Method::GET, "/phones", None).await;
    assert_eq!(body["phones"][0]["messages"][0]["from_customer"], true);
    for (path, text) in [(path.as_str(), ""), ("/phones/nobody/messages", "Hi")] {
        assert_eq!(meta.control(Method::POST, path, Some(&json!({ "text": text }))).await.0, 400);
    }
}

#[tokio::test]
async fn another_web_page_may_not_steer_the_simulator() {
    let meta = Meta::start().await;
    let url = format!("{}control/reset", meta.simulator.page_url());
    let response = meta.client.post(url).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(response.status(), 403);
}
