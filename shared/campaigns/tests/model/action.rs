//! What can happen.

use domain::{CampaignStep, Member};

use crate::chunk::Mark;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The chunk of a running campaign is handed out: its time has come, and a job is on its way.
    HandOut,
    /// A worker does something.
    Work(usize, Work),
    /// It does something about a recipient.
    Send(usize, u32, Sending),
    /// The caretaker does something.
    Care(Care),
    /// Somebody pauses, resumes or cancels the campaign.
    Control(CampaignStep),
    /// Whoever tries again those who failed does something.
    Retry(Retry),
    /// Meta tells of a message, and it is recorded in the message's row.
    Settle(Member),
    /// And it is noted in the chunk, for the first time or once more.
    Tell(Member, Mark),
    /// A day is over since the last unknown was noted.
    PassDay,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// It takes the chunk with its job.
    Take,
    /// It does so with a copy of another worker's job, within the same millisecond.
    TakeToo,
    /// It gives the chunk back, as the campaign does not run.
    GiveBack,
    /// It looks whether it may begin with a further group.
    Check,
    /// It has no time for a group, or the number's rate has no place for it.
    CutShort,
    /// It notes in the chunk what it knows.
    Note,
    /// It counts what is in the chunk.
    Count,
    /// It tries to, and gives up since others change the chunk again and again.
    CountInVain,
    /// It says whether there is something to do again with the chunk.
    Release,
    /// It takes a step of concluding.
    Conclude,
    /// It dies. An error that ends its work comes to the same, whether or not what failed took effect.
    Die,
}

/// What a worker does about a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// It finds that they want no messages.
    LeaveOut,
    /// It claims the message. If it is another's, that one still has time.
    Claim,
    /// The same; but the other's time is over.
    ClaimLate,
    /// It claims the message, and the answer is lost: it will ask again.
    ClaimUnheard,
    /// It has asked often enough, and puts the message back in case that it is its own.
    GiveUp,
    /// The same, and that is lost.
    GiveUpUnheard,
    /// It hands the message to Meta.
    Post(Answer),
    /// It writes down what became of the message.
    Record,
    /// The same, and that is lost.
    RecordInVain,
}

/// What Meta does with a message, and what its sender learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It takes it.
    Taken,
    /// It takes it, and its answer is lost.
    TakenUnheard,
    /// It does not take it, and nobody learns that.
    NotHeard,
    /// It refuses it for good.
    Refused,
    /// It has no place for it now, or is not reached; or it is too late to call it.
    NoPlace,
}

/// What the caretaker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// It reads a chunk that has changed.
    Read,
    /// It counts it; or reads it again, if it has changed.
    Count,
    /// It says that there is something to do with the chunk.
    Wake,
    /// It begins to conclude a campaign that runs.
    Tend,
    /// It takes a step of concluding.
    Conclude,
    /// It takes down that it has seen to the chunk.
    Clear,
    /// It dies, or meets an error.
    Die,
}

/// What somebody does who tries again those who failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// They look who failed.
    Read,
    /// They look who failed and who is unknown.
    ReadUnknownToo,
    /// They note that these are tried again.
    Note,
    /// They count it; or note it again, if the chunk has changed.
    Count,
    /// They take a step of concluding.
    Conclude,
    /// They die, or meet an error.
    Die,
}

impl Action {
    /// Whether this is what happens where nothing goes wrong and nobody meddles.
    pub(crate) const fn is_ordinary(self) -> bool {
        !matches!(
            self,
            Self::Work(_, Work::Die | Work::CountInVain | Work::TakeToo)
                | Self::Send(
                    ..,
                    Sending::ClaimUnheard
                        | Sending::GiveUp
                        | Sending::GiveUpUnheard
                        | Sending::RecordInVain
                        | Sending::LeaveOut
                )
                | Self::Care(Care::Die)
                | Self::Control(CampaignStep::Pause | CampaignStep::Cancel)
                | Self::Retry(Retry::Read | Retry::ReadUnknownToo | Retry::Die)
        )
    }
}
