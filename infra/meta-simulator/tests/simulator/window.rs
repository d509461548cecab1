use meta_simulator::{Account, CustomerMessage, NotSent, Settings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::receiver::{Receiver, meta_with, other_account};
use crate::{Meta, message, number_path, read, text_to};

const TO: &str = "919876543210";

async fn strict() -> Meta {
    Meta::bind(Settings { enforce_window: true, ..Settings::default() }).await
}

/// The error's code, or null when the text was taken.
async fn code_of_a_text(meta: &Meta) -> Value {
    meta.send(&text_to(TO)).await.1["error"]["code"].clone()
}

async fn block(meta: &Meta) -> (u16, Value) {
    let users = json!({ "messaging_product": "whatsapp", "block_users": [{ "user": TO }] });
    meta.call(Method::POST, &number_path("block_users"), Some(&users)).await
}

#[tokio::test]
async fn only_templates_reach_a_customer_who_has_not_written_for_24_hours() {
    let meta = strict().await;
    assert_eq!(code_of_a_text(&meta).await, 131_047, "never written");
    let template = json!({ "name": "hello_world", "language": { "code": "en_US" } });
    assert_eq!(meta.send(&message(TO, "template", template)).await.0, 200, "templates pass");
    meta.simulator.customer_writes(TO, "Hi");
    assert_eq!(code_of_a_text(&meta).await, Value::Null);
    meta.simulator.age_window(TO);
    assert_eq!(code_of_a_text(&meta).await, 131_047);
    meta.simulator.customer_writes(TO, "Hi again");
    assert_eq!(code_of_a_text(&meta).await, Value::Null);
}

#[tokio::test]
async fn somebody_who_never_wrote_may_be_written_to_unless_the_window_is_enforced_and_somebody_else_for_24_hours() {
    let meta = Meta::bind(Settings::default()).await;
    assert_eq!(code_of_a_text(&meta).await, Value::Null, "never written");
    meta.simulator.customer_writes(TO, "Hi");
    assert_eq!(code_of_a_text(&meta).await, Value::Null);
    meta.simulator.age_window(TO);
    assert_eq!(code_of_a_text(&meta).await, 131_047);
    assert_eq!(block(&meta).await.0, 400, "nor be blocked");
}

#[tokio::test]
async fn whatever_the_customer_sends_opens_the_window_but_a_system_message_does_not() {
    let meta = strict().await;
    meta.simulator.customer_sends(TO, CustomerMessage::number_changed("919876500000")).unwrap();
    assert_eq!(code_of_a_text(&meta).await, 131_047);
    for written in [
        CustomerMessage::reaction("wamid.x", Some("👍")),
        CustomerMessage::sticker(),
        CustomerMessage::button("Yes", "yes"),
        CustomerMessage::unsupported(),
    ] {
        meta.simulator.age_window(TO);
        assert_eq!(code_of_a_text(&meta).await, 131_047);
        meta.simulator.customer_sends(TO, written).unwrap();
        assert_eq!(code_of_a_text(&meta).await, Value::Null);
    }
}

#[tokio::test]
async fn a_window_is_open_for_the_number_that_the_customer_wrote_to_and_no_other() {
    let accounts = vec![Account::built_in(), other_account()];
    let meta = Meta::bind(Settings { enforce_window: true, accounts, ..Settings::default() }).await;
    meta.simulator.customer_sends_to("222", TO, CustomerMessage::text("Hi")).unwrap();
    assert_eq!(code_of_a_text(&meta).await, 131_047);
    let url = format!("{}/222/messages", meta.simulator.graph_api_url());
    let sent = meta.client.post(url).bearer_auth("other-token").json(&text_to(TO)).send().await.unwrap();
    assert_eq!(read(sent).await.0, 200);
}

#[tokio::test]
async fn only_who_wrote_within_24_hours_can_be_blocked() {
    let meta = strict().await;
    let failed = async || block(&meta).await.1["block_users"]["failed_users"][0]["errors"][0]["code"].clone();
    assert_eq!(failed().await, 131_047);
    meta.simulator.customer_writes(TO, "Hi");
    meta.simulator.age_window(TO);
    assert_eq!(failed().await, 131_047);
    meta.simulator.customer_writes(TO, "Hi");
    assert_eq!(block(&meta).await.0, 200);
}

#[tokio::test]
async fn nothing_passes_between_a_business_and_a_customer_whom_it_blocked() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    assert_eq!(block(&meta).await.0, 200);
    assert_eq!(code_of_a_text(&meta).await, 130_403);
    assert_eq!(meta.simulator.customer_sends(TO, CustomerMessage::voice()), Err(NotSent::Blocked));
    assert_eq!(meta.simulator.customer_writes(TO, "Hi"), None);
    let path = format!("/phones/{TO}/messages");
    let (status, body) = meta.control(Method::POST, &path, Some(&json!({ "text": "Hi" }))).await;
    assert_eq!(status, 409);
    assert!(body["error"].as_str().unwrap().contains("blocked"));
    // What came instead would have come before this.
    meta.simulator.customer_writes("919876543211", "Hi");
    assert_eq!(receiver.first_message().await["from"], "919876543211");
}

#[tokio::test]
async fn a_phones_last_message_grows_old_over_http() {
    let meta = strict().await;
    let path = format!("/phones/{TO}/age");
    assert_eq!(meta.control(Method::POST, &path, Some(&json!({ "hours": 25 }))).await.0, 404, "nothing was written");
    meta.simulator.customer_writes(TO, "Hi");
    assert_eq!(meta.control(Method::POST, &path, Some(&json!({ "hours": 23 }))).await.0, 200);
    assert_eq!(code_of_a_text(&meta).await, Value::Null);
    assert_eq!(meta.control(Method::POST, &path, Some(&json!({ "hours": 1.5 }))).await.0, 200);
    assert_eq!(code_of_a_text(&meta).await, 131_047);
    for wrong in [json!({}), json!({ "hours": "two" }), json!({ "hours": 0 }), json!({ "hours": 1, "days": 1 })] {
        assert_eq!(meta.control(Method::POST, &path, Some(&wrong)).await.0, 400, "{wrong}");
    }
}
