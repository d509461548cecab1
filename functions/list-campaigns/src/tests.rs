//! The guarantees of this endpoint.

use std::time::Duration;

use domain::CampaignId;
use serde_json::{Value, json};
use testbed::campaigns::people;
use testbed::{SECOND_ACCOUNT, Sender, Testbed};

use super::*;

async fn sender() -> Sender<ListCampaigns> {
    let endpoint = |bed: &Testbed| ListCampaigns { keys: bed.keys.clone(), reports: bed.reports.clone() };
    let sender = Sender::start_for(Scope::CampaignsRead, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender
}

testbed::every_list!(sender());

async fn page(sender: &Sender<ListCampaigns>, parameters: Value) -> Value {
    let answer = sender.post(&parameters).await;
    assert_eq!(answer.status, 200, "{parameters}: {}", answer.body);
    answer.body
}

fn ids(page: &Value) -> Vec<i64> {
    page["campaigns"].as_array().unwrap().iter().map(|campaign| campaign["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn campaigns_are_listed_newest_first_with_the_members_of_the_reference() {
    let sender = sender().await;
    sender.testbed.clock.advance(Duration::from_secs(1));
    let second = sender.testbed.campaign(1, people(0..4)).await;
    assert_eq!(second, CampaignId(3));
    sender.testbed.run(second).await;
    sender.testbed.simulator.reset();
    let first = json!({
        "id": 1, "name": "Reminder", "status": "draft", "sent_count": 0, "failed_count": 0,
        "created_at": "2026-01-02T03:04:05.678Z",
        "total_count": 3, "pending_count": 3, "delivered_count": 0, "read_count": 0, "unknown_count": 0, "left_out_count": 0,
    });
    let second = json!({
        "id": 3, "name": "Reminder", "status": "completed", "sent_count": 4, "failed_count": 0,
        "created_at": "2026-01-02T03:04:06.678Z",
        "total_count": 4, "pending_count": 0, "delivered_count": 0, "read_count": 0, "unknown_count": 0, "left_out_count": 0,
    });
    assert_eq!(page(&sender, json!({})).await, json!({"campaigns": [second, first]}));
}

#[tokio::test]
async fn every_account_has_campaigns_of_its_own() {
    let sender = sender().await;
    assert_eq!(ids(&page(&sender, json!({})).await), [1]);
    assert_eq!(ids(&page(&sender, json!({"account_id": SECOND_ACCOUNT})).await), [2]);
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page_each_campaign_once() {
    let sender = sender().await;
    for number in 0..53 {
        if number % 3 == 0 {
            sender.testbed.clock.advance(Duration::from_millis(1));
        }
        sender.testbed.campaign(1, json!([])).await;
    }
    for (limit, lengths) in [(None, &[50, 4][..]), (Some(100), &[54]), (Some(27), &[27, 27])] {
        let (mut seen, mut cursor, mut counts) = (Vec::new(), Value::Null, Vec::new());
        loop {
            let page = page(&sender, json!({"limit": limit, "cursor": cursor})).await;
            counts.push(ids(&page).len());
            seen.extend(ids(&page));
            match page.get("next_cursor") {
                Some(next) => cursor = next.clone(),
                None => break,
            }
        }
        assert_eq!(counts, lengths, "{limit:?}");
        assert_eq!(seen.last(), Some(&1), "{limit:?}");
        seen.sort_unstable();
        assert_eq!(seen, [1].into_iter().chain(3..56).collect::<Vec<_>>(), "{limit:?}");
    }
}
