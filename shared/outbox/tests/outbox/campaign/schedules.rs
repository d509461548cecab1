//! Whatever happens in whatever order, nobody is written to twice and everybody's message is accounted for.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::SendState;
use meta_simulator::Fault;
use outbox::{DELIVERY_TIME, Fate};
use proptest::prelude::*;
use proptest::sample::select;
use tokio::task::JoinSet;

use super::Recipient;
use crate::bed::{Bed, PHONE};
use crate::idempotency::die_after;

/// What happens at about the same time.
#[derive(Clone, Debug)]
struct Round {
    /// How long after the round before.
    seconds_later: u64,
    /// What is wrong with Meta, and for how many deliveries.
    faults: Vec<Fault>,
    /// Those who deliver: each dies after having been woken so often, or lives.
    lives: Vec<Option<u32>>,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let fault = select(vec![
        Fault::Error(130_429),
        Fault::Error(131_056),
        Fault::Error(190),
        Fault::Error(132_015),
        Fault::Error(131_026),
        Fault::Error(131_000),
        Fault::CloseBeforeReading,
        Fault::CloseAfterRequest,
        Fault::ResetAfterRequest,
        Fault::Delay(30),
        Fault::TruncatedAnswer,
        Fault::HtmlServerError,
        Fault::HtmlTooMany,
        Fault::GarbledOk,
        Fault::AcceptedThenReset,
        Fault::AcceptedThenServerError,
    ]);
    // Most of what goes wrong puts the message back, so that more can go wrong.
    let put_back = select(vec![Fault::Error(130_429), Fault::Error(190), Fault::HtmlTooMany]);
    let faults = prop::collection::vec(prop_oneof![3 => put_back, 1 => fault], 0..4);
    let lives = prop::collection::vec(prop::option::of(1..40_u32), 1..6);
    let round = (select(vec![0, 1, 21, 22, 3600]), faults, lives);
    let round = round.prop_map(|(seconds_later, faults, lives)| Round { seconds_later, faults, lives });
    prop::collection::vec(round, 1..7)
}

/// Plays the rounds with one recipient. Gives what was told of them, where it was final.
async fn play(bed: &Bed, recipient: &Recipient, rounds: Vec<Round>) -> BTreeSet<String> {
    let outboxes = [bed.outbox.clone(), bed.another_outbox()];
    let mut told = BTreeSet::new();
    for Round { seconds_later, faults, lives } in rounds {
        bed.testbed.clock.advance(Duration::from_secs(seconds_later));
        for fault in faults {
            bed.testbed.simulator.fail_next(fault, 1);
        }
        let mut deliveries = JoinSet::new();
        for (wakes, outbox) in lives.into_iter().zip(outboxes.iter().cycle()) {
            let (recipient, outbox) = (recipient.clone(), outbox.clone());
            let deliver = async move { recipient.deliver(&outbox).await.unwrap() };
            deliveries.spawn(die_after(wakes.unwrap_or(u32::MAX), deliver));
        }
        told.extend(deliveries.join_all().await.into_iter().flatten().filter_map(|fate| last_word(&fate)));
    }
    told
}

/// What nothing but a webhook can change any more.
fn last_word(fate: &Fate) -> Option<String> {
    match fate {
        Fate::Sent => Some("sent".to_owned()),
        Fate::Failed { code, .. } => Some(format!("failed {code}")),
        Fate::Unknown { .. } => Some("unknown".to_owned()),
        Fate::UnderWay { .. } | Fate::PutBack(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_schedule_of_deliveries_faults_and_deaths_sends_twice_or_tells_two_things(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bed = Bed::start().await;
            let recipient = Recipient::of_number(PHONE);
            let mut told = play(&bed, &recipient, rounds).await;
            bed.testbed.simulator.clear_faults();
            bed.testbed.clock.advance(DELIVERY_TIME);
            // Nobody is at it any more: it is settled now, and stays so.
            for _ in 0..2 {
                let fate = bed.deliver(&recipient).await;
                let last = last_word(&fate);
                prop_assert!(last.is_some(), "{:?}", fate);
                told.extend(last);
            }
            prop_assert_eq!(told.len(), 1, "{:?}", told);
            let (state, received) = (bed.row(&recipient).await.state, bed.received());
            let as_told = match state {
                SendState::Accepted => told.contains("sent") && received == 1,
                SendState::Rejected => !told.contains("sent") && received == 0,
                SendState::Unknown | SendState::Sending => told.contains("unknown") && received <= 1,
                SendState::Pending => false,
            };
            prop_assert!(as_told, "{:?} {:?}, received {} times", told, state, received);
            Ok(())
        })?;
    }
}
