//! The state machine of a send.

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth::Caller;
use domain::{
    Account, AccountId, Accounts, Clock, CountryCode, Error, IdempotencyKey, Kind, MessageId, PhoneNumber, Result,
    SendState,
};
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use storage::{
    BlockedContacts, Chat, Claim, Claimed, Contacts, Conversations, Database, IdempotencyKeys, Message, Messages,
    NewMessage, Outcome, Owner, Reservation, SendRates, Subject,
};
use whatsapp::{Content, Sent, WhatsApp};

use crate::approved_templates::ApprovedTemplates;
use crate::meta_error;
use crate::single_sends::SingleSends;

/// The longest that Meta gets to answer.
pub(crate) const META_TIMEOUT: Duration = Duration::from_secs(12);
/// What is kept back of the function's time for recording the outcome and answering.
const RECORDING_TIME: Duration = Duration::from_secs(4);
/// The longest that recording takes; the rest is for the answer.
pub(crate) const RECORDING_LIMIT: Duration = Duration::from_millis(3500);
/// With less time than this left, a send is not begun.
const LEAST_TIME: Duration = Duration::from_secs(6);
/// With less time than this for Meta, it is not called: its answer would hardly come.
const LEAST_META_TIME: Duration = Duration::from_secs(1);
/// The longest that connecting to Meta takes. With less time than this, it can't be told whether Meta was reached.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// A key that was reserved this long ago without a message that began: whoever reserved it is gone, or far too late.
const RESERVATION_TIME: Duration = Duration::from_secs(10);
/// What a client is told to wait while another request with its key is under way.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(1);

/// Sends messages. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Outbox {
    pub(crate) messages: Messages,
    idempotency_keys: IdempotencyKeys,
    pub(crate) singles: SingleSends,
    pub(crate) conversations: Conversations,
    pub(crate) blocked_contacts: BlockedContacts,
    pub(crate) contacts: Contacts,
    pub(crate) whatsapp: WhatsApp,
    pub(crate) templates: ApprovedTemplates,
    accounts: Arc<Accounts>,
    country: CountryCode,
    pub(crate) clock: Clock,
}

/// A message as its caller wants it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The account to send from; `None` for the default.
    pub account_id: Option<AccountId>,
    /// To whom.
    pub to: PhoneNumber,
    /// What.
    pub content: Content,
    /// The wamid of the message that this one quotes.
    pub reply_to: Option<String>,
}

/// On what terms a message is sent.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Under which key it is sent once only, however often it is asked for.
    pub idempotency_key: Option<IdempotencyKey>,
    /// How long the function may still work.
    pub time_left: Duration,
    /// Whether a template goes even to a contact who opted out. Any other message does: it is an answer to them.
    pub despite_opt_out: bool,
}

/// A message that Meta took.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Meta's answer, unchanged.
    pub answer: Box<RawValue>,
    /// Our id of it.
    pub message_id: MessageId,
    /// Whether an earlier request sent it.
    pub replayed: bool,
}

/// A message ready to be sent.
pub(crate) struct Prepared<'a> {
    pub(crate) account: &'a Account,
    pub(crate) to: PhoneNumber,
    pub(crate) is_template: bool,
    /// The body for Meta as JSON, but for our id.
    pub(crate) asked_for: String,
    /// What goes to Meta.
    message: whatsapp::Message,
    /// What is stored.
    pub(crate) new: NewMessage,
}

impl Outbox {
    /// An outbox over a deployment's tables.
    pub fn new(
        database: &Database,
        whatsapp: WhatsApp,
        accounts: Arc<Accounts>,
        country: CountryCode,
        clock: Clock,
    ) -> Self {
        Self {
            messages: Messages::new(database),
            idempotency_keys: IdempotencyKeys::new(database),
            singles: SingleSends::new(SendRates::new(database)),
            conversations: Conversations::new(database),
            blocked_contacts: BlockedContacts::new(database),
            contacts: Contacts::new(database),
            whatsapp,
            templates: ApprovedTemplates::default(),
            accounts,
            country,
            clock,
        }
    }

    /// The country code put before a bare 10-digit number.
    pub fn country(&self) -> &CountryCode {
        &self.country
    }

