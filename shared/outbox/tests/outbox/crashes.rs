//! What a DynamoDB that fails, or loses its answers, may cost: never a second message, never a wrong answer about one.

use std::time::Duration;

use domain::{Kind, Result, Scope, SendState};
use futures::future::join_all;
use meta_simulator::Fault as MetaFault;
use outbox::Delivery;
use storage::{Database, Messages, Outcome, Owner};

use crate::bed::{Bed, KEY, TIME_LEFT, closed_port};
use crate::wire::Fault;

fn assert_replays(first: &Delivery, again: Result<Delivery>, what: &str) {
    let again = again.unwrap();
    assert_eq!((first.answer.get(), again.replayed), (again.answer.get(), true), "{what}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_known_again_and_the_message_is_sent_once() {
    let check = async |operation, table| {
        let (bed, proxy) = Bed::with_proxy().await;
        proxy.fail(operation, table, Fault::LoseAnswer, 1);
        let what = format!("{operation} {table}");
        let first = bed.send(KEY).await.unwrap();
        assert_eq!((first.replayed, proxy.left()), (false, 0), "{what}");
        assert_replays(&first, bed.send(KEY).await, &what);
        assert_eq!((bed.posts().len(), bed.received()), (1, 1), "{what}");
        assert_eq!(bed.only_message().await.state, SendState::Accepted, "{what}");
        assert_eq!(bed.column("Conversations", "contact").await.len(), 1, "{what}");
    };
    let writes = [
        ("PutItem", "IdempotencyKeys"),
        ("PutItem", "Messages"),
        ("UpdateItem", "Messages"),
        ("UpdateItem", "Conversations"),
    ];
    join_all(writes.map(|(operation, table)| Box::pin(check(operation, table)))).await;
}

#[tokio::test]
async fn a_refusal_whose_recording_lost_its_answer_is_replayed_as_it_was() {
    let (bed, proxy) = Bed::with_proxy().await;
    bed.testbed.simulator.fail_next(MetaFault::Error(131_047), 1);
    proxy.fail("UpdateItem", "Messages", Fault::LoseAnswer, 1);
    let first = bed.send(KEY).await.unwrap_err();
    let again = bed.send(KEY).await.unwrap_err();
    assert_eq!((first.public(), again.is_replayed(), bed.posts().len()), (again.public(), true, 1));
}

#[tokio::test]
async fn a_second_try_whose_reservation_lost_its_answer_is_sent_once() {
    let (bed, proxy) = Bed::with_proxy().await;
    bed.testbed.simulator.fail_next(MetaFault::Error(130_429), 1);
    bed.send(KEY).await.unwrap_err();
    // The first put of a second try finds the message that was not sent; the one after takes its place.
    proxy.fail("GetItem", "Messages", Fault::LoseAnswer, 1);
    proxy.fail("PutItem", "IdempotencyKeys", Fault::LoseAnswer, 2);
    assert!(!bed.send(KEY).await.unwrap().replayed);
    assert_eq!((proxy.left(), bed.posts().len(), bed.received()), (0, 2, 1));
}

#[tokio::test]
async fn a_takeover_whose_answer_is_lost_is_sent_once() {
    let (bed, proxy) = Bed::with_proxy().await;
    proxy.fail("PutItem", "Messages", Fault::Hold, 1);
    bed.send_and_die_when(KEY, || proxy.holds()).await;
    bed.testbed.clock.advance(Duration::from_secs(10));
    // Giving up the one that never began.
    proxy.fail("PutItem", "Messages", Fault::LoseAnswer, 1);
    assert!(!bed.send(KEY).await.unwrap().replayed);
    assert_eq!((proxy.left(), bed.posts().len(), bed.received()), (0, 1, 1));
}

#[tokio::test]
async fn with_the_storage_down_nothing_is_sent_and_the_error_is_an_outage() {
    let check = async |fault| {
        let (bed, proxy) = Bed::with_proxy().await;
        let database = Database::local(proxy.url(), bed.testbed.engine.table_prefix());
        let keys = auth::Keys::new(&database, bed.testbed.clock.clone());
        proxy.fail_always("", "", fault);
        let (sent, authorized) =
            tokio::join!(bed.send(KEY), keys.authorize(Some(bed.testbed.api_key.reveal()), Scope::MessagesSend));
        for error in [sent.unwrap_err(), authorized.unwrap_err()] {
            let told = (error.kind(), error.public().code.as_deref(), error.public().retryable);
            assert_eq!(told, (Kind::Unavailable, Some("storage_unavailable"), Some(true)), "{fault:?}");
        }
        assert!(bed.posts().is_empty() && bed.messages().await.is_empty(), "{fault:?}");
        proxy.heal();
        assert!(!bed.send(KEY).await.unwrap().replayed, "{fault:?}");
        assert_eq!((bed.posts().len(), bed.received()), (1, 1), "{fault:?}");
    };
    join_all([Fault::HangUp, Fault::ServerError, Fault::Throttle, Fault::Silence].map(|fault| Box::pin(check(fault))))
        .await;
}

#[tokio::test]
async fn with_nobody_listening_nothing_is_sent_and_the_error_is_an_outage() {
    let bed = Bed::start().await;
    let (_closed, url) = closed_port();
    let bed = bed.with_database(&url);
    assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::Unavailable);
    assert!(bed.posts().is_empty());
}

