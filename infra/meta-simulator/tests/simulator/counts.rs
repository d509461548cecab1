use std::collections::HashMap;

use meta_simulator::{Fault, PHONE_NUMBER_ID};
use reqwest::Method;
use serde_json::json;

use crate::{Meta, eventually, text_to};

const TO: &str = "919876543210";

fn counts<const N: usize>(counts: [(&str, usize); N]) -> HashMap<String, usize> {
    counts.into_iter().map(|(phone, count)| (phone.to_owned(), count)).collect()
}

#[tokio::test]
async fn every_post_counts_for_its_recipient_whatever_comes_of_it_and_apart_from_it_what_was_accepted() {
    let meta = Meta::start().await;
    for _ in 0..3 {
        assert_eq!(meta.send(&text_to("+91 98765-43210")).await.0, 200);
    }
    meta.simulator.fail_next(Fault::AcceptedThenReset, 1);
    assert!(meta.try_send(&text_to(TO)).await.is_err());
    meta.simulator.fail_next(Fault::ResetAfterRequest, 1);
    assert!(meta.try_send(&text_to(TO)).await.is_err());
    assert_eq!(meta.send(&text_to("15550131047")).await.0, 400);
    let url = format!("{}/{PHONE_NUMBER_ID}/messages", meta.simulator.graph_api_url());
    assert_eq!(meta.client.post(url).json(&text_to(TO)).send().await.unwrap().status(), 403, "without a token");
    assert_eq!(meta.simulator.posts_by_phone(), counts([(TO, 6), ("15550131047", 1)]));
    assert_eq!(meta.simulator.accepted_by_phone(), counts([(TO, 4)]));
    assert_eq!((meta.simulator.posts_to(TO), meta.simulator.posts_to("+91 98765 43210")), (6, 6));
    meta.simulator.reset();
    assert!(meta.simulator.posts_by_phone().is_empty() && meta.simulator.accepted_by_phone().is_empty());
    assert_eq!(meta.simulator.posts_to(TO), 0);
}

#[tokio::test]
async fn however_a_number_is_written_it_counts_for_the_same_phone() {
    let meta = Meta::start().await;
    for number in ["+55 31 98765-4321", "553187654321", "525512345678", "5215512345678"] {
        meta.send(&text_to(number)).await;
    }
    let expected = counts([("553187654321", 2), ("5215512345678", 2)]);
    assert_eq!(meta.simulator.posts_by_phone(), expected);
    assert_eq!(meta.simulator.accepted_by_phone(), expected);
    assert_eq!(meta.simulator.posts_to("5531987654321"), 2);
}

#[tokio::test]
async fn what_was_counted_is_told_over_http_until_a_reset() {
    let meta = Meta::start().await;
    let none = json!({
        "totals": { "posts": 0, "accepted": 0, "phones": 0, "most_accepted_by_one": 0, "statuses_sent": 0 },
        "webhooks_pending": 0, "posts": {}, "accepted": {},
    });
    assert_eq!(meta.control(Method::GET, "/counts", None).await, (200, none.clone()));
    for to in [TO, TO, "15550131047", "919876500000"] {
        meta.send(&text_to(to)).await;
    }
    eventually("every status, which goes nowhere", async || meta.simulator.webhooks_pending() == 0).await;
    let expected = json!({
        "totals": { "posts": 4, "accepted": 3, "phones": 2, "most_accepted_by_one": 2, "statuses_sent": 0 },
        "webhooks_pending": 0,
        "posts": { TO: 2, "15550131047": 1, "919876500000": 1 },
        "accepted": { TO: 2, "919876500000": 1 },
    });
    assert_eq!(meta.control(Method::GET, "/counts", None).await.1, expected);
    meta.simulator.reset();
    assert_eq!(meta.control(Method::GET, "/counts", None).await.1, none);
}
