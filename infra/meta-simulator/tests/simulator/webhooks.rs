use std::collections::HashSet;
use std::time::{Duration, Instant};

use meta_simulator::{
    APP_SECRET, Account, CustomerMessage, DeliveryStatus, NotSent, PHONE_NUMBER_ID, Settings, VERIFY_TOKEN, WABA_ID,
    Weather,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::receiver::{Receiver, meta_with, other_account, signature};
use crate::{Meta, eventually, message, text_to};

const TO: &str = "919876543210";

#[tokio::test]
async fn an_accepted_message_is_reported_as_sent_delivered_and_read_with_its_callback_data() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let mut message = text_to(TO);
    message["biz_opaque_callback_data"] = json!("order-17");
    let (_, body) = meta.send(&message).await;
    receiver.wait_for(3).await;
    for (value, expected) in receiver.calls().iter().zip(["sent", "delivered", "read"]) {
        assert_eq!(
            (&value["object"], &value["entry"][0]["id"]),
            (&json!("whatsapp_business_account"), &json!(WABA_ID))
        );
        let change = &value["entry"][0]["changes"][0];
        assert_eq!(change["field"], "messages");
        let status = &change["value"]["statuses"][0];
        assert_eq!(status["status"], expected);
        assert_eq!(status["id"], body["messages"][0]["id"]);
        assert_eq!(status["recipient_id"], TO);
        assert_eq!(status["biz_opaque_callback_data"], "order-17");
        assert!(status["timestamp"].as_str().unwrap().parse::<u64>().is_ok());
        assert!(status.get("conversation").is_none(), "gone since v24");
        let contact =
            json!({ "profile": { "name": format!("Customer {TO}") }, "wa_id": TO, "user_id": "US.1349012345678919" });
        assert_eq!(change["value"]["contacts"], json!([contact]));
    }
}

#[tokio::test]
async fn every_webhook_is_signed_over_its_raw_bytes() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.customer_writes(TO, "Grüße / 😀");
    receiver.wait_for(1).await;
    let (headers, body) = receiver.received.lock().unwrap()[0].clone();
    assert_eq!(headers["x-hub-signature-256"], signature(APP_SECRET, &body));
    assert!(body.is_ascii(), "escaped as Meta does");
    let value = &receiver.calls()[0]["entry"][0]["changes"][0]["value"];
    assert_eq!(value["messages"][0]["text"]["body"], "Grüße / 😀");
    assert_eq!((&value["messages"][0]["from"], &value["contacts"][0]["wa_id"]), (&json!(TO), &json!(TO)));
}

#[tokio::test]
async fn a_number_of_the_later_range_is_accepted_and_then_reported_as_failed() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let (status, _) = meta.send(&text_to("15552131026")).await;
    assert_eq!(status, 200);
    receiver.wait_for(1).await;
    let value = &receiver.values()[0];
    let status = &value["statuses"][0];
    assert_eq!(value["contacts"][0]["wa_id"], status["recipient_id"]);
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_026)));
    let phone = meta.simulator.phone("15552131026");
    assert_eq!((phone[0].status, phone[0].error), (DeliveryStatus::Failed, Some(131_026)));
}

#[tokio::test]
async fn a_refused_webhook_comes_again() {
    let receiver = Receiver::start(2).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.customer_writes(TO, "Hi");
    receiver.wait_for(3).await;
    let webhooks = receiver.received.lock().unwrap();
    assert!(webhooks.iter().all(|(_, body)| *body == webhooks[0].1));
}

#[tokio::test]
async fn a_webhook_is_given_up_after_as_many_attempts_as_the_settings_say() {
    let receiver = Receiver::start(usize::MAX).await;
    let settings = Settings { webhook_url: Some(receiver.url()), webhook_attempts: 2, ..Settings::default() };
    let meta = Meta::bind(settings).await;
    meta.simulator.customer_writes(TO, "Hi");
    eventually("given up", async || meta.simulator.webhooks_pending() == 0).await;
    assert_eq!(receiver.calls().len(), 2);
    assert_eq!(statuses_sent(&meta).await, 0);
}

