//! The guarantees of this endpoint.

use std::time::Duration;

use domain::CampaignId;
use serde_json::{Value, json};
use storage::{Campaigns, Upload};
use testbed::campaigns::people;
use testbed::{Answer, Sender, Testbed};

use super::*;

async fn sender() -> Sender<AddRecipients> {
    let endpoint = |bed: &Testbed| AddRecipients { keys: bed.keys.clone(), uploader: bed.uploader.clone() };
    let sender = Sender::start_for(Scope::CampaignsWrite, endpoint, json!({"recipients": people(0..1)})).await;
    sender.testbed.begin_with_campaigns().await;
    sender
}

testbed::every_campaign!(sender());
testbed::every_body!(sender());

const ID: CampaignId = CampaignId(1);

async fn add(sender: &Sender<AddRecipients>, recipients: Value) -> Answer {
    sender.post(&json!({"recipients": recipients})).await
}

#[tokio::test]
async fn recipients_are_added_once_each_whatever_upload_they_came_with() {
    let sender = sender().await;
    let more = json!([{"phone": "(987) 650-0002", "name": "Ann"}, {"phone": "+16505551234", "name": "Bo"}, "x"]);
    let answer = add(&sender, more.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let expected = json!({
        "id": 1, "total_count": 4, "added_count": 1, "double_count": 1, "wrong_count": 1,
        "double_rows": [{"upload": 2, "row": 1, "code": "double", "error": "Row 1 has somebody who is in the campaign already"}],
        "wrong_rows": [{"upload": 2, "row": 3, "code": "phone", "error": answer.body["wrong_rows"][0]["error"]}],
    });
    assert_eq!(answer.body, expected);
    let again = add(&sender, more).await;
    assert_eq!((&again.body["total_count"], &again.body["added_count"]), (&json!(4), &json!(0)), "{}", again.body);
    let details = sender.testbed.details(ID).await;
    let counts = ["total_count", "pending_count", "double_count", "wrong_count"].map(|name| details[name].clone());
    assert_eq!(counts, [4, 4, 3, 2], "{details}");
    sender.testbed.run(ID).await;
    assert_eq!(sender.testbed.simulator.accepted_by_phone().len(), 4);
}

#[tokio::test]
async fn a_file_adds_recipients_as_a_list_does() {
    let sender = sender().await;
    let request =
        sender.with_key(&Value::Null).header("Content-Type", "text/csv").raw_body("phone,name\n+16505551234,Bo\n");
    let answer = request.send_to(&sender.endpoint).await;
    assert_eq!((answer.status, &answer.body["total_count"]), (200, &json!(4)), "{}", answer.body);
}

#[tokio::test]
async fn a_hundred_thousand_come_by_ten_calls() {
    let sender = sender().await;
    for part in 0..10 {
        let answer = add(&sender, people(part * 10_000..(part + 1) * 10_000)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let doubles = if part == 0 { 3 } else { 0 };
        assert_eq!((&answer.body["double_count"], &answer.body["wrong_count"]), (&json!(doubles), &json!(0)));
    }
    assert_eq!(sender.testbed.details(ID).await["total_count"], 100_000);
}

#[tokio::test]
async fn without_recipients_or_with_something_else_it_is_refused() {
    let sender = sender().await;
    sender.requires("recipients").await;
    sender.refuses_each("recipients", [json!("919876543210"), json!({}), json!(true)]).await;
    let answer = add(&sender, people(0..10_001)).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("too_many_recipients")), "{}", answer.body);
}

#[tokio::test]
async fn once_it_has_begun_nobody_is_added() {
    let sender = sender().await;
    sender.testbed.run(ID).await;
    let answer = add(&sender, people(7..9)).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("wrong_status")), "{}", answer.body);
    assert_eq!(sender.testbed.details(ID).await["total_count"], 3);
}

/// Until the other is through, or has died for a minute.
#[tokio::test]
async fn of_two_uploads_at_the_same_time_one_is_told_to_come_again() {
    let sender = sender().await;
    let campaigns = Campaigns::new(&sender.testbed.database);
    let other = campaigns.begin_upload(ID, "other", sender.testbed.clock.now()).await.unwrap();
    assert!(matches!(other, Upload::Begun(_)));
    let busy = add(&sender, people(7..9)).await;
    let told = (busy.status, &busy.body["code"], &busy.headers["Retry-After"]);
    assert_eq!(told, (409, &json!("upload_in_progress"), &json!("2")), "{}", busy.body);
    sender.testbed.clock.advance(Duration::from_secs(61));
    assert_eq!(add(&sender, people(7..9)).await.status, 200);
}
