//! The guarantees of the campaigns' tables.

use std::collections::BTreeSet;

use domain::{Contact, Member};
use embedded_dynamodb::Engine;

use super::*;

struct Bed {
    engine: Engine,
    campaigns: Campaigns,
    chunks: Chunks,
    recipients: Recipients,
}

async fn bed() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let database = Database::local(engine.url(), engine.table_prefix());
    Bed {
        campaigns: Campaigns::new(&database),
        chunks: Chunks::new(&database),
        recipients: Recipients::new(&database),
        engine,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + second).unwrap()
}

fn new_campaign(id: CampaignId, second: i64) -> NewCampaign {
    NewCampaign {
        id,
        account_id: AccountId(1),
        name: format!("Campaign {id}"),
        template_name: "order_update".to_owned(),
        language: "en".to_owned(),
        form: "{}".to_owned(),
        despite_opt_out: false,
        key_id: "key".to_owned(),
        answer: "{}".to_owned(),
        created_at: at(second),
        scheduled_at: None,
    }
}

fn recipient(number: u32) -> NewRecipient {
    let phone = format!("9198765{number:05}");
    let contact = Contact::of_number(&phone).unwrap();
    NewRecipient {
        contact,
        recipient: Recipient { phone, name: None, values: vec!["Ann".to_owned()], upload: 1, row: number },
    }
}

impl Bed {
    /// A campaign with so many recipients.
    async fn campaign(&self, recipients: u32) -> Campaign {
        let id = self.campaigns.next_id().await.unwrap();
        let list: Vec<_> = (0..recipients).map(recipient).collect();
        let sizes = self.recipients.add(id, 0, &list).await.unwrap();
        self.chunks.make(id, 0, &sizes).await.unwrap();
        let chunks = u32::try_from(sizes.len()).unwrap();
        let added = Added { recipients: i64::from(recipients), chunks, ..Added::default() };
        self.campaigns.create(new_campaign(id, 0), added, None).await.unwrap().unwrap()
    }

    async fn running(&self, recipients: u32) -> CampaignId {
        let id = self.campaign(recipients).await.new.id;
        self.step(id, CampaignStep::Start).await;
        id
    }

    async fn step(&self, id: CampaignId, step: CampaignStep) -> Campaign {
        match self.campaigns.step(id, step, None, at(1)).await.unwrap() {
            Stepped::Done(campaign) => *campaign,
            other => panic!("{step:?}: {other:?}"),
        }
    }

    async fn get(&self, id: CampaignId) -> Campaign {
        self.campaigns.get(id).await.unwrap().unwrap()
    }

    async fn chunk(&self, id: CampaignId, number: u32) -> Chunk {
        self.chunks.get(id, [number]).await.unwrap().remove(0)
    }

    async fn note(&self, id: CampaignId, chunk: u32, marks: &[(Mark, Member)], second: i64) -> Chunk {
        self.chunks.note(id, chunk, marks, at(second)).await.unwrap().unwrap()
    }

    /// Folds in what a chunk says, and concludes.
    async fn fold(&self, id: CampaignId, chunk: u32, second: i64) -> Campaign {
        assert!(self.campaigns.fold(&self.chunk(id, chunk).await, at(second)).await.unwrap().is_some());
        self.campaigns.conclude(id, at(second)).await.unwrap();
        self.get(id).await
    }
}

fn member(index: u32) -> Member {
    Member::new(index, 0).unwrap()
}

fn each(mark: &Mark, members: std::ops::Range<u32>) -> Vec<(Mark, Member)> {
    members.map(|index| (mark.clone(), member(index))).collect()
}

fn failed(code: &str) -> Mark {
    Mark::Failed(code.to_owned())
}

