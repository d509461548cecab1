//! The guarantees of this endpoint.

use std::time::Duration;

use domain::{AccountId, Error, Kind, MessageId};
use serde_json::{Value, json};
use storage::{Claimed, Messages, NewMessage, Outcome, Owner, Report, Status};
use testbed::{Answer, PHONE, SECOND_ACCOUNT, Sender, Testbed, WAMID};

use super::*;

const SENT: &str = "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBQzQTdBNUMyRTY5MU/5M0Y3RkU+QQA=";

async fn sender() -> Sender<GetMessage> {
    let endpoint = |bed: &Testbed| GetMessage { keys: bed.keys.clone(), chats: bed.chats.clone() };
    let sender = Sender::start_for(Scope::ChatsRead, endpoint, json!({})).await;
    sender.testbed.begin_with_a_chat().await;
    sender
}

testbed::every_reading!(sender());

async fn ask(sender: &Sender<GetMessage>, id: &str) -> Answer {
    sender.with_key(&json!({})).in_path(id).send_to(&sender.endpoint).await
}

async fn details(sender: &Sender<GetMessage>, id: impl std::fmt::Display) -> Value {
    let answer = ask(sender, &id.to_string()).await;
    assert_eq!(answer.status, 200, "{id}: {}", answer.body);
    answer.body
}

/// A message that is being sent.
async fn begin(sender: &Sender<GetMessage>) -> MessageId {
    let created_at = sender.testbed.clock.now();
    let new = NewMessage {
        id: MessageId::generate(),
        account_id: AccountId(1),
        phone: PHONE.to_owned(),
        key_id: "key".to_owned(),
        content: json!({"type": "text", "text": {"body": "Hi!"}}).to_string(),
        created_at,
        deadline_at: created_at + Duration::from_secs(28),
        campaign: None,
    };
    let begun = Messages::new(&sender.testbed.database).begin(&new, &Owner::new()).await.unwrap();
    assert!(matches!(begun, Claimed::Ours));
    new.id
}

async fn finish(sender: &Sender<GetMessage>, id: MessageId, outcome: &Outcome) {
    let messages = Messages::new(&sender.testbed.database);
    let owner = messages.get(id).await.unwrap().unwrap().owner;
    messages.finish(id, &owner, outcome).await.unwrap();
}

fn accepted() -> Outcome {
    Outcome::Accepted { wamid: SENT.to_owned(), answer: "{}".to_owned(), chat: None }
}

fn report(status: Status, at: &str, content: &Value) -> Report {
    Report {
        account_id: AccountId(1),
        message_id: None,
        wamid: SENT.to_owned(),
        recipient: None,
        status,
        at: format!("2026-01-02T{at}Z").parse().unwrap(),
        content: content.to_string(),
    }
}

async fn told(sender: &Sender<GetMessage>, id: MessageId, report: Report) {
    let messages = Messages::new(&sender.testbed.database);
    let message = messages.get(id).await.unwrap().unwrap();
    messages.settle(&message, &report).await.unwrap();
}