#[tokio::test]
async fn a_receiver_that_was_down_for_a_while_gets_every_status() {
    let receiver = Receiver::start(20).await;
    let settings = Settings { webhook_url: Some(receiver.url()), webhook_attempts: 100, ..Settings::default() };
    let meta = Meta::bind(settings).await;
    for _ in 0..10 {
        meta.send(&text_to(TO)).await;
    }
    eventually("every status", async || meta.simulator.webhooks_pending() == 0).await;
    assert_eq!(statuses_sent(&meta).await, 30, "each that was taken, once");
    let taken: HashSet<String> = receiver.calls().split_off(20).iter().map(ToString::to_string).collect();
    assert_eq!(taken.len(), 30);
}

#[tokio::test]
async fn a_webhook_is_pending_from_the_acceptance_until_it_was_taken() {
    let receiver = Receiver::start(0).await;
    let status_delay = Duration::from_hours(1);
    let meta = Meta::bind(Settings { webhook_url: Some(receiver.url()), status_delay, ..Settings::default() }).await;
    meta.send(&text_to(TO)).await;
    assert_eq!(meta.simulator.webhooks_pending(), 3);
    meta.send(&text_to("15552131026")).await;
    assert_eq!(meta.simulator.webhooks_pending(), 4);
    meta.simulator.customer_writes(TO, "Hi");
    eventually("the customer's message", async || meta.simulator.webhooks_pending() == 4).await;
    assert_eq!(receiver.calls().len(), 1);
    meta.simulator.reset();
    assert_eq!(meta.simulator.webhooks_pending(), 0, "what was pending concerns what is gone");
}

#[tokio::test]
async fn the_statuses_of_a_message_that_its_phone_no_longer_keeps_are_sent() {
    let receiver = Receiver::start(0).await;
    let status_delay = Duration::from_millis(100);
    let meta = Meta::bind(Settings { webhook_url: Some(receiver.url()), status_delay, ..Settings::default() }).await;
    let mut message = text_to(TO);
    message["biz_opaque_callback_data"] = json!("order-17");
    let (_, body) = meta.send(&message).await;
    // So many newer ones push it out, most likely before its first status is due.
    for _ in 0..200 {
        meta.simulator.customer_writes(TO, "Hi");
    }
    assert!(meta.simulator.phone(TO).is_empty());
    eventually("every webhook", async || meta.simulator.webhooks_pending() == 0).await;
    assert_eq!(receiver.statuses(), ["sent", "delivered", "read"]);
    for status in receiver.values().iter().filter_map(|value| value["statuses"].get(0)) {
        assert_eq!((&status["id"], &status["recipient_id"]), (&body["messages"][0]["id"], &json!(TO)));
        assert_eq!(status["biz_opaque_callback_data"], "order-17");
    }
}

#[tokio::test]
async fn after_a_reset_no_status_of_an_earlier_message_comes() {
    let receiver = Receiver::start(0).await;
    let status_delay = Duration::from_millis(100);
    let meta = Meta::bind(Settings { webhook_url: Some(receiver.url()), status_delay, ..Settings::default() }).await;
    let start = Instant::now();
    meta.send(&text_to(TO)).await;
    meta.simulator.reset();
    // Had this machine stood still for so long, the first status would rightly have come.
    let in_time = start.elapsed() < status_delay;
    let (_, body) = meta.send(&text_to(TO)).await;
    eventually("every status", async || meta.simulator.webhooks_pending() == 0).await;
    if in_time {
        assert_eq!(receiver.statuses(), ["sent", "delivered", "read"]);
        let of_the_later = |value: &Value| value["statuses"][0]["id"] == body["messages"][0]["id"];
        assert!(receiver.values().iter().all(of_the_later));
    }
}

#[tokio::test]
async fn a_doubled_call_is_pending_until_it_came_twice_and_counts_once() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.set_weather(Weather { doubled: true, ..Weather::default() });
    meta.send(&text_to(TO)).await;
    eventually("every webhook", async || meta.simulator.webhooks_pending() == 0).await;
    assert_eq!((receiver.calls().len(), statuses_sent(&meta).await), (6, 3));
}

