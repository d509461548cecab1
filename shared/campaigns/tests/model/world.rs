//! All there is at a moment: the rows of the tables, what Meta has, and how far everybody is who works on the campaign.

use domain::{CAMPAIGN_TRANSITIONS, CampaignStatus, CampaignStep, Member, SendState, SendStep, TRANSITIONS};

use crate::chunk::{Chunk, Counts, Known, Mark, Todo, place};
use crate::scope::{Mistake, RECIPIENTS, Scope, TRIES, WORKERS};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The campaign's row. There is only one chunk, so its counts are also what the chunk's row says is counted of it: one
    /// transaction writes both.
    pub(crate) status: CampaignStatus,
    pub(crate) counts: Counts,
    pub(crate) chunk: Chunk,
    /// The message of each recipient in each try.
    pub(crate) messages: [[Message; TRIES]; RECIPIENTS],
    pub(crate) workers: [Worker; WORKERS],
    pub(crate) caretaker: Caretaker,
    pub(crate) retrier: Retrier,
    pub(crate) seen: Seen,
}

/// A message's row, and what Meta has of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Message {
    pub(crate) state: Option<SendState>,
    /// Which worker's claim stands in the row. Each claim has a token of its own; that of one that is over is nobody's.
    pub(crate) owner: Option<usize>,
    pub(crate) at_meta: AtMeta,
    /// How often Meta took it.
    pub(crate) times: u8,
}

/// How far a message has come at Meta.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum AtMeta {
    #[default]
    Nothing,
    Refused,
    Taken,
    Failed,
    Delivered,
    Read,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Worker {
    pub(crate) stage: Stage,
    /// Whether the moment until which it took the chunk still stands there.
    pub(crate) holds: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Stage {
    #[default]
    Idle,
    /// Sends. `is_checked`: it may begin with the next group.
    Sends {
        sends: [Send; RECIPIENTS],
        is_checked: bool,
    },
    /// Is to count what became of the chunk.
    Counts,
    /// Is to say whether there is something to do with it again, by what it counted. `is_fresh`: nobody changed it since.
    Releases {
        has_more: bool,
        is_fresh: bool,
    },
    Concludes(Conclusion),
}

/// How far a worker is with a recipient, in the try of this number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Send {
    /// It has nothing to do with them.
    #[default]
    Nothing,
    /// It is to claim the message.
    Claims(u32),
    /// It is to hand it to Meta.
    Posts(u32),
    /// It is to write down what became of it.
    Records(u32, SendStep),
    /// It has done so.
    Done(u32, Fate),
}

/// What a worker knows of a message, as `outbox::Fate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fate {
    Sent,
    Failed,
    Unknown,
    LeftOut,
    UnderWay,
    PutBack,
    /// It could not be claimed.
    Error,
}

/// How far somebody is who makes of the campaign what its counts say, as `Campaigns::conclude`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Conclusion {
    #[default]
    Reads,
    /// It had this status, so many failed and so many were left out, and this step is to be taken.
    Writes { status: CampaignStatus, lost: (u8, u8), step: CampaignStep },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Caretaker {
    #[default]
    Idle,
    /// Is to count a chunk that it has read. `is_unheeded`: there was nothing to do with it. `is_fresh`: nobody changed it
    /// since.
    Counts {
        is_unheeded: bool,
        is_fresh: bool,
        tally: Counts,
    },
    /// Is to say that there is something to do with it.
    Wakes {
        is_fresh: bool,
    },
    Concludes(Conclusion, Then),
    /// Is to take down that it has seen to the chunk.
    Clears {
        is_fresh: bool,
    },
}

/// What the caretaker does when it has concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Then {
    Nothing,
    Clears { is_fresh: bool },
}

/// How far somebody is who tries again those who failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Retrier {
    #[default]
    Away,
    /// Is to note who is tried again.
    Notes {
        who: [Again; RECIPIENTS],
    },
    /// Is to count it. `is_fresh`: nobody changed the chunk since.
    Counts {
        who: [Again; RECIPIENTS],
        is_fresh: bool,
    },
    Concludes(Conclusion),
}

/// Whether a recipient is tried again, and then in which try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Again {
    #[default]
    No,
    AfterFailure(u32),
    /// They may have got the message.
    AfterUnknown(u32),
}

