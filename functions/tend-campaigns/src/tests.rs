//! The guarantees of this task.

use campaigns::Draft;
use domain::{CampaignId, Kind, Member};
use meta_simulator::Fault;
use serde_json::{Value, json};
use storage::{Campaigns, Chunks, Mark};
use testbed::Testbed;
use testbed::campaigns::{QUEUE, TIME_LEFT, people};

use super::*;

async fn tend(bed: &Testbed) -> Result<()> {
    TendCampaigns { caretaker: bed.caretaker.clone() }.run(TIME_LEFT).await
}

async fn scheduled(bed: &Testbed, time: Duration, recipients: Value) -> CampaignId {
    let draft = Draft { scheduled_at: Some(bed.clock.now() + time), ..Testbed::draft(1) };
    bed.campaign_as(draft, recipients).await
}

async fn status(bed: &Testbed, id: CampaignId) -> Value {
    bed.details(id).await["status"].clone()
}

fn member(index: u32) -> Member {
    Member::new(index, 0).unwrap()
}

#[tokio::test]
async fn a_campaign_starts_at_its_time_and_not_before() {
    let bed = Testbed::start().await;
    let id = scheduled(&bed, Duration::from_mins(10), people(0..3)).await;
    let cancelled = scheduled(&bed, Duration::from_mins(10), people(0..3)).await;
    bed.brakes.cancel(&bed.caller().await, cancelled).await.unwrap();
    bed.clock.advance(Duration::from_millis(599_999));
    tend(&bed).await.unwrap();
    assert_eq!((status(&bed, id).await, bed.queues.messages(QUEUE).len()), (json!("scheduled"), 0));
    bed.clock.advance(Duration::from_millis(1));
    tend(&bed).await.unwrap();
    assert_eq!(status(&bed, id).await, "running");
    bed.work().await;
    let accepted = bed.simulator.accepted_by_phone();
    assert!(accepted.len() == 3 && accepted.values().all(|count| *count == 1), "{accepted:?}");
    assert_eq!((status(&bed, id).await, status(&bed, cancelled).await), (json!("completed"), json!("cancelled")));
}

#[tokio::test]
async fn one_whose_time_comes_before_it_has_recipients_says_so_and_waits() {
    let bed = Testbed::start().await;
    let id = scheduled(&bed, Duration::from_mins(1), json!([])).await;
    bed.clock.advance(Duration::from_mins(1));
    tend(&bed).await.unwrap();
    let details = bed.details(id).await;
    assert_eq!(
        (&details["status"], &details["paused"]["code"]),
        (&json!("paused"), &json!("no_recipients")),
        "{details}"
    );
}

/// The queue has lost all that was in it.
#[tokio::test]
async fn what_nobody_works_on_is_handed_out_again() {
    let bed = Testbed::start().await;
    let id = bed.campaign(1, people(0..3)).await;
    bed.starter.start(&bed.caller().await, id).await.unwrap();
    let lost = bed.queues.messages(QUEUE).remove(0);
    tend(&bed).await.unwrap();
    assert_eq!(bed.queues.messages(QUEUE).len(), 1);
    bed.clock.advance(Duration::from_secs(61));
    tend(&bed).await.unwrap();
    let again = bed.queues.messages(QUEUE).remove(1);
    assert_ne!(again, lost);
    for body in [&again, &lost] {
        Box::pin(bed.worker.work(&serde_json::from_str(body).unwrap(), TIME_LEFT)).await.unwrap();
    }
    let accepted = bed.simulator.accepted_by_phone();
    assert!(accepted.len() == 3 && accepted.values().all(|count| *count == 1), "{accepted:?}");
}

#[tokio::test]
async fn what_statuses_told_is_counted_also_of_those_that_have_ended() {
    let bed = Testbed::start().await;
    let id = bed.campaign(1, people(0..3)).await;
    bed.run(id).await;
    let chunks = Chunks::new(&bed.database);
    let failed = |code: &str| Mark::Failed(code.to_owned());
    let marks = [(Mark::Read, member(0)), (failed("131026"), member(1)), (failed("131049"), member(2))];
    chunks.note(id, 0, &marks, bed.clock.now()).await.unwrap();
    bed.clock.advance(Duration::from_secs(1));
    tend(&bed).await.unwrap();
    let page = bed.reports.list(&bed.caller().await, None, None, 10).await.unwrap();
    let listed = serde_json::to_value(page).unwrap()["campaigns"][0].clone();
    let counts = ["sent_count", "delivered_count", "read_count", "failed_count"].map(|name| listed[name].clone());
    assert_eq!((counts, &listed["status"]), ([3, 1, 1, 2].map(Value::from), &json!("completed")));
    // And the last of them, too, never got it.
    let other = bed.campaign(1, people(0..1)).await;
    bed.run(other).await;
    chunks.note(other, 0, &[(failed("131026"), member(0))], bed.clock.now()).await.unwrap();
    bed.clock.advance(Duration::from_secs(1));
    tend(&bed).await.unwrap();
    assert_eq!(status(&bed, other).await, "failed");
}

