//! The guarantees of this endpoint.

use domain::CampaignId;
use serde_json::json;
use testbed::{Answer, Sender, Testbed};

use super::*;

async fn sender() -> Sender<CancelCampaign> {
    let endpoint = |bed: &Testbed| CancelCampaign { keys: bed.keys.clone(), brakes: bed.brakes.clone() };
    let mut sender = Sender::start_for(Scope::CampaignsWrite, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender.statuses = &[200, 409];
    sender
}

testbed::every_campaign!(sender());

const ID: CampaignId = CampaignId(1);

async fn cancel(sender: &Sender<CancelCampaign>) -> Answer {
    sender.post(&json!({})).await
}

#[tokio::test]
async fn whoever_was_not_written_to_never_is() {
    let sender = sender().await;
    let bed = &sender.testbed;
    bed.starter.start(&bed.caller().await, ID).await.unwrap();
    let answer = cancel(&sender).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("cancelled")), "{}", answer.body);
    assert_eq!(
        (&answer.body["completed_at"], &answer.body["pending_count"]),
        (&json!("2026-01-02T03:04:05.678Z"), &json!(3))
    );
    bed.work().await;
    bed.tend().await;
    assert!(bed.sent_to_meta().is_empty());
}

#[tokio::test]
async fn one_that_has_ended_is_not_ended_again() {
    let sender = sender().await;
    sender.testbed.run(ID).await;
    let answer = cancel(&sender).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("wrong_status")), "{}", answer.body);
    assert_eq!(sender.testbed.details(ID).await["status"], "completed");
}
