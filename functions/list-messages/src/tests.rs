//! The guarantees of this endpoint.

use std::time::Duration;

use domain::{AccountId, Contact, MessageId};
use serde_json::{Value, json};
use storage::{Chat, Claimed, Conversations, Messages, NewMessage, OptOutBy, Outcome, Owner, Received, Report, Status};
use testbed::{Answer, PHONE, SECOND_ACCOUNT, Sender, Testbed, WAMID};

use super::*;

async fn sender() -> Sender<ListMessages> {
    let endpoint = |bed: &Testbed| ListMessages { keys: bed.keys.clone(), chats: bed.chats.clone() };
    let sender = Sender::start_for(Scope::ChatsRead, endpoint, json!({})).await;
    sender.testbed.begin_with_a_chat().await;
    sender
}

testbed::every_list!(sender());

/// Asks for the conversation with whoever stands in the path so.
async fn ask(sender: &Sender<ListMessages>, in_path: &str, parameters: Value) -> Answer {
    sender.with_key(&parameters).in_path(in_path).send_to(&sender.endpoint).await
}

async fn page(sender: &Sender<ListMessages>, in_path: &str) -> Value {
    let answer = ask(sender, in_path, json!({})).await;
    assert_eq!(answer.status, 200, "{in_path}: {}", answer.body);
    answer.body
}

/// Stores a message as the sends do, before Meta is called.
async fn begin(sender: &Sender<ListMessages>, request: &Value) -> NewMessage {
    let created_at = sender.testbed.clock.now();
    let new = NewMessage {
        id: MessageId::generate(),
        account_id: AccountId(1),
        phone: PHONE.to_owned(),
        key_id: "key".to_owned(),
        content: request.to_string(),
        created_at,
        deadline_at: created_at + Duration::from_secs(28),
        campaign: None,
    };
    let begun = Messages::new(&sender.testbed.database).begin(&new, &Owner::new()).await.unwrap();
    assert!(matches!(begun, Claimed::Ours));
    new
}

