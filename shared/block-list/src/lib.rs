//! Blocks and unblocks contacts at Meta, and keeps who is blocked.
//!
//! Meta decides, number by number; the list here follows what it did. Blocking somebody twice is blocking them, so that
//! whatever goes wrong on the way may be repeated without harm.

mod contact;
mod failures;
mod listing;
mod setup;

use std::sync::Arc;
use std::time::{Duration, Instant};

use auth::Caller;
use domain::{Account, AccountId, Accounts, Clock, Result};
use futures::future;
use serde::Serialize;
use serde_json::value::RawValue;
use storage::{Became, BlockEvent, BlockedContacts, Database};
use utoipa::ToSchema;
use whatsapp::{BlockOutcome, WhatsApp};

use crate::failures::{BLOCK, Deed, LIST, UNBLOCK};

pub use listing::{BlockedPage, Page};
pub use setup::{from_env, listing_from_env, without_keys_from_env};

/// How many contacts one request may block or unblock.
pub const MAX_CONTACTS: usize = whatsapp::MAX_USERS_PER_BLOCK;
/// What is kept back of the function's time for recording what Meta did.
const RECORDING_TIME: Duration = Duration::from_secs(8);
/// What is kept back of that for answering.
const ANSWERING_TIME: Duration = Duration::from_secs(1);
/// With less time than this for Meta, it is not called: its answer would hardly come.
const LEAST_META_TIME: Duration = Duration::from_secs(1);
/// So many contacts are recorded side by side: a thousand at once would each need a connection, and one after the other they
/// would take too long.
const SIDE_BY_SIDE: usize = 20;

/// Whom the accounts block: at Meta, and in the list here. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct BlockList {
    contacts: BlockedContacts,
    whatsapp: WhatsApp,
    accounts: Arc<Accounts>,
    clock: Clock,
}

/// Whom a client wants to have blocked or unblocked.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// By which account; `None` for the default.
    pub account_id: Option<AccountId>,
    /// Whom, as the client wrote it: numbers, or business-scoped user ids; at most [`MAX_CONTACTS`].
    pub phones: &'a [&'a str],
    /// Whether the client wrote them as a list, in the field `phones`, and not one in the field `phone`.
    pub is_list: bool,
    /// Why.
    pub reason: Option<&'a str>,
    /// How long the function may still work.
    pub time_left: Duration,
}

/// What Meta made of a wish: the answer as the reference words it, also where Meta refused some or all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedBlocks)]
pub struct Changed {
    /// Always `success`.
    status: &'static str,
    /// Meta's answer, unchanged.
    #[schema(value_type = Object)]
    meta_response: Box<RawValue>,
}

impl BlockList {
    /// The block lists of a deployment.
    pub fn new(database: &Database, whatsapp: WhatsApp, accounts: Arc<Accounts>, clock: Clock) -> Self {
        Self { contacts: BlockedContacts::new(database), whatsapp, accounts, clock }
    }

    /// Blocks contacts.
    pub async fn block(&self, caller: &Caller, wish: &Wish<'_>) -> Result<Changed> {
        self.change(caller, wish, &BLOCK).await
    }

    /// Unblocks contacts.
    pub async fn unblock(&self, caller: &Caller, wish: &Wish<'_>) -> Result<Changed> {
        self.change(caller, wish, &UNBLOCK).await
    }

    async fn change(&self, caller: &Caller, wish: &Wish<'_>, deed: &Deed) -> Result<Changed> {
        let account = caller.account(&self.accounts, wish.account_id)?;
        let users = contact::users(wish)?;
        let number = self.whatsapp.number(&account.phone_number_id, &account.access_token);
        let begun = Instant::now();
        let answer = async { if deed.blocks { number.block(&users).await } else { number.unblock(&users).await } };
        let outcome = ask_meta(answer, wish.time_left, deed).await?;
        // Only now: whatever is recorded with an earlier time was done before this.
        let at = self.clock.now();
        let became = if deed.blocks { Became::Blocked { reason: wish.reason } } else { Became::Unblocked };
        let mut events = Vec::new();
        for (contact, phone_number) in contact::each_once(&outcome.changed) {
            events.push(BlockEvent {
                account: account.id,
                contact: contact.as_str().to_owned(),
                phone_number,
                became,
                by: Some(caller.key_id()),
                at,
            });
        }
        self.record(&events, wish.time_left.saturating_sub(begun.elapsed()), deed).await?;
        let BlockOutcome { answer: meta_response, .. } = outcome;
        Ok(Changed { status: "success", meta_response })
    }

