//! What AWS documents of standard queues ("Amazon SQS API Reference" and "Developer Guide"), through the real SDK.
//!
//! With `SQS_REFERENCE_URL` set, another server has to pass the very same checks: moto 5.2.5 does, as
//! `moto_server -p 5555` and `SQS_REFERENCE_URL=http://127.0.0.1:5555`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

mod sdk;

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use embedded_sqs::Engine;
use futures::future::{join, join_all};
use sdk::{
    attribute, attributes, bodies, change_visibility, counts, delete, delete_entry, entry, new_name, queue, receive,
    receive_one, send, send_numbers, times_received,
};
use tokio::time::Instant;

/// Runs a check on our engine, where no time passes but the time that it waits, and on the reference if there is one.
async fn everywhere(check: impl AsyncFn(&Client)) {
    let engine = Engine::with_queues(([127, 0, 0, 1], 0).into(), &[], "test").await.unwrap();
    check(&sdk::client(engine.url())).await;
    engine.stop().await;
    if let Ok(url) = std::env::var("SQS_REFERENCE_URL") {
        tokio::time::resume();
        check(&sdk::client(&url)).await;
    }
}

/// What AWS calls the error.
fn code<T: std::fmt::Debug, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    let Err(SdkError::ServiceError(error)) = result else { return "no error of the service".to_owned() };
    error.err().code().unwrap_or("no code").to_owned()
}

/// Makes a queue with another for its dead letters, and gives the addresses of both.
async fn queue_with_dead_letters(sqs: &Client, max_receive_count: &str) -> (String, String) {
    let dead_letters = queue(sqs, &[]).await;
    let arn = attributes(sqs, &dead_letters).await.remove(&QueueAttributeName::QueueArn).unwrap();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{max_receive_count}}}"#);
    let attributes = [(QueueAttributeName::VisibilityTimeout, "1"), (QueueAttributeName::RedrivePolicy, &policy)];
    (queue(sqs, &attributes).await, dead_letters)
}

const NO_QUEUE: &str = "AWS.SimpleQueueService.NonExistentQueue";