#[tokio::test]
async fn a_conversation_and_its_messages_of_both_directions_are_answered_whole() {
    let sender = sender().await;
    sender.testbed.clock.advance(Duration::from_secs(1));
    let text = json!({"type": "text", "text": {"preview_url": false, "body": "Hi!"}, "context": {"message_id": WAMID}});
    let new = begin(&sender, &text).await;
    let answer = ask(&sender, PHONE, json!({})).await;
    let received = json!({
        "id": WAMID, "wamid": WAMID, "direction": "inbound", "type": "text", "body": "Hello! \"canary\" 🐤",
        "status": "received", "at": "2026-01-02T03:04:05.678Z", "reply_to": null, "content": {"body": "Hello! \"canary\" 🐤"},
    });
    let sent = json!({
        "id": new.id.to_string(), "wamid": null, "direction": "outbound", "type": "text", "body": "Hi!",
        "status": "sending", "at": "2026-01-02T03:04:06.678Z", "reply_to": WAMID,
        "content": {"preview_url": false, "body": "Hi!"},
    });
    let conversation = json!({
        "id": 5_345_136_910_267_675_i64, "phone_number": PHONE, "label": null, "unread_count": 1,
        "last_message_at": "2026-01-02T03:04:05.678Z", "name": "Ann", "last_inbound_at": "2026-01-02T03:04:05.678Z",
        "window_expires_at": "2026-01-03T03:04:05.678Z", "opted_out": null,
    });
    let expected = json!({"conversation": conversation, "messages": [sent, received]});
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn what_a_contact_wants_stands_with_the_conversation() {
    let sender = sender().await;
    let conversations = Conversations::new(&sender.testbed.database);
    let chat = Chat::with_number(AccountId(1), PHONE).unwrap();
    let mut second = 0;
    for (wants_messages, by, expected) in [
        (false, OptOutBy::Word, json!({"since": "2026-01-02T03:04:06.000Z", "by": "word"})),
        (true, OptOutBy::Word, json!(null)),
        (false, OptOutBy::WhatsApp, json!({"since": "2026-01-02T03:04:08.000Z", "by": "whatsapp"})),
    ] {
        second += 1;
        let at = format!("2026-01-02T03:04:0{}Z", 5 + second).parse().unwrap();
        conversations.preferred(&chat, wants_messages, by, at).await.unwrap();
        assert_eq!(page(&sender, PHONE).await["conversation"]["opted_out"], expected);
    }
}

#[tokio::test]
async fn a_conversation_that_only_the_business_wrote_in_has_no_window() {
    let sender = sender().await;
    let chat = Chat::with_number(AccountId(1), "16505551234").unwrap();
    let now = sender.testbed.clock.now();
    Conversations::new(&sender.testbed.database).moved(&chat, "16505551234", now).await.unwrap();
    let body = page(&sender, "16505551234").await;
    assert_eq!(body["messages"], json!([]));
    for unknown in ["name", "last_inbound_at", "window_expires_at", "opted_out", "label"] {
        assert_eq!(body["conversation"].get(unknown), Some(&Value::Null), "{unknown}");
    }
}

#[tokio::test]
async fn the_contact_is_found_by_every_form_of_a_number() {
    let sender = sender().await;
    for (number, forms) in [
        (
            PHONE,
            &[
                "919876543210",
                "%2B919876543210",
                "+919876543210",
                "9876543210",
                "%2B91%2098765-43210",
                "(98765)%2043210",
            ][..],
        ),
        ("5511988887777", &["5511988887777", "551188887777", "%2B55%2011%2098888-7777"]),
        ("5215512345678", &["5215512345678", "525512345678", "%2B52%2055%201234%205678"]),
        ("5491123456789", &["5491123456789", "541123456789", "%2B54%2011%2015%202345%206789"]),
    ] {
        sender.testbed.receive(1, number, &format!("wamid.{number}"), "Hi").await;
        for form in forms {
            assert_eq!(page(&sender, form).await["conversation"]["phone_number"], number, "{form}");
        }
    }
}

#[tokio::test]
async fn a_contact_whose_number_is_hidden_is_found_by_their_user_id() {
    let sender = sender().await;
    let user_id = "US.13491208655302741918";
    let received = Received {
        chat: Chat { account_id: AccountId(1), contact: Contact::of_user_id(user_id).unwrap() },
        phone: user_id.to_owned(),
        wamid: "wamid.a".to_owned(),
        kind: "image".to_owned(),
        body: "[Image]".to_owned(),
        content: r#"{"type":"image","image":{"id":"7","mime_type":"image/png"}}"#.to_owned(),
        reply_to: Some("wamid.Before".to_owned()),
        at: sender.testbed.clock.now(),
    };
    sender.testbed.receive_as(&received, None).await;
    let body = page(&sender, user_id).await;
    assert_eq!((&body["conversation"]["phone_number"], &body["conversation"]["name"]), (&json!(user_id), &Value::Null));
    let message = &body["messages"][0];
    assert_eq!(
        (&message["content"], &message["reply_to"]),
        (&json!({"id": "7", "mime_type": "image/png"}), &json!("wamid.Before"))
    );
    assert_eq!((&message["type"], &message["body"]), (&json!("image"), &json!("[Image]")));
}

#[tokio::test]
async fn what_has_no_object_of_its_type_is_told_whole() {
    let sender = sender().await;
    for (number, (kind, content)) in [
        ("unsupported", json!({"type": "unsupported", "errors": [{"code": 131_051}]})),
        ("text", json!({"event_id": "0"})),
    ]
    .into_iter()
    .enumerate()
    {
        sender.testbed.clock.advance(Duration::from_secs(1));
        let received = Received {
            chat: Chat::with_number(AccountId(1), PHONE).unwrap(),
            phone: PHONE.to_owned(),
            wamid: format!("wamid.{number}"),
            kind: kind.to_owned(),
            body: String::new(),
            content: content.to_string(),
            reply_to: None,
            at: sender.testbed.clock.now(),
        };
        sender.testbed.receive_as(&received, None).await;
        assert_eq!(page(&sender, PHONE).await["messages"][0]["content"], content);
    }
}

#[tokio::test]
async fn a_phone_that_is_none_is_a_400_that_names_it() {
    let sender = sender().await;
    let long = "9".repeat(16);
    for odd in
        ["", "abc", "123456", &long, "us.1349", "US.", "US.1%2F2", "U1.x", "%00", "%FF", "919876543210x", "..", "*"]
    {
        let answer = ask(&sender, odd, json!({})).await;
        let told = (answer.status, &answer.body["code"], &answer.body["field"]);
        assert_eq!(told, (400, &json!("invalid_field"), &json!("phone")), "{odd}: {}", answer.body);
        assert!(answer.error().starts_with("phone must "), "{}", answer.body);
    }
}

/// Nobody learns whether another account has it.
#[tokio::test]
async fn no_conversation_here_is_the_same_404_whoever_else_has_one() {
    let sender = sender().await;
    sender.testbed.receive(SECOND_ACCOUNT, "16505551234", "wamid.a", "Hi").await;
    let wisher = Chat::with_number(AccountId(1), "16505551236").unwrap();
    let conversations = Conversations::new(&sender.testbed.database);
    conversations.preferred(&wisher, false, OptOutBy::Word, sender.testbed.clock.now()).await.unwrap();
    let absent = ask(&sender, "16505551235", json!({})).await;
    let told = (absent.status, &absent.body["code"], &absent.body["retryable"]);
    assert_eq!(told, (404, &json!("chat_not_found"), &json!(false)), "{}", absent.body);
    for phone in ["16505551234", "16505551236", "US.13491208655302741918"] {
        assert_eq!(ask(&sender, phone, json!({})).await, absent, "{phone}");
    }
    assert_eq!(ask(&sender, "16505551234", json!({"account_id": SECOND_ACCOUNT})).await.status, 200);
}

#[tokio::test]
async fn a_message_that_was_sent_tells_how_far_it_has_come() {
    let sender = sender().await;
    let messages = Messages::new(&sender.testbed.database);
    let status = async |expected: &str| {
        assert_eq!(page(&sender, PHONE).await["messages"][0]["status"], expected);
    };
    sender.testbed.clock.advance(Duration::from_secs(1));
    let new = begin(&sender, &json!({"type": "template", "template": {"name": "order_update"}})).await;
    status("sending").await;
    assert_eq!(page(&sender, PHONE).await["messages"][0]["body"], "order_update");
    let accepted = Outcome::Accepted { wamid: "wamid.Sent".to_owned(), answer: "{}".to_owned(), chat: None };
    messages.finish(new.id, &Owner::new(), &accepted).await.unwrap();
    status("accepted").await;
    let message = messages.get(new.id).await.unwrap().unwrap();
    for told in [Status::Sent, Status::Failed, Status::Delivered, Status::Read, Status::Played] {
        let report = Report {
            account_id: AccountId(1),
            message_id: Some(new.id),
            wamid: "wamid.Sent".to_owned(),
            recipient: None,
            status: told,
            at: new.created_at,
            content: "{}".to_owned(),
        };
        messages.settle(&message, &report).await.unwrap();
        status(told.as_str()).await;
    }
    sender.testbed.clock.advance(Duration::from_secs(1));
    let new = begin(&sender, &json!({"type": "image", "image": {"id": "7", "caption": "Look"}})).await;
    assert_eq!(page(&sender, PHONE).await["messages"][0]["body"], "Look");
    sender.testbed.clock.advance(Duration::from_secs(28));
    status("unknown").await;
    let owner = messages.get(new.id).await.unwrap().unwrap().owner;
    let refused = Outcome::Rejected(domain::Error::unauthorized().public().clone());
    messages.finish(new.id, &owner, &refused).await.unwrap();
    status("rejected").await;
}

#[tokio::test]
async fn a_long_conversation_is_read_page_by_page_each_message_once() {
    let sender = sender().await;
    for number in 0..59 {
        sender.testbed.receive(1, PHONE, &format!("wamid.{number:02}"), "Hi").await;
    }
    for (limit, lengths) in [(None, &[50, 10][..]), (Some(60), &[60]), (Some(25), &[25, 25, 10])] {
        let (mut seen, mut cursor, mut counts) = (Vec::new(), Value::Null, Vec::new());
        loop {
            let page = ask(&sender, PHONE, json!({"limit": limit, "cursor": cursor})).await.body;
            let messages = page["messages"].as_array().unwrap();
            assert_eq!(page["conversation"]["phone_number"], PHONE);
            counts.push(messages.len());
            seen.extend(messages.iter().map(|message| message["wamid"].as_str().unwrap().to_owned()));
            match page.get("next_cursor") {
                Some(next) => cursor = next.clone(),
                None => break,
            }
        }
        seen.sort();
        seen.dedup();
        assert_eq!((counts.as_slice(), seen.len()), (lengths, 60), "{limit:?}");
    }
}
