//! The guarantees of this endpoint.

use std::time::Duration;

use meta_simulator::Fault;
use serde_json::{Value, json};
use testbed::{Answer, PHONE, SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID, Sender, Testbed, WAMID};

use super::*;

/// Tells Meta too, which most of what can go wrong is about.
async fn sender() -> Sender<ReadChat> {
    let endpoint = |bed: &Testbed| ReadChat { keys: bed.keys.clone(), receipts: bed.receipts.clone() };
    let sender = Sender::start_for(Scope::ChatsRead, endpoint, json!({"tell_whatsapp": true})).await;
    sender.testbed.begin_with_a_chat().await;
    sender
}

testbed::every_reading!(sender());
testbed::every_call_of_meta!(sender());
testbed::block_lists! { sender();
    what_meta_says_comes_back_by_its_class
    what_meta_did_not_answer_is_a_504_that_may_be_repeated
    without_time_to_record_metas_answer_it_is_not_asked
}

async fn ask(sender: &Sender<ReadChat>, in_path: &str, body: &str) -> Answer {
    sender.with_key(&Value::Null).raw_body(body).in_path(in_path).send_to(&sender.endpoint).await
}

fn success(told_whatsapp: bool) -> Value {
    json!({"status": "success", "unread_count": 0, "told_whatsapp": told_whatsapp})
}

/// How many messages of the first account's chat nobody has read.
async fn unread(sender: &Sender<ReadChat>) -> Value {
    let rows = sender.testbed.dump(&["Conversations"]).await["Conversations"].clone();
    let row = rows.as_array().unwrap().iter().find(|row| row["contact"] == format!("1#{PHONE}")).unwrap().clone();
    assert_eq!(row.get("unread_account").is_some(), row["unread_count"] != 0, "{row}");
    row["unread_count"].clone()
}

#[tokio::test]
async fn without_a_body_the_count_is_cleared_and_whatsapp_is_told_nothing() {
    for body in ["", " \n", "{}", r#"{"tell_whatsapp":null}"#, r#"{"tell_whatsapp":false,"unknown":1}"#] {
        let sender = sender().await;
        assert_eq!(unread(&sender).await, 1);
        let answer = ask(&sender, PHONE, body).await;
        assert_eq!((answer.status, answer.body), (200, success(false)), "{body:?}");
        assert_eq!(unread(&sender).await, 0);
        assert!(sender.testbed.simulator.requests().is_empty(), "{body:?}");
    }
}

#[tokio::test]
async fn the_newest_message_of_the_contact_gets_blue_ticks_when_whatsapp_is_to_be_told() {
    let sender = sender().await;
    sender.testbed.clock.advance(Duration::from_secs(1));
    sender.testbed.receive(1, PHONE, "wamid.Newest", "Hi").await;
    let answer = sender.post(&sender.body).await;
    assert_eq!((answer.status, answer.body), (200, success(true)));
    assert_eq!(unread(&sender).await, 0);
    let request = sender.testbed.simulator.requests().pop().unwrap();
    let receipt = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.Newest"});
    assert_eq!((request.method.as_str(), request.json), ("POST", Some(receipt)));
    assert_eq!(request.path, format!("/v25.0/{}/messages", meta_simulator::PHONE_NUMBER_ID));
}

#[tokio::test]
async fn repeating_does_no_harm() {
    let sender = sender().await;
    for _ in 0..3 {
        assert_eq!(sender.post(&sender.body).await.body, success(true));
        assert_eq!(sender.post(&json!({})).await.body, success(false));
        assert_eq!(unread(&sender).await, 0);
    }
    // What comes then counts anew.
    sender.testbed.receive(1, PHONE, "wamid.Next", "Hi").await;
    assert_eq!(unread(&sender).await, 1);
}

