//! Single ways through the model, step by step: that what the properties are about does happen, and in which way.

use CampaignStatus::{Completed, Paused, Running};
use domain::{CampaignStatus, CampaignStep, Member, SendState};
use stateright::Model;

use crate::action::{Action, Answer, Care, Retry, Sending, Work};
use crate::chunk::{Known, Mark, Todo, member};
use crate::model::OneChunk;
use crate::scope::Scope;
use crate::world::{AtMeta, World};

/// One recipient who may be tried again, and everything that can happen.
pub(crate) const ALL: Scope = Scope { tries: 2, at_once: 4, ..Scope::ONE };

/// The only recipient in the first try.
pub(crate) const FIRST: Member = Member::from_number(0);

/// What a worker does to take the chunk and claim the message.
pub(crate) const CLAIM: [Action; 3] = [Action::HandOut, Action::Work(0, Work::Take), send(Sending::Claim)];
/// What it does when it has noted what became of that.
pub(crate) const HAND_ON: [Action; 3] = [Action::Work(0, Work::Count), Action::Work(0, Work::Release), CONCLUDE[0]];
/// What it does then where it finds something to conclude.
pub(crate) const CONCLUDE: [Action; 1] = [Action::Work(0, Work::Conclude)];
/// What the caretaker does with a chunk that has changed.
const COUNT: [Action; 3] = [Action::Care(Care::Read), Action::Care(Care::Count), Action::Care(Care::Conclude)];
/// What somebody does with a running campaign who tries again those who failed.
pub(crate) const TRY_AGAIN: [Action; 4] = [Action::Retry(Retry::Read), REST[0], REST[1], REST[2]];
/// The same also for those who are unknown.
pub(crate) const RISK: [Action; 4] = [Action::Retry(Retry::ReadUnknownToo), REST[0], REST[1], REST[2]];
const REST: [Action; 3] = [Action::Retry(Retry::Note), Action::Retry(Retry::Count), Action::Retry(Retry::Conclude)];

/// What the first worker does about the recipient.
pub(crate) const fn send(sending: Sending) -> Action {
    Action::Send(0, 0, sending)
}

/// What it does when Meta has given this answer.
pub(crate) const fn post(answer: Answer) -> [Action; 3] {
    [send(Sending::Post(answer)), send(Sending::Record), Action::Work(0, Work::Note)]
}

/// Meta tells this of the first try's message, of which nobody had learnt that Meta has it.
pub(crate) const fn settle(mark: Mark) -> [Action; 2] {
    [Action::Settle(FIRST), Action::Tell(FIRST, mark)]
}

/// Where these steps lead, each of which must be possible then.
pub(crate) fn walk<'a>(scope: Scope, parts: impl IntoIterator<Item = &'a [Action]>) -> World {
    let model = OneChunk(scope);
    let mut world = World::begin(&scope);
    for (number, action) in parts.into_iter().flatten().enumerate() {
        let mut possible = Vec::new();
        model.actions(&world, &mut possible);
        assert!(possible.contains(action), "step {number}, {action:?}, is none of {possible:?} in {world:?}");
        world = model.next_state(&world, *action).unwrap();
    }
    world
}

fn known(world: &World, attempt: u32) -> Known {
    world.chunk.known(member(0, attempt))
}

#[test]
fn a_message_goes_to_meta_and_the_campaign_is_completed() {
    let world = walk(ALL, [&CLAIM[..], &post(Answer::Taken), &HAND_ON, &CONCLUDE]);
    assert_eq!((world.status, world.counts.sent, world.chunk.todo), (Completed, 1, Todo::Nothing));
    let message = world.message(FIRST);
    assert_eq!((message.state, message.at_meta), (Some(SendState::Accepted), AtMeta::Taken));
}

#[test]
fn whoever_dies_between_claim_and_call_leaves_an_unknown_and_nobody_calls_again() {
    let another = [Action::HandOut, Action::Work(0, Work::Take), send(Sending::ClaimLate), Action::Work(0, Work::Note)];
    let world = walk(ALL, [&CLAIM[..], &[Action::Work(0, Work::Die)], &another, &HAND_ON]);
    assert_eq!((world.status, known(&world, 0), world.counts.open), (Running, Known::Unknown, 1));
    let message = world.message(FIRST);
    assert_eq!((message.state, message.at_meta), (Some(SendState::Sending), AtMeta::Nothing));
    assert_eq!(world.chunk.todo, Todo::Waits);
}

