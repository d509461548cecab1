//! The guarantees of this endpoint.

use std::time::Duration;

use domain::AccountId;
use serde_json::{Value, json};
use storage::{Chat, Conversations, OptOutBy};
use testbed::{PHONE, SECOND_ACCOUNT, Sender, Testbed};

use super::*;

async fn sender() -> Sender<ListChats> {
    let endpoint = |bed: &Testbed| ListChats { keys: bed.keys.clone(), chats: bed.chats.clone() };
    let sender = Sender::start_for(Scope::ChatsRead, endpoint, json!({})).await;
    sender.testbed.begin_with_a_chat().await;
    sender
}

testbed::every_list!(sender());

async fn page(sender: &Sender<ListChats>, parameters: Value) -> Value {
    let answer = sender.post(&parameters).await;
    assert_eq!(answer.status, 200, "{parameters}: {}", answer.body);
    answer.body
}

fn numbers(page: &Value) -> Vec<&str> {
    let conversations = page["conversations"].as_array().unwrap().iter();
    conversations.map(|conversation| conversation["phone_number"].as_str().unwrap()).collect()
}

fn chat(number: &str) -> Chat {
    Chat::with_number(AccountId(1), number).unwrap()
}

#[tokio::test]
async fn conversations_are_listed_newest_first_exactly_as_in_the_reference() {
    let sender = sender().await;
    sender.testbed.clock.advance(Duration::from_millis(59_322));
    for wamid in ["wamid.a", "wamid.b", "wamid.a"] {
        sender.testbed.receive(1, "16505551234", wamid, "Hi").await;
    }
    let first = json!({
        "id": page(&sender, json!({})).await["conversations"][0]["id"], "phone_number": "16505551234", "label": null,
        "unread_count": 2, "last_message_at": "2026-01-02T03:05:05.000Z",
    });
    let second = json!({
        "id": 5_345_136_910_267_675_i64, "phone_number": PHONE, "label": null,
        "unread_count": 1, "last_message_at": "2026-01-02T03:04:05.678Z",
    });
    assert!(first["id"].as_u64().is_some_and(|id| id >> 53 == 0));
    assert_eq!(page(&sender, json!({})).await, json!({"conversations": [first, second]}));
}

#[tokio::test]
async fn an_outbound_message_moves_a_conversation_too_and_a_wish_alone_is_none() {
    let sender = sender().await;
    let (conversations, later) =
        (Conversations::new(&sender.testbed.database), sender.testbed.clock.now() + Duration::from_secs(9));
    sender.testbed.receive(1, "16505551234", "wamid.a", "Hi").await;
    conversations.moved(&chat(PHONE), PHONE, later).await.unwrap();
    conversations.preferred(&chat("4915112345678"), false, OptOutBy::Word, later).await.unwrap();
    let page = page(&sender, json!({})).await;
    assert_eq!(numbers(&page), [PHONE, "16505551234"]);
    assert_eq!(page["conversations"][0]["unread_count"], 1);
}

#[tokio::test]
async fn every_account_has_conversations_of_its_own() {
    let sender = sender().await;
    sender.testbed.receive(SECOND_ACCOUNT, "16505551234", "wamid.a", "Hi").await;
    assert_eq!(numbers(&page(&sender, json!({})).await), [PHONE]);
    assert_eq!(numbers(&page(&sender, json!({"account_id": 1})).await), [PHONE]);
    let second = page(&sender, json!({"account_id": SECOND_ACCOUNT})).await;
    assert_eq!(second["conversations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn only_unread_conversations_are_listed_when_that_is_asked_for() {
    let sender = sender().await;
    for number in ["16505551234", "16505551235"] {
        sender.testbed.receive(1, number, &format!("wamid.{number}"), "Hi").await;
    }
    Conversations::new(&sender.testbed.database).read(&chat("16505551234")).await.unwrap();
    let unread = page(&sender, json!({"unread": "true"})).await;
    let mut listed = numbers(&unread);
    listed.sort_unstable();
    assert_eq!((listed, unread.get("next_cursor")), (vec!["16505551235", PHONE], None));
    for parameters in [json!({}), json!({"unread": "false"})] {
        assert_eq!(numbers(&page(&sender, parameters).await).len(), 3);
    }
    for odd in ["", "1", "TRUE", "yes", "true "] {
        let answer = sender.post(&json!({"unread": odd})).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!("unread")), "{odd}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page_each_conversation_once() {
    let sender = sender().await;
    let phones: Vec<_> = (0..130).map(|number| format!("9198765{number:05}")).collect();
    for (number, phone) in phones.iter().enumerate() {
        if number % 3 == 0 {
            sender.testbed.clock.advance(Duration::from_millis(1));
        }
        Conversations::new(&sender.testbed.database)
            .moved(&chat(phone), phone, sender.testbed.clock.now())
            .await
            .unwrap();
    }
    for (limit, lengths) in [(None, &[50, 50, 31][..]), (Some(100), &[100, 31]), (Some(44), &[44, 44, 43])] {
        let (mut seen, mut cursor, mut counts) = (Vec::new(), Value::Null, Vec::new());
        loop {
            let page = page(&sender, json!({"limit": limit, "cursor": cursor})).await;
            let listed = numbers(&page);
            counts.push(listed.len());
            seen.extend(listed.into_iter().map(str::to_owned));
            match page.get("next_cursor") {
                Some(next) => cursor = next.clone(),
                None => break,
            }
        }
        assert_eq!(counts, lengths, "{limit:?}");
        assert_eq!(seen.pop().as_deref(), Some(PHONE), "{limit:?}");
        seen.sort();
        assert_eq!(seen, phones, "{limit:?}");
    }
}
