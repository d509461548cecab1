//! What a DynamoDB that fails, or loses its answers, may cost a campaign: never a second message, and no word that is not so.

use std::pin::pin;
use std::time::Duration;

use domain::{Kind, SendState};
use futures::future::join_all;
use meta_simulator::Fault as MetaFault;
use outbox::{Fate, Trouble};

use super::{A_MOMENT, JUST_UNDER_WAY, Recipient};
use crate::bed::{Bed, PHONE, until};
use crate::wire::Fault;

const OUTAGES: [Fault; 4] = [Fault::HangUp, Fault::ServerError, Fault::Throttle, Fault::Silence];

/// How Meta answers, what that comes to, and what is kept of it.
fn answers() -> [(Option<MetaFault>, Fate, SendState); 4] {
    let slow = Some(Duration::from_secs(5));
    let number = Trouble::Number(Duration::from_secs(1));
    [
        (None, Fate::Sent, SendState::Accepted),
        (Some(MetaFault::Error(130_429)), Fate::PutBack(number), SendState::Pending),
        (
            Some(MetaFault::Error(131_026)),
            Fate::Failed { code: "131026".to_owned(), slow: None, doubt: None },
            SendState::Rejected,
        ),
        (Some(MetaFault::CloseAfterRequest), Fate::Unknown { slow }, SendState::Unknown),
    ]
}

impl Bed {
    /// Delivering fails for want of the storage, and Meta is not called.
    async fn deliver_in_vain(&self, recipient: &Recipient) {
        let error = recipient.deliver(&self.outbox).await.unwrap_err();
        assert_eq!((error.kind(), error.public().code.as_deref()), (Kind::Unavailable, Some("storage_unavailable")));
        assert!(self.posts().is_empty());
    }

    /// For everybody else it is under way until its deadline, then unknown. Nobody sends it.
    async fn is_given_up(&self, recipient: &Recipient) {
        let posts = self.posts().len();
        assert_eq!(self.row(recipient).await.state, SendState::Sending);
        let until = self.row(recipient).await.new.deadline_at;
        self.testbed.clock.advance(JUST_UNDER_WAY);
        assert_eq!(self.deliver_elsewhere(recipient).await, Fate::UnderWay { until });
        self.testbed.clock.advance(A_MOMENT);
        assert_eq!(self.deliver_elsewhere(recipient).await, Fate::Unknown { slow: None });
        assert_eq!(self.posts().len(), posts);
    }
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_known_again_and_the_message_is_sent_once() {
    // Once, and as often as the storage's client asks by itself.
    for times in [1, 3] {
        let (bed, proxy) = Bed::with_proxy().await;
        let recipient = Recipient::of_number(PHONE);
        proxy.fail("PutItem", "Messages", Fault::LoseAnswer, times);
        let mut fate = bed.deliver(&recipient).await;
        if fate == Fate::PutBack(Trouble::Recipient(Duration::ZERO)) {
            // On a very busy machine all that takes too long.
            fate = bed.deliver(&recipient).await;
        }
        assert_eq!((fate, proxy.left()), (Fate::Sent, 0));
        assert_eq!(bed.deliver_elsewhere(&recipient).await, Fate::Sent);
        assert_eq!((bed.posts(), bed.received()), (vec![recipient.id()], 1));
    }
}

#[tokio::test]
async fn a_claim_that_nobody_hears_of_is_put_back_and_the_next_sends_it_once() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    proxy.fail_always("PutItem", "Messages", Fault::LoseAnswer);
    bed.deliver_in_vain(&recipient).await;
    assert_eq!((bed.row(&recipient).await.state, bed.shown(&recipient).await), (SendState::Pending, vec![]));
    proxy.heal();
    assert_eq!(bed.deliver(&recipient).await, Fate::Sent);
    assert_eq!((bed.posts(), bed.received()), (vec![recipient.id()], 1));
}

#[tokio::test]
async fn a_claim_that_nobody_hears_of_and_nobody_can_put_back_is_never_sent() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    proxy.fail_always("PutItem", "Messages", Fault::LoseAnswer);
    proxy.fail_always("UpdateItem", "Messages", Fault::ServerError);
    bed.deliver_in_vain(&recipient).await;
    proxy.heal();
    bed.is_given_up(&recipient).await;
    assert_eq!(bed.posts(), []);
}

