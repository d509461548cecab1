//! The guarantees of this consumer.

use std::collections::BTreeMap;

use block_list::Wish;
use campaigns::Draft;
use domain::{AccountId, Accounts, CampaignId, Contact, Member, MessageId, RecipientRef, Scope, SendState};
use futures::future::join_all;
use meta_simulator::{ACCESS_TOKEN, Fault, PHONE_NUMBER_ID, WABA_ID};
use serde_json::{Value, json};
use storage::{Chat, Chunks, Claimed, Conversations, Mark, Messages, NewMessage, OptOutBy, Owner, Standing};
use testbed::Testbed;
use testbed::campaigns::{QUEUE, TIME_LEFT, people, phone};

use super::*;

fn function(bed: &Testbed) -> SendCampaign {
    SendCampaign { worker: bed.worker.clone() }
}

async fn started(bed: &Testbed, recipients: Value) -> CampaignId {
    let id = bed.campaign(1, recipients).await;
    start(bed, id).await;
    id
}

async fn start(bed: &Testbed, id: CampaignId) {
    bed.starter.start(&bed.caller().await, id).await.unwrap();
}

/// People at these numbers.
fn at(numbers: &[&str]) -> Value {
    numbers.iter().map(|number| json!({"phone": format!("+{number}"), "name": "Ann"})).collect()
}

/// How many messages each number got.
fn accepted(bed: &Testbed) -> BTreeMap<String, usize> {
    bed.simulator.accepted_by_phone().into_iter().collect()
}

fn once_each(numbers: impl IntoIterator<Item = u32>) -> BTreeMap<String, usize> {
    numbers.into_iter().map(|number| (phone(number), 1)).collect()
}

/// Time passes, and what is done every minute is done, with all that comes of it.
async fn later(bed: &Testbed, time: Duration) {
    bed.clock.advance(time);
    bed.tend().await;
    bed.work().await;
}

async fn told(bed: &Testbed, id: CampaignId, names: [&str; 4]) -> [Value; 4] {
    let details = bed.details(id).await;
    names.map(|name| details[name].clone())
}

const COUNTS: [&str; 4] = ["status", "sent_count", "failed_count", "pending_count"];

#[tokio::test]
async fn everybody_of_a_chunk_is_written_to_once_however_often_its_job_comes() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..25)).await;
    let function = function(&bed);
    for _ in 0..3 {
        for body in bed.queues.messages(QUEUE) {
            function.take(&body, TIME_LEFT).await.unwrap();
        }
    }
    let together = bed.queues.messages(QUEUE);
    let together = together.iter().cycle().take(6).map(|body| function.take(body, TIME_LEFT));
    futures::future::join_all(together).await.into_iter().collect::<Result<Vec<_>>>().unwrap();
    assert_eq!(accepted(&bed), once_each(0..25));
    assert_eq!(told(&bed, id, COUNTS).await, [json!("completed"), json!(25), json!(0), json!(0)]);
}

#[tokio::test]
async fn a_chunk_that_is_done_hands_out_as_many_as_the_numbers_rate_needs() {
    let bed = Testbed::start().await;
    started(&bed, people(0..800)).await;
    // At 75 messages a second: twenty to each.
    assert_eq!(bed.queues.messages(QUEUE).len(), 4);
    let body = bed.queues.messages(QUEUE).swap_remove(1);
    SendCampaign { worker: bed.worker_with(fast()) }.take(&body, TIME_LEFT).await.unwrap();
    assert_eq!(accepted(&bed), once_each(100..200));
    // At 1,000 all that there are.
    let chunks = bed.queues.messages(QUEUE).split_off(4);
    let chunks: Vec<Value> = chunks.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(chunks.iter().map(|job| job["chunk"].clone()).collect::<Vec<_>>(), [4, 5, 6, 7]);
}

/// The first account, with the highest rate.
fn fast() -> Accounts {
    let account = json!([{"id": 1, "phone_number_id": PHONE_NUMBER_ID, "waba_id": WABA_ID, "access_token": ACCESS_TOKEN,
        "messages_per_second": 1000}]);
    account.to_string().parse().unwrap()
}