#[tokio::test]
async fn a_message_that_could_not_be_recorded_before_is_not_sent_and_its_key_is_free_after_a_while() {
    let (bed, proxy) = Bed::with_proxy().await;
    proxy.fail_always("PutItem", "Messages", Fault::ServerError);
    assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::Unavailable);
    proxy.heal();
    assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::InFlight);
    assert!(bed.posts().is_empty());
    bed.testbed.clock.advance(Duration::from_secs(10));
    assert!(!bed.send(KEY).await.unwrap().replayed);
    assert_eq!((bed.posts().len(), bed.received()), (1, 1));
}

#[tokio::test]
async fn a_message_that_nobody_knows_to_be_recorded_is_not_sent() {
    let (bed, proxy) = Bed::with_proxy().await;
    // Applied, but no try ever hears of it.
    proxy.fail_always("PutItem", "Messages", Fault::LoseAnswer);
    assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::Unavailable);
    proxy.heal();
    bed.testbed.clock.advance(TIME_LEFT);
    // Too careful, but nobody can tell this row from one that was sent.
    assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::OutcomeUnknown);
    assert!(bed.posts().is_empty());
}

#[tokio::test]
async fn an_outage_after_the_send_is_no_failure_to_the_client_and_the_message_is_unknown_until_a_webhook_tells() {
    let check = async |fault| {
        let (bed, proxy) = Bed::with_proxy().await;
        proxy.fail_always("UpdateItem", "", fault);
        let first = bed.send(KEY).await.unwrap();
        assert_eq!(bed.only_message().await.state, SendState::Sending, "{fault:?}");
        assert!(bed.column("Conversations", "contact").await.is_empty(), "{fault:?}");
        assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::InFlight, "{fault:?}");
        bed.testbed.clock.advance(TIME_LEFT);
        assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::OutcomeUnknown, "{fault:?}");
        let accepted =
            Outcome::Accepted { wamid: "wamid.X".to_owned(), answer: first.answer.get().to_owned(), chat: None };
        Messages::new(&bed.testbed.database).finish(bed.posts()[0], &Owner::new(), &accepted).await.unwrap();
        assert_replays(&first, bed.send(KEY).await, "settled");
        assert_eq!((bed.posts().len(), bed.received()), (1, 1), "{fault:?}");
    };
    join_all([Fault::HangUp, Fault::ServerError, Fault::Throttle, Fault::Silence].map(|fault| Box::pin(check(fault))))
        .await;
}

#[tokio::test]
async fn a_refusal_that_could_not_be_recorded_is_told_and_never_sent_again() {
    let (bed, proxy) = Bed::with_proxy().await;
    proxy.fail_always("UpdateItem", "Messages", Fault::HangUp);
    bed.testbed.simulator.fail_next(MetaFault::Error(131_047), 1);
    let error = bed.send(KEY).await.unwrap_err();
    assert_eq!((error.kind(), error.public().code.as_deref()), (Kind::Invalid, Some("window_closed")));
    bed.testbed.clock.advance(TIME_LEFT);
    assert_eq!(bed.send(KEY).await.unwrap_err().kind(), Kind::OutcomeUnknown);
    assert_eq!(bed.posts().len(), 1);
}

#[tokio::test]
async fn a_conversation_that_could_not_be_moved_changes_nothing_about_the_answer() {
    let (bed, proxy) = Bed::with_proxy().await;
    proxy.fail_always("UpdateItem", "Conversations", Fault::ServerError);
    let first = bed.send(KEY).await.unwrap();
    assert_replays(&first, bed.send(KEY).await, "without its conversation");
    assert_eq!((bed.posts().len(), bed.only_message().await.state), (1, SendState::Accepted));
    assert!(bed.column("Conversations", "contact").await.is_empty());
}
