//! What is believed, and what comes back to Meta.

use domain::Kind;
use serde_json::json;

use crate::bed::{
    Bed, ENOUGH_TIME, NUMBER, OTHER_NUMBER, OTHER_SECRET, SECRET, WABA, at, body, change, entry, sign, text_message,
};

const ANN: &str = "16505551234";

fn hello() -> String {
    body(&[entry(&[change("messages", &[text_message(ANN, "wamid.A", 1, "hi")])])])
}

#[tokio::test]
async fn a_body_that_is_not_signed_stores_nothing() {
    let bed = Bed::start().await;
    let (hello, empty) = (hello(), bed.dump().await);
    let signature = sign(SECRET, hello.as_bytes());
    let flipped = signature.replace(['0', '1'], "2");
    for (body, signature) in [
        (hello.as_str(), None),
        (&hello, Some("")),
        (&hello, Some("sha256=")),
        (&hello, Some(flipped.as_str())),
        (&hello.replace("hi", "ho"), Some(signature.as_str())),
        (&format!("{hello} "), Some(&signature)),
        ("", Some(&signature)),
        ("not JSON", None),
    ] {
        let refused = bed.inbox.receive(body.as_bytes(), signature, ENOUGH_TIME).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unauthorized, "{body}");
        assert_eq!(refused.public().message, "Unauthorized");
    }
    assert_eq!(bed.dump().await, empty);
    bed.takes(&hello).await;
    assert_eq!(bed.reads(ANN).await, ["hi"]);
}

#[tokio::test]
async fn the_bytes_count_as_they_came_also_with_everything_escaped() {
    let bed = Bed::start().await;
    let escaped = hello().replace("hi", r"\u00e4\/\ud83d\ude00");
    bed.takes(&escaped).await;
    assert_eq!(bed.reads(ANN).await, ["ä/😀"]);
}

#[tokio::test]
async fn what_one_app_signed_says_nothing_about_the_account_of_another() {
    let bed = Bed::start().await;
    let forged = hello().replace(NUMBER, OTHER_NUMBER);
    bed.takes(&forged).await;
    let other = storage::Chat::with_number(domain::AccountId(2), ANN).unwrap();
    assert_eq!(bed.conversations.get(&other).await.unwrap(), None);
    // It is kept for a person, by the account whose app signed it.
    assert_eq!(bed.kept().await.len(), 1);

    let signature = sign(OTHER_SECRET, forged.as_bytes());
    bed.inbox.receive(forged.as_bytes(), Some(&signature), ENOUGH_TIME).await.unwrap();
    assert_eq!(bed.conversations.get(&other).await.unwrap().unwrap().unread_count, 1);
    assert!(bed.chat(ANN).await.is_none());
}

#[tokio::test]
async fn one_bad_item_never_loses_its_siblings() {
    let bed = Bed::start().await;
    let good = |id: &str| text_message(ANN, id, 1, id);
    let without = |member: &str| {
        let mut message = good("wamid.bad");
        message.as_object_mut().unwrap().remove(member);
        message
    };
    let bad = [
        json!(null),
        json!(7),
        json!([]),
        json!({}),
        without("id"),
        without("from"),
        without("timestamp"),
        json!({"from": ANN, "id": 7, "timestamp": "1", "type": "text"}),
        json!({"from": ANN, "id": "ä", "timestamp": "1", "type": "text"}),
        json!({"from": ANN, "id": "", "timestamp": "1", "type": "text"}),
        json!({"from": ANN, "id": "w".repeat(256), "timestamp": "1", "type": "text"}),
        json!({"from": ANN, "id": "w", "timestamp": "yesterday", "type": "text"}),
        json!({"from": ANN, "id": "w", "timestamp": "99999999999999", "type": "text"}),
        json!({"from": ANN, "id": "w", "timestamp": "10000000000", "type": "text"}),
        json!({"from": ANN, "id": "w", "timestamp": -1, "type": "text"}),
        json!({"from": "nobody", "id": "w", "timestamp": "1", "type": "text"}),
        json!({"from": ANN, "id": "w", "timestamp": "1", "type": "with space"}),
    ];
    let mut messages = vec![good("wamid.1")];
    messages.extend(bad.clone());
    messages.push(good("wamid.2"));
    let changes = [
        json!("no change"),
        change("messages", &messages),
        json!({"field": "messages", "value": {"metadata": {"phone_number_id": NUMBER}, "messages": {"none": 1}}}),
        json!({"field": "messages", "value": {"metadata": {"phone_number_id": NUMBER}}}),
        json!({"field": "messages", "value": {"messages": []}}),
        json!({"field": 7, "value": {}}),
        json!({"field": "messages"}),
        change("messages", &[good("wamid.3")]),
    ];
    let entries = [
        json!("no entry"),
        json!({"id": WABA}),
        json!({"changes": "none"}),
        entry(&changes),
        entry(&[change("messages", &[good("wamid.4")])]),
    ];
    bed.takes(&body(&entries)).await;
    let mut read = bed.reads(ANN).await;
    read.sort_unstable();
    assert_eq!(read, ["wamid.1", "wamid.2", "wamid.3", "wamid.4"]);
    assert_eq!(bed.chat(ANN).await.unwrap().unread_count, 4);
    let kept = bed.kept().await;
    // The broken messages, six broken changes and three broken entries.
    assert_eq!(kept.len(), bad.len() + 6 + 3, "{kept:#?}");
    assert!(kept.iter().all(|(kind, problem)| kind == "not_understood" && problem.is_some()), "{kept:#?}");
}

