//! The guarantees of this endpoint.

use domain::CampaignId;
use meta_simulator::Fault;
use serde_json::{Value, json};
use storage::{Chunks, Mark};
use testbed::campaigns::people;
use testbed::{Sender, Testbed};

use super::*;

async fn sender() -> Sender<GetCampaign> {
    let endpoint = |bed: &Testbed| GetCampaign { keys: bed.keys.clone(), reports: bed.reports.clone() };
    let sender = Sender::start_for(Scope::CampaignsRead, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender
}

testbed::every_campaign!(sender());

async fn details(sender: &Sender<GetCampaign>, id: CampaignId) -> Value {
    let answer = sender.with_key(&json!({})).in_path(&id.to_string()).send_to(&sender.endpoint).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_campaign_that_has_not_begun_is_told_whole() {
    let sender = sender().await;
    let expected = json!({
        "id": 1, "name": "Reminder", "status": "draft", "sent_count": 0, "failed_count": 0,
        "created_at": "2026-01-02T03:04:05.678Z",
        "total_count": 3, "pending_count": 3, "delivered_count": 0, "read_count": 0, "unknown_count": 0, "left_out_count": 0,
        "account_id": 1, "template_name": "appointment", "language": "en",
        "parameter_mappings": {"date": {"value": "Monday"}, "first_name": "name"}, "despite_opt_out": false,
        "scheduled_at": null, "started_at": null, "completed_at": null, "paused": null,
        "double_count": 0, "wrong_count": 0, "rate_per_second": null, "estimated_end_at": null, "errors": [],
    });
    assert_eq!(details(&sender, CampaignId(1)).await, expected);
}

#[tokio::test]
async fn failures_are_told_by_metas_codes_with_what_to_do() {
    let sender = sender().await;
    sender.testbed.simulator.fail_always(Fault::Error(131_026));
    sender.testbed.run(CampaignId(1)).await;
    let told = details(&sender, CampaignId(1)).await;
    let counts = ["status", "sent_count", "failed_count", "pending_count"].map(|name| told[name].clone());
    assert_eq!(counts, [json!("failed"), json!(0), json!(3), json!(0)], "{told}");
    let error = &told["errors"][0];
    assert_eq!((&error["code"], &error["count"], &error["retryable"]), (&json!("131026"), &json!(3), &json!(false)));
    assert_eq!(error["last_at"], "2026-01-02T03:04:05.678Z");
    assert!(error["error"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    assert!(error["what_to_do"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
}

#[tokio::test]
async fn what_a_status_tells_is_counted_at_once() {
    let sender = sender().await;
    sender.testbed.run(CampaignId(1)).await;
    let chunks = Chunks::new(&sender.testbed.database);
    let member = |index| domain::Member::new(index, 0).unwrap();
    let marks = [(Mark::Delivered, member(0)), (Mark::Read, member(1)), (Mark::Failed("131049".to_owned()), member(2))];
    chunks.note(CampaignId(1), 0, &marks, sender.testbed.clock.now()).await.unwrap();
    let told = details(&sender, CampaignId(1)).await;
    let counts = ["sent_count", "delivered_count", "read_count", "failed_count"].map(|name| told[name].clone());
    assert_eq!(counts, [3, 2, 1, 1], "{told}");
    assert_eq!((&told["status"], &told["errors"][0]["code"]), (&json!("completed"), &json!("131049")));
}

#[tokio::test]
async fn a_running_campaign_tells_how_fast_it_is_and_when_it_will_be_through() {
    let sender = sender().await;
    let bed = &sender.testbed;
    let id = bed.campaign(1, people(0..1000)).await;
    bed.starter.start(&bed.caller().await, id).await.unwrap();
    // As fast as the number sends, as long as nothing else is known.
    assert_eq!(details(&sender, id).await["estimated_end_at"], "2026-01-02T03:04:19.011Z");
    bed.clock.advance(std::time::Duration::from_secs(10));
    let marks: Vec<_> = (0..50).map(|index| (Mark::Sent, domain::Member::new(index, 0).unwrap())).collect();
    Chunks::new(&bed.database).note(id, 0, &marks, bed.clock.now()).await.unwrap();
    let told = details(&sender, id).await;
    assert_eq!((&told["rate_per_second"], &told["pending_count"]), (&json!(5.0), &json!(950)));
    assert_eq!(told["estimated_end_at"], "2026-01-02T03:07:25.678Z");
}
