//! The guarantees of this endpoint.

use std::time::Duration;

use meta_simulator::DISPLAY_PHONE_NUMBER;
use serde_json::{Value, json};
use testbed::{Answer, Sender, not_texts};

use super::*;

async fn sender() -> Sender<BlockContact> {
    let endpoint = |bed: &testbed::Testbed| BlockContact { keys: bed.keys.clone(), block_list: bed.block_list.clone() };
    Sender::start_for(Scope::ContactsBlock, endpoint, json!({"phone": "+919876543210"})).await
}

testbed::every_block_list!(sender());
testbed::every_body!(sender());

/// What Meta got last.
fn asked(sender: &Sender<BlockContact>) -> Value {
    sender.testbed.simulator.requests().pop().unwrap().json.unwrap()
}

fn users(numbers: &[&str]) -> Value {
    let users: Vec<_> = numbers.iter().map(|number| json!({"user": number})).collect();
    json!({"messaging_product": "whatsapp", "block_users": users})
}

async fn blocks(sender: &Sender<BlockContact>, body: Value) -> Answer {
    let answer = sender.post(&body).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("success")), "{body}: {}", answer.body);
    answer
}

#[tokio::test]
async fn a_contact_is_blocked_exactly_as_the_reference_does() {
    let sender = sender().await;
    let answer = sender.post(&sender.body).await;
    let done = json!([{"input": "+919876543210", "wa_id": "919876543210"}]);
    let metas = json!({"messaging_product": "whatsapp", "block_users": {"added_users": done}});
    assert_eq!((answer.status, answer.body), (200, json!({"status": "success", "meta_response": metas})));
    assert_eq!(asked(&sender), users(&["+919876543210"]));
    let row = &sender.testbed.blocked_rows().await[0];
    assert_eq!((&row["contact"], &row["phone_number"]), (&json!("919876543210"), &json!("+919876543210")));
    assert_eq!((&row["account"], &row["reason"]), (&json!("1"), &json!("")));
    assert!(row["blocked_by"].is_string() && row["blocked_at"] == 1_767_323_045_678_i64, "{row}");
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
    sender.refuses_each("phone", [json!("1".repeat(151))]).await;
    let too_many = vec!["1"; 1001];
    for odd in [json!("919876543210"), json!([]), json!({}), json!(1), json!(too_many)] {
        sender.refuses(&json!({"phones": odd}), "phones").await;
    }
    sender.refuses(&json!({"phone": "919876543210", "phones": ["919876543211"]}), "phones").await;
    for odd in not_texts().into_iter().chain([Value::Null, json!(""), json!("1".repeat(151))]) {
        sender.refuses(&json!({"phones": ["919876543210", odd]}), "phones[1]").await;
    }
}

#[tokio::test]
async fn a_parents_user_id_is_a_400_that_names_the_field() {
    let sender = sender().await;
    sender.refuses(&json!({"phone": "US.ENT.13491208655302741918"}), "phone").await;
    sender.refuses(&json!({"phones": ["US.ENT.1349"]}), "phones[0]").await;
    sender.refuses(&json!({"phones": ["919876543210", "US.ENT.1349"]}), "phones[1]").await;
}

#[tokio::test]
async fn a_reason_of_at_most_255_characters_is_kept_as_it_is() {
    let sender = sender().await;
    sender.refuses_each("reason", not_texts()).await;
    sender.refuses_each("reason", [json!("x".repeat(256)), json!("😀".repeat(256))]).await;
    for reason in ["😀".repeat(255), "'; DROP TABLE \"x\" --\u{0}\r\n<script>${jndi:ldap://x}".to_owned()] {
        blocks(&sender, sender.with(json!({"reason": reason}))).await;
        assert_eq!(sender.testbed.blocked_rows().await[0]["reason"], reason);
    }
    blocks(&sender, sender.with(json!({"reason": ""}))).await;
    assert_ne!(sender.testbed.blocked_rows().await[0]["reason"], "", "no reason replaces none");
}

#[tokio::test]
async fn a_number_that_is_none_is_for_meta_to_refuse_and_is_not_listed() {
    let sender = sender().await;
    let longest = "+".repeat(150);
    for text in
        ["nobody", "\u{0}", "😀", "<script>", "'; --", "${jndi:ldap://x}", "\u{202e}123", "{\"user\":1}", &longest]
    {
        let answer = blocks(&sender, json!({"phone": text})).await;
        assert_eq!(asked(&sender), users(&[text]));
        assert_eq!(answer.body["meta_response"]["block_users"]["failed_users"][0]["input"], text);
    }
    assert!(sender.testbed.blocked_rows().await.is_empty());
}

