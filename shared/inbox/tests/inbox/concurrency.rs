//! The same at the same time.

use futures::future::join_all;

use crate::bed::{Bed, body, change, entry, text_message};

const ANN: &str = "16505551234";

#[tokio::test]
async fn the_same_payload_ten_times_in_parallel_counts_once() {
    let bed = Bed::start().await;
    let messages: Vec<_> = (0..7).map(|n| text_message(ANN, &format!("wamid.{n}"), n, "hi")).collect();
    let body = body(&[entry(&[change("messages", &messages)])]);
    join_all((0..10).map(|_| bed.takes(&body))).await;
    assert_eq!((bed.chat(ANN).await.unwrap().unread_count, bed.reads(ANN).await.len()), (7, 7));
}

#[tokio::test]
async fn many_messages_to_one_conversation_at_once_are_all_counted() {
    let bed = Bed::start().await;
    let bodies: Vec<_> = (0..40)
        .map(|n| body(&[entry(&[change("messages", &[text_message(ANN, &format!("wamid.{n}"), n, "hi")])])]))
        .collect();
    join_all(bodies.iter().map(|body| bed.takes(body))).await;
    assert_eq!(bed.chat(ANN).await.unwrap().unread_count, 40);
}