/// The statuses of the timeline, in its order.
fn timeline(details: &Value) -> Vec<&str> {
    details["timeline"].as_array().unwrap().iter().map(|event| event["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_is_found_by_our_id_and_by_metas_with_all_that_became_of_it() {
    let sender = sender().await;
    let id = begin(&sender).await;
    finish(&sender, id, &accepted()).await;
    let pricing = json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"});
    // Within the second in which it was sent, told by Meta as a whole one; and out of order.
    told(&sender, id, report(Status::Read, "03:05:00", &json!({}))).await;
    told(&sender, id, report(Status::Sent, "03:04:05", &json!({"pricing": pricing}))).await;
    told(&sender, id, report(Status::Delivered, "03:04:05", &json!({"pricing": {"other": 1}}))).await;
    let expected = json!({
        "id": id.to_string(), "wamid": SENT, "account_id": 1, "direction": "outbound", "phone_number": PHONE,
        "type": "text", "body": "Hi!", "status": "read", "at": "2026-01-02T03:04:05.678Z",
        "timeline": [
            {"status": "accepted", "at": "2026-01-02T03:04:05.678Z"},
            {"status": "sent", "at": "2026-01-02T03:04:05.000Z"},
            {"status": "delivered", "at": "2026-01-02T03:04:05.000Z"},
            {"status": "read", "at": "2026-01-02T03:05:00.000Z"},
        ],
        "failure": null, "pricing": pricing,
    });
    for name in [id.to_string(), SENT.to_owned(), SENT.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")] {
        assert_eq!(details(&sender, &name).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_received_message_is_found_by_metas_id() {
    let sender = sender().await;
    let expected = json!({
        "id": WAMID, "wamid": WAMID, "account_id": 1, "direction": "inbound", "phone_number": PHONE, "type": "text",
        "body": "Hello! \"canary\" 🐤", "status": "received", "at": "2026-01-02T03:04:05.678Z",
        "timeline": [{"status": "received", "at": "2026-01-02T03:04:05.678Z"}], "failure": null, "pricing": null,
    });
    assert_eq!(details(&sender, WAMID).await, expected);
}

#[tokio::test]
async fn a_message_that_failed_says_why_in_plain_words_and_what_to_do() {
    let sender = sender().await;
    let id = begin(&sender).await;
    finish(&sender, id, &accepted()).await;
    let errors = json!({"errors": [{
        "code": 131_047, "title": "Re-engagement message", "message": "Re-engagement message",
        "error_data": {"details": "Message failed to send because more than 24 hours have passed."},
    }]});
    told(&sender, id, report(Status::Failed, "03:04:09", &errors)).await;
    let failed = details(&sender, id).await;
    let expected = json!({
        "code": 131_047, "title": "Re-engagement message",
        "details": "Message failed to send because more than 24 hours have passed.",
        "reason": "The contact last wrote more than 24 hours ago.",
        "what_to_do": "Send an approved template; other messages pass within 24 hours after the contact writes.",
        "retryable": false,
    });
    assert_eq!((&failed["status"], &failed["failure"]), (&json!("failed"), &expected));
    assert_eq!(failed["timeline"][1], json!({"status": "failed", "at": "2026-01-02T03:04:09.000Z", "code": 131_047}));
    // Delivered after all: it stays in the timeline, and is no failure.
    told(&sender, id, report(Status::Delivered, "03:04:10", &json!({}))).await;
    let delivered = details(&sender, id).await;
    assert_eq!((&delivered["status"], &delivered["failure"]), (&json!("delivered"), &Value::Null));
    assert_eq!(timeline(&delivered), ["accepted", "failed", "delivered"]);
}

#[tokio::test]
async fn a_failure_is_told_whatever_meta_left_out() {
    let sender = sender().await;
    for (content, code) in [
        (json!({}), json!("failed")),
        (json!({"errors": []}), json!("failed")),
        (json!({"errors": [{"title": "odd"}]}), json!("failed")),
        (json!({"errors": [{"code": "131049"}]}), json!(131_049)),
        (json!({"errors": [{"code": 999_999, "error_data": "text"}]}), json!(999_999)),
    ] {
        let id = begin(&sender).await;
        told(&sender, id, report(Status::Failed, "03:04:09", &content)).await;
        let failure = details(&sender, id).await["failure"].clone();
        assert_eq!(failure["code"], code, "{content}: {failure}");
        for words in ["title", "reason", "what_to_do"] {
            assert!(failure[words].as_str().is_some_and(|words| words.len() > 5), "{content}: {failure}");
        }
        assert!(failure["details"].is_null() && failure["retryable"].is_boolean(), "{content}: {failure}");
    }
}

#[tokio::test]
async fn a_message_that_was_never_sent_says_why() {
    let sender = sender().await;
    let meta = json!({"code": 190, "message": "Access token has expired", "error_data": {"details": "Get a new one."}});
    let by_meta = Error::new(Kind::UpstreamFailed, "…").code("upstream_auth").retryable(false).meta(meta);
    let by_us =
        Error::new(Kind::Unavailable, "WhatsApp can't be reached.").code("upstream_unreachable").retryable(true);
    for (error, code, title, retryable) in [
        (by_meta, json!(190), "Access token has expired", false),
        (by_us, json!("upstream_unreachable"), "The message was not sent", true),
    ] {
        let id = begin(&sender).await;
        finish(&sender, id, &Outcome::Rejected(error.public().clone())).await;
        let details = details(&sender, id).await;
        let failure = &details["failure"];
        assert_eq!((&details["status"], &details["timeline"][0]["code"]), (&json!("rejected"), &code));
        assert_eq!(
            (&failure["code"], &failure["title"], &failure["retryable"]),
            (&code, &json!(title), &json!(retryable))
        );
        assert!(failure["reason"].is_string() && failure["what_to_do"].is_string(), "{failure}");
    }
}

#[tokio::test]
async fn a_message_of_which_nobody_knows_is_unknown_until_a_status_settles_it() {
    let sender = sender().await;
    let id = begin(&sender).await;
    let sending = details(&sender, id).await;
    assert_eq!(
        (&sending["status"], timeline(&sending), &sending["failure"]),
        (&json!("sending"), vec![], &Value::Null)
    );
    sender.testbed.clock.advance(Duration::from_secs(28));
    let unknown = details(&sender, id).await;
    assert_eq!((&unknown["status"], timeline(&unknown)), (&json!("unknown"), vec!["unknown"]));
    assert_eq!(
        (&unknown["failure"]["code"], &unknown["failure"]["retryable"]),
        (&json!("outcome_unknown"), &json!(false))
    );
    told(&sender, id, report(Status::Sent, "03:04:09", &json!({}))).await;
    let settled = details(&sender, id).await;
    assert_eq!((&settled["status"], timeline(&settled)), (&json!("sent"), vec!["accepted", "sent"]));
    assert_eq!((&settled["failure"], &settled["wamid"]), (&Value::Null, &json!(SENT)));
}

#[tokio::test]
async fn of_a_message_that_another_program_sent_its_statuses_are_told() {
    let sender = sender().await;
    let messages = Messages::new(&sender.testbed.database);
    let recipient = json!({"recipient_id": "16505551234", "pricing": {"billable": false}});
    messages.settle_elsewhere(&report(Status::Delivered, "03:04:09", &recipient)).await.unwrap();
    messages.settle_elsewhere(&report(Status::Sent, "03:04:08", &json!({}))).await.unwrap();
    let expected = json!({
        "id": SENT, "wamid": SENT, "account_id": 1, "direction": "outbound", "phone_number": "16505551234", "type": null,
        "body": null, "status": "delivered", "at": "2026-01-02T03:04:08.000Z",
        "timeline": [
            {"status": "sent", "at": "2026-01-02T03:04:08.000Z"}, {"status": "delivered", "at": "2026-01-02T03:04:09.000Z"},
        ],
        "failure": null, "pricing": {"billable": false},
    });
    assert_eq!(details(&sender, SENT).await, expected);
}

/// Nobody learns whether another account has it.
#[tokio::test]
async fn no_message_here_is_the_same_404_whoever_else_has_it() {
    let sender = sender().await;
    sender.testbed.receive(SECOND_ACCOUNT, PHONE, "wamid.Second", "Hi").await;
    let own = begin(&sender).await;
    finish(&sender, own, &accepted()).await;
    let absent = ask(&sender, "wamid.Nowhere").await;
    let expected =
        json!({"error": "There is no message with this id", "code": "message_not_found", "retryable": false});
    assert_eq!((absent.status, &absent.body), (404, &expected));
    let (unknown, long) = (MessageId::generate().to_string(), "w".repeat(6000));
    for id in
        ["wamid.Second", "", "%00", "%FF", "..", "a%2Fb", "in%23wamid.First%23text%231%23919876543210", &unknown, &long]
    {
        assert_eq!(ask(&sender, id).await, absent, "{id}");
    }
    let elsewhere = sender.with_key(&json!({"account_id": SECOND_ACCOUNT}));
    for id in [own.to_string().as_str(), SENT] {
        assert_eq!(elsewhere.clone().in_path(id).send_to(&sender.endpoint).await, absent, "{id}");
    }
    assert_eq!(elsewhere.in_path("wamid.Second").send_to(&sender.endpoint).await.status, 200);
}
