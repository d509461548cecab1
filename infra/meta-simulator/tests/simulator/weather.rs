use std::time::Duration;

use meta_simulator::{APP_SECRET, Account, CustomerMessage, Settings, WABA_ID, Weather};
use reqwest::Method;
use serde_json::{Value, json};

use crate::receiver::{Receiver, meta_with, other_account, signature};
use crate::{Meta, eventually, text_to};

const TO: &str = "919876543210";
/// As many changes as a batch holds.
const FULL: usize = 10;

async fn statuses_in(weather: Weather) -> Vec<String> {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.set_weather(weather);
    meta.send(&text_to(TO)).await;
    receiver.wait_for(3).await;
    receiver.statuses()
}

#[tokio::test]
async fn in_order_and_one_by_one_unless_another_weather_is_chosen() {
    assert_eq!(statuses_in(Weather::default()).await, ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn a_late_status_comes_after_the_next_one() {
    assert_eq!(statuses_in(Weather { late: true, ..Weather::default() }).await, ["delivered", "sent", "read"]);
}

#[tokio::test]
async fn shuffled_statuses_come_backwards() {
    assert_eq!(statuses_in(Weather { shuffled: true, ..Weather::default() }).await, ["read", "delivered", "sent"]);
}

#[tokio::test]
async fn a_doubled_call_comes_again_byte_for_byte() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.set_weather(Weather { doubled: true, ..Weather::default() });
    meta.send(&text_to(TO)).await;
    receiver.wait_for(6).await;
    assert_eq!(receiver.statuses(), ["sent", "sent", "delivered", "delivered", "read", "read"]);
    let calls = receiver.received.lock().unwrap();
    assert!(calls.chunks(2).all(|pair| pair[0].1 == pair[1].1));
}

#[tokio::test]
async fn a_full_batch_leaves_at_once_as_one_signed_call() {
    let receiver = Receiver::start(0).await;
    let weather = Weather { batched: true, ..Weather::default() };
    // Nothing leaves because time is up.
    let status_delay = Duration::from_hours(1);
    let accounts = vec![Account::built_in(), Account { app_secret: APP_SECRET.to_owned(), ..other_account() }];
    let webhook_url = Some(receiver.url());
    let meta = Meta::bind(Settings { webhook_url, weather, status_delay, accounts, ..Settings::default() }).await;
    for number in 0..FULL - 2 {
        meta.simulator.customer_writes(&format!("91987654321{number}"), "Hi");
    }
    meta.simulator.send_webhook("phone_number_quality_update", json!({ "event": "ONBOARDING" }));
    meta.simulator.customer_sends_to("222", TO, CustomerMessage::text("Hi")).unwrap();
    receiver.wait_for(1).await;
    let (headers, body) = receiver.received.lock().unwrap()[0].clone();
    assert_eq!(headers["x-hub-signature-256"], signature(APP_SECRET, &body));
    let call = receiver.calls().remove(0);
    let ids: Vec<&Value> = call["entry"].as_array().unwrap().iter().map(|entry| &entry["id"]).collect();
    assert_eq!(ids, [WABA_ID, "333"], "an entry for each account");
    let values = receiver.values();
    let count = |value: &Value, list: &str| value[list].as_array().map_or(0, Vec::len);
    let counts: Vec<_> = values.iter().map(|value| (count(value, "messages"), count(value, "contacts"))).collect();
    assert_eq!(counts, [(FULL - 2, FULL - 2), (0, 0), (1, 1)], "messages of one number share a change");
    assert_eq!(values[1], json!({ "event": "ONBOARDING" }));
}

#[tokio::test]
async fn a_batch_is_as_big_as_the_settings_say() {
    for batch_size in [1, 3] {
        let receiver = Receiver::start(0).await;
        let weather = Weather { batched: true, ..Weather::default() };
        let status_delay = Duration::from_hours(1);
        let webhook_url = Some(receiver.url());
        let meta = Meta::bind(Settings { webhook_url, weather, status_delay, batch_size, ..Settings::default() }).await;
        for _ in 0..batch_size * 2 {
            meta.simulator.customer_writes(TO, "Hi");
        }
        receiver.wait_for(2).await;
        for value in receiver.values() {
            assert_eq!(value["messages"].as_array().unwrap().len(), batch_size);
            assert_eq!(value["contacts"].as_array().unwrap().len(), 1, "nobody is introduced twice");
        }
    }
}

#[tokio::test]
async fn what_does_not_fill_a_batch_comes_together_when_time_is_up() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.set_weather(Weather { batched: true, ..Weather::default() });
    for _ in 0..2 {
        meta.send(&text_to(TO)).await;
    }
    eventually("every status", async || receiver.statuses().len() == 6).await;
    assert!(receiver.calls().len() < 6);
}

#[tokio::test]
async fn a_refused_call_comes_again_in_a_storm_too() {
    let receiver = Receiver::start(2).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.set_weather(Weather::stormy());
    meta.simulator.customer_writes(TO, "Hi");
    receiver.wait_for(4).await;
    let calls = receiver.received.lock().unwrap();
    assert!(calls.iter().all(|(_, body)| *body == calls[0].1), "twice refused, then taken twice");
}

#[tokio::test]
async fn the_weather_is_chosen_over_http_until_a_reset() {
    let meta = Meta::start().await;
    let calm = json!({ "late": false, "doubled": false, "shuffled": false, "batched": false });
    assert_eq!(meta.control(Method::GET, "/weather", None).await, (200, calm.clone()));
    let (status, chosen) =
        meta.control(Method::POST, "/weather", Some(&json!({ "late": true, "doubled": true }))).await;
    assert_eq!((status, &chosen["late"], &chosen["batched"]), (200, &json!(true), &json!(false)));
    for wrong in [json!({ "rainy": true }), json!({ "late": "very" }), json!([])] {
        assert_eq!(meta.control(Method::POST, "/weather", Some(&wrong)).await.0, 400, "{wrong}");
    }
    assert_eq!(meta.control(Method::GET, "/weather", None).await.1, chosen);
    meta.simulator.reset();
    assert_eq!(meta.control(Method::GET, "/weather", None).await.1, calm);
}