#[tokio::test]
async fn what_can_not_be_claimed_is_not_sent_and_leaves_nothing_behind() {
    let check = async |fault| {
        let (bed, proxy) = Bed::with_proxy().await;
        let recipient = Recipient::of_number(PHONE);
        proxy.fail_always("PutItem", "Messages", fault);
        bed.deliver_in_vain(&recipient).await;
        assert!(bed.messages().await.is_empty(), "{fault:?}");
        proxy.heal();
        assert_eq!(bed.deliver(&recipient).await, Fate::Sent, "{fault:?}");
        assert_eq!((bed.posts(), bed.received()), (vec![recipient.id()], 1), "{fault:?}");
    };
    join_all(OUTAGES.map(|fault| Box::pin(check(fault)))).await;
}

#[tokio::test]
async fn with_the_storage_down_nothing_is_sent_and_the_error_is_an_outage() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    proxy.fail_always("", "", Fault::HangUp);
    bed.deliver_in_vain(&recipient).await;
    assert!(bed.messages().await.is_empty());
}

#[tokio::test]
async fn what_was_claimed_too_late_is_put_back_without_calling_meta() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    proxy.fail_always("PutItem", "Messages", Fault::Silence);
    let mut late = pin!(recipient.deliver(&bed.outbox));
    // From the claim to the call there are 5 seconds.
    tokio::time::timeout(Duration::from_millis(5_050), &mut late).await.unwrap_err();
    proxy.heal();
    assert_eq!(late.await.unwrap(), Fate::PutBack(Trouble::Recipient(Duration::ZERO)));
    assert_eq!((bed.posts(), bed.row(&recipient).await.state), (vec![], SendState::Pending));
    assert_eq!(bed.deliver(&recipient).await, Fate::Sent);
    assert_eq!((bed.posts(), bed.received()), (vec![recipient.id()], 1));
}