/// Somebody was tried again of whom it was not known, then the first try counted, and failed after all.
#[tokio::test]
async fn a_try_that_became_needful_again_is_made() {
    let bed = Testbed::start().await;
    let id = bed.campaign(1, people(0..1)).await;
    bed.starter.start(&bed.caller().await, id).await.unwrap();
    let (chunks, now) = (Chunks::new(&bed.database), bed.clock.now());
    chunks.note(id, 0, &[(Mark::Unknown, member(0))], now).await.unwrap();
    chunks.note(id, 0, &[(Mark::Retried, Member::new(0, 1).unwrap()), (Mark::Sent, member(0))], now).await.unwrap();
    bed.clock.advance(Duration::from_mins(2));
    tend(&bed).await.unwrap();
    bed.work().await;
    assert_eq!((status(&bed, id).await, bed.sent_to_meta().len()), (json!("completed"), 0));
    chunks.note(id, 0, &[(Mark::Failed("131026".to_owned()), member(0))], bed.clock.now()).await.unwrap();
    bed.clock.advance(Duration::from_secs(1));
    tend(&bed).await.unwrap();
    bed.work().await;
    let details = bed.details(id).await;
    assert_eq!(
        (&details["status"], &details["sent_count"], &details["failed_count"]),
        (&json!("completed"), &json!(1), &json!(0))
    );
    assert_eq!(bed.sent_to_meta().len(), 1);
}

/// Whoever tried again died when that was counted, and before the campaign ran again.
#[tokio::test]
async fn whoever_is_tried_again_in_a_campaign_that_ended_is_written_to_whoever_died_on_the_way() {
    let bed = Testbed::start().await;
    let id = bed.campaign(1, people(0..2)).await;
    bed.simulator.fail_always(Fault::Error(131_026));
    bed.run(id).await;
    bed.simulator.clear_faults();
    assert_eq!(status(&bed, id).await, "failed");
    let (chunks, campaigns, now) = (Chunks::new(&bed.database), Campaigns::new(&bed.database), bed.clock.now());
    let again = [0, 1].map(|index| (Mark::Retried, Member::new(index, 1).unwrap()));
    let noted = chunks.note(id, 0, &again, now).await.unwrap().unwrap();
    campaigns.fold(&noted, now).await.unwrap();
    assert_eq!(status(&bed, id).await, "failed");
    bed.clock.advance(Duration::from_secs(1));
    tend(&bed).await.unwrap();
    bed.work().await;
    let details = bed.details(id).await;
    assert_eq!((&details["status"], &details["sent_count"]), (&json!("completed"), &json!(2)));
}

/// Such as one that another version has written.
#[tokio::test]
async fn a_campaign_that_cannot_be_read_is_named_and_keeps_no_other_from_being_tended() {
    let bed = Testbed::start().await;
    let broken = scheduled(&bed, Duration::from_mins(1), people(0..1)).await;
    let id = scheduled(&bed, Duration::from_mins(1), people(0..3)).await;
    let table = bed.database.table("Campaigns");
    let key = aws_sdk_dynamodb::types::AttributeValue::N(broken.to_string());
    let update = bed.database.client().update_item().table_name(table).key("id", key);
    update.update_expression("REMOVE template_name").send().await.unwrap();
    bed.clock.advance(Duration::from_mins(1));
    let error = tend(&bed).await.unwrap_err();
    let told = (error.kind(), error.public().code.as_deref(), error.public().message.as_str());
    assert_eq!(told, (Kind::Unavailable, Some("not_tended"), "These campaigns were not tended: 1"));
    assert!(error.source_chain().unwrap().contains("campaign 1: "), "{error:?}");
    assert_eq!(status(&bed, id).await, "running");
}

#[tokio::test]
async fn while_the_storage_is_out_it_fails() {
    let Testbed { engine, caretaker, .. } = Testbed::start().await;
    engine.stop().await;
    let error = TendCampaigns { caretaker }.run(TIME_LEFT).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}

/// It runs, and goes on within the next minute.
#[tokio::test]
async fn while_the_queue_is_out_it_fails_and_makes_up_for_it() {
    let mut bed = Testbed::start().await;
    let id = scheduled(&bed, Duration::from_mins(1), people(0..3)).await;
    bed.clock.advance(Duration::from_mins(1));
    let other = embedded_sqs::Engine::in_memory().await.unwrap();
    std::mem::replace(&mut bed.queues, other).stop().await;
    let error = tend(&bed).await.unwrap_err();
    assert_eq!(error.public().code.as_deref(), Some("not_tended"));
    assert_eq!(status(&bed, id).await, "running");
    bed.clock.advance(Duration::from_mins(2));
    let queue = storage::WorkQueue::local(bed.queues.url(), &bed.queues.queue_url(QUEUE));
    TendCampaigns { caretaker: bed.caretaker_with(queue) }.run(TIME_LEFT).await.unwrap();
    assert_eq!(bed.queues.messages(QUEUE).len(), 1);
}