#[tokio::test(start_paused = true)]
async fn a_queue_is_found_by_its_name_with_what_it_was_made_of() {
    everywhere(async |sqs| {
        let (_, dead_letters) = queue_with_dead_letters(sqs, "3").await;
        let dead_letters = &attributes(sqs, &dead_letters).await[&QueueAttributeName::QueueArn];
        let policy = format!(r#"{{"deadLetterTargetArn":"{dead_letters}","maxReceiveCount":3}}"#);
        let name = new_name();
        let create = sqs.create_queue().queue_name(&name).attributes(QueueAttributeName::VisibilityTimeout, "45");
        let create = create.attributes(QueueAttributeName::RedrivePolicy, &policy);
        let url = create.send().await.unwrap().queue_url.unwrap();
        let found = sqs.get_queue_url().queue_name(&name).send().await.unwrap();
        assert_eq!(found.queue_url(), Some(url.as_str()));
        let listed = sqs.list_queues().send().await.unwrap();
        assert!(listed.queue_urls().contains(&url));
        let attributes = attributes(sqs, &url).await;
        assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "45");
        let policy: serde_json::Value = serde_json::from_str(&attributes[&QueueAttributeName::RedrivePolicy]).unwrap();
        assert_eq!(
            (&policy["deadLetterTargetArn"], &policy["maxReceiveCount"]),
            (&dead_letters.as_str().into(), &3.into())
        );
        let arn = &attributes[&QueueAttributeName::QueueArn];
        assert!(arn.starts_with("arn:aws:sqs:") && arn.ends_with(&format!(":{name}")), "{arn}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_those_attributes_of_a_queue_are_told_that_were_asked_for() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let get = sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::DelaySeconds);
        let told = get.send().await.unwrap().attributes.unwrap();
        assert_eq!((told.len(), told[&QueueAttributeName::DelaySeconds].as_str()), (1, "0"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_made_twice_is_one_unless_it_is_to_be_another() {
    everywhere(async |sqs| {
        let name = new_name();
        let create = async |visibility: &str| {
            let create = sqs.create_queue().queue_name(&name);
            create.attributes(QueueAttributeName::VisibilityTimeout, visibility).send().await
        };
        let made = join_all((0..20).map(|_| create("10"))).await;
        let urls: HashSet<_> = made.into_iter().map(|made| made.unwrap().queue_url.unwrap()).collect();
        assert_eq!(urls.len(), 1);
        let error = create("11").await.unwrap_err().into_service_error();
        assert!(error.is_queue_name_exists(), "{error:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_counts_what_can_be_received_what_is_in_flight_and_what_is_delayed() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[(QueueAttributeName::VisibilityTimeout, "1")]).await;
        send_numbers(sqs, &queue, 3).await;
        assert_eq!(counts(sqs, &queue).await, [3, 0, 0]);
        let receive_one = || sqs.receive_message().queue_url(&queue).visibility_timeout(30).send();
        let received = receive_one().await.unwrap().messages.unwrap();
        sqs.send_message().queue_url(&queue).message_body("late").delay_seconds(60).send().await.unwrap();
        assert_eq!(counts(sqs, &queue).await, [2, 1, 1]);
        delete(sqs, &queue, &received[0]).await;
        assert_eq!(counts(sqs, &queue).await, [2, 0, 1]);
        change_visibility(sqs, &queue, &receive_one().await.unwrap().messages.unwrap()[0], 0).await;
        assert_eq!(counts(sqs, &queue).await, [2, 0, 1]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_arrives_as_it_was_sent_with_the_md5_of_its_body() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let body = "h\u{e9}llo \u{1F600} <&>\"\n\ttab";
        let sent = sqs.send_message().queue_url(&queue).message_body(body).send().await.unwrap();
        let received = receive_one(sqs, &queue, 0).await;
        assert_eq!((received.body(), received.message_id()), (Some(body), sent.message_id()));
        let md5 = "20dfbc8bc179f67c95e0d89fa348a9b9";
        assert_eq!((sent.md5_of_message_body(), received.md5_of_body()), (Some(md5), Some(md5)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn ten_messages_are_sent_in_one_request_each_with_its_own_id() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let entries = (0..10).map(|number| entry(&format!("e{number}"), &format!("b{number}"))).collect();
        let sent = sqs.send_message_batch().queue_url(&queue).set_entries(Some(entries)).send().await.unwrap();
        assert!(sent.failed.is_empty(), "{sent:?}");
        let mut sent: Vec<_> =
            sent.successful.iter().map(|sent| (sent.id().replace('e', "b"), sent.message_id().to_owned())).collect();
        let received = receive(sqs, &queue, 0).await;
        let received = received.into_iter().map(|message| (message.body.unwrap(), message.message_id.unwrap()));
        let mut received: Vec<_> = received.collect();
        sent.sort();
        received.sort();
        assert_eq!(sent, received);
        assert_eq!(sent.iter().map(|(_, id)| id).collect::<HashSet<_>>().len(), 10);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_not_in_order_changes_nothing_and_is_told_so() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let send = async |entries| {
            let batch = sqs.send_message_batch().queue_url(&queue).set_entries(Some(entries));
            batch.send().await.unwrap_err().into_service_error()
        };
        let eleven = (0..11).map(|number| entry(&format!("e{number}"), "x")).collect();
        assert!(send(eleven).await.is_too_many_entries_in_batch_request());
        assert!(send(vec![]).await.is_empty_batch_request());
        assert!(send(vec![entry("same", "x"), entry("same", "y")]).await.is_batch_entry_ids_not_distinct());
        let long = "a".repeat(200_000);
        let long = (0..10).map(|number| entry(&format!("e{number}"), &long)).collect();
        assert!(send(long).await.is_batch_request_too_long());
        assert_eq!(counts(sqs, &queue).await, [0, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_has_a_mebibyte_and_no_more() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let send = |bytes| sqs.send_message().queue_url(&queue).message_body("a".repeat(bytes)).send();
        assert_eq!(code(send(1024 * 1024 + 1).await), "InvalidParameterValue");
        send(1024 * 1024).await.unwrap();
        assert_eq!(counts(sqs, &queue).await, [1, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_delayed_message_comes_when_its_time_is_there() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let sent_at = Instant::now();
        sqs.send_message().queue_url(&queue).message_body("late").delay_seconds(2).send().await.unwrap();
        send(sqs, &queue, "now").await;
        assert_eq!(bodies(&receive(sqs, &queue, 0).await), ["now"]);
        assert_eq!(bodies(&receive(sqs, &queue, 10).await), ["late"]);
        let waited = sent_at.elapsed();
        assert!((Duration::from_millis(1900)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_queues_delay_holds_unless_a_message_has_its_own() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[(QueueAttributeName::DelaySeconds, "60")]).await;
        send(sqs, &queue, "as the queue").await;
        sqs.send_message().queue_url(&queue).message_body("none").delay_seconds(0).send().await.unwrap();
        let mut at_once = entry("a", "none in a batch");
        at_once.delay_seconds = Some(0);
        let batch = sqs.send_message_batch().queue_url(&queue).entries(at_once).entries(entry("b", "as the queue"));
        batch.send().await.unwrap();
        let mut received = bodies(&receive(sqs, &queue, 0).await);
        received.sort();
        assert_eq!(received, ["none", "none in a batch"]);
        assert_eq!(counts(sqs, &queue).await, [0, 2, 2]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_receive_gives_one_message_unless_it_asks_for_up_to_ten() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        send_numbers(sqs, &queue, 25).await;
        let one = sqs.receive_message().queue_url(&queue).send().await.unwrap().messages.unwrap();
        assert_eq!(one.len(), 1);
        let mut ids: Vec<_> = one.into_iter().map(|message| message.message_id).collect();
        for expected in [10, 10, 4, 0] {
            let received = receive(sqs, &queue, 0).await;
            assert_eq!(received.len(), expected);
            ids.extend(received.into_iter().map(|message| message.message_id));
        }
        assert_eq!(ids.into_iter().collect::<HashSet<_>>().len(), 25);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_receive_waits_as_long_as_it_says_else_as_the_queue_says() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "2")]).await;
        let waits = async |wait_s: Option<i32>| {
            let begun = Instant::now();
            let receive = sqs.receive_message().queue_url(&queue).set_wait_time_seconds(wait_s);
            assert!(receive.send().await.unwrap().messages.is_none());
            begun.elapsed()
        };
        let (at_once, as_the_queue, longer) = (waits(Some(0)).await, waits(None).await, waits(Some(4)).await);
        assert!(at_once < Duration::from_secs(1), "{at_once:?}");
        assert!((Duration::from_millis(1900)..Duration::from_millis(3500)).contains(&as_the_queue), "{as_the_queue:?}");
        assert!((Duration::from_millis(3900)..Duration::from_millis(5500)).contains(&longer), "{longer:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_gets_a_message_when_it_is_sent() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let begun = Instant::now();
        let (received, _) = join(receive(sqs, &queue, 20), send(sqs, &queue, "here")).await;
        assert_eq!(bodies(&received), ["here"]);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_tells_when_it_was_sent_and_first_received_if_it_is_asked() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        sqs.send_message().queue_url(&queue).message_body("x").delay_seconds(1).send().await.unwrap();
        let message = receive_one(sqs, &queue, 10).await;
        let sent = attribute(&message, &MessageSystemAttributeName::SentTimestamp);
        let received = attribute(&message, &MessageSystemAttributeName::ApproximateFirstReceiveTimestamp);
        assert!((900..5000).contains(&(received - sent)), "sent {sent}, received {received}");
        send(sqs, &queue, "y").await;
        let unasked = sqs.receive_message().queue_url(&queue).send().await.unwrap().messages.unwrap();
        assert!(unasked[0].attributes.as_ref().is_none_or(std::collections::HashMap::is_empty), "{unasked:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_nobody_deletes_comes_again_when_its_visibility_timeout_is_over() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[(QueueAttributeName::VisibilityTimeout, "2")]).await;
        send(sqs, &queue, "x").await;
        let begun = Instant::now();
        let first = receive_one(sqs, &queue, 0).await;
        assert!(receive(sqs, &queue, 0).await.is_empty());
        let second = receive_one(sqs, &queue, 10).await;
        let passed = begun.elapsed();
        assert!((Duration::from_millis(1900)..Duration::from_secs(5)).contains(&passed), "{passed:?}");
        assert_eq!((times_received(&first), times_received(&second)), (1, 2));
        assert_eq!(first.message_id, second.message_id);
        assert_ne!(first.receipt_handle, second.receipt_handle);
        for name in
            [MessageSystemAttributeName::SentTimestamp, MessageSystemAttributeName::ApproximateFirstReceiveTimestamp]
        {
            assert_eq!(attribute(&first, &name), attribute(&second, &name));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_receive_may_hide_messages_for_its_own_time() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        send(sqs, &queue, "x").await;
        for seconds in [0, 1] {
            let receive = sqs.receive_message().queue_url(&queue).visibility_timeout(seconds).send();
            assert_eq!(receive.await.unwrap().messages.unwrap().len(), 1);
        }
        assert!(receive(sqs, &queue, 0).await.is_empty());
        assert_eq!(times_received(&receive_one(sqs, &queue, 10).await), 3);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_message_in_flight_can_be_hidden_longer_or_given_back_to_who_waits() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[(QueueAttributeName::VisibilityTimeout, "1")]).await;
        send(sqs, &queue, "x").await;
        let message = receive_one(sqs, &queue, 0).await;
        let begun = Instant::now();
        change_visibility(sqs, &queue, &message, 3).await;
        let message = receive_one(sqs, &queue, 10).await;
        assert!(begun.elapsed() >= Duration::from_millis(2900), "{:?}", begun.elapsed());
        change_visibility(sqs, &queue, &message, 30).await;
        let begun = Instant::now();
        let (message, ()) = join(receive_one(sqs, &queue, 20), change_visibility(sqs, &queue, &message, 0)).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(times_received(&message), 3);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_message_never_comes_again_and_deleting_it_again_is_no_error() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[(QueueAttributeName::VisibilityTimeout, "1")]).await;
        send(sqs, &queue, "x").await;
        let message = receive_one(sqs, &queue, 0).await;
        delete(sqs, &queue, &message).await;
        delete(sqs, &queue, &message).await;
        assert!(receive(sqs, &queue, 2).await.is_empty());
        assert_eq!(counts(sqs, &queue).await, [0, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn ten_messages_are_deleted_in_one_request() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        send_numbers(sqs, &queue, 10).await;
        let entries = receive(sqs, &queue, 0).await.into_iter().enumerate();
        let entries = entries.map(|(at, message)| delete_entry(&at.to_string(), message.receipt_handle().unwrap()));
        let delete = sqs.delete_message_batch().queue_url(&queue).set_entries(Some(entries.collect()));
        let deleted = delete.send().await.unwrap();
        assert_eq!((deleted.successful.len(), deleted.failed.len()), (10, 0));
        assert_eq!(counts(sqs, &queue).await, [0, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_last_receipt_deletes_a_message_even_when_its_time_is_over() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        send(sqs, &queue, "x").await;
        let hidden_for = |seconds| sqs.receive_message().queue_url(&queue).visibility_timeout(seconds).send();
        let message = hidden_for(0).await.unwrap().messages.unwrap().remove(0);
        assert_eq!(counts(sqs, &queue).await, [1, 0, 0]);
        delete(sqs, &queue, &message).await;
        assert_eq!(counts(sqs, &queue).await, [0, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_receipt_handle_is_told_so() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let deleted = sqs.delete_message().queue_url(&queue).receipt_handle("garbage").send().await;
        assert!(deleted.unwrap_err().into_service_error().is_receipt_handle_is_invalid());
    })
    .await;
}

/// Receives a message as often as it may be, and then once more.
async fn is_dead_after_two_receives(sqs: &Client, max_receive_count: &str, give_back: impl AsyncFn(&str, &str)) {
    let (queue, dead_letters) = queue_with_dead_letters(sqs, max_receive_count).await;
    let id = send(sqs, &queue, "poison").await;
    for time in 1..=2 {
        let message = receive_one(sqs, &queue, 10).await;
        assert_eq!(times_received(&message), time);
        assert_eq!(counts(sqs, &dead_letters).await, [0, 0, 0]);
        give_back(&queue, message.receipt_handle().unwrap()).await;
    }
    // Whoever waits at either queue sees it move.
    let (received, dead) = join(receive(sqs, &queue, 3), receive_one(sqs, &dead_letters, 10)).await;
    assert!(received.is_empty(), "{received:?}");
    assert_eq!((dead.body(), dead.message_id()), (Some("poison"), Some(id.as_str())));
    assert_eq!(counts(sqs, &queue).await, [0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_received_too_often_goes_to_the_dead_letters() {
    everywhere(async |sqs| is_dead_after_two_receives(sqs, "2", async |_, _| ()).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_given_back_too_often_goes_to_the_dead_letters() {
    everywhere(async |sqs| {
        let give_back = async |queue: &str, handle: &str| {
            let change = sqs.change_message_visibility().queue_url(queue).receipt_handle(handle);
            change.visibility_timeout(0).send().await.unwrap();
        };
        // A number in quotes is one too.
        is_dead_after_two_receives(sqs, r#""2""#, give_back).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn dead_letters_keep_nobody_else_from_being_received() {
    everywhere(async |sqs| {
        let (queue, dead_letters) = queue_with_dead_letters(sqs, "1").await;
        send_numbers(sqs, &queue, 10).await;
        assert_eq!(receive(sqs, &queue, 0).await.len(), 10);
        sqs.send_message().queue_url(&queue).message_body("healthy").delay_seconds(2).send().await.unwrap();
        assert_eq!(bodies(&receive(sqs, &queue, 10).await), ["healthy"]);
        assert_eq!(counts(sqs, &dead_letters).await, [10, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_not_there_is_told_by_every_operation() {
    everywhere(async |sqs| {
        let none = format!("{}-none", queue(sqs, &[]).await);
        assert_eq!(code(sqs.get_queue_url().queue_name(new_name()).send().await), NO_QUEUE);
        assert_eq!(code(sqs.send_message().queue_url(&none).message_body("x").send().await), NO_QUEUE);
        let batch = sqs.send_message_batch().queue_url(&none).entries(entry("a", "x"));
        assert_eq!(code(batch.send().await), NO_QUEUE);
        assert_eq!(code(sqs.receive_message().queue_url(&none).send().await), NO_QUEUE);
        assert_eq!(code(sqs.receive_message().queue_url(&none).wait_time_seconds(2).send().await), NO_QUEUE);
        assert_eq!(code(sqs.delete_message().queue_url(&none).receipt_handle("x").send().await), NO_QUEUE);
        let batch = sqs.delete_message_batch().queue_url(&none).entries(delete_entry("a", "x"));
        assert_eq!(code(batch.send().await), NO_QUEUE);
        let change = sqs.change_message_visibility().queue_url(&none).receipt_handle("x").visibility_timeout(1);
        assert_eq!(code(change.send().await), NO_QUEUE);
        let get = sqs.get_queue_attributes().queue_url(&none).attribute_names(QueueAttributeName::All);
        assert_eq!(code(get.send().await), NO_QUEUE);
        assert_eq!(code(sqs.purge_queue().queue_url(&none).send().await), NO_QUEUE);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_purged_queue_is_empty() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        send_numbers(sqs, &queue, 5).await;
        sqs.purge_queue().queue_url(&queue).send().await.unwrap();
        assert_eq!(counts(sqs, &queue).await, [0, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn numbers_beyond_their_range_are_refused() {
    everywhere(async |sqs| {
        let queue = queue(sqs, &[]).await;
        let receive = || sqs.receive_message().queue_url(&queue);
        for odd in [0, 11, -1] {
            assert_eq!(code(receive().max_number_of_messages(odd).send().await), "InvalidParameterValue", "{odd}");
        }
        for odd in [-1, 21] {
            assert_eq!(code(receive().wait_time_seconds(odd).send().await), "InvalidParameterValue", "{odd}");
        }
        let send = |delay_s| sqs.send_message().queue_url(&queue).message_body("x").delay_seconds(delay_s);
        assert_eq!(code(send(901).send().await), "InvalidParameterValue");
        let create = sqs.create_queue().queue_name("no/name");
        assert_eq!(code(create.send().await), "InvalidParameterValue");
    })
    .await;
}