#[tokio::test]
async fn a_message_that_is_no_job_is_an_error_that_quotes_nothing() {
    let bed = Testbed::start().await;
    for odd in ["", "{}", "null", r#"{"campaign_id": "canary"}"#, r#"{"campaign_id": 1, "chunk": -1, "ticket_ms": 0}"#]
    {
        let error = function(&bed).take(odd, TIME_LEFT).await.unwrap_err();
        assert_eq!((error.kind(), error.public().code.as_deref()), (Kind::Invalid, Some("invalid_job")), "{odd}");
        assert!(!error.source_chain().unwrap().contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_job_of_a_campaign_that_does_not_run_sends_nothing_and_is_done() {
    let bed = Testbed::start().await;
    let function = function(&bed);
    let absent = json!({"campaign_id": 99, "chunk": 0, "ticket_ms": 0}).to_string();
    function.take(&absent, TIME_LEFT).await.unwrap();
    let id = started(&bed, people(0..3)).await;
    let body = bed.queues.messages(QUEUE).remove(0);
    bed.brakes.pause(&bed.caller().await, id).await.unwrap();
    function.take(&body, TIME_LEFT).await.unwrap();
    let no_chunk = json!({"campaign_id": id, "chunk": 7, "ticket_ms": 0}).to_string();
    function.take(&no_chunk, TIME_LEFT).await.unwrap();
    bed.brakes.cancel(&bed.caller().await, id).await.unwrap();
    function.take(&body, TIME_LEFT).await.unwrap();
    assert!(accepted(&bed).is_empty());
}

#[tokio::test]
async fn opt_outs_and_blocks_count_at_the_moment_of_sending() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..4)).await;
    let despite = Draft { despite_opt_out: true, ..Testbed::draft(1) };
    let despite = bed.campaign_as(despite, people(0..4)).await;
    let chat = Chat::with_number(AccountId(1), &phone(1)).unwrap();
    Conversations::new(&bed.database).preferred(&chat, false, OptOutBy::Word, bed.clock.now()).await.unwrap();
    let caller = bed.keys.authorize(Some(bed.api_key.reveal()), Scope::ContactsBlock).await.unwrap();
    let phones = [phone(2)];
    let phones: Vec<_> = phones.iter().map(String::as_str).collect();
    let wish = Wish { account_id: None, phones: &phones, is_list: true, reason: None, time_left: TIME_LEFT };
    bed.block_list.block(&caller, &wish).await.unwrap();
    bed.work().await;
    assert_eq!(accepted(&bed), once_each([0, 3]));
    let names = ["status", "sent_count", "left_out_count", "failed_count"];
    assert_eq!(told(&bed, id, names).await, [json!("completed"), json!(2), json!(2), json!(0)]);
    let page = bed.reports.recipients(&bed.caller().await, id, Some("left_out"), None, 10).await.unwrap();
    let page = serde_json::to_value(page).unwrap();
    let why: Vec<_> = page["recipients"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(why, ["opted_out", "blocked"]);
    bed.run(despite).await;
    assert_eq!(told(&bed, despite, names).await, [json!("completed"), json!(3), json!(1), json!(0)]);
}

/// The number has too much, the account has, or a proxy says so.
#[tokio::test]
async fn a_throttle_puts_back_and_slows_down_and_fails_nobody() {
    for fault in [Fault::Error(130_429), Fault::Error(80_007), Fault::HtmlTooMany, Fault::ErrorWithRetryAfter] {
        let what = format!("{fault:?}");
        let bed = Testbed::start().await;
        let id = started(&bed, people(0..15)).await;
        bed.simulator.fail_next(fault, 3);
        bed.work().await;
        // Of the first ten those went that the others did not keep from it.
        assert_eq!(told(&bed, id, COUNTS).await, [json!("running"), json!(7), json!(0), json!(8)], "{what}");
        assert_eq!(accepted(&bed).len(), 7, "{what}");
        // Nobody knocks on before that.
        bed.tend().await;
        bed.work().await;
        assert_eq!(accepted(&bed).len(), 7, "{what}");
        later(&bed, Duration::from_mins(61)).await;
        assert_eq!(accepted(&bed), once_each(0..15), "{what}");
        assert_eq!(told(&bed, id, COUNTS).await, [json!("completed"), json!(15), json!(0), json!(0)], "{what}");
    }
}

#[tokio::test]
async fn one_person_who_gets_too_much_waits_alone() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..15)).await;
    bed.simulator.fail_next(Fault::Error(131_056), 1);
    bed.work().await;
    assert_eq!(told(&bed, id, COUNTS).await, [json!("running"), json!(14), json!(0), json!(1)]);
    later(&bed, Duration::from_secs(7)).await;
    assert_eq!(accepted(&bed), once_each(0..15));
    assert_eq!(told(&bed, id, COUNTS).await, [json!("completed"), json!(15), json!(0), json!(0)]);
}

