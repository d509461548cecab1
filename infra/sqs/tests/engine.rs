//! What the engine promises beyond what AWS does: for tests, for its start and for its end.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

mod sdk;

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchResultEntry, MessageSystemAttributeName, QueueAttributeName};
use embedded_sqs::{Engine, EngineError, Mischief};
use futures::future::{join, join_all};
use sdk::{
    attributes, bodies, change_visibility, counts, delete, delete_entry, queue, receive, receive_one, send,
    send_numbers, times_received,
};
use template::{DeadLetters, Queue};
use tokio::time::Instant;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn work() -> Queue {
    Queue {
        id: "Work".to_owned(),
        name: "Work".to_owned(),
        visibility_timeout: Duration::from_secs(45),
        delay: Duration::ZERO,
        receive_wait: Duration::ZERO,
        dead_letters: Some(DeadLetters { queue: "Failed".to_owned(), max_receive_count: 2 }),
    }
}

fn failed() -> Queue {
    Queue { id: "Failed".to_owned(), name: "Failed".to_owned(), dead_letters: None, ..work() }
}

async fn engine() -> (Engine, Client) {
    let engine = Engine::with_queues(ANY_PORT, &[work(), failed()], "test").await.unwrap();
    let sqs = sdk::client(engine.url());
    (engine, sqs)
}

#[tokio::test]
async fn the_queues_are_those_of_the_template_behind_the_prefix() {
    let (engine, sqs) = engine().await;
    let found = sqs.get_queue_url().queue_name("test-Work").send().await.unwrap();
    assert_eq!(found.queue_url(), Some(engine.queue_url("Work").as_str()));
    let attributes = attributes(&sqs, &engine.queue_url("Work")).await;
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "45");
    assert_eq!(attributes[&QueueAttributeName::QueueArn], engine.queue_arn("Work"));
    let policy = &attributes[&QueueAttributeName::RedrivePolicy];
    assert!(policy.contains(&engine.queue_arn("Failed")), "{policy}");
}

#[tokio::test]
async fn our_template_has_nothing_that_an_engine_does_not_take() {
    let engine = Engine::in_memory().await.unwrap();
    for queue in template::Template::ours().unwrap().queues {
        assert!(engine.is_idle(&queue.name), "{}", queue.name);
    }
}