    /// Sends a message once, and records what became of it.
    pub async fn send(&self, caller: &Caller, draft: Draft, terms: &Terms) -> Result<Delivery> {
        let begun = Instant::now();
        let prepared = self.prepare(caller, draft, terms)?;
        if terms.time_left < LEAST_TIME {
            return Err(too_little_time());
        }
        // Before anything is reserved: a refusal leaves nothing behind.
        let objection = if prepared.is_template && !terms.despite_opt_out {
            Box::pin(self.objection(&prepared)).await?
        } else {
            None
        };
        let new = &prepared.new;
        if let Some(key) = &terms.idempotency_key {
            let claim = prepared.claim(key);
            let earlier = match &objection {
                None => self.reserve(&claim, new).await?,
                Some(_) => self.answered(&claim).await?,
            };
            if let Some(delivery) = earlier {
                return Ok(delivery);
            }
        }
        if let Some(objection) = objection {
            return Err(objection);
        }
        let owner = Owner::new();
        if let Claimed::Taken(_) = self.messages.begin(new, &owner).await? {
            // This call was so slow that another with its key took its place.
            return Err(in_flight());
        }
        // Only now: a slow storage may have taken a part of it.
        let time_left = || terms.time_left.saturating_sub(begun.elapsed());
        let (mut result, note) = match meta_timeout(time_left()) {
            Some(timeout) => {
                let sent = self.call_meta(prepared.account, &prepared.message, timeout).await;
                let note = self.singles.count(prepared.account, &sent, self.clock.now());
                (sent.map_err(meta_error::to_domain), note)
            }
            None => (Err(too_little_time()), None),
        };
        if let Err(error) = result {
            // Before it is recorded: a replay tells the same.
            let time_left = time_left().saturating_sub(RECORDING_TIME);
            result = Err(Box::pin(self.in_plain_words(error, &prepared, time_left)).await);
        }
        let noted = self.singles.note(prepared.account, note, self.clock.now());
        futures::join!(self.record(new, &owner, &result), noted);
        match result {
            Ok(sent) => Ok(Delivery { answer: sent.answer, message_id: new.id, replayed: false }),
            Err(error) => Err(error.about_message(new.id)),
        }
    }

