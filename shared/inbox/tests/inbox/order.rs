//! Any order, any repetition and any split into calls of the same events give the same tables, byte for byte.

use domain::SendState;
use futures::future::join_all;
use proptest::prelude::*;
use serde_json::Value;
use storage::Outcome;

use crate::bed::{Bed, Dump, body, change, entry};
use crate::pool::{Event, Sent, events};

/// How the events are sent.
#[derive(Clone, Debug)]
struct Delivery {
    /// The events by their numbers, each at least once.
    order: Vec<usize>,
    /// What ends behind each of them: nothing, the change, the entry or the call.
    ends: Vec<u8>,
}

fn delivery(count: usize) -> impl Strategy<Value = Delivery> {
    let repeated = prop::collection::vec(0..count, 0..count / 2);
    let order = repeated.prop_flat_map(move |repeated| {
        let all: Vec<usize> = (0..count).chain(repeated).collect();
        Just(all).prop_shuffle()
    });
    order.prop_flat_map(|order| {
        let ends = prop::collection::vec(0..4_u8, order.len());
        (Just(order), ends).prop_map(|(order, ends)| Delivery { order, ends })
    })
}

/// The bodies of the calls.
fn calls(events: &[Event], delivery: &Delivery) -> Vec<String> {
    let (mut calls, mut entries, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut messages, mut statuses): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let last = delivery.order.len() - 1;
    for (index, (event, ends)) in delivery.order.iter().zip(&delivery.ends).enumerate() {
        match &events[*event] {
            Event::Message(message) => messages.push(message.clone()),
            Event::Status(status) => statuses.push(status.clone()),
            Event::Change(change) => changes.push(change.clone()),
        }
        let ends = if index == last { 3 } else { *ends };
        if ends >= 1 {
            changes.extend((!messages.is_empty()).then(|| change("messages", &std::mem::take(&mut messages))));
            changes.extend((!statuses.is_empty()).then(|| change("statuses", &std::mem::take(&mut statuses))));
        }
        if ends >= 2 {
            entries.push(entry(&std::mem::take(&mut changes)));
        }
        if ends >= 3 {
            calls.push(body(&std::mem::take(&mut entries)));
        }
    }
    calls
}

/// The rows before: two messages that were sent. They are the same in every run.
struct Before {
    sent: Sent,
    rows: Vec<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>>,
}

async fn before() -> Before {
    let bed = Bed::start().await;
    let unknown = bed.sent(Some(&Outcome::Unknown)).await;
    let sending = bed.sent(None).await;
    assert_eq!((unknown.state, sending.state), (SendState::Unknown, SendState::Sending));
    let sent = Sent { unknown: unknown.new.id, sending: sending.new.id };
    Before { sent, rows: bed.rows("Messages").await }
}

async fn after(before: &Before, calls: &[String], side_by_side: bool) -> Dump {
    let bed = Bed::start().await;
    for row in &before.rows {
        bed.put("Messages", row.clone()).await;
    }
    if side_by_side {
        join_all(calls.iter().map(|call| bed.takes(call))).await;
    } else {
        for call in calls {
            bed.takes(call).await;
        }
    }
    bed.dump().await
}

fn same_tables_whatever_the_delivery(shuffles: u32, side_by_side: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = runtime.block_on(before());
    let events = events(&before.sent);
    let in_order = Delivery { order: (0..events.len()).collect(), ends: vec![3; events.len()] };
    let expected = runtime.block_on(after(&before, &calls(&events, &in_order), false));
    assert!(expected.values().all(|rows| rows.len() >= 4), "{expected:#?}");
    let config = ProptestConfig { cases: shuffles, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(delivery in delivery(events.len()))| {
        let tables = runtime.block_on(after(&before, &calls(&events, &delivery), side_by_side));
        prop_assert_eq!(&tables, &expected);
    });
}

#[test]
fn any_order_repetition_and_split_of_the_same_events_gives_the_same_tables() {
    same_tables_whatever_the_delivery(700, false);
}

#[test]
fn so_do_calls_that_come_at_the_same_time() {
    same_tables_whatever_the_delivery(350, true);
}
