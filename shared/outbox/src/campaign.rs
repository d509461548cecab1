//! A message of a campaign: the same state machine as a single one, run by whoever works through the campaign.
//!
//! What differs is who tells the message's id (it is the same for the same person however often it is tried) and what
//! becomes of a message that was surely not sent: it is put back, and somebody sends it later.

use std::time::{Duration, Instant};

use domain::{Account, Contact, Error, Kind, MessageId, PublicError, RecipientRef, Result, SendState};
use jiff::Timestamp;
use storage::{Claimed, ContactKnown, Message, NewMessage, Outcome, Owner};
use whatsapp::{Content, Sent};

use crate::meta_error;
use crate::outbox::{META_TIMEOUT, Outbox, RECORDING_LIMIT, accepted};

/// From the claim to the call. Whoever takes longer, as a machine that slept, must not call any more.
const CLAIM_TIME: Duration = Duration::from_secs(5);
/// A claim of which it is not known whether it was written is asked for again so often: given up, it would leave a message
/// that nobody sends and nobody knows of.
const CLAIM_ATTEMPTS: u32 = 4;
const CLAIM_PAUSE: Duration = Duration::from_millis(100);
/// How long one waits before writing to the same person again (Meta: "Pair rate limits").
const PAIR_WAIT: Duration = Duration::from_secs(6);
/// How long one waits while Meta maintains the account (Meta: "Error codes", 131057 and 133004).
const MAINTENANCE_WAIT: Duration = Duration::from_mins(1);
/// How long one waits until a template is everywhere (Meta: "Error codes", 134101).
const SYNC_WAIT: Duration = Duration::from_mins(10);
/// By what a failure is counted that has no code.
const NO_CODE: &str = "no_code";
/// How long one waits when Meta fails, or can't be reached.
const TROUBLE_WAIT: Duration = Duration::from_secs(5);

/// The longest that [`Outbox::deliver`] takes.
pub const DELIVERY_TIME: Duration = Duration::from_secs(22);

/// A message of a campaign.
#[derive(Clone, Debug)]
pub struct CampaignMessage<'a> {
    /// For whom, in which try.
    pub recipient: RecipientRef,
    /// The person.
    pub contact: &'a Contact,
    /// The sending account.
    pub account: &'a Account,
    /// The number's digits.
    pub to: &'a str,
    /// What.
    pub content: Content,
    /// The id of the API key that made the campaign.
    pub key_id: &'a str,
}

/// What became of a campaign's message.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Meta took it, now or before.
    Sent,
    /// It was refused for good, now or before. `slow` says that Meta had trouble of its own.
    Failed {
        /// Meta's code, or ours where Meta has none.
        code: String,
        /// How long to wait before the next message, if at all.
        slow: Option<Duration>,
        /// What Meta says, where nobody knows whom it concerns: this recipient, or all.
        doubt: Option<Box<PublicError>>,
    },
    /// It may have been sent.
    Unknown {
        /// How long to wait before the next message, if at all.
        slow: Option<Duration>,
    },
    /// Somebody else is sending it; until then it is known how that went.
    UnderWay {
        /// Until when.
        until: Timestamp,
    },
    /// It was surely not sent, and is to be sent later.
    PutBack(Trouble),
}

/// Why a message was put back.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// It concerns this recipient alone, for so long.
    Recipient(Duration),
    /// It concerns all messages of the number, for so long.
    Number(Duration),
    /// It concerns all messages of the campaign, until somebody mends it.
    Campaign(PublicError),
}

/// Why somebody is not written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// They want no messages.
    OptedOut,
    /// The account blocks them.
    Blocked,
}

impl LeftOut {
    /// Why a contact of whom this is known is not written to. `None`: they are.
    pub const fn of(known: &ContactKnown, despite_opt_out: bool) -> Option<Self> {
        match known {
            ContactKnown { is_blocked: true, .. } => Some(Self::Blocked),
            ContactKnown { opted_out: Some(_), .. } if !despite_opt_out => Some(Self::OptedOut),
            ContactKnown { .. } => None,
        }
    }

    /// The word for it, as it is stored and as clients read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Blocked => "blocked",
        }
    }
}

impl Outbox {
    /// Who of these is not to be written to at this moment, and why: in the order of the contacts.
    pub async fn left_out(
        &self,
        account: &Account,
        contacts: &[&Contact],
        despite_opt_out: bool,
    ) -> Result<Vec<Option<LeftOut>>> {
        let known = self.contacts.known(account.id, contacts).await?;
        Ok(known.iter().map(|known| LeftOut::of(known, despite_opt_out)).collect())
    }

    /// Sends a campaign's message, if nobody has before; and records what became of it. An error leaves open whether it was
    /// claimed; it was surely not sent by this call.
    pub async fn deliver(&self, message: CampaignMessage<'_>) -> Result<Fate> {
        let begun = Instant::now();
        let CampaignMessage { recipient, contact, account, to, content, key_id } = message;
        let id = MessageId::in_campaign(recipient.campaign_id, contact, recipient.member.attempt());
        let message = whatsapp::Message::new(to, content).callback_data(id.to_string());
        let created_at = self.clock.now();
        let new = NewMessage {
            id,
            account_id: account.id,
            phone: to.to_owned(),
            key_id: key_id.to_owned(),
            content: serde_json::to_string(&message).map_err(Error::internal)?,
            created_at,
            deadline_at: created_at.saturating_add(DELIVERY_TIME).map_err(Error::internal)?,
            campaign: Some(recipient),
        };
        let owner = Owner::new();
        if let Claimed::Taken(standing) = self.claim(&new, &owner, begun).await? {
            return self.standing(&standing);
        }
        let (fate, outcome, sent) = if begun.elapsed() > CLAIM_TIME {
            (Fate::PutBack(Trouble::Recipient(Duration::ZERO)), Outcome::PutBack, None)
        } else {
            match self.call_meta(account, &message, META_TIMEOUT).await {
                Ok(sent) => (Fate::Sent, accepted(&sent, &new), Some(sent)),
                Err(error) => {
                    let (fate, outcome) = judge(error);
                    (fate, outcome, None::<Sent>)
                }
            }
        };
        self.write_down(&new, &owner, &outcome, sent.as_ref()).await;
        Ok(fate)
    }