    /// Finds the draft's account, and gives the message its id.
    pub(crate) fn prepare(&self, caller: &Caller, draft: Draft, terms: &Terms) -> Result<Prepared<'_>> {
        let account = caller.account(&self.accounts, draft.account_id)?;
        let is_template = matches!(draft.content, Content::Template(_));
        let mut message = whatsapp::Message::new(draft.to.as_digits(), draft.content);
        if let Some(wamid) = draft.reply_to {
            message = message.reply_to(wamid);
        }
        let asked_for = to_json(&message)?;
        let id = MessageId::generate();
        let message = message.callback_data(id.to_string());
        let created_at = self.clock.now();
        let new = NewMessage {
            id,
            account_id: account.id,
            phone: draft.to.as_digits().to_owned(),
            key_id: caller.key_id().to_owned(),
            content: to_json(&message)?,
            created_at,
            deadline_at: created_at.saturating_add(terms.time_left).map_err(Error::internal)?,
            campaign: None,
        };
        Ok(Prepared { account, to: draft.to, is_template, asked_for, message, new })
    }

    /// Reserves an idempotency key for a message. `Some`: the message that was sent under it before.
    async fn reserve(&self, claim: &Claim, new: &NewMessage) -> Result<Option<Delivery>> {
        /// More changes than this under our hands, and the key is busy.
        const ROUNDS: usize = 4;
        let Some(mut standing) = self.idempotency_keys.reserve(claim).await? else { return Ok(None) };
        for _ in 0..ROUNDS {
            let unsent = match self.look_up(claim, &standing).await? {
                Earlier::Sent(delivery) => return Ok(Some(delivery)),
                Earlier::Unsent => true,
                Earlier::NeverBegun => self.give_up(&standing, new).await?,
            };
            if unsent {
                match self.idempotency_keys.replace(claim, message_of(&standing)?).await? {
                    None => return Ok(None),
                    Some(by_another) => standing = by_another,
                }
            }
        }
        Err(in_flight())
    }

    /// What a request under this key is told without reserving it. `None`: it would send.
    pub(crate) async fn answered(&self, claim: &Claim) -> Result<Option<Delivery>> {
        let Some(standing) = self.idempotency_keys.get(claim).await? else { return Ok(None) };
        Ok(match self.look_up(claim, &standing).await? {
            Earlier::Sent(delivery) => Some(delivery),
            Earlier::Unsent | Earlier::NeverBegun => None,
        })
    }

    /// What became of the message that a key stands for. An error is what the request is told in place of an answer.
    async fn look_up(&self, claim: &Claim, standing: &Reservation) -> Result<Earlier> {
        if !standing.is_for(claim) {
            return Err(key_reused());
        }
        let message_id = message_of(standing)?;
        if let Some(message) = self.messages.get(message_id).await? {
            return self.replay(&message);
        }
        let gone_at = standing.reserved_at.saturating_add(RESERVATION_TIME).map_err(Error::internal)?;
        if claim.at < gone_at {
            return Err(in_flight().about_message(message_id));
        }
        Ok(Earlier::NeverBegun)
    }

    /// What a message that was sent, or tried, before says to the same request now.
    fn replay(&self, message: &Message) -> Result<Earlier> {
        let id = message.new.id;
        match message.state_at(self.clock.now()) {
            // Single messages are never put back; whoever claims one anew would be under way.
            SendState::Sending | SendState::Pending => Err(in_flight().about_message(id)),
            SendState::Unknown => Err(meta_error::outcome_unknown().about_message(id).replayed()),
            SendState::Accepted => {
                Ok(Earlier::Sent(Delivery { answer: stored_answer(message)?, message_id: id, replayed: true }))
            }
            SendState::Rejected => match message.failure() {
                Some(failure) if surely_unsent(failure.kind) => Ok(Earlier::Unsent),
                Some(failure) => Err(Error::from(failure).about_message(id).replayed()),
                None => Err(Error::internal("a rejected message without its failure")),
            },
        }
    }

    /// Takes the place of a message that was reserved but never began. `false`: it began just now.
    async fn give_up(&self, standing: &Reservation, new: &NewMessage) -> Result<bool> {
        let never_begun = NewMessage { id: message_of(standing)?, ..new.clone() };
        let why = Error::new(Kind::Unavailable, "The message was never handed to WhatsApp").retryable(true);
        self.messages.give_up(&never_begun, &why).await
    }

    /// Calls Meta, a second time where the first surely did not reach it and there is time to learn the same again.
    pub(crate) async fn call_meta(
        &self,
        account: &Account,
        message: &whatsapp::Message,
        timeout: Duration,
    ) -> Result<Sent, whatsapp::Error> {
        let number = self.whatsapp.number(&account.phone_number_id, &account.access_token);
        let begun = Instant::now();
        let mut result = number.send(message, timeout).await;
        if let Err(whatsapp::Error::NotReached(_)) = &result {
            let left = timeout.saturating_sub(begun.elapsed());
            if left > CONNECT_TIME {
                result = number.send(message, left).await;
            }
        }
        result
    }

    /// Records what became of a message, and moves its conversation. A failure here is logged and not returned: Meta has
    /// the message, and a client told otherwise would send it again.
    async fn record(&self, new: &NewMessage, owner: &Owner, result: &Result<Sent>) {
        let outcome = match result {
            Ok(sent) => accepted(sent, new),
            Err(error) if error.kind() == Kind::OutcomeUnknown => Outcome::Unknown,
            Err(error) => Outcome::Rejected(error.public().clone()),
        };
        self.write_down(new, owner, &outcome, result.as_ref().ok()).await;
    }

    /// Side by side: the outcome into the message's row, and the conversation moved by what was sent.
    pub(crate) async fn write_down(&self, new: &NewMessage, owner: &Owner, outcome: &Outcome, sent: Option<&Sent>) {
        let finish = in_time(Box::pin(self.messages.finish(new.id, owner, outcome)));
        let touch = in_time(Box::pin(async {
            match sent {
                Some(sent) => {
                    let phone_number = recipient(sent, new);
                    match Chat::with_number(new.account_id, phone_number) {
                        Some(chat) => self.conversations.moved(&chat, phone_number, new.created_at).await,
                        None => Ok(()),
                    }
                }
                None => Ok(()),
            }
        }));
        let (finished, touched) = futures::join!(finish, touch);
        for (what, result) in [("the outcome of a message", finished), ("a conversation", touched)] {
            if let Err(error) = result {
                tracing::error!(message_id = %new.id, cause = error.source_chain(), "{what} was not recorded");
            }
        }
    }
}

