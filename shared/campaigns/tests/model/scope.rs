//! How much of all that can happen is modelled at a time, and what can be wrong with it on purpose.

use domain::{SendState, SendStep};

use crate::chunk::Mark;

/// The most recipients, tries of one, and workers.
pub(crate) const RECIPIENTS: usize = 2;
pub(crate) const TRIES: usize = 2;
pub(crate) const WORKERS: usize = 2;

/// What can happen. What happens at all happens any number of times, in any order: nothing is counted down.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is something else that happens or does not")]
pub(crate) struct Scope {
    /// So many recipients are in the chunk.
    pub(crate) recipients: u32,
    /// So many tries each gets at most: one more than they are tried again.
    pub(crate) tries: u32,
    /// So many workers may have the chunk at the same time.
    pub(crate) workers: usize,
    /// So many of the workers, the caretaker and whoever tries again are at work at the same time.
    pub(crate) at_once: usize,
    /// Whether a worker has all its messages under way at the same time. Otherwise it is one after the other, and before each
    /// further one it is looked whether the campaign still runs and the chunk is still the worker's.
    pub(crate) is_side_by_side: bool,
    /// Whether answers of the database get lost, and whole writes where the code goes on without them.
    pub(crate) has_losses: bool,
    /// Whether workers, the caretaker and whoever tries again die.
    pub(crate) has_deaths: bool,
    /// Whether somebody pauses, resumes and cancels.
    pub(crate) has_controls: bool,
    /// Whether recipients opt out.
    pub(crate) has_opt_outs: bool,
    /// The most that Meta tells of a message that did not fail.
    pub(crate) farthest: Mark,
    /// What is wrong with the model.
    pub(crate) mistake: Option<Mistake>,
}

/// Something that the code could do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// A message may be claimed that somebody is handing to Meta.
    ClaimsWhatIsBeingSent,
    /// A message is handed to Meta without being claimed.
    PostsWithoutClaiming,
    /// What Meta did not answer is put back.
    PutsBackWhatWasNotAnswered,
    /// The same, and the row may be put back even when Meta has told that it has the message.
    PutsBackWhatMetaHas,
    /// What Meta did not answer counts as refused.
    CountsTheUnknownAsFailed,
    /// What a status tells is not noted in the chunk.
    NotesNoStatus,
    /// A chunk is counted as it was read, though more has been noted since.
    CountsWhatWasRead,
    /// A chunk counts as done though somebody was put back.
    ForgetsWhoWasPutBack,
    /// A chunk that was taken is never handed out again.
    LeavesTheDeadTheirChunk,
    /// A campaign ends without a look at whether still nobody is open.
    EndsWithoutLooking,
    /// A campaign ends though somebody is unknown, without waiting for a status.
    WaitsForNoStatus,
    /// What was counted counts as seen to: whoever dies then leaves nothing behind.
    SeesToWhatItCounted,
    /// The caretaker looks for those who are pending, and not for those who are unknown.
    HeedsThePendingAlone,
    /// A worker says that nothing is to be done with a chunk of which more is known than it has read.
    ReleasesWhatItHasNotRead,
    /// Whoever ends a campaign does not look whether as many have failed as it read.
    EndsAsItWas,
}

impl Scope {
    /// One recipient who is tried once, and everything that can happen then.
    pub(crate) const ONE: Self = Self {
        recipients: 1,
        tries: 1,
        workers: 2,
        at_once: 2,
        is_side_by_side: true,
        has_losses: true,
        has_deaths: true,
        has_controls: true,
        has_opt_outs: true,
        farthest: Mark::Read,
        mistake: None,
    };

    /// The same without what a person does and without what is much like something else.
    pub(crate) const PLAIN: Self =
        Self { has_controls: false, has_opt_outs: false, farthest: Mark::Delivered, ..Self::ONE };

    /// Both workers and the caretaker at the same time.
    pub(crate) const CROWD: Self = Self { at_once: 3, ..Self::PLAIN };

    /// One recipient who may be tried again.
    pub(crate) const RETRIED: Self = Self { tries: 2, workers: 1, farthest: Mark::Sent, ..Self::PLAIN };

    /// Two recipients whose messages are under way at the same time, and one worker after the other.
    pub(crate) const PAIR: Self = Self { recipients: 2, at_once: 1, ..Self::PLAIN };

    /// The same, one message after the other.
    pub(crate) const ROW: Self = Self { is_side_by_side: false, ..Self::PAIR };

    pub(crate) const fn with(self, mistake: Mistake) -> Self {
        Self { mistake: Some(mistake), ..self }
    }

    pub(crate) fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Where a message's step leads: by the code's own table, but for what is wrong with it on purpose.
    pub(crate) fn leads_to(&self, step: SendStep, from: Option<SendState>) -> Option<SendState> {
        let as_if_from = match (self.mistake, step, from) {
            (Some(Mistake::ClaimsWhatIsBeingSent), SendStep::Claim, Some(SendState::Sending)) => {
                Some(SendState::Pending)
            }
            (Some(Mistake::PutsBackWhatMetaHas), SendStep::PutBack, Some(SendState::Accepted)) => {
                Some(SendState::Sending)
            }
            _ => from,
        };
        step.leads_to(as_if_from)
    }
}
