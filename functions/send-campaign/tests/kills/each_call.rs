//! Killed at every call of the database: before it is heard of, and after it has taken effect.

use std::ops::Range;

use domain::CampaignId;
use lambda_runtime_stand_in::Held;
use meta_simulator::Fault;
use testbed::campaigns::{TIME_LEFT, people, phone};

use crate::bed::Bed;
use crate::queue::{Queue, event};

const PEOPLE: u32 = 3;

/// More calls than a chunk of these takes.
const MOST_CALLS: usize = 100;

async fn started(bed: &Bed, numbers: Range<u32>) -> CampaignId {
    let id = bed.testbed.campaign(1, people(numbers)).await;
    bed.start_campaign(id).await;
    id
}

/// Everything that is in the queue is handed to a new process, until nobody is left to be written to.
async fn goes_on(bed: &Bed, queue: &Queue, id: CampaignId) {
    let function = bed.function().await;
    loop {
        bed.time_passes().await;
        bed.tend().await;
        loop {
            let messages = queue.receive(0).await;
            if messages.is_empty() {
                break;
            }
            let report = function.invoke_within(&event(&messages), TIME_LEFT).await.unwrap();
            queue.delete(&messages, &report).await;
        }
        if bed.details(id).await["pending_count"] == 0 && bed.testbed.simulator.webhooks_pending() == 0 {
            return;
        }
    }
}

/// Nobody got two, who got none is unknown, and the counts say so.
async fn assert_true(bed: &Bed, id: CampaignId, numbers: Range<u32>, what: &str) -> u64 {
    let (posts, accepted) = (bed.testbed.simulator.posts_by_phone(), bed.testbed.simulator.accepted_by_phone());
    let all = || numbers.clone().map(phone);
    assert!(all().all(|phone| posts.get(&phone).is_none_or(|count| *count == 1)), "{what}: {posts:?}");
    let got = all().filter(|phone| accepted.contains_key(phone)).count() as u64;
    let details = bed.details(id).await;
    let count = |name: &str| details[name].as_u64().unwrap();
    let counted = (count("sent_count"), count("read_count"), count("unknown_count"), count("failed_count"));
    assert_eq!(counted, (got, got, u64::from(PEOPLE) - got, 0), "{what}: {details}");
    u64::from(PEOPLE) - got
}

#[tokio::test]
async fn a_worker_that_dies_at_any_call_of_the_database_harms_nobody() {
    let bed = Bed::start().await;
    let queue = Queue::of(&bed.testbed.queues);
    bed.make_mischief();
    let (mut number, mut calls, mut lost) = (0, 0, 0);
    'calls: for call in 0..MOST_CALLS {
        for held in [Held::Request, Held::Answer] {
            let what = format!("killed at call {call}, {held:?}");
            let numbers = number..number + PEOPLE;
            number += PEOPLE;
            let id = started(&bed, numbers.clone()).await;
            let function = bed.function().await;
            bed.gate.close_behind(call, held, "POST ");
            let messages = queue.receive(1).await;
            let batch = event(&messages[..1]);
            let was_killed = tokio::select! {
                () = bed.gate.reached() => true,
                done = function.invoke_within(&batch, TIME_LEFT) => {
                    done.unwrap();
                    false
                }
            };
            function.kill().await;
            bed.gate.open();
            goes_on(&bed, &queue, id).await;
            lost += assert_true(&bed, id, numbers.clone(), &what).await;
            if !was_killed {
                calls = call;
                break 'calls;
            }
        }
    }
    // At some of them it is not known, and at most of them it is.
    assert!(calls > 10 && lost > 0 && lost < calls as u64, "{calls} calls, {lost} unknown");
}

/// Before Meta has it, and after.
#[tokio::test]
async fn a_worker_that_dies_while_meta_is_asked_harms_nobody() {
    let bed = Bed::start().await;
    let queue = Queue::of(&bed.testbed.queues);
    let mut number = 0;
    for (fault, unknown) in [(Fault::NeverAnswer, u64::from(PEOPLE)), (Fault::AcceptedThenSilence, 0)] {
        let (what, numbers) = (format!("{fault:?}"), number..number + PEOPLE);
        number += PEOPLE;
        let id = started(&bed, numbers.clone()).await;
        let function = bed.function().await;
        bed.testbed.simulator.fail_always(fault);
        let batch = event(&queue.receive(1).await);
        let asked = async {
            while numbers.clone().any(|number| bed.testbed.simulator.posts_to(&phone(number)) == 0) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = asked => {}
            done = function.invoke_within(&batch, TIME_LEFT) => panic!("{what}: {done:?}"),
        }
        let killed = function.kill().await;
        assert!(!killed.success());
        bed.testbed.simulator.clear_faults();
        goes_on(&bed, &queue, id).await;
        assert_eq!(assert_true(&bed, id, numbers.clone(), &what).await, unknown, "{what}");
        if unknown > 0 {
            assert_eq!(bed.retry_unknown(id).await, unknown);
            goes_on(&bed, &queue, id).await;
            let accepted = bed.testbed.simulator.accepted_by_phone();
            assert!(numbers.map(phone).all(|phone| accepted[&phone] == 1), "{accepted:?}");
        }
        assert_eq!(bed.details(id).await["unknown_count"], 0);
    }
}
