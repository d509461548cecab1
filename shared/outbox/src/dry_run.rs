//! What would become of a message, as far as is known here: nothing is written, and Meta is not called.

use auth::Caller;
use domain::{AccountId, Error, Kind, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use storage::{BlockedContact, Conversation, OptOut, OptOutBy};
use utoipa::ToSchema;

use crate::contact_words as words;
use crate::outbox::{Draft, Outbox, Prepared, Terms};
use crate::window::{LastWrote, closes_at};

/// What would become of a message. `Serialize` gives it as clients read it; what is `None` is not known, or not there.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = MessageDryRun)]
pub struct DryRun {
    /// Always `dry_run`.
    status: &'static str,
    /// Whether Meta would be asked to send it: not where we ourselves would refuse, or answer again.
    would_send: bool,
    /// To whom, as digits.
    to: String,
    /// The account that would send it.
    account_id: AccountId,
    /// The body for Meta, but for our id of the message.
    #[schema(value_type = Object)]
    request: Box<RawValue>,
    /// The 24 hours after the contact's last message.
    window: Window,
    /// That the contact wants no messages.
    #[schema(required)]
    opted_out: Option<OptedOut>,
    /// That the account blocks the contact.
    #[schema(required)]
    blocked: Option<Blocked>,
    /// What the request would meet under its `Idempotency-Key`.
    #[schema(required)]
    idempotency: Option<Idempotency>,
    /// What may stand in the message's way.
    warnings: Vec<Warning>,
}

/// The 24 hours after the contact's last message.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Window {
    /// Whether WhatsApp takes any message now.
    #[schema(required)]
    is_open: Option<bool>,
    /// When the contact last wrote.
    #[schema(required)]
    last_inbound_at: Option<String>,
    /// When it closes, or closed.
    #[schema(required)]
    closes_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct OptedOut {
    /// Since when.
    since: String,
    /// How they said so: `word` or `whatsapp`.
    by: &'static str,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Blocked {
    /// Since when.
    since: String,
    /// Why.
    reason: String,
}

/// What a request under this idempotency key meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Idempotency {
    New,
    WouldReplay,
    InFlight,
    Unknown,
    KeyReused,
}

/// What stands, or may stand, in the way.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Warning {
    /// A stable word.
    code: String,
    /// For people.
    message: String,
}

impl Outbox {
    /// Tells what would become of a message. Fails as [`send`](Self::send) does where the request is wrong.
    pub async fn dry_run(&self, caller: &Caller, draft: Draft, terms: &Terms) -> Result<DryRun> {
        let prepared = self.prepare(caller, draft, terms)?;
        let (account, to, now) = (prepared.account, &prepared.to, prepared.new.created_at);
        let (conversation, blocked, met) = futures::try_join!(
            Box::pin(self.conversation(account, to)),
            Box::pin(self.blocked_contact(account, to)),
            Box::pin(self.met(&prepared, terms)),
        )?;
        let opt_out = conversation.as_ref().and_then(Conversation::opted_out);
        let last_inbound_at = conversation.and_then(|known| known.last_inbound_at);
        let idempotency = met.as_ref().map(|met| met.0);
        let is_refused = prepared.is_template && !terms.despite_opt_out && opt_out.is_some();
        let warnings = [
            (!prepared.is_template).then(|| Warning::of_window(last_inbound_at, now)).flatten(),
            opt_out.map(|opt_out| Warning::of_opt_out(opt_out, is_refused)),
            blocked.as_ref().map(|contact| Warning::new("recipient_blocked", words::blocked(Some(contact.blocked_at)))),
            met.and_then(|met| met.1),
        ];
        Ok(DryRun {
            status: "dry_run",
            would_send: !is_refused && idempotency.is_none_or(|met| met == Idempotency::New),
            to: to.as_digits().to_owned(),
            account_id: account.id,
            request: RawValue::from_string(prepared.asked_for).map_err(Error::internal)?,
            window: Window::after(last_inbound_at, now),
            opted_out: opt_out.map(OptedOut::from),
            blocked: blocked.map(Blocked::from),
            idempotency,
            warnings: warnings.into_iter().flatten().collect(),
        })
    }

    /// What the request meets under its idempotency key, if it has one, and what the client would be told.
    async fn met(&self, prepared: &Prepared<'_>, terms: &Terms) -> Result<Option<(Idempotency, Option<Warning>)>> {
        let Some(key) = &terms.idempotency_key else { return Ok(None) };
        let error = match self.answered(&prepared.claim(key)).await {
            Ok(None) => return Ok(Some((Idempotency::New, None))),
            Ok(Some(_)) => return Ok(Some((Idempotency::WouldReplay, Some(Warning::of_replay())))),
            Err(error) => error,
        };
        Ok(Some(match error.kind() {
            Kind::KeyReused => (Idempotency::KeyReused, Some(Warning::of_error(&error))),
            Kind::InFlight => (Idempotency::InFlight, Some(Warning::of_error(&error))),
            Kind::OutcomeUnknown => (Idempotency::Unknown, Some(Warning::of_error(&error))),
            _ if error.is_replayed() => (Idempotency::WouldReplay, Some(Warning::of_replay())),
            _ => return Err(error),
        }))
    }
}

impl Window {
    fn after(last_inbound_at: Option<Timestamp>, now: Timestamp) -> Self {
        let closes_at = last_inbound_at.map(closes_at);
        Self {
            is_open: closes_at.map(|closes_at| now < closes_at),
            last_inbound_at: last_inbound_at.map(moment),
            closes_at: closes_at.map(moment),
        }
    }
}

impl Warning {
    fn new(code: &str, message: String) -> Self {
        Self { code: code.to_owned(), message }
    }

    fn of_window(last_inbound_at: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        match last_inbound_at {
            None => Some(Self::new("window_unknown", words::window_unknown())),
            Some(at) if closes_at(at) <= now => {
                Some(Self::new("window_closed", words::window_closed(LastWrote::At(at), now, &[])))
            }
            Some(_) => None,
        }
    }

    fn of_opt_out(opt_out: OptOut, is_refused: bool) -> Self {
        let words = if is_refused { words::opted_out(opt_out) } else { words::sent_despite_opt_out(opt_out) };
        Self::new("opted_out", words)
    }

    fn of_replay() -> Self {
        let message = "A request with this Idempotency-Key was answered already: it gets the same answer again.";
        Self::new("idempotent_replay", message.to_owned())
    }

    /// What the client would be told in place of an answer.
    fn of_error(error: &Error) -> Self {
        let public = error.public();
        Self::new(public.code.as_deref().unwrap_or_default(), public.message.clone())
    }
}

impl From<OptOut> for OptedOut {
    fn from(OptOut { since, by }: OptOut) -> Self {
        let by = match by {
            OptOutBy::Word => "word",
            OptOutBy::WhatsApp => "whatsapp",
            OptOutBy::Before => "before",
        };
        Self { since: moment(since), by }
    }
}

impl From<BlockedContact> for Blocked {
    fn from(contact: BlockedContact) -> Self {
        Self { since: moment(contact.blocked_at), reason: contact.reason }
    }
}

/// A moment as clients read it: with milliseconds even where they are zero, as in the reference.
fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}