    async fn claim(&self, new: &NewMessage, owner: &Owner, begun: Instant) -> Result<Claimed> {
        let mut attempt = 1;
        loop {
            match self.messages.begin(new, owner).await {
                Ok(claimed) => return Ok(claimed),
                Err(error) if attempt == CLAIM_ATTEMPTS || begun.elapsed() > CLAIM_TIME => {
                    // Should it have been written after all, nobody has sent it.
                    self.write_down(new, owner, &Outcome::PutBack, None).await;
                    return Err(error);
                }
                Err(_) => tokio::time::sleep(CLAIM_PAUSE * attempt).await,
            }
            attempt += 1;
        }
    }

    /// What a message says whose row was there already.
    fn standing(&self, message: &Message) -> Result<Fate> {
        Ok(match message.state_at(self.clock.now()) {
            SendState::Accepted => Fate::Sent,
            SendState::Unknown => Fate::Unknown { slow: None },
            SendState::Sending => Fate::UnderWay { until: message.new.deadline_at },
            // Somebody put it back at this very moment.
            SendState::Pending => Fate::PutBack(Trouble::Recipient(Duration::ZERO)),
            SendState::Rejected => {
                let failure =
                    message.failure().ok_or_else(|| Error::internal("a rejected message without its failure"))?;
                Fate::Failed { code: failure_code(&failure), slow: None, doubt: None }
            }
        })
    }
}

/// What Meta's answer means for the message and for those after it.
fn judge(error: whatsapp::Error) -> (Fate, Outcome) {
    use whatsapp::Error as Meta;

    let wait = error.retry_after();
    let graph_code = error.graph().map(|graph| graph.code);
    let put_back = |trouble| (Fate::PutBack(trouble), Outcome::PutBack);
    match &error {
        // One person got too much.
        Meta::Throttled(_) if graph_code == Some(131_056) => {
            return put_back(Trouble::Recipient(wait.unwrap_or(PAIR_WAIT).max(PAIR_WAIT)));
        }
        // The number's or the account's quality: that takes hours, and knocking on makes it worse.
        Meta::Throttled(_) if matches!(graph_code, Some(131_048 | 131_064)) => {}
        Meta::Throttled(_) => {
            let wait = wait.unwrap_or_else(|| meta_errors::usual_wait(error.graph()));
            return put_back(Trouble::Number(wait));
        }
        Meta::NotReached(_) => return put_back(Trouble::Number(TROUBLE_WAIT)),
        Meta::OutcomeUnknown(_) => return (Fate::Unknown { slow: Some(TROUBLE_WAIT) }, Outcome::Unknown),
        // The account is being maintained, or its server is.
        Meta::Unavailable(_) if matches!(graph_code, Some(131_057 | 133_004)) => {
            return put_back(Trouble::Number(wait.unwrap_or(MAINTENANCE_WAIT)));
        }
        // A template that was changed is not everywhere yet.
        Meta::Unavailable(_) if graph_code == Some(134_101) => return put_back(Trouble::Recipient(SYNC_WAIT)),
        Meta::Unavailable(_) => {
            let failure = meta_error::to_domain(error).public().clone();
            let fate = Fate::Failed { code: failure_code(&failure), slow: Some(TROUBLE_WAIT), doubt: None };
            return (fate, Outcome::Rejected(failure));
        }
        Meta::Refused(_)
        | Meta::Unauthorized(_)
        | Meta::Forbidden(_)
        | Meta::Restricted(_)
        | Meta::Unreadable { .. }
        | Meta::Invalid(_) => {}
    }
    let failure = meta_error::to_domain(error).public().clone();
    // What the caller of a single message could mend concerns this message; but for the template, which all share.
    let is_the_templates =
        matches!(graph_code, Some(131_055 | 132_001 | 132_007 | 132_015 | 132_016 | 132_068 | 134_100));
    if failure.kind == Kind::Invalid && !is_the_templates {
        let fate = Fate::Failed { code: failure_code(&failure), slow: None, doubt: None };
        return (fate, Outcome::Rejected(failure));
    }
    if graph_code.is_some() && failure.code.as_deref() == Some(meta_errors::NOT_EXPLAINED) {
        let doubt = Some(Box::new(failure.clone()));
        return (Fate::Failed { code: failure_code(&failure), slow: None, doubt }, Outcome::Rejected(failure));
    }
    put_back(Trouble::Campaign(failure))
}

/// By what a failure is counted: Meta's code, or ours where Meta has none.
pub fn failure_code(failure: &PublicError) -> String {
    let meta = failure.meta.as_ref().and_then(|meta| meta.get("code")?.as_i64());
    let ours = || failure.code.as_ref().map(ToString::to_string);
    meta.map(|code| code.to_string()).or_else(ours).unwrap_or_else(|| NO_CODE.to_owned())
}

/// The parts of a delivery fit into the time that others wait for it.
const _: () = assert!(
    DELIVERY_TIME.as_millis() >= CLAIM_TIME.as_millis() + META_TIMEOUT.as_millis() + RECORDING_LIMIT.as_millis()
);
