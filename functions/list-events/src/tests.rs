//! The guarantees of this endpoint.

use serde_json::{Value, json};
use storage::{NewEvent, WebhookEvents};
use testbed::{Answer, Sender, Testbed};

use super::*;

const KIND: &str = "message_template_status_update";
/// What Meta calls the testbed's accounts.
const WABA_ID: &str = meta_simulator::WABA_ID;

async fn sender() -> Sender<ListEvents> {
    let endpoint = |bed: &Testbed| ListEvents { keys: bed.keys.clone(), events: bed.events.clone() };
    Sender::start_for(Scope::EventsRead, endpoint, json!({})).await
}

testbed::every_list!(sender());

async fn keep(
    sender: &Sender<ListEvents>,
    waba_id: &str,
    kind: &str,
    second: i64,
    content: &[u8],
    problem: Option<&str>,
) -> String {
    let at = format!("2026-01-02T03:04:{second:02}Z").parse().unwrap();
    let event = NewEvent { waba_id, kind, told_at: Some(at), came_at: at, content, problem };
    WebhookEvents::new(&sender.testbed.database).keep(&event).await.unwrap()
}

async fn page(sender: &Sender<ListEvents>, parameters: Value) -> Value {
    let answer = sender.post(&parameters).await;
    assert_eq!(answer.status, 200, "{parameters}: {}", answer.body);
    answer.body
}

async fn whole(sender: &Sender<ListEvents>, id: &str) -> Answer {
    sender.post(&json!({"id": id})).await
}

#[tokio::test]
async fn events_are_listed_newest_first_with_what_they_hold() {
    let sender = sender().await;
    assert_eq!(page(&sender, json!({})).await, json!({"events": []}));
    let update = br#"{"field":"x","value":{"event":"REJECTED","message_template_id":1689556908129835,"ratio":1.50}}"#;
    let first = keep(&sender, WABA_ID, KIND, 5, update, None).await;
    let second = keep(&sender, WABA_ID, "not_understood", 6, b"{broken", Some("it is no webhook")).await;
    let expected = json!({"events": [
        {
            "id": second, "kind": "not_understood", "at": "2026-01-02T03:04:06.000Z", "problem": "it is no webhook",
            "size_bytes": 7, "content": null,
        },
        {
            "id": first, "kind": KIND, "at": "2026-01-02T03:04:05.000Z", "size_bytes": update.len(),
            "content": {"field": "x", "value": {"event": "REJECTED", "message_template_id": 1_689_556_908_129_835_i64, "ratio": 1.5}},
        },
    ]});
    assert_eq!(page(&sender, json!({})).await, expected);
}

#[tokio::test]
async fn what_is_large_or_no_json_is_listed_without_its_content_and_given_whole_as_it_came() {
    let sender = sender().await;
    let json_of = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let whole_parts = format!("\"{}\"", "ä€😀\\\"".repeat(90_000));
    let (fits, too_large) = (json_of(16 * 1024), json_of(16 * 1024 + 1));
    for (content, is_listed) in
        [("", false), ("<b>", false), ("[1, 2 ]", true), (&fits, true), (&too_large, false), (&whole_parts, false)]
    {
        let id = keep(&sender, WABA_ID, "security", 5, content.as_bytes(), None).await;
        let listed = page(&sender, json!({"limit": "100"})).await["events"].clone();
        let listed = listed.as_array().unwrap().iter().find(|event| event["id"] == id.as_str()).cloned();
        // A page has 1 MB at most, and so perhaps not this one.
        if let Some(listed) = listed {
            assert_eq!(
                (!listed["content"].is_null(), &listed["size_bytes"]),
                (is_listed, &json!(content.len())),
                "{id}"
            );
        }
        let answer = whole(&sender, &id).await;
        assert_eq!((answer.status, &answer.headers["Content-Type"]), (200, &json!("text/plain; charset=utf-8")));
        assert!(answer.body == content, "{} bytes", content.len());
    }
    let odd = keep(&sender, WABA_ID, "security", 5, b"a\xff\x00b", None).await;
    assert_eq!(whole(&sender, &odd).await.body, "a\u{fffd}\u{0}b");
}