#[tokio::test]
async fn a_queue_that_aws_would_not_make_is_told_by_its_name() {
    let slow = Queue { visibility_timeout: Duration::MAX, ..failed() };
    let unnamed = Queue { name: "x.fifo".to_owned(), ..failed() };
    for (queue, expected) in [
        (slow, "test-Failed can't be made: Invalid value for the attribute VisibilityTimeout"),
        (unnamed, "test-x.fifo can't be made: A queue's name has"),
        (work(), "test-Work can't be made: The queue for dead letters, test-Failed, does not exist"),
    ] {
        let error = Engine::with_queues(ANY_PORT, &[queue], "test").await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_address() {
    let (first, _) = engine().await;
    let address = first.url().trim_start_matches("http://").parse().unwrap();
    let error = Engine::start(address, "test").await.unwrap_err();
    assert!(matches!(error, EngineError::Address(told, _) if told == address), "{error}");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_what_waits_and_the_port_is_free() {
    let (engine, sqs) = engine().await;
    let (address, url) = (engine.url().trim_start_matches("http://").parse().unwrap(), engine.queue_url("Work"));
    let begun = Instant::now();
    let stop = async {
        // By then the other one waits.
        tokio::time::sleep(Duration::from_secs(1)).await;
        engine.stop().await;
    };
    let (received, ()) = join(receive(&sqs, &url, 20), stop).await;
    assert!(received.is_empty());
    assert_eq!(begun.elapsed().as_secs(), 1);
    Engine::start(address, "test").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn dropping_ends_what_waits_and_nobody_listens_any_longer() {
    let (engine, sqs) = engine().await;
    let url = engine.queue_url("Work");
    let begun = Instant::now();
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(engine);
    };
    let (received, ()) = join(receive(&sqs, &url, 20), stop).await;
    assert!(received.is_empty());
    assert_eq!(begun.elapsed().as_secs(), 1);
    sqs.send_message().queue_url(&url).message_body("x").send().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_waiting_takes_no_message() {
    let (engine, sqs) = engine().await;
    let url = engine.queue_url("Work");
    let gives_up = tokio::time::timeout(Duration::from_secs(5), receive(&sqs, &url, 20)).await;
    assert!(gives_up.is_err());
    // The clock goes on when nobody has anything left to do: the engine has seen the end of the connection.
    tokio::time::sleep(Duration::from_secs(1)).await;
    send(&sqs, &url, "x").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(times_received(&receive_one(&sqs, &url, 0).await), 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_last_receipt_deletes_a_message_or_changes_its_visibility() {
    let (engine, sqs) = engine().await;
    let url = engine.queue_url("Work");
    send(&sqs, &url, "x").await;
    let older = receive_one(&sqs, &url, 0).await;
    tokio::time::sleep(Duration::from_secs(45)).await;
    let newer = receive_one(&sqs, &url, 0).await;
    delete(&sqs, &url, &older).await;
    assert_eq!(engine.messages("Work"), ["x"]);
    let change = sqs.change_message_visibility().queue_url(&url).visibility_timeout(0);
    let change = change.receipt_handle(older.receipt_handle().unwrap());
    assert!(change.send().await.unwrap_err().into_service_error().is_message_not_inflight());
    delete(&sqs, &url, &newer).await;
    assert!(engine.messages("Work").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_in_flight_cannot_be_hidden() {
    let (engine, sqs) = engine().await;
    let url = engine.queue_url("Work");
    send(&sqs, &url, "x").await;
    let message = receive_one(&sqs, &url, 0).await;
    change_visibility(&sqs, &url, &message, 0).await;
    let change = sqs.change_message_visibility().queue_url(&url).visibility_timeout(30);
    let change = change.receipt_handle(message.receipt_handle().unwrap());
    let error = change.send().await.unwrap_err().into_service_error();
    assert!(error.is_message_not_inflight(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_a_batch_fails_by_itself() {
    let (engine, sqs) = engine().await;
    let url = engine.queue_url("Work");
    send(&sqs, &url, "x").await;
    let message = receive_one(&sqs, &url, 0).await;
    let good = delete_entry("good", message.receipt_handle().unwrap());
    let delete = sqs.delete_message_batch().queue_url(&url).entries(delete_entry("bad", "garbage")).entries(good);
    let done = delete.send().await.unwrap();
    assert_eq!(done.successful.iter().map(DeleteMessageBatchResultEntry::id).collect::<Vec<_>>(), ["good"]);
    let failed: Vec<_> = done.failed.iter().map(|entry| (entry.id(), entry.code(), entry.sender_fault())).collect();
    assert_eq!(failed, [("bad", "ReceiptHandleIsInvalid", true)]);
    assert!(engine.messages("Work").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_tells_where_it_comes_from_and_is_received_anew() {
    let (engine, sqs) = engine().await;
    let (work, failed) = (engine.queue_url("Work"), engine.queue_url("Failed"));
    send(&sqs, &work, "poison").await;
    for _ in 0..2 {
        change_visibility(&sqs, &work, &receive_one(&sqs, &work, 0).await, 0).await;
    }
    assert!(receive(&sqs, &work, 0).await.is_empty());
    assert_eq!(counts(&sqs, &failed).await, [1, 0, 0]);
    let dead = receive_one(&sqs, &failed, 0).await;
    let source = MessageSystemAttributeName::DeadLetterQueueSourceArn;
    assert_eq!(dead.attributes.as_ref().unwrap()[&source], engine.queue_arn("Work"));
    delete(&sqs, &failed, &dead).await;
    assert!(engine.messages("Failed").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_idle_when_nothing_can_be_received_and_nothing_is_in_flight() {
    let (engine, sqs) = engine().await;
    let url = engine.queue_url("Work");
    assert!(engine.is_idle("Work"));
    sqs.send_message().queue_url(&url).message_body("late").delay_seconds(60).send().await.unwrap();
    assert!(engine.is_idle("Work"));
    send(&sqs, &url, "now").await;
    assert_eq!((engine.is_idle("Work"), engine.messages("Work")), (false, vec!["late".to_owned(), "now".to_owned()]));
    let message = receive_one(&sqs, &url, 0).await;
    assert_eq!((engine.is_idle("Work"), engine.messages("Work").len()), (false, 2));
    delete(&sqs, &url, &message).await;
    assert_eq!((engine.is_idle("Work"), engine.messages("Work")), (true, vec!["late".to_owned()]));
    assert!(!engine.is_idle("None") && engine.messages("None").is_empty());
}

/// The bodies in the order in which they come, one by one.
async fn order(mischief: Mischief, count: usize) -> Vec<String> {
    let (engine, sqs) = engine().await;
    engine.set_mischief(mischief);
    let url = engine.queue_url("Work");
    send_numbers(&sqs, &url, count).await;
    let mut order = Vec::new();
    while !engine.messages("Work").is_empty() {
        for message in receive(&sqs, &url, 0).await {
            delete(&sqs, &url, &message).await;
            order.extend(message.body);
        }
    }
    order
}

#[tokio::test]
async fn without_mischief_messages_come_once_and_in_their_order() {
    let numbers: Vec<_> = (0..25).map(|number| number.to_string()).collect();
    assert_eq!(order(Mischief::default(), 25).await, numbers);
    assert_eq!(order(Mischief { copies: 0, ..Mischief::default() }, 25).await, numbers);
}

#[tokio::test]
async fn with_copies_each_message_comes_once_or_more_often_but_not_too_often() {
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    for body in order(Mischief { copies: 3, shuffled: false, seed: 1 }, 50).await {
        *times.entry(body).or_default() += 1;
    }
    assert_eq!(times.len(), 50);
    assert_eq!(times.values().copied().collect::<HashSet<_>>(), HashSet::from([1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn copies_have_one_id_and_are_received_and_deleted_each_by_itself() {
    let (engine, sqs) = engine().await;
    // Of these copies there are two or more.
    engine.set_mischief(Mischief { copies: 5, shuffled: false, seed: 1 });
    let url = engine.queue_url("Work");
    let id = send(&sqs, &url, "x").await;
    let copies = receive(&sqs, &url, 0).await;
    assert!(copies.len() > 1, "{copies:?}");
    assert!(copies.iter().all(|copy| copy.message_id() == Some(&id) && times_received(copy) == 1), "{copies:?}");
    let handles: HashSet<_> = copies.iter().map(|copy| copy.receipt_handle()).collect();
    assert_eq!(handles.len(), copies.len());
    delete(&sqs, &url, &copies[0]).await;
    assert_eq!(engine.messages("Work").len(), copies.len() - 1);
}

#[tokio::test]
async fn shuffled_messages_all_come_and_with_the_same_seed_in_the_same_order() {
    let shuffled = |seed| order(Mischief { copies: 1, shuffled: true, seed }, 25);
    let (first, same, other) = (shuffled(1).await, shuffled(1).await, shuffled(2).await);
    assert_eq!(first, same);
    assert_ne!(first, other);
    assert_eq!(first.iter().collect::<HashSet<_>>().len(), 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_that_many_send_at_once_is_received_once() {
    let (engine, sqs) = engine().await;
    let url = queue(&sqs, &[(QueueAttributeName::VisibilityTimeout, "3600")]).await;
    let senders = (0..20).map(async |sender| {
        for number in 0..10 {
            send(&sqs, &url, &format!("{sender}/{number}")).await;
        }
    });
    let received = Mutex::new(Vec::new());
    let receivers = (0..4).map(async |_| {
        while received.lock().unwrap().len() < 200 {
            let messages = receive(&sqs, &url, 1).await;
            received.lock().unwrap().extend(bodies(&messages));
        }
    });
    join(join_all(receivers), join_all(senders)).await;
    let received = received.into_inner().unwrap();
    assert_eq!((received.len(), received.iter().collect::<HashSet<_>>().len()), (200, 200));
    engine.stop().await;
}
