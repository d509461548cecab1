//! The guarantees of this endpoint.

use std::time::Duration;

use domain::CampaignId;
use meta_simulator::Fault;
use serde_json::{Value, json};
use testbed::{Answer, Sender, Testbed};

use super::*;

async fn sender() -> Sender<RetryFailed> {
    let endpoint = |bed: &Testbed| RetryFailed { keys: bed.keys.clone(), controls: bed.controls.clone() };
    let mut sender = Sender::start_for(Scope::CampaignsWrite, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender.statuses = &[409];
    sender
}

testbed::every_campaign!(sender());
testbed::each_guarantee! { sender();
    a_body_over_the_limit_is_a_413
}

const ID: CampaignId = CampaignId(1);

/// Of a campaign of three all failed for this reason.
async fn failed(sender: &Sender<RetryFailed>, fault: Fault) {
    sender.testbed.simulator.fail_always(fault);
    sender.testbed.run(ID).await;
    sender.testbed.simulator.clear_faults();
    // Until then the number waits for Meta's trouble to pass.
    sender.testbed.clock.advance(Duration::from_mins(2));
}

async fn retry(sender: &Sender<RetryFailed>, body: Value) -> Answer {
    sender.post(&body).await
}

#[tokio::test]
async fn those_who_failed_for_what_passes_by_itself_are_tried_again() {
    let sender = sender().await;
    failed(&sender, Fault::Error(131_016)).await;
    let answer = sender.with_key(&json!({})).raw_body("").send_to(&sender.endpoint).await;
    assert_eq!((answer.status, &answer.body["retried_count"]), (200, &json!(3)), "{}", answer.body);
    assert_eq!((&answer.body["status"], &answer.body["not_retried"]), (&json!("running"), &json!({})));
    sender.testbed.work().await;
    let told = sender.testbed.details(ID).await;
    assert_eq!(
        (&told["status"], &told["sent_count"], &told["failed_count"]),
        (&json!("completed"), &json!(3), &json!(0))
    );
    assert!(sender.testbed.simulator.accepted_by_phone().values().all(|count| *count == 1));
}

#[tokio::test]
async fn those_who_failed_for_good_are_told_and_tried_only_when_their_code_is_named() {
    let sender = sender().await;
    failed(&sender, Fault::Error(131_026)).await;
    let answer = retry(&sender, json!({})).await;
    assert_eq!((answer.status, &answer.body["retried_count"]), (200, &json!(0)), "{}", answer.body);
    let told = &answer.body["not_retried"]["131026"];
    assert_eq!((&answer.body["status"], &told["count"]), (&json!("failed"), &json!(3)));
    assert!(told["error"].is_string() && told["what_to_do"].is_string(), "{told}");
    assert_eq!(retry(&sender, json!({"codes": ["131049"]})).await.body["retried_count"], 0);
    for code in [json!("131026"), json!(131_026)] {
        sender.testbed.simulator.fail_always(Fault::Error(131_026));
        assert_eq!(retry(&sender, json!({"codes": [code]})).await.body["retried_count"], 3);
        sender.testbed.work().await;
    }
    let told = sender.testbed.details(ID).await;
    assert_eq!((&told["status"], &told["failed_count"]), (&json!("failed"), &json!(3)));
    assert_eq!(sender.testbed.sent_to_meta().len(), 9);
}

/// They may get it twice: whoever calls must say so.
#[tokio::test]
async fn those_of_whom_nothing_is_known_are_tried_again_only_when_that_is_wanted() {
    let sender = sender().await;
    failed(&sender, Fault::ResetAfterRequest).await;
    assert_eq!(sender.testbed.details(ID).await["unknown_count"], 3);
    assert_eq!(retry(&sender, json!({})).await.body["retried_count"], 0);
    assert_eq!(retry(&sender, json!({"unknown": true})).await.body["retried_count"], 3);
    sender.testbed.work().await;
    let told = sender.testbed.details(ID).await;
    assert_eq!(
        (&told["status"], &told["unknown_count"], &told["sent_count"]),
        (&json!("completed"), &json!(0), &json!(3))
    );
}

#[tokio::test]
async fn before_it_has_begun_nobody_has_failed() {
    let sender = sender().await;
    let answer = retry(&sender, json!({})).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("wrong_status")), "{}", answer.body);
}

#[tokio::test]
async fn a_body_that_says_something_else_is_refused() {
    let sender = sender().await;
    let many = Value::from(vec![131_026; 101]);
    let odd = [json!([]), json!(131_026), json!("131026"), json!([1.5]), json!([""]), json!([null]), json!({}), many];
    sender.refuses_each("codes", odd).await;
    sender.refuses_each("unknown", [json!("true"), json!(1), json!([])]).await;
    let answer = sender.with_key(&json!({})).raw_body("[]").send_to(&sender.endpoint).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid_json")), "{}", answer.body);
}
