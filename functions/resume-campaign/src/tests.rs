//! The guarantees of this endpoint.

use domain::CampaignId;
use serde_json::json;
use testbed::{Answer, Sender, Testbed};

use super::*;

async fn sender() -> Sender<ResumeCampaign> {
    let endpoint = |bed: &Testbed| ResumeCampaign { keys: bed.keys.clone(), controls: bed.controls.clone() };
    let mut sender = Sender::start_for(Scope::CampaignsWrite, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender.statuses = &[409];
    sender
}

testbed::every_campaign!(sender());

const ID: CampaignId = CampaignId(1);

async fn resume(sender: &Sender<ResumeCampaign>) -> Answer {
    sender.post(&json!({})).await
}

#[tokio::test]
async fn a_paused_campaign_goes_on_at_once_and_everybody_is_written_to_once() {
    let sender = sender().await;
    let bed = &sender.testbed;
    bed.starter.start(&bed.caller().await, ID).await.unwrap();
    bed.brakes.pause(&bed.caller().await, ID).await.unwrap();
    bed.work().await;
    let answer = resume(&sender).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("running")), "{}", answer.body);
    assert_eq!(answer.body["paused"], json!(null));
    bed.work().await;
    assert_eq!(bed.details(ID).await["status"], "completed");
    assert_eq!(bed.simulator.accepted_by_phone().len(), 3);
    assert!(bed.simulator.accepted_by_phone().values().all(|count| *count == 1));
}

#[tokio::test]
async fn one_that_is_not_paused_does_not_go_on() {
    let sender = sender().await;
    for status in ["draft", "completed"] {
        let answer = resume(&sender).await;
        assert_eq!((answer.status, &answer.body["code"]), (409, &json!("wrong_status")), "{}", answer.body);
        assert!(answer.error().contains(status), "{}", answer.body);
        if status == "draft" {
            sender.testbed.run(ID).await;
        }
    }
}