#[tokio::test]
async fn only_events_of_a_kind_are_listed_when_that_is_asked_for() {
    let sender = sender().await;
    for second in 0..6 {
        let kind = if second % 2 == 0 { KIND } else { "security" };
        keep(&sender, WABA_ID, kind, second, second.to_string().as_bytes(), None).await;
    }
    for (kind, expected) in [(KIND, vec![4, 2, 0]), ("security", vec![5, 3, 1]), ("flows", vec![])] {
        let page = page(&sender, json!({"kind": kind})).await;
        let contents: Vec<_> =
            page["events"].as_array().unwrap().iter().map(|event| event["content"].as_i64().unwrap()).collect();
        assert_eq!(contents, expected, "{kind}");
    }
    for odd in ["", " ", "two words", "ä", "\u{0}", &"k".repeat(101)] {
        sender.refuses(&json!({"kind": odd}), "kind").await;
    }
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page_each_event_once() {
    let sender = sender().await;
    for number in 0..59_u32 {
        let kind = if number % 2 == 0 { KIND } else { "security" };
        keep(&sender, WABA_ID, kind, i64::from(number / 7), number.to_string().as_bytes(), None).await;
    }
    for (kind, limit, lengths) in [
        (Value::Null, Value::Null, &[50, 9][..]),
        (Value::Null, json!(59), &[59]),
        (json!(KIND), json!(11), &[11, 11, 8]),
    ] {
        let (mut seen, mut cursor, mut counts) = (Vec::new(), Value::Null, Vec::new());
        loop {
            let page = page(&sender, json!({"kind": kind, "limit": limit, "cursor": cursor})).await;
            let events = page["events"].as_array().unwrap();
            counts.push(events.len());
            seen.extend(events.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
            match page.get("next_cursor") {
                Some(next) => cursor = next.clone(),
                None => break,
            }
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((counts.as_slice(), seen.len()), (lengths, count), "{kind} {limit}");
    }
}

/// Nobody learns whether another account has it.
#[tokio::test]
async fn an_event_of_another_business_is_neither_listed_nor_given() {
    let sender = sender().await;
    let elsewhere = keep(&sender, "9", KIND, 5, b"{}", None).await;
    assert_eq!(page(&sender, json!({})).await, json!({"events": []}));
    assert_eq!(page(&sender, json!({"kind": KIND})).await, json!({"events": []}));
    let absent = whole(&sender, &"0".repeat(64)).await;
    let expected = json!({"error": "There is no event with this id", "code": "event_not_found", "retryable": false});
    assert_eq!((absent.status, &absent.body), (404, &expected));
    for id in ["", "x", "\u{0}", &elsewhere.to_uppercase(), &format!("{elsewhere}#1"), &elsewhere] {
        assert_eq!(whole(&sender, id).await, absent, "{id}");
    }
}

#[tokio::test]
async fn the_account_decides_whose_event_is_given() {
    let sender = sender().await;
    let id = keep(&sender, WABA_ID, KIND, 5, b"{}", None).await;
    let limited = sender.testbed.key(Scope::ALL, Some(&[testbed::SECOND_ACCOUNT])).await;
    let ask = |account: Value| {
        let request = Sender::<ListEvents>::request(&json!({"id": id, "account_id": account}));
        request.header("X-API-Key", limited.reveal())
    };
    for account in [json!(null), json!(1), json!(9)] {
        let answer = ask(account).send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["code"]), (404, &json!("account_not_found")), "{}", answer.body);
    }
    // Both accounts are of one WhatsApp Business Account.
    assert_eq!(ask(json!(testbed::SECOND_ACCOUNT)).send_to(&sender.endpoint).await.status, 200);
}
