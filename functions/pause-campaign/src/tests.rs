//! The guarantees of this endpoint.

use domain::CampaignId;
use serde_json::json;
use testbed::{Answer, Sender, Testbed};

use super::*;

async fn sender() -> Sender<PauseCampaign> {
    let endpoint = |bed: &Testbed| PauseCampaign { keys: bed.keys.clone(), brakes: bed.brakes.clone() };
    let mut sender = Sender::start_for(Scope::CampaignsWrite, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender.statuses = &[409];
    sender
}

testbed::every_campaign!(sender());

const ID: CampaignId = CampaignId(1);

async fn pause(sender: &Sender<PauseCampaign>) -> Answer {
    sender.post(&json!({})).await
}

#[tokio::test]
async fn a_running_campaign_is_held_and_nobody_more_is_written_to() {
    let sender = sender().await;
    let bed = &sender.testbed;
    bed.starter.start(&bed.caller().await, ID).await.unwrap();
    let answer = pause(&sender).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("paused")), "{}", answer.body);
    let paused = json!({"at": "2026-01-02T03:04:05.678Z", "code": null, "error": null, "meta": null});
    assert_eq!(answer.body["paused"], paused);
    bed.work().await;
    bed.tend().await;
    assert!(bed.sent_to_meta().is_empty());
    assert_eq!(pause(&sender).await.status, 409);
}

#[tokio::test]
async fn one_that_does_not_run_is_not_held() {
    let sender = sender().await;
    for status in ["draft", "completed"] {
        let answer = pause(&sender).await;
        assert_eq!((answer.status, &answer.body["code"]), (409, &json!("wrong_status")), "{}", answer.body);
        assert!(answer.error().contains(status), "{}", answer.body);
        if status == "draft" {
            sender.testbed.run(ID).await;
        }
    }
}
