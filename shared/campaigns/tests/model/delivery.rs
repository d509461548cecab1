//! One message from its claim to what is written down of it, as `outbox::Outbox::deliver`.

use domain::{Member, SendState, SendStep};

use crate::action::{Action, Answer, Sending};
use crate::chunk::member;
use crate::scope::{Mistake, Scope};
use crate::worker;
use crate::world::{AtMeta, Fate, Send, Stage, World};

/// What a worker may do next about a recipient.
pub(crate) fn possible(world: &World, scope: &Scope, number: usize, index: u32, send: Send, actions: &mut Vec<Action>) {
    let mut may = |sending| actions.push(Action::Send(number, index, sending));
    match send {
        Send::Claims(attempt) => {
            let message = world.message(member(index, attempt));
            let is_own = message.owner == Some(number);
            let is_free = scope.leads_to(SendStep::Claim, message.state).is_some();
            may(Sending::Claim);
            if message.state == Some(SendState::Sending) && !is_own && !is_free {
                may(Sending::ClaimLate);
            }
            if scope.has_losses {
                may(Sending::GiveUp);
                if is_free {
                    may(Sending::ClaimUnheard);
                }
                if is_own {
                    may(Sending::GiveUpUnheard);
                }
            }
            if scope.has_opt_outs && !is_own {
                may(Sending::LeaveOut);
            }
        }
        Send::Posts(_) => {
            use Answer::{NoPlace, NotHeard, Refused, Taken, TakenUnheard};
            for answer in [Taken, TakenUnheard, NotHeard, Refused, NoPlace] {
                may(Sending::Post(answer));
            }
        }
        Send::Records(..) => {
            may(Sending::Record);
            if scope.has_losses {
                may(Sending::RecordInVain);
            }
        }
        Send::Nothing | Send::Done(..) => {}
    }
}

pub(crate) fn sends(world: &mut World, scope: &Scope, number: usize, index: u32, sending: Sending) {
    let Stage::Sends { mut sends, is_checked } = world.workers[number].stage else { return };
    let place = index as usize;
    sends[place] = next(world, scope, number, index, sends[place], sending);
    world.workers[number].stage = Stage::Sends { sends, is_checked };
    if let Send::Done(..) = sends[place] {
        world.forget_claims(number, |recipient| recipient == place);
        // Where there is nothing to note, nothing is written, and nobody can tell when.
        if worker::is_group_over(scope, &sends) && sends.iter().all(|send| worker::mark(*send).is_none()) {
            worker::notes(world, scope, number);
        }
    }
}

/// How far the worker is then.
fn next(world: &mut World, scope: &Scope, number: usize, index: u32, send: Send, sending: Sending) -> Send {
    match (send, sending) {
        (Send::Claims(attempt), Sending::LeaveOut) => Send::Done(attempt, Fate::LeftOut),
        (Send::Claims(attempt), Sending::Claim | Sending::ClaimLate) => {
            claims(world, scope, number, member(index, attempt), sending == Sending::ClaimLate)
        }
        (Send::Claims(attempt), Sending::ClaimUnheard) => {
            world.write(scope, member(index, attempt), SendStep::Claim, Some(number));
            send
        }
        (Send::Claims(attempt), Sending::GiveUp) => {
            world.write(scope, member(index, attempt), SendStep::PutBack, Some(number));
            Send::Done(attempt, Fate::Error)
        }
        (Send::Claims(attempt), Sending::GiveUpUnheard) => Send::Done(attempt, Fate::Error),
        (Send::Posts(attempt), Sending::Post(answer)) => {
            Send::Records(attempt, posts(world, scope, member(index, attempt), answer))
        }
        (Send::Records(attempt, step), Sending::Record) => {
            // Whether the row allows it or not.
            world.write(scope, member(index, attempt), step, Some(number));
            Send::Done(attempt, fate(step))
        }
        (Send::Records(attempt, step), Sending::RecordInVain) => Send::Done(attempt, fate(step)),
        _ => send,
    }
}

/// As `Outbox::claim`, and `standing` where the message is another's.
fn claims(world: &mut World, scope: &Scope, number: usize, member: Member, is_late: bool) -> Send {
    let message = *world.message(member);
    // The answer to its own claim was lost.
    let is_ours = (message.state, message.owner) == (Some(SendState::Sending), Some(number));
    if is_ours || scope.has(Mistake::PostsWithoutClaiming) || world.write(scope, member, SendStep::Claim, Some(number))
    {
        return Send::Posts(member.attempt());
    }
    let fate = match message.state {
        Some(SendState::Accepted) => Fate::Sent,
        Some(SendState::Rejected) => Fate::Failed,
        Some(SendState::Unknown) => Fate::Unknown,
        Some(SendState::Sending) if is_late => Fate::Unknown,
        Some(SendState::Sending) => Fate::UnderWay,
        Some(SendState::Pending) | None => Fate::PutBack,
    };
    Send::Done(member.attempt(), fate)
}

/// What Meta does with a message, and what its sender makes of the answer, as `judge`.
fn posts(world: &mut World, scope: &Scope, member: Member, answer: Answer) -> SendStep {
    let message = world.message_mut(member);
    if matches!(answer, Answer::Taken | Answer::TakenUnheard) {
        message.at_meta = message.at_meta.max(AtMeta::Taken);
        message.times = (message.times + 1).min(2);
    }
    match answer {
        Answer::Taken => SendStep::Accept,
        Answer::Refused => {
            message.at_meta = message.at_meta.max(AtMeta::Refused);
            SendStep::Reject
        }
        Answer::NoPlace => SendStep::PutBack,
        Answer::TakenUnheard | Answer::NotHeard => match scope.mistake {
            Some(Mistake::CountsTheUnknownAsFailed) => SendStep::Reject,
            Some(Mistake::PutsBackWhatWasNotAnswered | Mistake::PutsBackWhatMetaHas) => SendStep::PutBack,
            _ => SendStep::LoseTrack,
        },
    }
}

const fn fate(step: SendStep) -> Fate {
    match step {
        SendStep::Accept => Fate::Sent,
        SendStep::Reject => Fate::Failed,
        SendStep::LoseTrack => Fate::Unknown,
        _ => Fate::PutBack,
    }
}
