//! A worker, as `campaigns::Worker`: from taking a chunk to releasing it and concluding. It may die between any two steps, and
//! the chunk may be handed to another one meanwhile.

use domain::CampaignStatus;

use crate::action::{Action, Work};
use crate::chunk::{Known, Mark, Todo, member};
use crate::delivery;
use crate::scope::{Mistake, RECIPIENTS, Scope};
use crate::world::{Conclusion, Fate, Send, Stage, Worker, World};

/// What a worker may do next.
pub(crate) fn possible(world: &World, scope: &Scope, number: usize, actions: &mut Vec<Action>) {
    let worker = &world.workers[number];
    let mut may = |work| actions.push(Action::Work(number, work));
    match worker.stage {
        Stage::Idle => {
            let runs = world.status == CampaignStatus::Running;
            match world.chunk.todo {
                Todo::HandedOut if runs => may(Work::Take),
                Todo::HandedOut => may(Work::GiveBack),
                Todo::Taken if runs && world.workers.iter().any(|other| other.holds) => may(Work::TakeToo),
                Todo::Taken | Todo::Waits | Todo::Nothing => {}
            }
            return;
        }
        Stage::Sends { sends, .. } if is_group_over(scope, &sends) => may(Work::Note),
        Stage::Sends { is_checked: false, .. } => may(Work::Check),
        Stage::Sends { sends, .. } => {
            let group = (0..).zip(sends).filter(|(_, send)| is_busy(*send));
            for (index, send) in group.take(if scope.is_side_by_side { RECIPIENTS } else { 1 }) {
                delivery::possible(world, scope, number, index, send, actions);
            }
            let owns_none = world.messages.iter().flatten().all(|message| message.owner != Some(number));
            if owns_none && sends.iter().all(|send| matches!(send, Send::Nothing | Send::Claims(_))) {
                actions.push(Action::Work(number, Work::CutShort));
            }
        }
        Stage::Counts => {
            may(Work::Count);
            // Whoever changes it leaves that behind.
            if world.chunk.is_changed {
                may(Work::CountInVain);
            }
        }
        Stage::Releases { .. } => may(Work::Release),
        Stage::Concludes(_) => may(Work::Conclude),
    }
    if scope.has_deaths {
        actions.push(Action::Work(number, Work::Die));
    }
}

pub(crate) fn works(world: &mut World, scope: &Scope, number: usize, work: Work) {
    match work {
        Work::Take => {
            world.set_todo(Todo::Taken);
            takes(world, scope, number);
        }
        Work::TakeToo => takes(world, scope, number),
        Work::GiveBack => world.set_todo(Todo::Waits),
        Work::Check => {
            let goes_on = world.status == CampaignStatus::Running && world.workers[number].holds;
            let stage = &mut world.workers[number].stage;
            match stage {
                Stage::Sends { is_checked, .. } if goes_on => *is_checked = true,
                _ => *stage = Stage::Counts,
            }
        }
        Work::CutShort => world.workers[number].stage = Stage::Counts,
        Work::Note => notes(world, scope, number),
        Work::Count | Work::CountInVain => {
            if work == Work::Count {
                world.fold(scope);
            }
            let has_pending = world.has(scope, Known::Nothing) && !scope.has(Mistake::ForgetsWhoWasPutBack);
            let has_more = has_pending || (world.has(scope, Known::Unknown) && !world.chunk.is_day_over);
            world.workers[number].stage = Stage::Releases { has_more, is_fresh: true };
        }
        Work::Release => releases(world, scope, number),
        Work::Conclude => {
            if let Stage::Concludes(conclusion) = world.workers[number].stage {
                let next = world.conclude(scope, conclusion);
                world.workers[number].stage = next.map_or(Stage::Idle, Stage::Concludes);
            }
        }
        Work::Die => stops(world, number),
    }
}

/// It has the chunk, and begins with those who are still to be written to.
fn takes(world: &mut World, scope: &Scope, number: usize) {
    let mut sends = [Send::Nothing; RECIPIENTS];
    for (index, send) in (0..scope.recipients).zip(&mut sends) {
        let member = world.chunk.member(index);
        if world.chunk.known(member) == Known::Nothing {
            *send = Send::Claims(member.attempt());
        }
    }
    let has_none = sends.iter().all(|send| *send == Send::Nothing);
    let stage = if has_none { Stage::Counts } else { Stage::Sends { sends, is_checked: true } };
    world.workers[number] = Worker { stage, holds: true };
}

const fn is_busy(send: Send) -> bool {
    matches!(send, Send::Claims(_) | Send::Posts(_) | Send::Records(..))
}

pub(crate) fn is_group_over(scope: &Scope, sends: &[Send]) -> bool {
    let has_done = sends.iter().any(|send| matches!(send, Send::Done(..)));
    has_done && (!scope.is_side_by_side || !sends.iter().any(|send| is_busy(*send)))
}

/// What is noted of a recipient with whom it is done. `None`: nothing that lasts.
pub(crate) const fn mark(send: Send) -> Option<(u32, Mark)> {
    let Send::Done(attempt, fate) = send else { return None };
    let mark = match fate {
        Fate::Sent => Mark::Sent,
        Fate::Failed => Mark::Failed,
        Fate::Unknown => Mark::Unknown,
        Fate::LeftOut => Mark::LeftOut,
        Fate::UnderWay | Fate::PutBack | Fate::Error => return None,
    };
    Some((attempt, mark))
}

/// Notes what is known of a group, with one write; and goes on, unless a message could not be claimed.
pub(crate) fn notes(world: &mut World, scope: &Scope, number: usize) {
    let Stage::Sends { mut sends, .. } = world.workers[number].stage else { return };
    let has_failed = sends.iter().any(|send| matches!(send, Send::Done(_, Fate::Error)));
    for (index, send) in (0..).zip(&mut sends) {
        if let Some((attempt, mark)) = mark(*send) {
            world.note(scope, mark, member(index, attempt));
        }
        if let Send::Done(..) = send {
            *send = Send::Nothing;
        }
    }
    if has_failed {
        stops(world, number);
        return;
    }
    let is_over = sends.iter().all(|send| *send == Send::Nothing);
    world.workers[number].stage = if is_over { Stage::Counts } else { Stage::Sends { sends, is_checked: false } };
}

/// Says whether there is something to do with the chunk again, if it is still its own.
fn releases(world: &mut World, scope: &Scope, number: usize) {
    let worker = world.workers[number];
    let Stage::Releases { has_more, is_fresh } = worker.stage else { return };
    if worker.holds && !is_fresh && !scope.has(Mistake::ReleasesWhatItHasNotRead) {
        world.workers[number].stage = Stage::Counts;
        return;
    }
    if worker.holds {
        world.set_todo(if has_more { Todo::Waits } else { Todo::Nothing });
    }
    world.workers[number] = Worker { stage: Stage::Concludes(Conclusion::Reads), holds: false };
}

fn stops(world: &mut World, number: usize) {
    world.forget_claims(number, |_| true);
    world.workers[number] = Worker::default();
}