    /// Brings the list level with Meta's own, also for contacts who were blocked or unblocked elsewhere.
    pub async fn refresh(&self, caller: &Caller, account_id: Option<AccountId>, time_left: Duration) -> Result<()> {
        self.bring_level(caller.account(&self.accounts, account_id)?, time_left).await
    }

    /// Brings the lists of all accounts level with Meta's own, for nobody: what the schedule does. All at once, so that an
    /// account that fails, or takes its time, keeps no other from it. The error then names those that failed.
    pub async fn refresh_all(&self, time_left: Duration) -> Result<()> {
        let refreshed = self.accounts.iter().map(|account| async move {
            // On the heap: all of them are there at once.
            (account.id, Box::pin(self.bring_level(account, time_left)).await)
        });
        let refreshed = future::join_all(refreshed).await.into_iter();
        let failed: Vec<_> = refreshed.filter_map(|(id, outcome)| Some((id, outcome.err()?))).collect();
        failures::of_accounts(&failed)
    }

    async fn bring_level(&self, account: &Account, time_left: Duration) -> Result<()> {
        let number = self.whatsapp.number(&account.phone_number_id, &account.access_token);
        // Whatever is recorded with a later time counts more: this may not have seen it.
        let (begun, at) = (Instant::now(), self.clock.now());
        let listed = ask_meta(number.list_blocked(), time_left, &LIST);
        let (listed, here) = future::join(listed, self.contacts.everybody(account.id)).await;
        let (listed, here) = (listed?, here.map_err(|error| LIST.not_recorded(&error))?);
        let at_meta = contact::of_all(&listed, &here);
        let blocked = at_meta.iter().filter(|(contact, _)| !here.contains(*contact));
        let blocked = blocked.map(|(contact, id)| (contact, *id, Became::Blocked { reason: None }));
        let unblocked = here.iter().filter(|contact| !at_meta.contains_key(*contact));
        let unblocked = unblocked.map(|contact| (contact, contact.as_str(), Became::Unblocked));
        let mut events = Vec::new();
        for (contact, phone_number, became) in blocked.chain(unblocked) {
            let contact = contact.clone();
            events.push(BlockEvent { account: account.id, contact, phone_number, became, by: None, at });
        }
        self.record(&events, time_left.saturating_sub(begun.elapsed()), &LIST).await
    }

    /// Records what Meta did. Whatever fails here, Meta did it: the client is told so, and completes it by a repetition.
    async fn record(&self, events: &[BlockEvent<'_>], time_left: Duration, deed: &Deed) -> Result<()> {
        let all = async {
            for some in events.chunks(SIDE_BY_SIDE) {
                future::try_join_all(some.iter().map(|event| self.contacts.record(event))).await?;
            }
            Ok(())
        };
        let recorded = tokio::time::timeout(time_left.saturating_sub(ANSWERING_TIME), Box::pin(all)).await;
        let recorded = recorded.unwrap_or_else(|late| Err(domain::Error::storage(late)));
        recorded.map_err(|error| deed.not_recorded(&error))
    }
}

/// Asks Meta, within the time that leaves enough to record its answer.
async fn ask_meta<T>(
    answer: impl Future<Output = Result<T, whatsapp::Error>>,
    time_left: Duration,
    deed: &Deed,
) -> Result<T> {
    let timeout = time_left.saturating_sub(RECORDING_TIME);
    if timeout < LEAST_META_TIME {
        return Err(failures::too_little_time());
    }
    match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => answer.map_err(|error| meta_errors::to_domain(error, &deed.asked)),
        Err(late) => Err((deed.asked.unknown)().caused_by(late)),
    }
}