#[tokio::test]
async fn a_list_that_is_none_never_loses_those_beside_it() {
    let bed = Bed::start().await;
    for (n, odd) in [json!("none"), json!({}), json!(7)].into_iter().enumerate() {
        let mut change = change("messages", &[text_message(ANN, &format!("wamid.{n}"), 1, "hi")]);
        change["value"]["statuses"] = odd;
        change["value"]["errors"] = json!(null);
        bed.takes_change(change).await;
    }
    assert_eq!((bed.reads(ANN).await.len(), bed.kept().await.len()), (3, 3));
}

#[tokio::test]
async fn whatever_is_signed_and_not_understood_is_kept_as_it_came_and_once() {
    let bed = Bed::start().await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let bodies: [&[u8]; 8] = [
        b"",
        b"not JSON",
        b"{}",
        b"[]",
        b"{\"object\":\"page\",\"entry\":[]}",
        b"{\"object\":\"whatsapp_business_account\"}",
        &[0xff, 0xfe, 0x00],
        deep.as_bytes(),
    ];
    for _ in 0..2 {
        for body in bodies {
            let signature = sign(SECRET, body);
            bed.inbox.receive(body, Some(&signature), ENOUGH_TIME).await.unwrap();
        }
    }
    let kept = bed.events.newest(WABA, Some("not_understood"), None, 100).await.unwrap().rows;
    assert_eq!(kept.len(), bodies.len());
    for event in kept {
        let (_, content) = bed.events.whole(&event.id).await.unwrap().unwrap();
        assert!(bodies.contains(&content.as_slice()) && event.at == at(1000), "{event:?}");
    }
}

#[tokio::test]
async fn while_the_storage_is_down_meta_is_told_to_come_again() {
    let bed = Bed::start().await;
    let Bed { engine, inbox, .. } = bed;
    engine.stop().await;
    let hello = hello();
    for body in [hello.as_str(), "not JSON"] {
        let failed =
            inbox.receive(body.as_bytes(), Some(&sign(SECRET, body.as_bytes())), ENOUGH_TIME).await.unwrap_err();
        assert_eq!(failed.kind(), Kind::Unavailable, "{body}");
    }
}

#[tokio::test]
async fn a_call_of_3_mb_and_1000_changes_is_taken_whole() {
    let bed = Bed::start().await;
    let padding = "x".repeat(2_700);
    let changes: Vec<_> = (0..1000)
        .map(|n| change("messages", &[text_message(&format!("1650555{n:04}"), &format!("wamid.{n}"), n, &padding)]))
        .collect();
    let body = body(&[entry(&changes)]);
    assert!((2_900_000..3_200_000).contains(&body.len()), "{}", body.len());
    bed.takes(&body).await;
    assert_eq!((bed.rows("Messages").await.len(), bed.rows("Conversations").await.len()), (1000, 1000));
    assert!(bed.kept().await.is_empty());
}

#[tokio::test]
async fn a_message_larger_than_a_row_is_kept_whole_too() {
    let bed = Bed::start().await;
    let form = json!({"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": "y".repeat(900_000)}});
    let mut message = text_message(ANN, "wamid.L", 1, "");
    message["type"] = json!("interactive");
    message["interactive"] = form;
    for _ in 0..2 {
        bed.takes_change(change("messages", std::slice::from_ref(&message))).await;
    }
    assert_eq!(bed.reads(ANN).await, ["Sent"]);
    let events = bed.events.newest(WABA, Some("large_message"), None, 9).await.unwrap().rows;
    assert_eq!(events.len(), 1);
    let (_, content) = bed.events.whole(&events[0].id).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&content).unwrap(), message);
}