#[tokio::test]
async fn what_meta_did_in_part_is_a_result_and_the_list_follows_it_number_by_number() {
    let sender = sender().await;
    let phones = ["919876543210", "15550131047", DISPLAY_PHONE_NUMBER, "nobody", "+91 98765 43211"];
    let answer = blocks(&sender, json!({"phones": phones})).await;
    assert_eq!(asked(&sender), users(&phones));
    let metas = &answer.body["meta_response"];
    let codes: Vec<_> = metas["block_users"]["failed_users"].as_array().unwrap().iter().collect();
    assert_eq!((codes.len(), &metas["error"]["code"]), (3, &json!(139_100)));
    assert_eq!(sender.testbed.blocked_now().await, ["919876543210", "919876543211"]);
}

#[tokio::test]
async fn when_meta_refuses_all_it_is_a_result_and_nobody_is_listed() {
    let sender = sender().await;
    let answer = blocks(&sender, json!({"phones": ["15550131047", "15550131021"]})).await;
    assert_eq!(answer.body["meta_response"]["block_users"]["failed_users"].as_array().unwrap().len(), 2);
    assert!(sender.testbed.blocked_rows().await.is_empty());
}

#[tokio::test]
async fn numbers_written_differently_are_one_contact() {
    let sender = sender().await;
    let first = ["+91 98765-43210", "919876543210", "(+91) 98765.43210"];
    blocks(&sender, json!({"phones": first})).await;
    assert_eq!(asked(&sender), users(&first));
    blocks(&sender, json!({"phone": "+919876543210"})).await;
    let rows = sender.testbed.blocked_rows().await;
    assert_eq!((rows.len(), &rows[0]["phone_number"]), (1, &json!("+91 98765-43210")));
    // Mexico's ids differ from the numbers.
    blocks(&sender, json!({"phones": ["525512345678", "5215512345678"]})).await;
    assert_eq!(sender.testbed.blocked_now().await, ["525512345678", "919876543210"]);
}

#[tokio::test]
async fn a_thousand_contacts_are_blocked_by_one_request() {
    let sender = sender().await;
    let contacts: Vec<_> = (0..1000).map(|number| format!("9198765{number:07}")).collect();
    let phones: Vec<_> = contacts.iter().map(|contact| format!("+{contact}")).collect();
    blocks(&sender, json!({"phones": phones})).await;
    assert_eq!(sender.testbed.simulator.requests().len(), 1);
    assert_eq!(sender.testbed.blocked_now().await, contacts);
}

#[tokio::test]
async fn who_is_blocked_twice_stays_blocked_since_the_first_time() {
    let sender = sender().await;
    sender.post(&sender.body).await;
    let first = sender.testbed.blocked_rows().await[0]["blocked_at"].clone();
    sender.testbed.clock.advance(Duration::from_mins(1));
    sender.post(&sender.body).await;
    let rows = sender.testbed.blocked_rows().await;
    assert_eq!((rows.len(), &rows[0]["blocked_at"]), (1, &first));
}

#[tokio::test]
async fn the_same_request_several_times_at_once_blocks_one_contact_once() {
    let sender = sender().await;
    let post = || sender.post(&sender.body);
    let (first, second, third, fourth) = tokio::join!(post(), post(), post(), post());
    for answer in [first, second, third, fourth] {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(sender.testbed.blocked_rows().await.len(), 1);
}

#[tokio::test]
async fn when_storage_fails_after_meta_blocked_the_client_is_told_to_repeat() {
    let mut sender = sender().await;
    let whole = std::mem::replace(&mut sender.endpoint.block_list, sender.testbed.block_list_without_storage());
    let answer = sender.post(&sender.body).await;
    let told = (answer.status, &answer.body["code"], &answer.body["retryable"], &answer.headers["Retry-After"]);
    assert_eq!(told, (503, &json!("not_recorded"), &json!(true), &json!("1")), "{}", answer.body);
    assert!(answer.error().starts_with("WhatsApp blocked the contacts") && answer.error().contains("does no harm"));
    assert!(!answer.error().contains("sent"), "{}", answer.body);
    sender.endpoint.block_list = whole;
    blocks(&sender, sender.body.clone()).await;
    assert_eq!(sender.testbed.blocked_now().await, ["919876543210"]);
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let sender = sender().await;
    let more = json!({"user": "1", "block_users": [], "messaging_product": 1, "unknown": [null], "": 0});
    blocks(&sender, sender.with(more)).await;
    assert_eq!(asked(&sender), users(&["+919876543210"]));
}