#[test]
fn a_day_later_nobody_waits_for_an_unknown_any_more() {
    let later = [Action::PassDay, Action::HandOut, Action::Work(0, Work::Take)];
    let world = walk(ALL, [&CLAIM[..], &post(Answer::NotHeard), &HAND_ON, &later, &HAND_ON, &CONCLUDE]);
    assert_eq!((world.status, world.counts.unknown, world.counts.open), (Completed, 1, 0));
    assert_eq!(world.chunk.todo, Todo::Nothing);
}

#[test]
fn a_message_that_was_put_back_is_sent_by_another_worker() {
    let put_back = [send(Sending::Post(Answer::NoPlace)), send(Sending::Record)];
    let first = walk(ALL, [&CLAIM[..], &put_back, &HAND_ON]);
    assert_eq!(first.message(FIRST).state, Some(SendState::Pending));
    assert_eq!((first.counts.pending, first.chunk.todo, first.at_work()), (1, Todo::Waits, 0));
    let world = walk(ALL, [&CLAIM[..], &put_back, &HAND_ON, &CLAIM, &post(Answer::Taken)]);
    assert_eq!((known(&world, 0), world.message(FIRST).times), (Known::Sent, 1));
}

#[test]
fn a_webhook_settles_an_unknown() {
    let conclude = [Action::Care(Care::Conclude)];
    let told = settle(Mark::Delivered);
    let world = walk(ALL, [&CLAIM[..], &post(Answer::TakenUnheard), &HAND_ON, &told, &COUNT, &conclude]);
    assert_eq!(world.message(FIRST).state, Some(SendState::Accepted));
    assert_eq!((world.status, world.counts.unknown, world.counts.delivered), (Completed, 0, 1));
}

#[test]
fn a_status_that_comes_before_its_senders_own_record_stands() {
    let posted = [send(Sending::Post(Answer::TakenUnheard))];
    let rest = [send(Sending::Record), Action::Work(0, Work::Note)];
    let world = walk(ALL, [&CLAIM[..], &posted, &settle(Mark::Delivered), &rest]);
    assert_eq!((world.message(FIRST).state, known(&world, 0)), (Some(SendState::Accepted), Known::Delivered));
}

#[test]
fn a_claim_whose_answer_was_lost_is_ones_own_and_one_that_is_given_up_is_free_again() {
    let unheard = [Action::HandOut, Action::Work(0, Work::Take), send(Sending::ClaimUnheard)];
    let world = walk(ALL, [&unheard[..], &[send(Sending::Claim)], &post(Answer::Taken)]);
    assert_eq!(known(&world, 0), Known::Sent);
    let world = walk(ALL, [&unheard[..], &[send(Sending::GiveUp)], &CLAIM, &post(Answer::Taken)]);
    assert_eq!((known(&world, 0), world.message(FIRST).times), (Known::Sent, 1));
}

#[test]
fn whoever_failed_is_tried_again_with_another_message_and_a_campaign_that_ended_runs_again() {
    let runs_again = [Action::Retry(Retry::Conclude)];
    let until_then = [&CLAIM[..], &post(Answer::Refused), &HAND_ON, &CONCLUDE, &TRY_AGAIN, &runs_again].concat();
    let world = walk(ALL, [&until_then[..]]);
    assert_eq!((world.status, world.counts.pending), (Running, 1));
    let world = walk(ALL, [&until_then[..], &CLAIM, &post(Answer::Taken)]);
    assert_eq!((known(&world, 0), known(&world, 1)), (Known::Failed, Known::Sent));
}

#[test]
fn whoever_is_unknown_and_tried_again_may_get_two_messages() {
    let world = walk(ALL, [&CLAIM[..], &post(Answer::TakenUnheard), &HAND_ON, &RISK, &CLAIM, &post(Answer::Taken)]);
    assert_eq!(world.messages[0].map(|message| message.times), [1, 1]);
    assert!(world.seen.is_risked[0]);
}

#[test]
fn a_job_that_comes_while_the_campaign_is_paused_is_given_back() {
    let paused = [Action::HandOut, Action::Control(CampaignStep::Pause), Action::Work(0, Work::GiveBack)];
    let world = walk(ALL, [&paused[..]]);
    assert_eq!((world.status, world.chunk.todo, world.counts.pending), (Paused, Todo::Waits, 1));
}