/// What is recorded of a message that Meta took.
pub(crate) fn accepted(sent: &Sent, new: &NewMessage) -> Outcome {
    Outcome::Accepted {
        wamid: sent.wamid.clone(),
        answer: sent.answer.get().to_owned(),
        chat: Chat::with_number(new.account_id, recipient(sent, new)),
    }
}

/// The recipient as Meta knows them, which may be another form of the number that was sent to.
fn recipient<'a>(sent: &'a Sent, new: &'a NewMessage) -> &'a str {
    sent.wa_id.as_deref().unwrap_or(&new.phone)
}

/// What became of an earlier message.
enum Earlier {
    Sent(Delivery),
    /// It was surely not sent: another may take its place.
    Unsent,
    /// Whoever reserved its place is gone.
    NeverBegun,
}

impl Prepared<'_> {
    /// A claim to be the one that sends this message under the key. What was asked for is all of the message but its id.
    pub(crate) fn claim(&self, key: &IdempotencyKey) -> Claim {
        let (new, asked_for) = (&self.new, &self.asked_for);
        let fingerprint =
            Sha256::new().chain_update(new.account_id.to_string()).chain_update([0]).chain_update(asked_for);
        Claim {
            key_id: new.key_id.clone(),
            key: key.clone(),
            fingerprint: fingerprint.finalize().into(),
            subject: Subject::MessageId(new.id),
            at: new.created_at,
        }
    }
}

/// Whether a failure of this kind leaves no doubt: Meta was not reached, or had no place for the message. Any other
/// refusal is the answer to its key, also where a second try would make sense: that one takes a new key.
const fn surely_unsent(kind: Kind) -> bool {
    matches!(kind, Kind::Throttled | Kind::Unavailable)
}

/// How long Meta gets, so that its answer can still be recorded and told. `None`: too short to call it.
fn meta_timeout(time_left: Duration) -> Option<Duration> {
    Some(META_TIMEOUT.min(time_left.saturating_sub(RECORDING_TIME))).filter(|timeout| *timeout >= LEAST_META_TIME)
}

/// Storage may be slow: the client is answered in any case.
async fn in_time(recording: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(RECORDING_LIMIT, recording).await.unwrap_or_else(|late| Err(Error::storage(late)))
}

fn too_little_time() -> Error {
    Error::new(Kind::Unavailable, "There is too little time left to send. Nothing was sent. Try again.")
        .code("too_little_time")
        .retryable(true)
        .retry_after(Duration::from_secs(1))
}

/// Meta's answer as it was stored. A message that a webhook settled has none: then what Meta would have said.
fn stored_answer(message: &Message) -> Result<Box<RawValue>> {
    let answer = match (&message.answer, &message.wamid) {
        (Some(answer), _) => answer.clone(),
        (None, Some(wamid)) => json!({
            "messaging_product": "whatsapp",
            "contacts": [{"input": message.new.phone, "wa_id": message.new.phone}],
            "messages": [{"id": wamid}],
        })
        .to_string(),
        (None, None) => return Err(Error::internal("an accepted message without its wamid")),
    };
    RawValue::from_string(answer).map_err(Error::internal)
}

/// The message that a key stands for.
fn message_of(standing: &Reservation) -> Result<MessageId> {
    match standing.subject {
        Subject::MessageId(id) => Ok(id),
        Subject::CampaignId(_) => Err(key_reused()),
    }
}

fn key_reused() -> Error {
    let message = "This Idempotency-Key was used for another request: take a new one";
    Error::new(Kind::KeyReused, message).code("idempotency_key_reused").retryable(false)
}

fn in_flight() -> Error {
    Error::new(Kind::InFlight, "A request with this Idempotency-Key is under way")
        .code("in_flight")
        .retryable(true)
        .retry_after(IN_FLIGHT_WAIT)
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(Error::internal)
}