#[tokio::test]
async fn where_the_contact_has_written_nothing_whatsapp_is_told_nothing() {
    let sender = sender().await;
    let chat = storage::Chat::with_number(domain::AccountId(1), "16505551234").unwrap();
    let conversations = storage::Conversations::new(&sender.testbed.database);
    conversations.moved(&chat, "16505551234", sender.testbed.clock.now()).await.unwrap();
    let answer = ask(&sender, "16505551234", r#"{"tell_whatsapp":true}"#).await;
    assert_eq!((answer.status, answer.body), (200, success(false)));
    assert!(sender.testbed.simulator.requests().is_empty());
}

#[tokio::test]
async fn when_whatsapp_can_not_be_told_the_chat_stays_as_unread_as_before() {
    let sender = sender().await;
    for (fault, status) in [(Fault::Error(130_429), 429), (Fault::Error(190), 502), (Fault::HtmlServerError, 504)] {
        sender.testbed.simulator.fail_next(fault, 1);
        let answer = sender.post(&sender.body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(unread(&sender).await, 1, "{}", answer.body);
    }
    sender.testbed.simulator.fail_next(Fault::HtmlTooMany, 1);
    let answer = sender.post(&sender.body).await;
    assert!(answer.error().ends_with("The chat is as unread as before."), "{}", answer.body);
    assert_eq!(sender.post(&sender.body).await.body, success(true));
    assert_eq!(unread(&sender).await, 0);
}

#[tokio::test]
async fn when_storage_fails_after_whatsapp_was_told_the_client_learns_both() {
    let Sender { testbed, endpoint, body, .. } = sender().await;
    testbed.simulator.fail_next(Fault::Delay(1000), 1);
    let request = testbed.post(&body);
    let Testbed { engine, simulator, .. } = testbed;
    let outage = async {
        while simulator.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        engine.stop().await;
    };
    let (answer, ()) = tokio::join!(request.send_to(&endpoint), outage);
    let told = (answer.status, &answer.body["code"], &answer.body["retryable"], &answer.headers["Retry-After"]);
    assert_eq!(told, (503, &json!("not_recorded"), &json!(true), &json!("1")), "{}", answer.body);
    assert!(answer.error().starts_with("WhatsApp marked the message as read"), "{}", answer.body);
    assert!(answer.error().contains("does no harm") && !answer.error().contains("Nothing was sent"));
}

#[tokio::test]
async fn the_account_decides_the_chat_the_number_and_the_token() {
    let sender = sender().await;
    let answer = sender.post(&sender.with(json!({"account_id": SECOND_ACCOUNT}))).await;
    assert_eq!((answer.status, answer.body), (200, success(true)));
    assert_eq!(unread(&sender).await, 1);
    let request = sender.testbed.simulator.requests().pop().unwrap();
    let token = format!("Bearer {}", meta_simulator::ACCESS_TOKEN);
    assert_eq!(request.path, format!("/v25.0/{SECOND_PHONE_NUMBER_ID}/messages"));
    assert_eq!(
        (request.header("authorization"), &request.json.as_ref().unwrap()["message_id"]),
        (Some(token.as_str()), &json!(WAMID))
    );
}

#[tokio::test]
async fn the_contact_is_found_by_every_form_of_a_number() {
    let sender = sender().await;
    sender.testbed.receive(1, "5511988887777", "wamid.Brazil", "Hi").await;
    for form in ["%2B919876543210", "9876543210", "(98765)%2043210", "551188887777", "%2B55%2011%2098888-7777"] {
        assert_eq!(ask(&sender, form, r#"{"tell_whatsapp":true}"#).await.body, success(true), "{form}");
    }
}

/// Nobody learns whether another account has it.
#[tokio::test]
async fn no_conversation_here_is_the_same_404_and_whatsapp_is_told_nothing() {
    let sender = sender().await;
    sender.testbed.receive(SECOND_ACCOUNT, "16505551234", "wamid.a", "Hi").await;
    for body in ["", r#"{"tell_whatsapp":true}"#] {
        let absent = ask(&sender, "16505551235", body).await;
        assert_eq!((absent.status, &absent.body["code"]), (404, &json!("chat_not_found")), "{}", absent.body);
        for phone in ["16505551234", "US.13491208655302741918"] {
            assert_eq!(ask(&sender, phone, body).await, absent, "{phone}");
        }
    }
    assert!(sender.testbed.simulator.requests().is_empty());
}

#[tokio::test]
async fn what_can_not_be_read_is_a_400_that_names_it_and_changes_nothing() {
    let sender = sender().await;
    for odd in [json!("true"), json!(1), json!([]), json!({})] {
        sender.refuses(&json!({"tell_whatsapp": odd}), "tell_whatsapp").await;
    }
    for phone in ["abc", "123456", "us.1349", "%00", ""] {
        let answer = ask(&sender, phone, "").await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("phone")), "{phone}: {}", answer.body);
    }
    for body in ["{", "nonsense", "[]", "null", "\"text\""] {
        let answer = ask(&sender, PHONE, body).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid_json")), "{body}");
    }
    let answer = ask(&sender, PHONE, &" ".repeat(64 * 1024 + 1)).await;
    assert_eq!((answer.status, &answer.body["code"]), (413, &json!("body_too_large")));
    sender.testbed.assert_untouched("what can't be read").await;
}
