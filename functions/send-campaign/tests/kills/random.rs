//! Killed at random, fifty times, while everything else goes wrong as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::CampaignId;
use lambda_runtime_stand_in::{Function, FunctionError};
use meta_simulator::Weather;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use testbed::campaigns::{QUEUE, TIME_LEFT, people};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::bed::Bed;
use crate::queue::{Queue, event};

const PEOPLE: u32 = 10_000;
const KILLS: u32 = 50;
const WORKERS: usize = 8;
/// Five in a hundred of the database's answers are lost after they took effect.
const LOST_ONE_IN: usize = 20;

/// Looking all the time would take the time of those who are looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(5);

/// One of those that work on what is in the queue, each with a process of its own.
type Worker = Arc<Mutex<Arc<Function>>>;

/// Reads the queue and hands over what is there, with a new process for one that was killed.
async fn work(bed: Arc<Bed>, worker: Worker, is_over: Arc<AtomicBool>) {
    let queue = Queue::of(&bed.testbed.queues);
    while !is_over.load(Ordering::SeqCst) {
        let messages = queue.receive(1).await;
        if messages.is_empty() {
            continue;
        }
        let function = Arc::clone(&*worker.lock().await);
        match function.invoke_within(&event(&messages), TIME_LEFT).await {
            Ok(report) => queue.delete(&messages, &report).await,
            Err(FunctionError::Ended(_)) => {
                *worker.lock().await = Arc::new(bed.function().await);
                queue.put_back(&messages).await;
            }
            Err(FunctionError::Reported(error)) => panic!("a batch failed as a whole: {error}"),
        }
    }
}

/// What never goes backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    sent: i64,
    delivered: i64,
    read: i64,
}

impl Seen {
    fn of(told: &Value) -> Self {
        let count = |name: &str| told[name].as_i64().unwrap();
        Self { sent: count("sent_count"), delivered: count("delivered_count"), read: count("read_count") }
    }

    fn follows(&self, before: &Self) -> bool {
        self.sent >= before.sent && self.delivered >= before.delivered && self.read >= before.read
    }
}

/// Until nobody is left to be written to, and Meta has told everything.
async fn runs(bed: &Bed, id: CampaignId) {
    loop {
        // Of what a dead worker had in hand, only time makes something.
        if bed.testbed.queues.is_idle(QUEUE) {
            bed.time_passes().await;
        }
        bed.tend().await;
        if bed.details(id).await["pending_count"] == 0 && bed.testbed.simulator.webhooks_pending() == 0 {
            return;
        }
        tokio::time::sleep(LOOKED_AT_EVERY).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_get_one_message_each_whatever_dies_is_repeated_or_gets_lost() {
    let bed = Arc::new(Bed::start().await);
    let id = bed.testbed.campaign(1, people(0..PEOPLE)).await;
    bed.make_mischief();
    // Meta tells of many at once, and in any order.
    bed.testbed.simulator.set_weather(Weather { batched: true, shuffled: true, ..Weather::default() });
    bed.gate.lose_one_in(LOST_ONE_IN);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut workers: Vec<Worker> = Vec::new();
    for _ in 0..WORKERS {
        workers.push(Arc::new(Mutex::new(Arc::new(bed.function().await))));
    }
    bed.start_campaign(id).await;
    let mut working = JoinSet::new();
    for worker in &workers {
        working.spawn(work(Arc::clone(&bed), Arc::clone(worker), Arc::clone(&is_over)));
    }

    let mut random = SmallRng::seed_from_u64(7);
    let (mut seen, mut listed) = (Seen::default(), Seen::default());
    for kill in 1..=KILLS {
        // Spread over the whole of it, and at no special moment.
        let after = u64::from(kill * (PEOPLE / (KILLS + 5))) + random.random_range(0..50);
        while bed.testbed.simulator.accepted() < after {
            assert!(working.try_join_next().is_none(), "a worker has ended");
            tokio::time::sleep(LOOKED_AT_EVERY).await;
        }
        for _ in 0..random.random_range(0..5_000) {
            tokio::task::yield_now().await;
        }
        let victim = Arc::clone(&*workers[random.random_range(0..WORKERS)].lock().await);
        victim.kill().await;
        bed.leases_end().await;
        bed.tend().await;
        for (seen, told) in [(&mut seen, bed.details(id).await), (&mut listed, bed.listed().await)] {
            let now = Seen::of(&told);
            assert!(now.follows(seen), "{now:?} after {seen:?}");
            *seen = now;
        }
    }
    runs(&bed, id).await;

    let (posts, accepted) = (bed.testbed.simulator.posts_by_phone(), bed.testbed.simulator.accepted_by_phone());
    assert!(posts.values().all(|count| *count == 1), "somebody was written to twice");
    let got = accepted.len() as u64;
    let told = bed.details(id).await;
    let counts = ["sent_count", "delivered_count", "read_count", "unknown_count", "failed_count"];
    let unknown = u64::from(PEOPLE) - got;
    assert_eq!(counts.map(|name| told[name].as_u64().unwrap()), [got, got, got, unknown, 0], "{told}");
    println!("{KILLS} kills: {got} got it, of {unknown} it is not known");

    // Of those whose worker died between the claim and the call nobody can know: a person decides.
    if unknown > 0 {
        assert_eq!(told["status"], "running");
        assert_eq!(bed.retry_unknown(id).await, unknown);
        runs(&bed, id).await;
    }
    let accepted = bed.testbed.simulator.accepted_by_phone();
    assert_eq!(accepted.len(), PEOPLE as usize);
    assert!(accepted.values().all(|count| *count == 1), "somebody got two");
    bed.tend().await;
    let listed = bed.listed().await;
    let all = u64::from(PEOPLE);
    assert_eq!(counts.map(|name| listed[name].as_u64().unwrap()), [all, all, all, 0, 0], "{listed}");
    assert_eq!(listed["status"], "completed");
    is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = working.join_next().await {
        ended.unwrap();
    }
}