/// The number's quality, the token, the account, the permissions, the payment, the template.
#[tokio::test]
async fn what_concerns_everybody_pauses_the_campaign_and_says_why() {
    for code in [131_048, 131_064, 190, 0, 10, 368, 131_031, 131_042, 132_001, 132_015] {
        let bed = Testbed::start().await;
        let id = started(&bed, people(0..12)).await;
        bed.simulator.fail_always(Fault::Error(code));
        bed.work().await;
        let details = bed.details(id).await;
        let counts = COUNTS.map(|name| details[name].clone());
        assert_eq!(counts, [json!("paused"), json!(0), json!(0), json!(12)], "{code}");
        let paused = &details["paused"];
        assert_eq!(paused["meta"]["code"], json!(code), "{paused}");
        assert!(
            paused["code"].is_string() && paused["error"].as_str().is_some_and(|text| !text.is_empty()),
            "{paused}"
        );
        assert!(bed.sent_to_meta().len() <= 10, "{code}");
        later(&bed, Duration::from_mins(5)).await;
        assert!(bed.sent_to_meta().len() <= 10, "{code}");
        bed.simulator.clear_faults();
        bed.controls.resume(&bed.caller().await, id).await.unwrap();
        bed.work().await;
        assert_eq!(accepted(&bed), once_each(0..12), "{code}");
        assert_eq!(bed.details(id).await["paused"], Value::Null);
    }
}

#[tokio::test]
async fn what_concerns_one_person_fails_that_one_alone() {
    let bed = Testbed::start().await;
    let numbers = ["15550131026", "919876500001", "15550131049", "15550131026", "15550132012"];
    let id = started(&bed, at(&numbers)).await;
    bed.work().await;
    assert_eq!(told(&bed, id, COUNTS).await, [json!("completed"), json!(1), json!(3), json!(0)]);
    let errors = bed.details(id).await["errors"].clone();
    let codes: BTreeMap<_, _> =
        errors.as_array().unwrap().iter().map(|error| (error["code"].to_string(), error["count"].clone())).collect();
    let expected = [("\"131026\"", 1), ("\"131049\"", 1), ("\"132012\"", 1)];
    assert_eq!(codes, expected.map(|(code, count)| (code.to_owned(), json!(count))).into());
}

/// One such refusal is somebody's own. So many are everybody's: rather nobody than everybody in vain.
#[tokio::test]
async fn what_nobody_explains_fails_one_person_and_of_many_it_pauses_the_campaign() {
    let bed = Testbed::start().await;
    let id = started(&bed, at(&["15550135000", "919876500001", "919876500002"])).await;
    bed.work().await;
    assert_eq!(told(&bed, id, COUNTS).await, [json!("completed"), json!(2), json!(1), json!(0)]);
    let many = started(&bed, people(10..40)).await;
    bed.simulator.fail_always(Fault::Error(135_000));
    bed.work().await;
    let details = bed.details(many).await;
    assert_eq!(COUNTS.map(|name| details[name].clone()), [json!("paused"), json!(0), json!(10), json!(20)]);
    assert_eq!(
        (&details["paused"]["code"], &details["errors"][0]["code"]),
        (&json!("upstream_failed"), &json!("135000"))
    );
}

/// Nobody is written to again of whom that is not known, and whoever waits for it is told so.
#[tokio::test]
async fn of_whom_nothing_is_known_is_unknown_for_a_day_and_never_written_to_again() {
    let bed = Testbed::start().await;
    // A reset, an answer cut off, a server error without a word; the first of which reached nobody.
    let id = started(&bed, at(&["15551000002", "15551000005", "15551000006", "919876500001"])).await;
    bed.work().await;
    let names = ["status", "sent_count", "unknown_count", "failed_count"];
    assert_eq!(told(&bed, id, names).await, [json!("running"), json!(1), json!(3), json!(0)]);
    later(&bed, Duration::from_hours(23)).await;
    assert_eq!(told(&bed, id, names).await, [json!("running"), json!(1), json!(3), json!(0)]);
    later(&bed, Duration::from_hours(2)).await;
    assert_eq!(told(&bed, id, names).await, [json!("completed"), json!(1), json!(3), json!(0)]);
    assert!(bed.simulator.posts_by_phone().values().all(|count| *count == 1));
}

