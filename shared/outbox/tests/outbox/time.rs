//! What a function does with the time that it has left.

use std::time::Duration;

use domain::{Kind, SendState};
use meta_simulator::Fault as MetaFault;
use outbox::Terms;

use tokio::net::TcpStream;

use crate::bed::{Bed, KEY, closed_port, draft, terms};
use crate::wire::Fault;

#[tokio::test]
async fn a_slow_function_does_not_begin_what_it_cannot_finish() {
    let bed = Bed::start().await;
    for millis in [0, 1_000, 5_900, 5_999] {
        let terms = Terms { time_left: Duration::from_millis(millis), ..terms(KEY) };
        let error = bed.outbox.send(&bed.caller, draft(), &terms).await.unwrap_err();
        let public = error.public();
        let told = (public.kind, public.code.as_deref(), public.retryable);
        assert_eq!(told, (Kind::Unavailable, Some("too_little_time"), Some(true)), "{millis} ms");
    }
    assert!(bed.posts().is_empty() && bed.messages().await.is_empty());
    assert!(bed.column("IdempotencyKeys", "id").await.is_empty());
}

#[tokio::test]
async fn a_slow_storage_leaves_no_message_half_sent() {
    let (bed, proxy) = Bed::with_proxy().await;
    // The first try ends after 1.5 s. The second one succeeds: too late to call Meta and still record its answer.
    proxy.fail("PutItem", "Messages", Fault::Silence, 1);
    let terms = Terms { time_left: Duration::from_secs(6), ..terms(KEY) };
    let error = bed.outbox.send(&bed.caller, draft(), &terms).await.unwrap_err();
    assert_eq!((error.kind(), error.public().code.as_deref()), (Kind::Unavailable, Some("too_little_time")));
    assert_eq!((bed.posts().len(), bed.only_message().await.state), (0, SendState::Rejected));
    assert!(!bed.send(KEY).await.unwrap().replayed);
    assert_eq!((bed.posts().len(), bed.received()), (1, 1));
}

#[tokio::test]
async fn an_answer_does_not_wait_for_a_conversation_longer_than_it_may() {
    let (bed, proxy) = Bed::with_proxy().await;
    // Each try hangs for 1.5 s: all in all longer than the answer waits.
    proxy.fail("UpdateItem", "Conversations", Fault::Silence, 3);
    bed.send(KEY).await.unwrap();
    assert_eq!(bed.only_message().await.state, SendState::Accepted);
    assert!(bed.column("Conversations", "contact").await.is_empty());
}

#[tokio::test]
async fn the_words_about_a_refusal_take_no_time_from_recording_it() {
    let (bed, proxy) = Bed::with_proxy().await;
    // Of 7 s, 1.5 are lost here and 3.5 in recording; Meta refuses at once, and never lists its templates.
    proxy.fail("PutItem", "Messages", Fault::Silence, 1);
    proxy.fail("UpdateItem", "Messages", Fault::Silence, 3);
    bed.testbed.simulator.fail_next(MetaFault::Error(131_047), 1);
    bed.testbed.simulator.fail_next(MetaFault::NeverAnswer, 1);
    let terms = Terms { time_left: Duration::from_secs(7), ..terms(KEY) };
    let send = bed.outbox.send(&bed.caller, draft(), &terms);
    let error = tokio::time::timeout(terms.time_left, send).await.unwrap().unwrap_err();
    let code = error.public().code.as_deref();
    // The latter on a very busy machine.
    assert!(matches!(code, Some("window_closed" | "too_little_time")), "{code:?}");
}

#[tokio::test]
async fn a_meta_that_takes_no_connection_is_known_not_to_have_been_reached() {
    // The queue of waiting connections is full: the next ones hang.
    let (socket, url) = closed_port();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    // Meta gets 3 s. Connecting takes 2 of them, and the rest is too short to learn anything.
    let bed = Bed::start().await.with_meta(&url);
    let terms = Terms { time_left: Duration::from_secs(7), ..terms(KEY) };
    let error = bed.outbox.send(&bed.caller, draft(), &terms).await.unwrap_err();
    assert_eq!((error.kind(), error.public().code.as_deref()), (Kind::Unavailable, Some("upstream_unreachable")));
    assert_eq!(bed.only_message().await.state, SendState::Rejected);
    drop(waiting);
}
