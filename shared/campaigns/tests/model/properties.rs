//! What holds in every state, and what must be reached in some, so that it means something.

use domain::{CampaignStatus, SendState};
use stateright::Property;

use crate::chunk::{Known, Todo};
use crate::model::OneChunk;
use crate::world::{AtMeta, World};

pub(crate) const ONCE_A_TRY: &str = "Meta takes one message a try";
pub(crate) const NOT_TWO: &str = "nobody gets two messages, unless somebody risks it";
pub(crate) const FOUND: &str = "whoever is still to be written to is found";
pub(crate) const AWAITED: &str = "a chunk that somebody waits for is looked at again";
pub(crate) const NEVER_BACK: &str = "what is counted as sent, delivered or read stays counted";
pub(crate) const TRUE_COUNTS: &str = "when everything is told, the counts are Meta's";
pub(crate) const TRUE_STANDINGS: &str = "when everything is told, everybody stands where Meta has them";
pub(crate) const DONE: &str = "a campaign that ended has nobody left";
pub(crate) const RIGHT_END: &str = "a campaign that ended is what its counts say";
pub(crate) const ON_THE_TABLE: &str = "only steps of the tables are taken";
const EVERYBODY: &str = "everybody has it";
const NOBODY: &str = "nobody got it";
const NEVER_LEARNT: &str = "it is never learnt what became of somebody";
const PUT_BACK: &str = "somebody waits who was put back";

pub(crate) fn all() -> Vec<Property<OneChunk>> {
    vec![
        Property::always(ONCE_A_TRY, once_a_try),
        Property::always(NOT_TWO, not_two),
        Property::always(FOUND, found),
        Property::always(AWAITED, awaited),
        Property::always(NEVER_BACK, |_, world: &World| !world.seen.counted_back),
        Property::always(TRUE_COUNTS, true_counts),
        Property::always(TRUE_STANDINGS, true_standings),
        Property::always(DONE, done),
        Property::always(RIGHT_END, right_end),
        Property::always(ON_THE_TABLE, |_, world: &World| !world.seen.left_the_table),
        Property::sometimes(EVERYBODY, everybody),
        Property::sometimes(NOBODY, |_, world: &World| world.status == CampaignStatus::Failed),
        Property::sometimes(NEVER_LEARNT, |_, world: &World| {
            world.status == CampaignStatus::Completed && world.counts.unknown > 0 && is_quiet(world)
        }),
        Property::sometimes(PUT_BACK, |_, world: &World| {
            is_quiet(world) && world.messages.iter().flatten().any(|message| message.state == Some(SendState::Pending))
        }),
    ]
}

/// Whether nobody is at work on the campaign, and the caretaker will find nothing to count.
pub(crate) fn is_quiet(world: &World) -> bool {
    !world.chunk.is_changed && world.at_work() == 0
}

/// Whether moreover everything is told that Meta has to tell, which it repeats until it is heard.
fn is_told(model: &OneChunk, world: &World) -> bool {
    is_quiet(world)
        && model.members().all(|member| {
            let message = world.message(member);
            let is_noted = message.state == Some(SendState::Accepted) && world.chunk.known(member) >= Known::Sent;
            message.at_meta < AtMeta::Taken || is_noted
        })
}

fn once_a_try(_: &OneChunk, world: &World) -> bool {
    world.messages.iter().flatten().all(|message| message.times <= 1)
}

/// A message that Meta took and that failed reaches nobody.
fn not_two(_: &OneChunk, world: &World) -> bool {
    world.messages.iter().zip(world.seen.is_risked).all(|(tries, is_risked)| {
        let reaching = tries.iter().filter(|message| message.at_meta != AtMeta::Failed);
        is_risked || reaching.map(|message| message.times).sum::<u8>() <= 1
    })
}

fn found(OneChunk(scope): &OneChunk, world: &World) -> bool {
    !is_quiet(world)
        || world.chunk.todo != Todo::Nothing
        || world.status == CampaignStatus::Cancelled
        || !world.has(scope, Known::Nothing)
}

fn awaited(_: &OneChunk, world: &World) -> bool {
    !is_quiet(world)
        || world.chunk.todo != Todo::Nothing
        || world.status != CampaignStatus::Running
        || world.counts.open == 0
}

fn true_counts(model: &OneChunk, world: &World) -> bool {
    if !is_told(model, world) {
        return true;
    }
    let (counts, tally) = (world.counts, world.tally(&model.0));
    let recipients = |is_it: fn(AtMeta) -> bool| {
        let tries = world.messages.iter().map(|tries| tries.iter().any(|message| is_it(message.at_meta)));
        tries.map(u8::from).sum::<u8>()
    };
    // That a day is over is counted when the chunk is next worked on.
    let is_counted =
        counts == tally || (world.chunk.is_day_over && counts == world.chunk.tally(model.0.recipients, true));
    is_counted
        && counts.sent == recipients(|at_meta| at_meta >= AtMeta::Taken)
        && counts.delivered == recipients(|at_meta| at_meta >= AtMeta::Delivered)
        && counts.read == recipients(|at_meta| at_meta == AtMeta::Read)
}

fn true_standings(model: &OneChunk, world: &World) -> bool {
    !is_told(model, world)
        || model.members().all(|member| {
            let known = world.chunk.known(member);
            match world.message(member).at_meta {
                AtMeta::Nothing => matches!(known, Known::Nothing | Known::Unknown | Known::LeftOut),
                AtMeta::Refused => !known.is_taken() && known != Known::SentAndFailed,
                AtMeta::Taken => known == Known::Sent,
                AtMeta::Failed => known == Known::SentAndFailed,
                AtMeta::Delivered => known == Known::Delivered,
                AtMeta::Read => known == Known::Read,
            }
        })
}

fn done(OneChunk(scope): &OneChunk, world: &World) -> bool {
    let open = world.chunk.tally(scope.recipients, !world.chunk.is_day_over).open;
    !world.seen.ended_early && (!is_quiet(world) || !world.has_ended() || open == 0)
}

fn right_end(OneChunk(scope): &OneChunk, world: &World) -> bool {
    !is_quiet(world) || !world.has_ended() || world.conclusion(scope).is_none()
}

fn everybody(OneChunk(scope): &OneChunk, world: &World) -> bool {
    world.status == CampaignStatus::Completed && u32::from(world.counts.sent) == scope.recipients
}