async fn statuses_sent(meta: &Meta) -> u64 {
    meta.control(Method::GET, "/counts", None).await.1["totals"]["statuses_sent"].as_u64().unwrap()
}

#[tokio::test]
async fn the_webhook_can_be_connected_later() {
    let receiver = Receiver::start(0).await;
    let meta = Meta::start().await;
    meta.simulator.set_webhook_url(Some(receiver.url()));
    meta.simulator.customer_writes(TO, "Hi");
    receiver.wait_for(1).await;
}

#[tokio::test]
async fn a_voice_message_is_played_too() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    meta.send(&message(TO, "audio", json!({ "id": "1", "voice": true }))).await;
    receiver.wait_for(4).await;
    assert_eq!(receiver.statuses(), ["sent", "delivered", "read", "played"]);
    assert_eq!(meta.simulator.phone(TO)[0].status, DeliveryStatus::Played);
}

#[tokio::test]
async fn each_account_has_its_own_metadata_entry_and_signature() {
    let receiver = Receiver::start(0).await;
    let accounts = vec![Account::built_in(), other_account()];
    let settings = Settings { webhook_url: Some(receiver.url()), accounts, ..Settings::default() };
    let meta = Meta::bind(settings).await;
    meta.simulator.customer_sends_to("222", TO, CustomerMessage::text("Hi")).unwrap();
    receiver.wait_for(1).await;
    let url = format!("{}/222/messages", meta.simulator.graph_api_url());
    meta.client.post(url).bearer_auth("other-token").json(&text_to(TO)).send().await.unwrap();
    receiver.wait_for(4).await;
    for call in receiver.calls() {
        assert_eq!(call["entry"][0]["id"], "333");
    }
    for value in receiver.values() {
        assert_eq!(value["metadata"], json!({ "display_phone_number": "15557650000", "phone_number_id": "222" }));
    }
    meta.simulator.send_webhook_of("222", "account_update", json!({ "event": "ACCOUNT_DELETED" })).unwrap();
    receiver.wait_for(5).await;
    for (headers, body) in receiver.received.lock().unwrap().iter() {
        assert_eq!(headers["x-hub-signature-256"], signature("other-secret", body));
    }
    meta.simulator.customer_writes(TO, "Hi");
    receiver.wait_for(6).await;
    assert_eq!(receiver.values()[5]["metadata"]["phone_number_id"], PHONE_NUMBER_ID, "the first unless told otherwise");
    let missing = meta.simulator.customer_sends_to("444", TO, CustomerMessage::text("Hi"));
    assert_eq!(missing, Err(NotSent::NoSuchAccount));
}

#[tokio::test]
async fn any_field_can_be_sent_with_any_value() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let value = json!({ "event": "ONBOARDING", "display_phone_number": "15557654321" });
    meta.simulator.send_webhook("phone_number_quality_update", value.clone());
    receiver.wait_for(1).await;
    let entry = &receiver.calls()[0]["entry"][0];
    assert_eq!(entry["changes"], json!([{ "field": "phone_number_quality_update", "value": value }]));
    assert!(entry["time"].is_i64(), "which messages don't have");
}

#[tokio::test]
async fn the_webhook_is_verified_only_by_exactly_the_challenge() {
    let receiver = Receiver::start(0).await;
    let verify = async |verify_token: Option<&str>| {
        let verify_token = verify_token.map(str::to_owned);
        let accounts = vec![Account { verify_token, ..Account::built_in() }];
        let settings = Settings { webhook_url: Some(receiver.url()), accounts, ..Settings::default() };
        Meta::bind(settings).await.simulator.verify_webhook().await
    };
    assert_eq!(verify(Some(VERIFY_TOKEN)).await, Ok(()));
    assert!(verify(Some("wrong")).await.unwrap_err().contains("403"));
    assert!(verify(Some("talkative")).await.unwrap_err().contains("challenge"));
    assert!(verify(None).await.is_err(), "no account has a token");
    assert!(Meta::start().await.simulator.verify_webhook().await.is_err(), "there is no webhook");
    assert!(receiver.calls().is_empty(), "it asks, and tells nothing");
}
