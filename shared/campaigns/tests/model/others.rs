//! Everybody else: the caretaker, whoever steers the campaign, and Meta with what it tells.

use domain::{CampaignStatus, CampaignStep, Member, SendState, SendStep};

use crate::action::{Action, Care, Retry};
use crate::chunk::{Counts, Known, Mark, Todo, member};
use crate::scope::{Mistake, RECIPIENTS, Scope};
use crate::world::{Again, AtMeta, Caretaker, Conclusion, Retrier, Then, World};

/// What the caretaker may do next, as `campaigns::Caretaker`. That it hands out chunks is an action of its own.
pub(crate) fn may_care(world: &World, scope: &Scope, actions: &mut Vec<Action>) {
    let mut may = |care| actions.push(Action::Care(care));
    match world.caretaker {
        Caretaker::Idle => {
            if world.chunk.is_changed {
                may(Care::Read);
            }
            if world.status == CampaignStatus::Running && world.conclusion(scope).is_some() {
                may(Care::Tend);
            }
            return;
        }
        Caretaker::Counts { .. } => may(Care::Count),
        Caretaker::Wakes { .. } => may(Care::Wake),
        Caretaker::Concludes(..) => may(Care::Conclude),
        Caretaker::Clears { .. } => may(Care::Clear),
    }
    if scope.has_deaths {
        may(Care::Die);
    }
}

pub(crate) fn cares(world: &mut World, scope: &Scope, care: Care) {
    world.caretaker = match (care, world.caretaker) {
        (Care::Read, _) => reads(world, scope),
        (Care::Count, Caretaker::Counts { is_fresh: false, .. }) if !scope.has(Mistake::CountsWhatWasRead) => {
            reads(world, scope)
        }
        (Care::Count, Caretaker::Counts { is_unheeded, is_fresh, tally }) => {
            if is_fresh {
                world.fold(scope);
            } else {
                world.fold_as(scope, tally);
            }
            let is_pending = world.has(scope, Known::Nothing);
            let is_open = is_pending || (world.tally(scope).open > 0 && !scope.has(Mistake::HeedsThePendingAlone));
            if is_unheeded && is_open { Caretaker::Wakes { is_fresh: true } } else { concludes(scope, true) }
        }
        (Care::Wake, Caretaker::Wakes { is_fresh }) => {
            if world.chunk.todo == Todo::Nothing {
                world.set_todo(Todo::Waits);
            }
            concludes(scope, is_fresh)
        }
        (Care::Tend, _) => {
            let next = world.conclude(scope, Conclusion::Reads);
            next.map_or(Caretaker::Idle, |next| Caretaker::Concludes(next, Then::Nothing))
        }
        (Care::Conclude, Caretaker::Concludes(conclusion, then)) => match (world.conclude(scope, conclusion), then) {
            (Some(next), then) => Caretaker::Concludes(next, then),
            (None, Then::Clears { is_fresh }) => Caretaker::Clears { is_fresh },
            (None, Then::Nothing) => Caretaker::Idle,
        },
        (Care::Clear, Caretaker::Clears { is_fresh }) => {
            world.chunk.is_changed &= !is_fresh;
            Caretaker::Idle
        }
        _ => Caretaker::Idle,
    };
}

fn reads(world: &World, scope: &Scope) -> Caretaker {
    let tally = if scope.has(Mistake::CountsWhatWasRead) { world.tally(scope) } else { Counts::default() };
    Caretaker::Counts { is_unheeded: world.chunk.todo == Todo::Nothing, is_fresh: true, tally }
}

fn concludes(scope: &Scope, is_fresh: bool) -> Caretaker {
    let then = if scope.has(Mistake::SeesToWhatItCounted) { Then::Nothing } else { Then::Clears { is_fresh } };
    Caretaker::Concludes(Conclusion::Reads, then)
}

