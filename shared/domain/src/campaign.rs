//! Campaigns: their ids, the steps that each may take, and where a recipient is found in one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The number by which clients know a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct CampaignId(pub i64);

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a campaign has come. The words are those of the reference, and `cancelled`, which it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// It was made, and waits to be started.
    Draft,
    /// It starts by itself at its time.
    Scheduled,
    /// Its recipients are being written to, or it is not known yet what became of some.
    Running,
    /// Somebody, or an error that concerns all recipients, holds it.
    Paused,
    /// Nobody is left to be written to.
    Completed,
    /// Nobody is left to be written to, and not one message was taken.
    Failed,
    /// Whoever was not written to yet never will be.
    Cancelled,
}

/// What happens to a campaign as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CampaignStep {
    /// Somebody starts it, or its time has come.
    Start,
    /// Somebody holds it, or an error does that concerns all recipients.
    Pause,
    /// Somebody lets it go on.
    Resume,
    /// Somebody ends it.
    Cancel,
    /// Somebody wants those who failed to be tried again.
    RetryFailed,
    /// Recipients are added.
    AddRecipients,
    /// Everybody's message is accounted for.
    Complete,
    /// Everybody's message is accounted for, and every one failed.
    Fail,
}

/// Every step that a campaign may take: from where, and to where. What is not here is refused.
pub const CAMPAIGN_TRANSITIONS: &[(CampaignStatus, CampaignStep, CampaignStatus)] = {
    use CampaignStatus::{Cancelled, Completed, Draft, Failed, Paused, Running, Scheduled};
    use CampaignStep::{AddRecipients, Cancel, Complete, Fail, Pause, Resume, RetryFailed, Start};
    &[
        (Draft, AddRecipients, Draft),
        (Scheduled, AddRecipients, Scheduled),
        (Draft, Start, Running),
        (Scheduled, Start, Running),
        (Running, Pause, Paused),
        (Paused, Resume, Running),
        (Draft, Cancel, Cancelled),
        (Scheduled, Cancel, Cancelled),
        (Running, Cancel, Cancelled),
        (Paused, Cancel, Cancelled),
        (Running, Complete, Completed),
        (Running, Fail, Failed),
        // What Meta took may fail later, and what failed may turn out to be delivered.
        (Completed, Fail, Failed),
        (Failed, Complete, Completed),
        (Running, RetryFailed, Running),
        (Paused, RetryFailed, Paused),
        (Completed, RetryFailed, Running),
        (Failed, RetryFailed, Running),
    ]
};

impl CampaignStatus {
    /// Every status.
    pub const ALL: [Self; 7] =
        [Self::Draft, Self::Scheduled, Self::Running, Self::Paused, Self::Completed, Self::Failed, Self::Cancelled];

    /// The status's word, as it is stored and as clients read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl CampaignStep {
    /// Every step.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::RetryFailed,
        Self::AddRecipients,
        Self::Complete,
        Self::Fail,
    ];

    /// Where this step leads from there. `None`: it is refused.
    pub fn leads_to(self, from: CampaignStatus) -> Option<CampaignStatus> {
        let found = CAMPAIGN_TRANSITIONS.iter().find(|(status, step, _)| (*status, *step) == (from, self));
        found.map(|(_, _, to)| *to)
    }

    /// From where this step may be taken.
    pub fn allowed_from(self) -> impl Iterator<Item = CampaignStatus> {
        CAMPAIGN_TRANSITIONS.iter().filter(move |(_, step, _)| *step == self).map(|(from, _, _)| *from)
    }
}

/// Where a recipient is found in a campaign, and the how-many-eth try this is. Its text stands in the message's row, so that
/// a status finds its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecipientRef {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Which of its chunks.
    pub chunk: u32,
    /// Which recipient of the chunk.
    pub member: Member,
}

/// A recipient within its chunk, and a try to reach them: one number, so that sets of them are sets of numbers. Never change
/// how it is made up: it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member(u32);

impl Member {
    /// A chunk has at most so many recipients.
    pub const MOST: u32 = 100;

    /// The recipient at `index`, from 0, in their try number `attempt`, from 0. `None`: there is no such index.
    pub fn new(index: u32, attempt: u32) -> Option<Self> {
        let number = attempt.checked_mul(Self::MOST)?.checked_add(index)?;
        (index < Self::MOST).then_some(Self(number))
    }

    /// Reads what [`number`](Self::number) gave.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number by which it is stored.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Which recipient of the chunk, from 0.
    pub const fn index(self) -> u32 {
        self.0 % Self::MOST
    }

    /// Which try, from 0.
    pub const fn attempt(self) -> u32 {
        self.0 / Self::MOST
    }
}

/// A text that is no reference to a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no reference to a recipient of a campaign")]
pub struct NoRecipientRef;

impl fmt::Display for RecipientRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}", self.campaign_id, self.chunk, self.member.0)
    }
}

impl FromStr for RecipientRef {
    type Err = NoRecipientRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (campaign_id, rest) = text.split_once('#')?;
            let (chunk, member) = rest.split_once('#')?;
            Some(Self {
                campaign_id: CampaignId(campaign_id.parse().ok()?),
                chunk: chunk.parse().ok()?,
                member: Member(member.parse().ok()?),
            })
        };
        read().ok_or(NoRecipientRef)
    }
}

impl TryFrom<String> for RecipientRef {
    type Error = NoRecipientRef;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RecipientRef> for String {
    fn from(reference: RecipientRef) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_status_has_one_word_everywhere() {
        for status in CampaignStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn no_step_stands_twice_in_the_table() {
        for step in CampaignStep::ALL {
            for status in CampaignStatus::ALL {
                let same = CAMPAIGN_TRANSITIONS.iter().filter(|(from, by, _)| (*from, *by) == (status, step));
                assert!(same.count() <= 1, "{status:?} {step:?}");
            }
        }
    }

    #[test]
    fn a_cancelled_campaign_stays_so_and_only_one_that_ended_or_stands_still_never_sends() {
        for step in CampaignStep::ALL {
            assert_eq!(step.leads_to(CampaignStatus::Cancelled), None, "{step:?}");
        }
        let starts =
            |status| CampaignStep::ALL.iter().any(|step| step.leads_to(status) == Some(CampaignStatus::Running));
        for status in [CampaignStatus::Draft, CampaignStatus::Paused, CampaignStatus::Completed, CampaignStatus::Failed]
        {
            assert!(starts(status), "{status:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_reference_is_refused() {
        for odd in ["", "1", "1#2", "1#2#", "#2#3", "1#2#3#4", "a#2#3", "1#-2#3", "1#2#99999999999"] {
            assert_eq!(odd.parse::<RecipientRef>(), Err(NoRecipientRef), "{odd}");
        }
        assert_eq!(Member::new(100, 0), None);
        assert_eq!(Member::new(0, u32::MAX), None);
    }

    proptest! {
        #[test]
        fn a_reference_reads_back_as_it_was(id in 1..i64::MAX, chunk in any::<u32>(), index in 0..100_u32, attempt in 0..1000_u32) {
            let member = Member::new(index, attempt).unwrap();
            prop_assert_eq!((member.index(), member.attempt()), (index, attempt));
            let reference = RecipientRef { campaign_id: CampaignId(id), chunk, member };
            prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        }
    }
}
