//! The guarantees of this endpoint.

use std::time::Duration;

use auth::Caller;

use serde_json::{Value, json};
use testbed::{Answer, Sender, not_texts};

use super::*;

async fn sender() -> Sender<UnblockContact> {
    let endpoint =
        |bed: &testbed::Testbed| UnblockContact { keys: bed.keys.clone(), block_list: bed.block_list.clone() };
    Sender::start_for(Scope::ContactsBlock, endpoint, json!({"phone": "+919876543210"})).await
}

testbed::every_block_list!(sender());
testbed::every_body!(sender());

/// What Meta got last.
fn asked(sender: &Sender<UnblockContact>) -> Value {
    sender.testbed.simulator.requests().pop().unwrap().json.unwrap()
}

async fn caller(sender: &Sender<UnblockContact>) -> Caller {
    sender.testbed.keys.authorize(Some(sender.testbed.api_key.reveal()), Scope::ContactsBlock).await.unwrap()
}

async fn block(sender: &Sender<UnblockContact>, phones: &[&str]) {
    let wish =
        Wish { account_id: None, phones, is_list: true, reason: Some("spam"), time_left: Duration::from_secs(28) };
    sender.testbed.block_list.block(&caller(sender).await, &wish).await.unwrap();
}

async fn unblocks(sender: &Sender<UnblockContact>, body: Value) -> Answer {
    let answer = sender.post(&body).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("success")), "{body}: {}", answer.body);
    answer
}

#[tokio::test]
async fn a_contact_is_unblocked_exactly_as_the_reference_does_and_its_row_stays() {
    let sender = sender().await;
    block(&sender, &["+91 98765 43210"]).await;
    sender.testbed.clock.advance(Duration::from_secs(1));
    let answer = sender.post(&sender.body).await;
    let done = json!([{"input": "+919876543210", "wa_id": "919876543210"}]);
    let metas = json!({"messaging_product": "whatsapp", "block_users": {"removed_users": done}});
    assert_eq!((answer.status, answer.body), (200, json!({"status": "success", "meta_response": metas})));
    let expected = json!({"messaging_product": "whatsapp", "block_users": [{"user": "+919876543210"}]});
    assert_eq!(asked(&sender), expected);

    assert!(sender.testbed.blocked_now().await.is_empty());
    let rows = sender.testbed.blocked_rows().await;
    let row = &rows[0];
    assert_eq!((rows.len(), &row["reason"], &row["phone_number"]), (1, &json!("spam"), &json!("+91 98765 43210")));
    let times = (row["blocked_at"].as_i64().unwrap(), row["unblocked_at"].as_i64().unwrap());
    assert_eq!(times.1 - times.0, 1000);
    let key_id = caller(&sender).await.key_id().to_owned();
    assert_eq!((&row["blocked_by"], &row["unblocked_by"]), (&json!(key_id), &json!(key_id)));
}

#[tokio::test]
async fn no_phone_at_all_is_a_400_in_the_references_words() {
    let sender = sender().await;
    for body in [json!({}), json!({"phone": null}), json!({"phone": ""}), json!({"phone": "  ", "phones": null})] {
        let answer = sender.post(&body).await;
        let told = (answer.status, answer.error(), &answer.body["field"]);
        assert_eq!(told, (400, "Phone required", &json!("phone")), "{body}");
    }
    sender.testbed.assert_untouched("no phone").await;
}

#[tokio::test]
async fn phones_that_are_no_texts_or_too_many_are_a_400_that_names_them() {
    let sender = sender().await;
    sender.refuses_each("phone", not_texts()).await;
    for odd in [json!("919876543210"), json!([]), json!(vec!["1"; 1001])] {
        sender.refuses(&json!({"phones": odd}), "phones").await;
    }
    sender.refuses(&json!({"phones": ["919876543210", ""]}), "phones[1]").await;
}

#[tokio::test]
async fn a_parents_user_id_is_a_400_that_names_the_field() {
    let sender = sender().await;
    sender.refuses(&json!({"phone": "US.ENT.13491208655302741918"}), "phone").await;
    sender.refuses(&json!({"phones": ["US.ENT.1349"]}), "phones[0]").await;
    sender.refuses(&json!({"phones": ["919876543210", "US.ENT.1349"]}), "phones[1]").await;
}

#[tokio::test]
async fn a_thousand_contacts_are_unblocked_by_one_request() {
    let sender = sender().await;
    let phones: Vec<_> = (0..1000).map(|number| format!("+9198765{number:07}")).collect();
    block(&sender, &phones.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(sender.testbed.blocked_now().await.len(), 1000);
    sender.testbed.clock.advance(Duration::from_secs(1));
    unblocks(&sender, json!({"phones": phones})).await;
    assert_eq!(sender.testbed.simulator.requests().len(), 2);
    assert!(sender.testbed.blocked_now().await.is_empty());
    assert_eq!(sender.testbed.blocked_rows().await.len(), 1000);
}

#[tokio::test]
async fn only_those_whom_meta_unblocked_leave_the_list() {
    let sender = sender().await;
    block(&sender, &["919876543210", "919876543211"]).await;
    let answer = unblocks(&sender, json!({"phones": ["+91 98765-43210", "15550131047", "nobody"]})).await;
    assert_eq!(answer.body["meta_response"]["block_users"]["failed_users"].as_array().unwrap().len(), 2);
    assert_eq!(sender.testbed.blocked_now().await, ["919876543211"]);
    unblocks(&sender, json!({"phone": "15550131047"})).await;
    assert_eq!(sender.testbed.blocked_now().await, ["919876543211"]);
}

#[tokio::test]
async fn unblocking_twice_or_somebody_who_is_not_blocked_does_no_harm() {
    let sender = sender().await;
    for _ in 0..2 {
        unblocks(&sender, sender.body.clone()).await;
    }
    block(&sender, &["919876543210"]).await;
    for _ in 0..2 {
        unblocks(&sender, sender.body.clone()).await;
    }
    assert!(sender.testbed.blocked_now().await.is_empty());
}

#[tokio::test]
async fn when_storage_fails_after_meta_unblocked_the_client_is_told_to_repeat() {
    let mut sender = sender().await;
    block(&sender, &["919876543210"]).await;
    let whole = std::mem::replace(&mut sender.endpoint.block_list, sender.testbed.block_list_without_storage());
    let answer = sender.post(&sender.body).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("not_recorded")), "{}", answer.body);
    assert!(answer.error().starts_with("WhatsApp unblocked the contacts") && answer.error().contains("does no harm"));
    assert_eq!(sender.testbed.blocked_now().await, ["919876543210"]);
    sender.endpoint.block_list = whole;
    unblocks(&sender, sender.body.clone()).await;
    assert!(sender.testbed.blocked_now().await.is_empty());
}
