//! The guarantees of this endpoint.

use domain::{CampaignId, Member};
use serde_json::{Value, json};
use storage::{Chunks, Mark};
use testbed::campaigns::{people, phone};
use testbed::{Sender, Testbed};

use super::*;

async fn sender() -> Sender<ListRecipients> {
    let endpoint = |bed: &Testbed| ListRecipients { keys: bed.keys.clone(), reports: bed.reports.clone() };
    let sender = Sender::start_for(Scope::CampaignsRead, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender
}

testbed::every_campaign!(sender());
testbed::readings! { sender();
    a_limit_or_a_cursor_that_is_none_is_a_400
    unknown_parameters_are_ignored
}

async fn page(sender: &Sender<ListRecipients>, id: CampaignId, parameters: Value) -> Value {
    let answer = sender.with_key(&parameters).in_path(&id.to_string()).send_to(&sender.endpoint).await;
    assert_eq!(answer.status, 200, "{parameters}: {}", answer.body);
    answer.body
}

async fn all(sender: &Sender<ListRecipients>, id: CampaignId, status: Option<&str>, limit: u32) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = page(sender, id, json!({"status": status, "limit": limit, "cursor": cursor})).await;
        let recipients = page["recipients"].as_array().unwrap();
        assert!(recipients.len() <= usize::try_from(limit).unwrap());
        all.extend(recipients.iter().cloned());
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => return all,
        }
    }
}

fn member(index: u32) -> Member {
    Member::new(index, 0).unwrap()
}

#[tokio::test]
async fn every_recipient_is_told_with_what_became_of_them() {
    let sender = sender().await;
    let id = CampaignId(1);
    let recipient = |number: u32| {
        json!({
            "phone": phone(number), "name": format!("Ann {number}"), "status": "pending",
            "parameters": {"first_name": format!("Ann {number}")}, "upload": 1, "row": number + 1, "attempts": 0,
            "message_id": null, "wamid": null, "error": null,
        })
    };
    assert_eq!(page(&sender, id, json!({})).await, json!({"recipients": [recipient(0), recipient(1), recipient(2)]}));
    sender.testbed.run(id).await;
    let marks = [(Mark::Read, member(1)), (Mark::Failed("131026".to_owned()), member(2))];
    Chunks::new(&sender.testbed.database).note(id, 0, &marks, sender.testbed.clock.now()).await.unwrap();
    let told = page(&sender, id, json!({})).await;
    let wamid = |number: u32| json!(sender.testbed.simulator.phone(&phone(number)).pop().unwrap().id);
    for (number, status) in [(0, "sent"), (1, "read"), (2, "failed")] {
        let recipient = &told["recipients"][number as usize];
        assert_eq!((&recipient["status"], &recipient["attempts"]), (&json!(status), &json!(1)));
        assert_eq!(recipient["wamid"], wamid(number));
        assert!(recipient["message_id"].is_string(), "{recipient}");
    }
    let error = &told["recipients"][2]["error"];
    assert_eq!((&error["code"], &error["retryable"]), (&json!("131026"), &json!(false)), "{error}");
    assert!(error["error"].is_string() && error["what_to_do"].is_string(), "{error}");
}

#[tokio::test]
async fn those_with_one_status_are_listed_page_by_page_in_the_order_of_their_rows() {
    let sender = sender().await;
    let id = sender.testbed.campaign(1, people(0..450)).await;
    let chunks = Chunks::new(&sender.testbed.database);
    let mut expected = Vec::new();
    for (chunk, indexes) in [(0, &[3, 99][..]), (2, &[0, 1, 2]), (4, &[49])] {
        let marks: Vec<_> = indexes.iter().map(|index| (Mark::Delivered, member(*index))).collect();
        chunks.note(id, chunk, &marks, sender.testbed.clock.now()).await.unwrap();
        expected.extend(indexes.iter().map(|index| phone(chunk * 100 + index)));
    }
    let phones = |recipients: Vec<Value>| -> Vec<String> {
        recipients.iter().map(|recipient| recipient["phone"].as_str().unwrap().to_owned()).collect()
    };
    for limit in [1, 2, 100] {
        assert_eq!(phones(all(&sender, id, Some("delivered"), limit).await), expected, "{limit}");
    }
    assert_eq!(all(&sender, id, Some("pending"), 100).await.len(), 444);
    assert!(all(&sender, id, Some("unknown"), 100).await.is_empty());
    assert_eq!(phones(all(&sender, id, None, 77).await), (0..450).map(phone).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_status_that_is_none_is_refused() {
    let sender = sender().await;
    sender.refuses_each("status", ["", "Sent", "accepted", "sent "].map(Value::from)).await;
    for status in Standing::WORDS {
        page(&sender, CampaignId(1), json!({"status": status})).await;
    }
}