/// Somebody who died on the way: until the claim's time is over nobody knows, and then nobody tries again.
#[tokio::test]
async fn a_message_that_a_dead_worker_claimed_is_waited_for_and_then_unknown() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..3)).await;
    let (contact, created_at) = (Contact::of_number(&phone(1)).unwrap(), bed.clock.now());
    let claimed = NewMessage {
        id: MessageId::in_campaign(id, &contact, 0),
        account_id: AccountId(1),
        phone: phone(1),
        key_id: "key".to_owned(),
        content: "{}".to_owned(),
        created_at,
        deadline_at: created_at + Duration::from_secs(22),
        campaign: Some(RecipientRef { campaign_id: id, chunk: 0, member: Member::new(1, 0).unwrap() }),
    };
    let messages = Messages::new(&bed.database);
    assert!(matches!(messages.begin(&claimed, &Owner::new()).await.unwrap(), Claimed::Ours));
    bed.work().await;
    assert_eq!(told(&bed, id, COUNTS).await, [json!("running"), json!(2), json!(0), json!(1)]);
    later(&bed, Duration::from_secs(21)).await;
    assert_eq!(bed.details(id).await["unknown_count"], 0);
    later(&bed, Duration::from_secs(2)).await;
    assert_eq!(bed.details(id).await["unknown_count"], 1);
    assert_eq!(accepted(&bed), once_each([0, 2]));
    let chunk = Chunks::new(&bed.database).get(id, [0]).await.unwrap().remove(0);
    assert_eq!(chunk.standing(Member::new(1, 0).unwrap()), Standing::Unknown);
    assert_eq!(messages.get(claimed.id).await.unwrap().unwrap().state, SendState::Sending);
}

#[tokio::test]
async fn pausing_takes_effect_before_the_next_ten() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..90)).await;
    bed.simulator.fail_always(Fault::Delay(50));
    let body = bed.queues.messages(QUEUE).remove(0);
    let function = function(&bed);
    let pause = async {
        while accepted(&bed).is_empty() {
            tokio::task::yield_now().await;
        }
        bed.brakes.pause(&bed.caller().await, id).await.unwrap();
    };
    let (worked, ()) = futures::join!(function.take(&body, TIME_LEFT), pause);
    worked.unwrap();
    // Those who were begun with, and the ten after them at most.
    let count = accepted(&bed).len();
    assert!(count <= 20, "{count}");
    assert_eq!(told(&bed, id, COUNTS).await, [json!("paused"), json!(count), json!(0), json!(90 - count)]);
}

#[tokio::test]
async fn without_time_for_what_is_begun_nothing_is() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..3)).await;
    let body = bed.queues.messages(QUEUE).remove(0);
    function(&bed).take(&body, Duration::from_secs(30)).await.unwrap();
    assert!(accepted(&bed).is_empty());
    // It is handed out again at once.
    assert_eq!(bed.queues.messages(QUEUE).len(), 2);
    bed.work().await;
    assert_eq!(accepted(&bed), once_each(0..3));
    assert_eq!(bed.details(id).await["status"], "completed");
}

/// Statuses of its messages come all the time, many at once.
#[tokio::test]
async fn a_chunk_that_changes_all_the_time_is_handed_out_again_at_once() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..3)).await;
    let chunks = Chunks::new(&bed.database);
    let chunk = chunks.get(id, [0]).await.unwrap().pop().unwrap();
    let delivered = [(Mark::Delivered, chunk.member(0).unwrap())];
    let statuses = join_all((0..4).map(|_| async {
        loop {
            chunks.note(id, chunk.number, &delivered, bed.clock.now()).await.unwrap();
        }
    }));
    let body = bed.queues.messages(QUEUE).remove(0);
    let function = function(&bed);
    tokio::select! {
        taken = function.take(&body, Duration::from_secs(30)) => taken.unwrap(),
        _ = statuses => unreachable!("they never end"),
    }
    assert_eq!(bed.queues.messages(QUEUE).len(), 2);
    bed.work().await;
    assert_eq!(accepted(&bed), once_each(1..3));
    assert_eq!(bed.details(id).await["status"], "completed");
}

#[tokio::test]
async fn a_campaign_whose_account_is_gone_is_paused_and_says_so() {
    let bed = Testbed::start().await;
    let id = started(&bed, people(0..3)).await;
    let body = bed.queues.messages(QUEUE).remove(0);
    let other = json!([{"id": 9, "phone_number_id": "9", "waba_id": "9", "access_token": "t"}]);
    let worker = bed.worker_with(other.to_string().parse().unwrap());
    SendCampaign { worker }.take(&body, TIME_LEFT).await.unwrap();
    let details = bed.details(id).await;
    assert_eq!((&details["status"], &details["paused"]["code"]), (&json!("paused"), &json!("account_not_found")));
    bed.controls.resume(&bed.caller().await, id).await.unwrap();
    later(&bed, Duration::from_mins(2)).await;
    assert_eq!(accepted(&bed), once_each(0..3));
}

#[tokio::test]
async fn while_the_storage_is_out_the_job_comes_again() {
    let bed = Testbed::start().await;
    started(&bed, people(0..3)).await;
    let body = bed.queues.messages(QUEUE).remove(0);
    let Testbed { engine, worker, simulator, .. } = bed;
    engine.stop().await;
    let error = SendCampaign { worker }.take(&body, TIME_LEFT).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(simulator.accepted_by_phone().is_empty());
}
