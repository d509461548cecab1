//! How far a message that is sent has come, and the one table of the steps it may take.
//!
//! ```text
//!            claim              accept, settle
//! (nothing) ───────▶ sending ─────────────────▶ accepted
//!     │              │  ▲ │ │                      ▲
//!     │     put back │  │ │ └─ lose track ▶ unknown ┤ settle
//!     │              ▼  │ │                         │
//!     │            pending └──── reject ▶ rejected ──┘
//!     └─ give up ──────────────────────────▶ rejected
//! ```
//!
//! The conditional writes of the storage are made from [`TRANSITIONS`], and a model checker runs whole campaigns over the
//! same table.

use serde::{Deserialize, Serialize};

/// How far a message has come. Before its first step there is no row of it at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendState {
    /// Meta had no place for it, or was not reached: it was surely not sent, and whoever claims it may send it.
    Pending,
    /// Handed to Meta, or about to be. After its deadline nobody will learn how that went, and it counts as unknown.
    Sending,
    /// Meta took it. Whether it is delivered comes later.
    Accepted,
    /// It was surely not sent, and never will be.
    Rejected,
    /// Meta did not say: it may have been sent. Only a status webhook can settle this.
    Unknown,
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SendStep {
    /// Somebody is about to hand it to Meta, and nobody else may.
    Claim,
    /// Whoever reserved its id is gone: it shall never begin.
    GiveUp,
    /// Its owner learnt that it was surely not sent, and may be later.
    PutBack,
    /// Its owner learnt that Meta took it.
    Accept,
    /// Its owner learnt that Meta refused it for good.
    Reject,
    /// Its owner did not learn what became of it.
    LoseTrack,
    /// A status webhook told that Meta has it.
    Settle,
}

/// A step that a message may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// From where; `None` where there is no row yet.
    pub from: Option<SendState>,
    /// The step.
    pub step: SendStep,
    /// To where.
    pub to: SendState,
}

/// Every step that a message may take. What is not here is refused.
pub const TRANSITIONS: &[Transition] = &[
    allow(None, SendStep::Claim, SendState::Sending),
    allow(Some(SendState::Pending), SendStep::Claim, SendState::Sending),
    allow(None, SendStep::GiveUp, SendState::Rejected),
    allow(Some(SendState::Sending), SendStep::PutBack, SendState::Pending),
    allow(Some(SendState::Sending), SendStep::Reject, SendState::Rejected),
    allow(Some(SendState::Sending), SendStep::LoseTrack, SendState::Unknown),
    // Meta's word that it has the message always stands, whoever believed what before.
    allow(Some(SendState::Pending), SendStep::Accept, SendState::Accepted),
    allow(Some(SendState::Sending), SendStep::Accept, SendState::Accepted),
    allow(Some(SendState::Accepted), SendStep::Accept, SendState::Accepted),
    allow(Some(SendState::Rejected), SendStep::Accept, SendState::Accepted),
    allow(Some(SendState::Unknown), SendStep::Accept, SendState::Accepted),
    allow(Some(SendState::Pending), SendStep::Settle, SendState::Accepted),
    allow(Some(SendState::Sending), SendStep::Settle, SendState::Accepted),
    allow(Some(SendState::Accepted), SendStep::Settle, SendState::Accepted),
    allow(Some(SendState::Rejected), SendStep::Settle, SendState::Accepted),
    allow(Some(SendState::Unknown), SendStep::Settle, SendState::Accepted),
];

const fn allow(from: Option<SendState>, step: SendStep, to: SendState) -> Transition {
    Transition { from, step, to }
}

impl SendState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Sending, Self::Accepted, Self::Rejected, Self::Unknown];

    /// The state's word, as it is stored and as clients read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}

impl SendStep {
    /// Every step.
    pub const ALL: [Self; 7] =
        [Self::Claim, Self::GiveUp, Self::PutBack, Self::Accept, Self::Reject, Self::LoseTrack, Self::Settle];

    /// From where this step may be taken; `None` stands for a message that has no row yet.
    pub fn allowed_from(self) -> impl Iterator<Item = Option<SendState>> {
        TRANSITIONS.iter().filter(move |transition| transition.step == self).map(|transition| transition.from)
    }

    /// Where this step leads from there. `None`: it is refused.
    pub fn leads_to(self, from: Option<SendState>) -> Option<SendState> {
        let found = TRANSITIONS.iter().find(|transition| transition.step == self && transition.from == from);
        found.map(|transition| transition.to)
    }

    /// Whether only whoever claimed the message may take this step.
    pub const fn is_owners(self) -> bool {
        matches!(self, Self::PutBack | Self::Reject | Self::LoseTrack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_stands_twice_in_the_table_and_each_leads_to_one_state() {
        for (index, one) in TRANSITIONS.iter().enumerate() {
            let same = |other: &&Transition| (other.from, other.step) == (one.from, one.step);
            assert!(!TRANSITIONS.iter().skip(index + 1).any(|other| same(&other)), "{one:?}");
        }
        for step in SendStep::ALL {
            let mut ends: Vec<_> = TRANSITIONS.iter().filter(|one| one.step == step).map(|one| one.to).collect();
            ends.dedup();
            assert_eq!(ends.len(), 1, "{step:?} leads to {ends:?}");
        }
    }

    #[test]
    fn what_meta_has_stays_accepted_and_what_may_have_been_sent_is_never_claimed_again() {
        for step in SendStep::ALL {
            assert!(matches!(step.leads_to(Some(SendState::Accepted)), None | Some(SendState::Accepted)), "{step:?}");
        }
        for state in [SendState::Sending, SendState::Accepted, SendState::Rejected, SendState::Unknown] {
            assert_eq!(SendStep::Claim.leads_to(Some(state)), None, "{state:?}");
        }
    }

    #[test]
    fn a_state_has_one_word_everywhere() {
        for state in SendState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