/// What the rows alone do not show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    /// Who was tried again though they may have got the message.
    pub(crate) is_risked: [bool; RECIPIENTS],
    /// One of the counts that never become less did.
    pub(crate) counted_back: bool,
    /// A message or the campaign took a step that is in no table.
    pub(crate) left_the_table: bool,
    /// The campaign ended though its counts said that somebody is open.
    pub(crate) ended_early: bool,
}

impl World {
    pub(crate) fn begin(scope: &Scope) -> Self {
        let chunk = Chunk::new();
        Self {
            status: CampaignStatus::Running,
            counts: chunk.tally(scope.recipients, true),
            chunk,
            messages: Default::default(),
            workers: Default::default(),
            caretaker: Caretaker::Idle,
            retrier: Retrier::Away,
            seen: Seen::default(),
        }
    }

    pub(crate) const fn message(&self, member: Member) -> &Message {
        let (index, attempt) = place(member);
        &self.messages[index][attempt]
    }

    pub(crate) const fn message_mut(&mut self, member: Member) -> &mut Message {
        let (index, attempt) = place(member);
        &mut self.messages[index][attempt]
    }

    /// So many are at work.
    pub(crate) fn at_work(&self) -> usize {
        let workers = self.workers.iter().filter(|worker| worker.stage != Stage::Idle).count();
        workers + usize::from(self.caretaker != Caretaker::Idle) + usize::from(self.retrier != Retrier::Away)
    }

    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.status, CampaignStatus::Completed | CampaignStatus::Failed)
    }

    /// Writes a message's step if its row allows it: a conditional write, made from the table. `true`: it did.
    pub(crate) fn write(&mut self, scope: &Scope, member: Member, step: SendStep, by: Option<usize>) -> bool {
        let message = self.message_mut(member);
        let Some(to) = scope.leads_to(step, message.state) else { return false };
        if step.is_owners() && message.owner != by {
            return false;
        }
        message.state = Some(to);
        if step == SendStep::Claim {
            message.owner = by;
        }
        true
    }

    /// A worker is done with what it claimed of some recipients.
    pub(crate) fn forget_claims(&mut self, worker: usize, recipients: impl Fn(usize) -> bool) {
        for (index, tries) in self.messages.iter_mut().enumerate() {
            for message in tries.iter_mut().filter(|message| recipients(index) && message.owner == Some(worker)) {
                message.owner = None;
            }
        }
    }

    /// Notes what is known of somebody.
    pub(crate) fn note(&mut self, scope: &Scope, mark: Mark, member: Member) {
        self.chunk.note(mark, member);
        self.outdate(scope);
    }

    /// Notes that somebody is tried again: there is something to do.
    pub(crate) fn note_retried(&mut self, scope: &Scope, member: Member) {
        self.chunk.note_retried(member);
        self.set_todo(Todo::Waits);
        self.outdate(scope);
    }

    /// Writes another moment from which on there is something to do: nobody has the chunk any more.
    pub(crate) fn set_todo(&mut self, todo: Todo) {
        self.chunk.todo = todo;
        for worker in &mut self.workers {
            worker.holds = false;
        }
    }

    /// The chunk's version is another one now.
    fn outdate(&mut self, scope: &Scope) {
        match &mut self.caretaker {
            Caretaker::Counts { is_unheeded, is_fresh, tally } => {
                *is_fresh = false;
                if !scope.has(Mistake::CountsWhatWasRead) {
                    // It will be read again.
                    (*is_unheeded, *tally) = (false, Counts::default());
                }
            }
            Caretaker::Wakes { is_fresh }
            | Caretaker::Concludes(_, Then::Clears { is_fresh })
            | Caretaker::Clears { is_fresh } => *is_fresh = false,
            Caretaker::Idle | Caretaker::Concludes(_, Then::Nothing) => {}
        }
        if let Retrier::Counts { is_fresh, .. } = &mut self.retrier {
            *is_fresh = false;
        }
        for worker in &mut self.workers {
            if let Stage::Releases { is_fresh, .. } = &mut worker.stage {
                *is_fresh = false;
            }
        }
    }

    /// The chunk in numbers.
    pub(crate) fn tally(&self, scope: &Scope) -> Counts {
        let waits = !self.chunk.is_day_over && !scope.has(Mistake::WaitsForNoStatus);
        self.chunk.tally(scope.recipients, waits)
    }

    /// Counts the chunk as it is, as `Campaigns::fold`.
    pub(crate) fn fold(&mut self, scope: &Scope) {
        let tally = self.tally(scope);
        if tally != self.counts || (self.chunk.is_changed && scope.has(Mistake::SeesToWhatItCounted)) {
            self.fold_as(scope, tally);
        }
    }

    pub(crate) fn fold_as(&mut self, scope: &Scope, tally: Counts) {
        self.counts = tally;
        self.chunk.is_changed &= !scope.has(Mistake::SeesToWhatItCounted);
        self.outdate(scope);
    }

    /// Whether this, and no more, is known of somebody in the try that counts now.
    pub(crate) fn has(&self, scope: &Scope, known: Known) -> bool {
        self.chunk.has(scope.recipients, known)
    }

    /// What the campaign's counts say that it shall become, as `Campaign::conclusion`.
    pub(crate) fn conclusion(&self, scope: &Scope) -> Option<CampaignStep> {
        let Counts { open, failed, left_out, .. } = self.counts;
        if open > 0 {
            return self.has_ended().then_some(CampaignStep::RetryFailed);
        }
        let all_failed = failed > 0 && u32::from(failed + left_out) >= scope.recipients;
        let step = if all_failed { CampaignStep::Fail } else { CampaignStep::Complete };
        step.leads_to(self.status).filter(|to| *to != self.status).map(|_| step)
    }

    /// One step of concluding, as `Campaigns::conclude` and `turn`. `None`: it is done.
    pub(crate) fn conclude(&mut self, scope: &Scope, conclusion: Conclusion) -> Option<Conclusion> {
        let Counts { failed, left_out, .. } = self.counts;
        let lost_now = if scope.has(Mistake::EndsAsItWas) { (0, 0) } else { (failed, left_out) };
        let Conclusion::Writes { status, lost, step } = conclusion else {
            let step = self.conclusion(scope)?;
            return Some(Conclusion::Writes { status: self.status, lost: lost_now, step });
        };
        let to = step.leads_to(status)?;
        let is_end = matches!(to, CampaignStatus::Completed | CampaignStatus::Failed);
        // Whoever ends it has read that nobody is open.
        let is_still_so = (self.counts.open == 0 && lost == lost_now) || scope.has(Mistake::EndsWithoutLooking);
        if self.status != status || (is_end && !is_still_so) {
            return Some(Conclusion::Reads);
        }
        self.status = to;
        None
    }

    /// Takes down what happened on the way from a former state to this one that the rows do not show.
    pub(crate) fn watch(&mut self, before: &Self) {
        let (now, then) = (&self.counts, &before.counts);
        self.seen.counted_back |= now.sent < then.sent || now.delivered < then.delivered || now.read < then.read;
        if self.status != before.status {
            let step = (before.status, self.status);
            let is_allowed = CAMPAIGN_TRANSITIONS.iter().any(|(from, _, to)| (*from, *to) == step);
            self.seen.left_the_table |= !is_allowed;
            self.seen.ended_early |= self.has_ended() && before.counts.open > 0;
        }
        for (now, then) in self.messages.iter().flatten().zip(before.messages.iter().flatten()) {
            if now.state != then.state {
                let step = (then.state, now.state);
                let is_allowed = TRANSITIONS.iter().any(|allowed| (allowed.from, Some(allowed.to)) == step);
                self.seen.left_the_table |= !is_allowed;
            }
        }
    }

    /// Drops what makes no difference to anything that can follow.
    pub(crate) fn simplify(&mut self, scope: &Scope) {
        self.chunk.is_day_over &= self.has(scope, Known::Unknown);
        for message in self.messages.iter_mut().flatten() {
            if message.state != Some(SendState::Sending) && !scope.has(Mistake::PutsBackWhatMetaHas) {
                message.owner = None;
            }
        }
        // Workers differ by nothing but what they do.
        if self.workers[0] < self.workers[1] {
            self.workers.swap(0, 1);
            for message in self.messages.iter_mut().flatten() {
                message.owner = message.owner.map(|owner| 1 - owner);
            }
        }
    }
}
