//! What an `Idempotency-Key` promises: at most one message, and the same answer for everybody.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Error, Kind, MessageId, Result, Scope, SendState};
use meta_simulator::Fault;
use outbox::{Delivery, Draft};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use storage::{Messages, Outcome, Owner};
use tokio::task::JoinSet;
use whatsapp::{Content, Text};

use crate::bed::{Bed, KEY, PHONE, TIME_LEFT, caller, draft, surely_unsent, terms};
use crate::wire;

/// Until then, whoever reserved a key is waited for.
const RESERVATION_TIME: Duration = Duration::from_secs(10);

const A_MOMENT: Duration = Duration::from_millis(1);

/// What many requests at once came to: exactly one sent, and the others were told to wait, or what the one was told.
fn one_sent(results: &[Result<Delivery>]) -> &Delivery {
    let (first, others): (Vec<_>, Vec<_>) = results.iter().partition(|result| matches!(result, Ok(d) if !d.replayed));
    let [Ok(first)] = first[..] else { panic!("{} sent", first.len()) };
    for other in others {
        match other {
            Ok(replayed) => assert_eq!(replayed.answer.get(), first.answer.get()),
            Err(error) => assert!(error.kind() == Kind::InFlight || is_outage(error), "{error:?}"),
        }
    }
    first
}

/// On a very busy machine the storage's client gives up on its own: that request then sent nothing.
fn is_outage(error: &Error) -> bool {
    error.public().code.as_deref() == Some("storage_unavailable")
}