/// What somebody may do next with the campaign, as `campaigns::Brakes` and `campaigns::Controls`.
pub(crate) fn may_steer(world: &World, scope: &Scope, actions: &mut Vec<Action>) {
    if scope.has_controls {
        let steps = [CampaignStep::Pause, CampaignStep::Resume, CampaignStep::Cancel];
        let allowed = steps.into_iter().filter(|step| step.leads_to(world.status).is_some());
        actions.extend(allowed.map(Action::Control));
    }
    match world.retrier {
        Retrier::Away => {
            if CampaignStep::RetryFailed.leads_to(world.status).is_some() {
                let who = to_try_again(world, scope, true);
                if who.iter().any(|again| matches!(again, Again::AfterFailure(_))) {
                    actions.push(Action::Retry(Retry::Read));
                }
                if who.iter().any(|again| matches!(again, Again::AfterUnknown(_))) {
                    actions.push(Action::Retry(Retry::ReadUnknownToo));
                }
            }
            return;
        }
        Retrier::Notes { .. } => actions.push(Action::Retry(Retry::Note)),
        Retrier::Counts { .. } => actions.push(Action::Retry(Retry::Count)),
        Retrier::Concludes(_) => actions.push(Action::Retry(Retry::Conclude)),
    }
    if scope.has_deaths {
        actions.push(Action::Retry(Retry::Die));
    }
}

/// Who is tried again if somebody wants it now.
fn to_try_again(world: &World, scope: &Scope, unknown_too: bool) -> [Again; RECIPIENTS] {
    let mut who = [Again::No; RECIPIENTS];
    for (index, again) in (0..scope.recipients).zip(&mut who) {
        let now = world.chunk.member(index);
        let (known, next) = (world.chunk.known(now), now.attempt() + 1);
        if next < scope.tries && known.is_failed() {
            *again = Again::AfterFailure(next);
        } else if next < scope.tries && known == Known::Unknown && unknown_too {
            *again = Again::AfterUnknown(next);
        }
    }
    who
}

pub(crate) fn tries_again(world: &mut World, scope: &Scope, retry: Retry) {
    world.retrier = match (retry, world.retrier) {
        (Retry::Read | Retry::ReadUnknownToo, _) => {
            Retrier::Notes { who: to_try_again(world, scope, retry == Retry::ReadUnknownToo) }
        }
        (Retry::Note, Retrier::Notes { who }) | (Retry::Count, Retrier::Counts { who, is_fresh: false }) => {
            for (index, again) in (0..).zip(who) {
                let (Again::AfterFailure(next) | Again::AfterUnknown(next)) = again else { continue };
                let next = member(index, next);
                world.seen.is_risked[next.index() as usize] |= matches!(again, Again::AfterUnknown(_));
                world.note_retried(scope, next);
            }
            Retrier::Counts { who, is_fresh: true }
        }
        (Retry::Count, Retrier::Counts { .. }) => {
            world.fold(scope);
            Retrier::Concludes(Conclusion::Reads)
        }
        (Retry::Conclude, Retrier::Concludes(conclusion)) => {
            world.conclude(scope, conclusion).map_or(Retrier::Away, Retrier::Concludes)
        }
        _ => Retrier::Away,
    };
}

/// What Meta may tell of a message that it took, as `inbox::Inbox` writes it down: first in the message's row. What has become
/// of it is decided when it is first told: before that nobody can know.
pub(crate) fn may_tell(world: &World, scope: &Scope, member: Member, actions: &mut Vec<Action>) {
    let message = world.message(member);
    let may_be_told: &[Mark] = match message.at_meta {
        AtMeta::Nothing | AtMeta::Refused => return,
        AtMeta::Taken => &[Mark::Sent, Mark::Failed, Mark::Delivered],
        AtMeta::Failed => &[Mark::Sent, Mark::Failed],
        AtMeta::Delivered | AtMeta::Read => &[Mark::Sent, Mark::Delivered, Mark::Read],
    };
    if message.state == Some(SendState::Accepted) {
        let may_be_told = may_be_told.iter().filter(|mark| **mark <= scope.farthest);
        actions.extend(may_be_told.map(|mark| Action::Tell(member, *mark)));
    } else {
        actions.push(Action::Settle(member));
    }
}

pub(crate) fn settles(world: &mut World, scope: &Scope, member: Member) {
    world.write(scope, member, SendStep::Settle, None);
}

pub(crate) fn tells(world: &mut World, scope: &Scope, member: Member, mark: Mark) {
    let message = world.message_mut(member);
    message.at_meta = match mark {
        Mark::Failed => AtMeta::Failed,
        Mark::Delivered => message.at_meta.max(AtMeta::Delivered),
        Mark::Read => AtMeta::Read,
        Mark::Unknown | Mark::LeftOut | Mark::Sent => message.at_meta,
    };
    if scope.has(Mistake::NotesNoStatus) {
        return;
    }
    // Whatever it is, Meta took the message.
    if mark == Mark::Failed {
        world.note(scope, Mark::Sent, member);
    }
    world.note(scope, mark, member);
}