#[tokio::test]
async fn numbers_are_handed_out_once() {
    let bed = bed().await;
    let numbers = futures::future::join_all((0..20).map(|_| bed.campaigns.next_id())).await;
    let numbers: BTreeSet<_> = numbers.into_iter().map(|number| number.unwrap().0).collect();
    assert_eq!(numbers, (1..=20).collect());
    assert!(bed.campaigns.get(CampaignId(0)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_campaign_is_made_whole_and_its_recipients_are_found_in_their_chunks() {
    let bed = bed().await;
    let made = bed.campaign(250).await;
    let stored = bed.get(made.new.id).await;
    assert_eq!((stored.status, stored.chunk_count, stored.counts), (CampaignStatus::Draft, 3, Counts::of_new(250)));
    let of_chunks = bed.recipients.of_chunks(made.new.id, [0, 1, 2, 3]).await.unwrap();
    assert_eq!(
        of_chunks.iter().map(|(chunk, list)| (*chunk, list.len())).collect::<Vec<_>>(),
        [(0, 100), (1, 100), (2, 50)]
    );
    assert_eq!(of_chunks[&1][7], recipient(107).recipient);
    assert_eq!(bed.recipients.of_chunk(made.new.id, 1).await.unwrap(), of_chunks[&1]);
    let chunks = bed.chunks.get(made.new.id, 0..9).await.unwrap();
    assert_eq!(
        chunks.iter().map(|chunk| (chunk.number, chunk.size)).collect::<Vec<_>>(),
        [(0, 100), (1, 100), (2, 50)]
    );
}

#[tokio::test]
async fn a_chunk_of_long_values_has_fewer_recipients_and_none_is_lost() {
    let bed = bed().await;
    let long = |number: u32| {
        let mut new = recipient(number);
        new.recipient.values = vec!["ä".repeat(5_000)];
        new
    };
    let list: Vec<_> = (0..130).map(long).collect();
    let sizes = bed.recipients.add(CampaignId(7), 4, &list).await.unwrap();
    assert!(sizes.len() > 2 && sizes.iter().sum::<u32>() == 130, "{sizes:?}");
    let stored = bed.recipients.of_chunks(CampaignId(7), 4..40).await.unwrap();
    let phones: Vec<_> = stored.values().flatten().map(|recipient| recipient.phone.clone()).collect();
    assert_eq!(phones, list.iter().map(|new| new.recipient.phone.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn whoever_is_in_a_campaign_is_known_by_every_form_of_their_number_and_a_dead_upload_counts_nobody() {
    let bed = bed().await;
    let id = bed.campaign(150).await.new.id;
    let contact = |number: &str| Contact::of_number(number).unwrap();
    let known = async |chunk_count: u32, contacts: &[Contact]| {
        let known = bed.recipients.known(id, chunk_count, contacts).await.unwrap();
        known.into_iter().cloned().collect::<Vec<_>>()
    };
    let (old, new) = (recipient(120).contact, contact("5511988887777"));
    assert_eq!(known(2, &[old.clone(), new.clone()]).await, std::slice::from_ref(&old));
    // An upload that died after its rows were written, before the campaign counted them.
    let brazilian = NewRecipient {
        contact: new.clone(),
        recipient: Recipient { phone: "5511988887777".to_owned(), ..recipient(0).recipient },
    };
    bed.recipients.add(id, 2, &[brazilian]).await.unwrap();
    assert!(known(2, std::slice::from_ref(&new)).await.is_empty());
    // Another takes its place in the chunk.
    bed.recipients.add(id, 2, &[recipient(200)]).await.unwrap();
    assert!(known(3, std::slice::from_ref(&new)).await.is_empty());
    assert_eq!(known(3, &[contact("551188887777"), recipient(200).contact]).await, [recipient(200).contact]);
}

#[tokio::test]
async fn wrong_rows_are_read_back_in_their_order() {
    let bed = bed().await;
    let wrong = |upload: u32, row: u32| Wrong { upload, row, code: "phone".to_owned(), error: "ä".to_owned() };
    let first: Vec<_> = (0..450).map(|row| wrong(1, row)).collect();
    let second = vec![wrong(2, 9)];
    assert_eq!(bed.recipients.add_wrong(CampaignId(7), 0, &first).await.unwrap(), 3);
    assert_eq!(bed.recipients.add_wrong(CampaignId(7), 3, &second).await.unwrap(), 1);
    assert_eq!(bed.recipients.add_wrong(CampaignId(7), 4, &[]).await.unwrap(), 0);
    assert_eq!(bed.recipients.wrong(CampaignId(7), 0..4).await.unwrap(), [first, second].concat());
}

#[tokio::test]
async fn campaigns_are_listed_newest_first_page_by_page_each_account_its_own() {
    let bed = bed().await;
    for number in 1..=7 {
        let account_id = AccountId(if number == 4 { 2 } else { 1 });
        let new = NewCampaign { account_id, ..new_campaign(CampaignId(number), number / 2) };
        bed.campaigns.create(new, Added::default(), None).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = bed.campaigns.newest(AccountId(1), after.as_ref(), 2).await.unwrap();
        after = page.rows.last().and_then(|last| Place::parse(last.place().as_str()));
        seen.extend(page.rows.iter().map(|campaign| campaign.new.id.0));
        if page.is_last {
            break;
        }
    }
    assert_eq!(seen, [7, 6, 5, 3, 2, 1]);
    assert_eq!(bed.campaigns.newest(AccountId(2), None, 9).await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn a_campaign_takes_exactly_the_steps_of_the_table() {
    let bed = bed().await;
    for from in CampaignStatus::ALL {
        for step in CampaignStep::ALL.into_iter().filter(|step| *step != CampaignStep::AddRecipients) {
            let mut new = new_campaign(bed.campaigns.next_id().await.unwrap(), 0);
            new.scheduled_at = (from == CampaignStatus::Scheduled).then(|| at(9));
            let id = new.id;
            bed.campaigns.create(new, Added::default(), None).await.unwrap();
            let way: &[CampaignStep] = match from {
                CampaignStatus::Draft | CampaignStatus::Scheduled => &[],
                CampaignStatus::Running => &[CampaignStep::Start],
                CampaignStatus::Paused => &[CampaignStep::Start, CampaignStep::Pause],
                CampaignStatus::Completed => &[CampaignStep::Start, CampaignStep::Complete],
                CampaignStatus::Failed => &[CampaignStep::Start, CampaignStep::Fail],
                CampaignStatus::Cancelled => &[CampaignStep::Cancel],
            };
            for step in way {
                bed.step(id, *step).await;
            }
            assert_eq!(bed.get(id).await.status, from);
            let stepped = bed.campaigns.step(id, step, None, at(2)).await.unwrap();
            let now = bed.get(id).await;
            let expected = step.leads_to(from).unwrap_or(from);
            let told = match &stepped {
                Stepped::Done(campaign) => (true, campaign.status),
                Stepped::Refused(campaign) => (false, campaign.status),
                other => panic!("{step:?} from {from:?}: {other:?}"),
            };
            assert_eq!(told, (step.leads_to(from).is_some(), expected), "{step:?} from {from:?}");
            assert_eq!(now.status, expected, "{step:?} from {from:?}");
            let is_listed = bed.campaigns.active().await.unwrap().iter().any(|(active, _)| *active == id);
            assert_eq!(is_listed, is_active(expected), "{step:?} from {from:?}");
        }
    }
    let nowhere = bed.campaigns.step(CampaignId(999), CampaignStep::Start, None, at(2)).await.unwrap();
    assert!(matches!(nowhere, Stepped::NoSuchCampaign));
}

#[tokio::test]
async fn a_paused_campaign_says_why_and_one_that_goes_on_does_not() {
    let bed = bed().await;
    let id = bed.running(1).await;
    let why = Error::new(Kind::UpstreamFailed, "The token is expired").code("upstream_auth").public().clone();
    bed.campaigns.step(id, CampaignStep::Pause, Some(&why), at(2)).await.unwrap();
    let paused = bed.get(id).await;
    assert_eq!((paused.paused_because(), paused.paused_at, paused.running_since), (Some(why), Some(at(2)), None));
    bed.campaigns.step(id, CampaignStep::Resume, None, at(3)).await.unwrap();
    let running = bed.get(id).await;
    assert_eq!((running.paused_because(), running.paused_at), (None, None));
    assert_eq!((running.started_at, running.running_since), (Some(at(1)), Some(at(3))));
}

#[tokio::test]
async fn how_fast_a_campaign_is_is_told_from_how_far_it_had_come_a_while_ago() {
    let bed = bed().await;
    let id = bed.running(10).await;
    let sample = async |second: i64| {
        let campaign = bed.get(id).await;
        bed.campaigns.take_sample(&campaign, at(second)).await.unwrap();
        bed.get(id).await.sample().map(|sample| (sample.at, sample.pending))
    };
    assert_eq!(sample(2).await, Some((at(1), 10)));
    bed.note(id, 0, &each(&Mark::Sent, 0..4), 30).await;
    bed.fold(id, 0, 31).await;
    assert_eq!(sample(61).await, Some((at(1), 10)));
    assert_eq!(sample(62).await, Some((at(1), 10)));
    bed.note(id, 0, &each(&Mark::Sent, 4..9), 90).await;
    bed.fold(id, 0, 91).await;
    assert_eq!(sample(121).await, Some((at(61), 6)));
    bed.step(id, CampaignStep::Pause).await;
    assert_eq!(sample(400).await, None);
}

#[tokio::test]
async fn of_two_uploads_one_waits_and_what_one_adds_counts_all_at_once_or_not_at_all() {
    let bed = bed().await;
    let id = bed.campaign(100).await.new.id;
    let begin = async |owner: &str, second: i64| bed.campaigns.begin_upload(id, owner, at(second)).await.unwrap();
    let added = Added { recipients: 30, chunks: 1, doubles: 2, wrong: 3, wrong_parts: 1 };
    assert!(matches!(begin("a", 0).await, Upload::Begun(_)));
    assert!(matches!(begin("a", 1).await, Upload::Begun(_)));
    assert!(matches!(begin("b", 1).await, Upload::Busy));
    // Nothing starts half of them.
    assert!(matches!(bed.campaigns.step(id, CampaignStep::Start, None, at(1)).await.unwrap(), Stepped::Busy));
    // Whoever takes too long is out.
    assert!(matches!(begin("b", 70).await, Upload::Begun(_)));
    assert!(bed.campaigns.finish_upload(id, "a", added, "{}").await.unwrap().is_none());
    let after = bed.campaigns.finish_upload(id, "b", added, r#"{"n":1}"#).await.unwrap().unwrap();
    assert_eq!((after.chunk_count, after.counts, after.upload_count), (2, Counts::of_new(130), 2));
    assert_eq!(
        (after.double_count, after.wrong_count, after.wrong_parts, after.new.form.as_str()),
        (2, 3, 1, r#"{"n":1}"#)
    );
    assert!(matches!(begin("c", 71).await, Upload::Begun(_)));
    bed.campaigns.abandon_upload(id, "c").await.unwrap();
    bed.step(id, CampaignStep::Start).await;
    assert!(matches!(begin("d", 72).await, Upload::Refused(_)));
    assert!(matches!(bed.campaigns.begin_upload(CampaignId(99), "d", at(0)).await.unwrap(), Upload::NoSuchCampaign));
}

#[tokio::test]
async fn what_is_noted_is_counted_once_in_whatever_order_and_however_often() {
    let mut state = 11_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let facts = [
        (Mark::Sent, 0),
        (Mark::Sent, 1),
        (Mark::Delivered, 1),
        (Mark::Read, 2),
        (Mark::Unknown, 3),
        (Mark::Unknown, 4),
        (Mark::Sent, 4),
        (failed("131026"), 5),
        (Mark::Sent, 6),
        (failed("131049"), 6),
        (Mark::LeftOut("opted_out".to_owned()), 7),
        (failed("131026"), 8),
        (Mark::Delivered, 8),
    ];
    let bed = bed().await;
    let mut outcomes = BTreeSet::new();
    for round in 0..12 {
        let id = bed.running(20).await;
        let mut told: Vec<_> = facts.iter().chain(&facts).cloned().collect();
        let mut before = Counts::default();
        while !told.is_empty() {
            let mut marks = Vec::new();
            for _ in 0..=random(3) {
                if !told.is_empty() {
                    let (mark, index) = told.swap_remove(random(told.len()));
                    marks.push((mark, member(index)));
                }
            }
            bed.note(id, 0, &marks, 5).await;
            if random(3) == 0 {
                let now = bed.fold(id, 0, 6).await.counts;
                assert!(now.sent >= before.sent && now.delivered >= before.delivered && now.read >= before.read);
                assert!(now.pending <= before.pending || round == 0 || before.total == 0, "{now:?}");
                before = now;
            }
        }
        let campaign = bed.fold(id, 0, 7).await;
        let failures: Vec<_> = campaign.failures.iter().map(|(code, failure)| (code.clone(), failure.count)).collect();
        outcomes.insert(format!("{:?} {failures:?}", campaign.counts));
    }
    let expected =
        Counts { total: 20, open: 12, pending: 11, sent: 6, delivered: 3, read: 1, failed: 2, unknown: 1, left_out: 1 };
    assert_eq!(outcomes, BTreeSet::from([format!("{expected:?} [(\"131026\", 1), (\"131049\", 1)]")]));
}

#[tokio::test]
async fn a_chunk_that_changed_since_it_was_read_is_not_counted_from_the_old_reading() {
    let bed = bed().await;
    let id = bed.running(3).await;
    let old = bed.note(id, 0, &each(&Mark::Sent, 0..1), 2).await;
    let new = bed.note(id, 0, &each(&Mark::Sent, 1..2), 2).await;
    assert!(bed.campaigns.fold(&old, at(3)).await.unwrap().is_none());
    assert_eq!(bed.get(id).await.counts, Counts::of_new(3));
    let counted = bed.campaigns.fold(&new, at(3)).await.unwrap().unwrap();
    assert_eq!(counted, bed.chunk(id, 0).await);
    assert!(bed.campaigns.fold(&new, at(3)).await.unwrap().is_none(), "counted twice");
    assert!(bed.campaigns.fold(&counted, at(3)).await.unwrap().is_some());
    assert_eq!(bed.get(id).await.counts.sent, 2);
}

/// Counting alone is not enough: whoever counted may die before the rest is done.
#[tokio::test]
async fn a_chunk_is_listed_as_changed_until_it_is_seen_to_as_it_is() {
    let bed = bed().await;
    let id = bed.running(250).await;
    for (chunk, second) in [(1, 5), (0, 3)] {
        bed.note(id, chunk, &each(&Mark::Sent, 0..1), second).await;
        bed.note(id, chunk, &each(&Mark::Sent, 1..2), second + 50).await;
    }
    assert_eq!(bed.chunks.changed(at(5), 9).await.unwrap(), [(id, 0)]);
    assert_eq!(bed.chunks.changed(at(6), 9).await.unwrap(), [(id, 0), (id, 1)]);
    assert_eq!(bed.chunks.changed(at(6), 1).await.unwrap(), [(id, 0)]);
    bed.fold(id, 0, 60).await;
    let seen = bed.chunk(id, 0).await;
    assert_eq!(bed.chunks.changed(at(99), 9).await.unwrap(), [(id, 0), (id, 1)]);
    bed.note(id, 0, &each(&Mark::Delivered, 0..1), 70).await;
    bed.chunks.seen_to(&seen).await.unwrap();
    assert_eq!(bed.chunks.changed(at(99), 9).await.unwrap(), [(id, 0), (id, 1)]);
    bed.chunks.seen_to(&bed.chunk(id, 0).await).await.unwrap();
    assert_eq!(bed.chunks.changed(at(99), 9).await.unwrap(), [(id, 1)]);
    // Told again it is no news; but somebody looks.
    bed.note(id, 0, &each(&Mark::Sent, 0..1), 71).await;
    assert_eq!(bed.chunks.changed(at(99), 9).await.unwrap(), [(id, 1), (id, 0)]);
    assert_eq!(bed.fold(id, 0, 72).await.counts.sent, 2);
}

#[tokio::test]
async fn a_campaign_ends_when_nobody_is_left_and_only_one_in_which_all_failed_is_failed() {
    let bed = bed().await;
    let left_out = Mark::LeftOut("blocked".to_owned());
    for (marks, status) in [
        (each(&Mark::Sent, 0..3), CampaignStatus::Completed),
        ([each(&failed("1"), 0..2), each(&Mark::Sent, 2..3)].concat(), CampaignStatus::Completed),
        (each(&failed("1"), 0..3), CampaignStatus::Failed),
        ([each(&failed("1"), 0..2), each(&left_out, 2..3)].concat(), CampaignStatus::Failed),
        (each(&left_out, 0..3), CampaignStatus::Completed),
        (each(&failed("1"), 0..2), CampaignStatus::Running),
        ([each(&failed("1"), 0..2), each(&Mark::Unknown, 2..3)].concat(), CampaignStatus::Running),
    ] {
        let id = bed.running(3).await;
        bed.note(id, 0, &marks, 5).await;
        let campaign = bed.fold(id, 0, 6).await;
        assert_eq!(campaign.status, status, "{marks:?}");
        assert_eq!(campaign.ended_at.is_some(), status != CampaignStatus::Running, "{marks:?}");
    }
}

#[tokio::test]
async fn an_ended_campaign_follows_what_becomes_known_later() {
    let bed = bed().await;
    let id = bed.running(2).await;
    bed.note(id, 0, &each(&Mark::Sent, 0..2), 5).await;
    assert_eq!(bed.fold(id, 0, 6).await.status, CampaignStatus::Completed);
    bed.note(id, 0, &each(&failed("131026"), 0..2), 7).await;
    let campaign = bed.fold(id, 0, 8).await;
    assert_eq!((campaign.status, campaign.counts.sent, campaign.counts.failed), (CampaignStatus::Failed, 2, 2));
    bed.note(id, 0, &each(&Mark::Delivered, 0..1), 9).await;
    let campaign = bed.fold(id, 0, 10).await;
    assert_eq!(
        (campaign.status, campaign.counts.failed, campaign.ended_at),
        (CampaignStatus::Completed, 1, Some(at(6)))
    );
}

#[tokio::test]
async fn an_unknown_is_waited_for_a_day_and_settled_whenever_a_status_comes() {
    let bed = bed().await;
    let id = bed.running(2).await;
    bed.note(id, 0, &[each(&Mark::Sent, 0..1), each(&Mark::Unknown, 1..2)].concat(), 5).await;
    let day = 24 * 60 * 60;
    assert_eq!(bed.fold(id, 0, 5 + day - 1).await.status, CampaignStatus::Running);
    assert_eq!(bed.chunk(id, 0).await.unknown_until(), Some(at(5 + day)));
    let ended = bed.fold(id, 0, 5 + day).await;
    assert_eq!((ended.status, ended.counts.unknown, ended.counts.open), (CampaignStatus::Completed, 1, 0));
    bed.note(id, 0, &each(&Mark::Read, 1..2), 9 + day).await;
    let counts = bed.fold(id, 0, 9 + day).await.counts;
    assert_eq!((counts.unknown, counts.sent, counts.delivered, counts.read), (0, 2, 1, 1));
}

#[tokio::test]
async fn whoever_is_tried_again_is_pending_and_an_ended_campaign_runs_again() {
    let bed = bed().await;
    let id = bed.running(3).await;
    bed.note(id, 0, &[each(&failed("131049"), 0..2), each(&Mark::Sent, 1..3)].concat(), 5).await;
    let before = bed.fold(id, 0, 6).await;
    assert_eq!((before.status, before.counts.failed, before.counts.sent), (CampaignStatus::Completed, 2, 2));
    let again = [0, 1].map(|index| (Mark::Retried, Member::new(index, 1).unwrap()));
    let chunk = bed.note(id, 0, &again, 7).await;
    assert_eq!(
        (chunk.standing(again[0].1), chunk.member(0), chunk.member(2)),
        (Standing::Pending, Some(again[0].1), Some(member(2)))
    );
    let during = bed.fold(id, 0, 8).await;
    assert_eq!((during.status, during.counts.pending, during.counts.failed), (CampaignStatus::Running, 2, 0));
    assert_eq!((during.counts.sent, during.failures.len(), during.ended_at), (2, 0, None));
    bed.note(id, 0, &[(Mark::Sent, again[0].1), (failed("131049"), again[1].1)], 9).await;
    // What is told of the first try changes nothing any more.
    bed.note(id, 0, &each(&failed("131026"), 0..1), 9).await;
    let after = bed.fold(id, 0, 10).await;
    assert_eq!((after.status, after.counts.sent, after.counts.failed), (CampaignStatus::Completed, 3, 1));
    assert_eq!(after.failures.keys().collect::<Vec<_>>(), ["131049"]);
}

#[tokio::test]
async fn a_try_that_is_not_made_yet_is_needless_when_meta_took_the_former_one_after_all() {
    let bed = bed().await;
    let id = bed.running(2).await;
    bed.note(id, 0, &each(&Mark::Unknown, 0..2), 5).await;
    let again = [0, 1].map(|index| (Mark::Retried, Member::new(index, 1).unwrap()));
    bed.note(id, 0, &again, 6).await;
    let chunk = bed.note(id, 0, &each(&Mark::Delivered, 0..1), 7).await;
    assert_eq!((chunk.member(0), chunk.member(1)), (Some(member(0)), Some(again[1].1)));
    let after = bed.fold(id, 0, 8).await;
    assert_eq!((after.counts.pending, after.counts.delivered, after.counts.unknown), (1, 1, 0));
    // It had been made already: both count as one.
    let chunk = bed.note(id, 0, &[(Mark::Sent, again[0].1), (Mark::Sent, again[1].1)], 9).await;
    assert_eq!((chunk.member(0), chunk.standing(again[0].1)), (Some(again[0].1), Standing::Sent));
    let after = bed.fold(id, 0, 10).await;
    assert_eq!((after.counts.pending, after.counts.sent, after.counts.delivered), (0, 2, 1));
}

/// Somebody is at it, it was handed out, or it waits for what will be soon.
#[tokio::test]
async fn what_is_to_be_done_with_a_chunk_is_heeded_unless_somebody_will_do_it_in_time() {
    let bed = bed().await;
    let id = bed.running(2).await;
    let heed = async |second: i64| {
        bed.chunks.heed(&bed.chunk(id, 0).await, at(second)).await.unwrap();
        bed.chunk(id, 0).await.todo_at
    };
    let job = bed.chunks.hand_out(id, 1, at(0)).await.unwrap().remove(0);
    let chunk = bed.chunks.take(&job, at(90)).await.unwrap().unwrap();
    assert_eq!(heed(1).await, Some(at(90)));
    for (todo_at, expected) in
        [(None, Some(at(2))), (Some(at(2 + 60 * 20)), Some(at(2 + 60 * 20))), (Some(at(3 + 60 * 20)), Some(at(2)))]
    {
        let until = bed.chunk(id, 0).await.todo_at.unwrap();
        assert_eq!(bed.chunks.release(&bed.chunk(id, 0).await, until, todo_at).await.unwrap(), Released::Done);
        assert_eq!(heed(2).await, expected, "{todo_at:?}");
    }
    let day = 24 * 60 * 60;
    let waits = bed.note(id, 0, &each(&Mark::Unknown, 0..2), 5).await;
    assert_eq!(waits.due_at(at(6)), Some(at(5 + day)));
    assert_eq!(bed.chunks.release(&waits, at(2), None).await.unwrap(), Released::Done);
    assert_eq!(heed(6).await, Some(at(5 + day)));
    // What somebody has changed meanwhile is theirs.
    bed.chunks.heed(&chunk, at(7)).await.unwrap();
    assert_eq!(bed.chunk(id, 0).await.todo_at, Some(at(5 + day)));
    assert_eq!(bed.note(id, 0, &each(&Mark::Sent, 0..2), 8).await.due_at(at(9)), None);
}

#[tokio::test]
async fn so_many_chunks_are_under_way_and_no_more_and_each_is_taken_once() {
    let bed = bed().await;
    let id = bed.running(700).await;
    let hand_out = async |most: u32, second: i64| bed.chunks.hand_out(id, most, at(second)).await.unwrap();
    let first = hand_out(3, 0).await;
    assert_eq!((first.len(), hand_out(3, 1).await.len()), (3, 0));
    let chunk = bed.chunks.take(&first[0], at(30)).await.unwrap().unwrap();
    // Brought a second time by the queue.
    assert!(bed.chunks.take(&first[0], at(31)).await.unwrap().is_none());
    assert_eq!(hand_out(3, 2).await.len(), 0);
    assert_eq!(bed.chunks.release(&chunk, at(30), None).await.unwrap(), Released::Done);
    let next = hand_out(3, 3).await;
    assert_eq!(next.len(), 1);
    assert!(!first.iter().any(|job| job.chunk == next[0].chunk));
    // Two minutes later nobody has taken what was handed out: it is handed out anew, and the old ticket is worth nothing.
    let again = hand_out(9, 130).await;
    let numbers = |jobs: &[ChunkJob]| jobs.iter().map(|job| job.chunk).collect::<BTreeSet<_>>();
    assert_eq!(numbers(&again), (1..=6).collect());
    assert!(bed.chunks.take(&first[1], at(150)).await.unwrap().is_none());
    assert!(
        bed.chunks
            .take(again.iter().find(|job| job.chunk == first[1].chunk).unwrap(), at(150))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_chunk_whose_worker_died_is_handed_out_again_and_the_dead_has_no_say() {
    let bed = bed().await;
    let id = bed.running(10).await;
    let job = bed.chunks.hand_out(id, 1, at(0)).await.unwrap().remove(0);
    let chunk = bed.chunks.take(&job, at(30)).await.unwrap().unwrap();
    assert!(bed.chunks.hand_out(id, 1, at(29)).await.unwrap().is_empty());
    let again = bed.chunks.hand_out(id, 1, at(30)).await.unwrap().remove(0);
    assert!(bed.chunks.take(&again, at(90)).await.unwrap().is_some());
    assert_eq!(bed.chunks.release(&chunk, at(30), None).await.unwrap(), Released::Lost);
    assert_eq!(bed.chunk(id, 0).await.todo_at, Some(at(90)));
    assert_eq!(bed.chunks.release(&chunk, at(90), Some(at(95))).await.unwrap(), Released::Done);
    assert_eq!(bed.chunk(id, 0).await.todo_at, Some(at(95)));
    // Whoever releases must have seen all that is known.
    let newer = bed.note(id, 0, &each(&Mark::Sent, 0..1), 96).await;
    assert_eq!(bed.chunks.release(&chunk, at(95), None).await.unwrap(), Released::Changed);
    assert_eq!(bed.chunks.release(&newer, at(95), None).await.unwrap(), Released::Done);
    // Another try of somebody is something to do at once.
    bed.note(id, 0, &[(Mark::Retried, Member::new(0, 1).unwrap())], 99).await;
    assert_eq!(bed.chunks.hand_out(id, 1, at(99)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_outage_is_never_an_absent_campaign() {
    let Bed { engine, campaigns, chunks, .. } = bed().await;
    engine.stop().await;
    assert_eq!(campaigns.get(CampaignId(1)).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(chunks.note(CampaignId(1), 0, &[], at(0)).await.unwrap_err().kind(), Kind::Unavailable);
}