#[tokio::test]
async fn two_hundred_requests_at_once_with_one_key_make_one_message() {
    let bed = Bed::start().await;
    let results = bed.send_at_once(200, KEY).await;
    let first = one_sent(&results);
    assert_eq!((bed.posts().len(), bed.received()), (1, 1));
    let again = bed.send(KEY).await.unwrap();
    assert_eq!((again.answer.get(), again.replayed), (first.answer.get(), true));
    assert_eq!((bed.posts().len(), bed.messages().await.len()), (1, 1));
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused_and_nothing_is_sent() {
    let bed = Bed::start().await;
    bed.send(KEY).await.unwrap();
    let text = Content::Text(Text { body: "Bye!".to_owned(), preview_url: false });
    for other in [
        Draft { content: text, ..draft() },
        Draft { reply_to: Some("wamid.X".to_owned()), ..draft() },
        Draft { account_id: Some(domain::AccountId(testbed::SECOND_ACCOUNT)), ..draft() },
    ] {
        let error = bed.outbox.send(&bed.caller, other, &terms(KEY)).await.unwrap_err();
        let told = (error.kind(), error.public().code.as_deref(), error.public().retryable);
        assert_eq!(told, (Kind::KeyReused, Some("idempotency_key_reused"), Some(false)));
    }
    assert_eq!((bed.posts().len(), bed.messages().await.len()), (1, 1));
}

#[tokio::test]
async fn two_api_keys_may_use_the_same_words() {
    let bed = Bed::start().await;
    let other = caller(&bed.testbed, &bed.testbed.key(Scope::ALL, None).await).await;
    bed.send(KEY).await.unwrap();
    assert!(!bed.outbox.send(&other, draft(), &terms(KEY)).await.unwrap().replayed);
    assert_eq!((bed.posts().len(), bed.received()), (2, 2));
}

#[tokio::test]
async fn a_key_is_forgotten_after_24_hours_and_not_before() {
    let bed = Bed::start().await;
    let first = bed.send(KEY).await.unwrap();
    bed.testbed.clock.advance(Duration::from_hours(24).saturating_sub(A_MOMENT));
    assert_eq!(bed.send(KEY).await.unwrap().answer.get(), first.answer.get());
    bed.testbed.clock.advance(A_MOMENT);
    one_sent(&bed.send_at_once(20, KEY).await);
    assert_eq!((bed.posts().len(), bed.received()), (2, 2));
}

#[tokio::test]
async fn a_message_refused_for_good_is_refused_again_in_the_same_words_and_not_sent() {
    let bed = Bed::start().await;
    bed.testbed.simulator.fail_next(Fault::Error(131_026), 1);
    let first = bed.send(KEY).await.unwrap_err();
    for again in bed.send_at_once(5, KEY).await {
        let again = again.unwrap_err();
        assert_eq!((again.public(), again.is_replayed()), (first.public(), true));
    }
    assert_eq!(bed.posts().len(), 1);
}

#[tokio::test]
async fn a_throttled_message_may_be_sent_with_its_key_once_more_however_many_try() {
    let bed = Bed::start().await;
    bed.testbed.simulator.fail_next(Fault::Error(130_429), 1);
    bed.send(KEY).await.unwrap_err();
    one_sent(&bed.send_at_once(50, KEY).await);
    assert_eq!((bed.posts().len(), bed.received()), (2, 1));
}

#[tokio::test]
async fn an_unknown_outcome_stays_so_until_a_webhook_settles_it() {
    let bed = Bed::start().await;
    let mut posts = 0;
    for (key, meta_answered) in [("settled-with-an-answer", true), ("settled-by-a-wamid-alone", false)] {
        bed.testbed.simulator.fail_next(Fault::AcceptedThenReset, 1);
        posts += 1;
        for replayed in [false, true, true] {
            let error = bed.send(key).await.unwrap_err();
            assert_eq!((error.kind(), error.is_replayed()), (Kind::OutcomeUnknown, replayed), "{key}");
        }
        let id = *bed.posts().last().unwrap();
        let answer = json!({
            "messaging_product": "whatsapp",
            "contacts": [{"input": PHONE, "wa_id": PHONE}],
            "messages": [{"id": "wamid.FromTheWebhook"}],
        });
        if meta_answered {
            let outcome =
                Outcome::Accepted { wamid: "wamid.FromTheWebhook".to_owned(), answer: answer.to_string(), chat: None };
            Messages::new(&bed.testbed.database).finish(id, &Owner::new(), &outcome).await.unwrap();
        } else {
            accept_without_an_answer(&bed, id, "wamid.FromTheWebhook").await;
        }
        let settled = bed.send(key).await.unwrap();
        assert_eq!((serde_json::from_str::<Value>(settled.answer.get()).unwrap(), settled.replayed), (answer, true));
        assert_eq!(bed.posts().len(), posts, "{key}");
    }
}

/// What only somebody else can know: that Meta took the message, but not in which words.
async fn accept_without_an_answer(bed: &Bed, id: MessageId, wamid: &str) {
    let database = &bed.testbed.database;
    let update = database.client().update_item().table_name(database.table("Messages"));
    let update = update.key("id", AttributeValue::S(id.to_string()));
    let update = update.update_expression("SET #state = :accepted, wamid = :wamid");
    let update = update.expression_attribute_names("#state", "state");
    let update = update.expression_attribute_values(":accepted", AttributeValue::S("accepted".to_owned()));
    update.expression_attribute_values(":wamid", AttributeValue::S(wamid.to_owned())).send().await.unwrap();
}

#[tokio::test]
async fn a_message_whose_sender_died_is_under_way_until_its_deadline_and_then_unknown_and_never_sent_again() {
    let bed = Bed::start().await;
    bed.testbed.simulator.fail_next(Fault::AcceptedThenSilence, 1);
    bed.send_and_die_when(KEY, || !bed.posts().is_empty()).await;
    let [id] = bed.posts()[..] else { panic!("not one POST") };
    bed.testbed.clock.advance(TIME_LEFT.saturating_sub(A_MOMENT));
    let error = bed.send(KEY).await.unwrap_err();
    assert_eq!((error.kind(), error.public().retry_after_s), (Kind::InFlight, Some(1)));
    bed.testbed.clock.advance(A_MOMENT);
    for result in bed.send_at_once(20, KEY).await {
        let error = result.unwrap_err();
        let told = (error.kind(), error.public().message_id.clone(), error.is_replayed());
        assert_eq!(told, (Kind::OutcomeUnknown, Some(id.to_string()), true));
    }
    assert_eq!((bed.posts().len(), bed.received()), (1, 1));
}

#[tokio::test]
async fn a_reservation_whose_owner_died_is_taken_over_after_its_time_by_exactly_one() {
    let (bed, proxy) = Bed::with_proxy().await;
    proxy.fail("PutItem", "Messages", wire::Fault::Hold, 1);
    bed.send_and_die_when(KEY, || proxy.holds()).await;
    bed.testbed.clock.advance(RESERVATION_TIME.saturating_sub(A_MOMENT));
    for result in bed.send_at_once(20, KEY).await {
        assert_eq!(result.unwrap_err().kind(), Kind::InFlight);
    }
    assert!(bed.posts().is_empty());
    bed.testbed.clock.advance(A_MOMENT);
    one_sent(&bed.send_at_once(20, KEY).await);
    assert_eq!((bed.posts().len(), bed.received()), (1, 1));
}

#[tokio::test]
async fn a_slow_owner_that_comes_back_after_its_reservation_was_taken_over_never_sends() {
    let (bed, proxy) = Bed::with_proxy().await;
    proxy.fail_always("PutItem", "Messages", wire::Fault::Hold);
    let take_over = async {
        crate::bed::until(|| proxy.holds()).await;
        bed.testbed.clock.advance(RESERVATION_TIME);
        let sent = bed.testbed.outbox.send(&bed.caller, draft(), &terms(KEY)).await;
        proxy.release();
        sent
    };
    let (slow, sent) = tokio::join!(bed.send(KEY), take_over);
    let sent = sent.unwrap();
    // Unavailable: on a very busy machine the storage's client gives up before the other has taken over.
    let slow = slow.unwrap_err().kind();
    assert!(matches!(slow, Kind::InFlight | Kind::Unavailable), "{slow:?}");
    assert_eq!((sent.replayed, bed.posts().len(), bed.received()), (false, 1, 1));
    assert_eq!(bed.send(KEY).await.unwrap().answer.get(), sent.answer.get());
}

/// What happens at about the same time.
#[derive(Clone, Debug)]
struct Round {
    /// How long after the round before.
    seconds_later: u64,
    /// What is wrong with Meta, and for how many requests.
    faults: Vec<Fault>,
    /// The requests: each dies after having been woken so often, or lives.
    lives: Vec<Option<u32>>,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let fault = select(vec![
        Fault::Error(130_429),
        Fault::Error(131_000),
        Fault::CloseBeforeReading,
        Fault::CloseAfterRequest,
        Fault::ResetAfterRequest,
        Fault::Delay(30),
        Fault::TruncatedAnswer,
        Fault::HtmlServerError,
        Fault::HtmlTooMany,
        Fault::GarbledOk,
        Fault::ErrorWithRetryAfter,
        Fault::AcceptedThenReset,
        Fault::AcceptedThenServerError,
    ]);
    let lives = prop::collection::vec(prop::option::of(1..40_u32), 1..8);
    let seconds_later = select(vec![0, 1, 9, 10, 27, 28, 3600]);
    let round = (seconds_later, prop::collection::vec(fault, 0..3), lives);
    let round = round.prop_map(|(seconds_later, faults, lives)| Round { seconds_later, faults, lives });
    prop::collection::vec(round, 1..7)
}

/// Works until woken so often, and then dies wherever it stands, as a function that is killed.
pub(crate) async fn die_after<T>(wakes: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = Box::pin(work);
    let mut left = wakes;
    poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Plays the rounds with one key. Gives back each answer that a client got.
async fn play(bed: &Bed, rounds: Vec<Round>) -> BTreeSet<String> {
    let mut answers = BTreeSet::new();
    for Round { seconds_later, faults, lives } in rounds {
        bed.testbed.clock.advance(Duration::from_secs(seconds_later));
        for fault in faults {
            bed.testbed.simulator.fail_next(fault, 1);
        }
        let mut requests = JoinSet::new();
        for wakes in lives {
            let (outbox, caller) = (bed.outbox.clone(), bed.caller.clone());
            let send = async move { outbox.send(&caller, draft(), &terms(KEY)).await };
            requests.spawn(die_after(wakes.unwrap_or(u32::MAX), send));
        }
        let results = requests.join_all().await;
        answers.extend(results.into_iter().flatten().flatten().map(|delivery| delivery.answer.get().to_owned()));
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_schedule_of_requests_faults_and_deaths_sends_twice(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bed = Bed::start().await;
            let answers = play(&bed, rounds).await;
            prop_assert!(bed.received() <= 1, "received {} times", bed.received());
            prop_assert!(answers.len() <= bed.received(), "answers: {answers:?}");
            let mut posts = bed.posts();
            prop_assert_eq!(posts.iter().collect::<BTreeSet<_>>().len(), posts.len(), "a message was posted twice");
            // Only the last may have been sent: each one before was surely not.
            posts.pop();
            for id in posts {
                let earlier = bed.message(id).await;
                prop_assert_eq!(earlier.state, SendState::Rejected);
                prop_assert!(surely_unsent(earlier.failure().unwrap().kind));
            }
            Ok(())
        })?;
    }
}
