//! Statuses find their message, and settle what its sender did not learn.

use domain::{MessageId, SendState};
use serde_json::json;
use storage::{Outcome, Status, Stored};

use crate::bed::{Bed, SHOP, at, change, status};

async fn told(bed: &Bed, items: &[serde_json::Value]) {
    bed.takes_change(change("statuses", items)).await;
}

async fn found(bed: &Bed, id: MessageId) -> storage::Message {
    bed.messages.get(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_status_settles_an_unknown_outcome_and_moves_the_conversation() {
    for word in ["sent", "delivered", "read", "failed"] {
        let bed = Bed::start().await;
        let message = bed.sent(Some(&Outcome::Unknown)).await;
        assert!(bed.chat("919876543210").await.is_none());
        told(&bed, &[status("wamid.X", word, 5, Some(message.new.id))]).await;
        let settled = found(&bed, message.new.id).await;
        assert_eq!((settled.state, settled.wamid.as_deref()), (SendState::Accepted, Some("wamid.X")), "{word}");
        assert_eq!(bed.chat("919876543210").await.unwrap().last_message_at, Some(at(0)), "{word}");
    }
}

#[tokio::test]
async fn a_status_may_come_before_the_sender_has_recorded_the_answer() {
    let bed = Bed::start().await;
    let message = bed.sent(None).await;
    told(&bed, &[status("wamid.X", "delivered", 5, Some(message.new.id))]).await;
    bed.messages.finish(message.new.id, &message.owner, &Outcome::Unknown).await.unwrap();
    let settled = found(&bed, message.new.id).await;
    assert_eq!((settled.state, settled.statuses.reached()), (SendState::Accepted, Some(Status::Delivered)));
    let answer = r#"{"messages":[{"id":"wamid.X"}]}"#.to_owned();
    let accepted = Outcome::Accepted { wamid: "wamid.X".to_owned(), answer, chat: None };
    bed.messages.finish(message.new.id, &message.owner, &accepted).await.unwrap();
    let settled = found(&bed, message.new.id).await;
    assert!(settled.answer.is_some() && settled.statuses.reached() == Some(Status::Delivered));
}

#[tokio::test]
async fn without_our_id_a_status_finds_its_message_by_metas() {
    let bed = Bed::start().await;
    let accepted = Outcome::Accepted { wamid: "wamid.X".to_owned(), answer: "{}".to_owned(), chat: None };
    let message = bed.sent(Some(&accepted)).await;
    let mut with_another = status("wamid.X", "delivered", 6, None);
    with_another["biz_opaque_callback_data"] = json!("somebody else's");
    told(&bed, &[status("wamid.X", "sent", 5, None), with_another]).await;
    let settled = found(&bed, message.new.id).await;
    assert_eq!((settled.statuses.at(Status::Sent), settled.statuses.at(Status::Delivered)), (Some(at(5)), Some(at(6))));
    assert_eq!(bed.rows("Messages").await.len(), 1);
}

#[tokio::test]
async fn a_status_of_a_message_that_another_program_sent_is_found_by_metas_id() {
    let bed = Bed::start().await;
    for data in [None, Some(MessageId::generate())] {
        told(&bed, &[status("wamid.E", "read", 7, data), status("wamid.E", "sent", 5, data)]).await;
    }
    let Some(Stored::Elsewhere(message)) = bed.messages.find(SHOP, "wamid.E").await.unwrap() else {
        panic!("it is not there")
    };
    assert_eq!((message.wamid(), message.statuses.reached()), ("wamid.E", Some(Status::Read)));
}

#[tokio::test]
async fn the_data_of_a_message_with_another_wamid_is_not_believed() {
    let bed = Bed::start().await;
    let accepted = Outcome::Accepted { wamid: "wamid.X".to_owned(), answer: "{}".to_owned(), chat: None };
    let message = bed.sent(Some(&accepted)).await;
    told(&bed, &[status("wamid.Y", "read", 5, Some(message.new.id))]).await;
    let untouched = found(&bed, message.new.id).await;
    assert_eq!((untouched.wamid.as_deref(), untouched.statuses.reached()), (Some("wamid.X"), None));
}

/// Every order of every set of statuses, each twice.
#[tokio::test]
async fn every_order_of_the_statuses_of_a_message_ends_in_the_same_place() {
    let bed = Bed::start().await;
    let words = ["sent", "delivered", "read", "failed"];
    for set in 1..16_usize {
        let chosen: Vec<_> =
            words.into_iter().enumerate().filter(|(n, _)| set & (1 << n) != 0).map(|(_, word)| word).collect();
        let expected = ["read", "delivered", "failed", "sent"].into_iter().find(|word| chosen.contains(word)).unwrap();
        for order in orders(&chosen) {
            let message = bed.sent(Some(&Outcome::Unknown)).await;
            let wamid = format!("wamid.{}", message.new.id);
            for word in order.iter().chain(&order) {
                told(&bed, &[status(&wamid, word, 5, Some(message.new.id))]).await;
            }
            let reached = found(&bed, message.new.id).await.statuses.reached();
            assert_eq!(reached.map(Status::as_str), Some(expected), "{order:?}");
        }
    }
}

fn orders<'a>(words: &[&'a str]) -> Vec<Vec<&'a str>> {
    if words.is_empty() {
        return vec![Vec::new()];
    }
    let first = |n: usize| {
        let mut rest = words.to_vec();
        let word = rest.remove(n);
        orders(&rest).into_iter().map(move |order| [vec![word], order].concat())
    };
    (0..words.len()).flat_map(first).collect()
}

#[tokio::test]
async fn a_failure_keeps_metas_code_and_words() {
    let bed = Bed::start().await;
    let message = bed.sent(Some(&Outcome::Unknown)).await;
    told(&bed, &[status("wamid.X", "failed", 5, Some(message.new.id))]).await;
    let failed = found(&bed, message.new.id).await.statuses.content(Status::Failed).unwrap();
    assert_eq!(failed["errors"][0]["code"], 131_026);
    assert_eq!(failed["errors"][0]["error_data"]["details"], "Not on WhatsApp");
}