#[tokio::test]
async fn an_outcome_whose_recording_lost_its_answer_stands_as_it_was() {
    for (fault, fate, state) in answers() {
        let (bed, proxy) = Bed::with_proxy().await;
        let recipient = Recipient::of_number(PHONE);
        bed.testbed.simulator.fail_next(fault.clone().unwrap_or(MetaFault::Delay(0)), 1);
        proxy.fail("UpdateItem", "Messages", Fault::LoseAnswer, 1);
        assert_eq!((bed.deliver(&recipient).await, proxy.left()), (fate, 0), "{fault:?}");
        assert_eq!((bed.row(&recipient).await.state, bed.posts().len()), (state, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn an_outcome_that_could_not_be_recorded_is_told_and_for_everybody_else_unknown_until_a_webhook_tells() {
    let check = async |(table_fault, (fault, fate, _)): (Fault, (Option<MetaFault>, Fate, SendState))| {
        let (bed, proxy) = Bed::with_proxy().await;
        let recipient = Recipient::of_number(PHONE);
        bed.testbed.simulator.fail_next(fault.clone().unwrap_or(MetaFault::Delay(0)), 1);
        proxy.fail_always("UpdateItem", "", table_fault);
        assert_eq!(bed.deliver(&recipient).await, fate, "{table_fault:?}");
        proxy.heal();
        bed.is_given_up(&recipient).await;
        assert_eq!(bed.conversation(&recipient).await, None, "{table_fault:?}");
        bed.hear_of(&recipient).await;
        assert_eq!(bed.deliver(&recipient).await, Fate::Sent, "{table_fault:?}");
        assert_eq!(bed.posts(), [recipient.id()], "{table_fault:?}");
    };
    let [sent, ..] = answers();
    let outages = OUTAGES.map(|outage| (outage, sent.clone()));
    let answers = answers().map(|answer| (Fault::HangUp, answer));
    join_all(outages.into_iter().chain(answers).map(|row| Box::pin(check(row)))).await;
}

#[tokio::test]
async fn a_conversation_that_could_not_be_moved_changes_nothing_about_the_message() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    proxy.fail_always("UpdateItem", "Conversations", Fault::ServerError);
    assert_eq!(bed.deliver(&recipient).await, Fate::Sent);
    assert_eq!((bed.row(&recipient).await.state, bed.conversation(&recipient).await), (SendState::Accepted, None));
    assert_eq!((bed.deliver(&recipient).await, bed.posts().len()), (Fate::Sent, 1));
}

#[tokio::test]
async fn whoever_put_a_message_back_has_no_say_in_it_once_another_has_claimed_it() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    bed.testbed.simulator.fail_next(MetaFault::Error(130_429), 1);
    bed.testbed.simulator.fail_next(MetaFault::AcceptedThenSilence, 1);
    // It is put back, and before that is told the storage's client asks for it once more.
    proxy.fail("UpdateItem", "Messages", Fault::LoseAnswer, 1);
    proxy.fail("UpdateItem", "Messages", Fault::Hold, 1);
    let mut former = pin!(bed.deliver(&recipient));
    tokio::select! {
        biased;
        () = until(|| proxy.holds()) => {}
        fate = &mut former => panic!("{fate:?}"),
    }
    let another = bed.another_outbox();
    tokio::select! {
        biased;
        () = until(|| bed.received() == 1) => {}
        fate = recipient.deliver(&another) => panic!("{fate:?}"),
    }
    let claimed = bed.row(&recipient).await;
    proxy.release();
    assert!(matches!(former.await, Fate::PutBack(Trouble::Number(_))));
    let now = bed.row(&recipient).await;
    assert_eq!((now.state, &now.owner), (SendState::Sending, &claimed.owner));
    let until = now.new.deadline_at;
    assert_eq!(bed.deliver_elsewhere(&recipient).await, Fate::UnderWay { until });
    assert_eq!((bed.posts().len(), bed.received()), (2, 1));
}

#[tokio::test]
async fn a_webhook_that_comes_before_the_senders_own_word_is_not_undone_by_it() {
    for (fault, fate, _) in answers() {
        let (bed, proxy) = Bed::with_proxy().await;
        let recipient = Recipient::of_number(PHONE);
        bed.testbed.simulator.fail_next(fault.clone().unwrap_or(MetaFault::Delay(0)), 1);
        proxy.fail("UpdateItem", "Messages", Fault::Hold, 1);
        let hear = async {
            until(|| proxy.holds()).await;
            bed.hear_of(&recipient).await;
            proxy.release();
        };
        let (told, ()) = tokio::join!(bed.deliver(&recipient), hear);
        assert_eq!((told, bed.row(&recipient).await.state), (fate, SendState::Accepted), "{fault:?}");
        assert_eq!((bed.deliver(&recipient).await, bed.posts().len()), (Fate::Sent, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn whoever_dies_before_the_claim_is_written_leaves_the_message_to_the_next() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    proxy.fail("PutItem", "Messages", Fault::Hold, 1);
    bed.deliver_and_die_when(&recipient, || proxy.holds()).await;
    assert_eq!(bed.deliver_elsewhere(&recipient).await, Fate::Sent);
    // What the dead one asked for comes after all.
    proxy.release();
    until(|| !proxy.holds()).await;
    assert_eq!(bed.deliver(&recipient).await, Fate::Sent);
    assert_eq!((bed.posts(), bed.received()), (vec![recipient.id()], 1));
}

#[tokio::test]
async fn a_claim_that_arrives_after_its_message_was_put_back_leaves_it_unknown_and_unsent() {
    let (bed, proxy) = Bed::with_proxy().await;
    let recipient = Recipient::of_number(PHONE);
    bed.testbed.simulator.fail_next(MetaFault::Error(130_429), 1);
    // It is on its way when the storage's client asks once more.
    proxy.fail("PutItem", "Messages", Fault::Hold, 1);
    assert!(matches!(bed.deliver(&recipient).await, Fate::PutBack(Trouble::Number(_))));
    proxy.release();
    until(|| !proxy.holds()).await;
    bed.is_given_up(&recipient).await;
    assert_eq!((bed.posts().len(), bed.received()), (1, 0));
}
