use std::time::{Duration, Instant};

use meta_simulator::Settings;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Meta, text_to};

const TO: &str = "919876543210";

/// The error's code, or null when the message was taken.
async fn code(meta: &Meta, to: &str) -> Value {
    meta.send(&text_to(to)).await.1["error"]["code"].clone()
}

#[tokio::test]
async fn more_messages_than_the_limit_within_a_second_are_refused_and_take_no_effect() {
    let meta = Meta::bind(Settings { messages_per_second: Some(2), ..Settings::default() }).await;
    let start = Instant::now();
    assert_eq!(code(&meta, TO).await, Value::Null);
    assert_eq!(code(&meta, "15550131047").await, 131_047, "what is refused anyway");
    assert_eq!(code(&meta, TO).await, Value::Null, "leaves room");
    let third = code(&meta, TO).await;
    // Had this machine stood still for a second, the third one would rightly be taken.
    if start.elapsed() < Duration::from_secs(1) {
        assert_eq!(third, 130_429);
        assert_eq!(meta.simulator.phone(TO).len(), 2);
        assert_eq!((meta.simulator.posts_to(TO), meta.simulator.accepted_by_phone()[TO]), (3, 2));
    }
    meta.simulator.set_messages_per_second(None);
    assert_eq!(code(&meta, TO).await, Value::Null);
    meta.simulator.set_messages_per_second(Some(0));
    assert_eq!(code(&meta, TO).await, 130_429, "none at all");
    meta.simulator.reset();
    assert_eq!(code(&meta, TO).await, Value::Null, "the settings' own limit again");
}

#[tokio::test]
async fn a_recipient_gets_45_messages_at_once_and_the_next_is_refused() {
    let meta = Meta::bind(Settings { pair_rate_limit: true, ..Settings::default() }).await;
    let start = Instant::now();
    for _ in 0..45 {
        assert_eq!(code(&meta, TO).await, Value::Null);
    }
    let next = code(&meta, TO).await;
    // Six seconds later one more would rightly be taken.
    if start.elapsed() < Duration::from_secs(6) {
        assert_eq!(next, 131_056);
        assert_eq!(meta.simulator.phone(TO).len(), 45);
    }
    assert_eq!(code(&meta, "919876500000").await, Value::Null, "others get theirs");
    meta.simulator.set_pair_rate_limit(false);
    assert_eq!(code(&meta, TO).await, Value::Null);
}

#[tokio::test]
async fn without_limits_nothing_is_refused() {
    let meta = Meta::start().await;
    for _ in 0..100 {
        assert_eq!(code(&meta, TO).await, Value::Null);
    }
}

#[tokio::test]
async fn the_limits_are_set_over_http_until_a_reset() {
    let meta = Meta::start().await;
    let set = async |limits: Value| meta.control(Method::POST, "/throughput", Some(&limits)).await;
    let none = json!({ "messages_per_second": null, "pair_rate_limit": false });
    assert_eq!(meta.control(Method::GET, "/throughput", None).await, (200, none.clone()));
    let both = json!({ "messages_per_second": 80, "pair_rate_limit": true });
    assert_eq!(set(both.clone()).await, (200, both.clone()));
    assert_eq!(set(json!({ "messages_per_second": 0 })).await.1["pair_rate_limit"], true, "what isn't named stays");
    assert_eq!(code(&meta, TO).await, 130_429);
    assert_eq!(set(json!({ "messages_per_second": null })).await.1["messages_per_second"], Value::Null);
    assert_eq!(code(&meta, TO).await, Value::Null);
    for wrong in [
        json!({ "messages_per_second": -1 }),
        json!({ "messages_per_second": 1.5 }),
        json!({ "messages_per_second": "80" }),
        json!({ "pair_rate_limit": null }),
        json!({ "messages_per_minute": 1 }),
    ] {
        assert_eq!(set(wrong.clone()).await.0, 400, "{wrong}");
    }
    meta.simulator.reset();
    assert_eq!(meta.control(Method::GET, "/throughput", None).await.1, none);
}
