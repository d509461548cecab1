//! What WhatsApp tells besides messages and statuses, and what was not understood.

use std::sync::Arc;

use auth::Caller;
use domain::{AccountId, Accounts, Error, Kind, Result};
use serde::Serialize;
use serde_json::value::RawValue;
use storage::{Database, WebhookEvent, WebhookEvents};
use utoipa::ToSchema;

use crate::{Part, moment};

/// The largest content that stands in the list, in bytes.
const LISTED_BYTES: usize = 16 * 1024;

/// Reads the events of the accounts. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Events {
    events: WebhookEvents,
    accounts: Arc<Accounts>,
}

/// Some events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    /// The newest first.
    events: Vec<Listed>,
    /// The place behind which the next page begins, for [`Place::parse`](crate::Place::parse); `None`: this page is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
struct Listed {
    /// Its id, for the parameter `id`.
    id: String,
    /// Meta's field, or `not_understood`.
    kind: String,
    /// When Meta told it.
    at: String,
    /// Why it was not understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// How large it is as it came.
    size_bytes: usize,
    /// As it came; `None`: it is too large, or no JSON.
    #[schema(required, value_type = serde_json::Value)]
    content: Option<Box<RawValue>>,
}

impl Events {
    /// The events of a deployment.
    pub fn new(database: &Database, accounts: Arc<Accounts>) -> Self {
        Self { events: WebhookEvents::new(database), accounts }
    }

    /// The events of an account's WhatsApp Business Account, newest first, perhaps only those of one kind.
    pub async fn list(
        &self,
        caller: &Caller,
        account_id: Option<AccountId>,
        kind: Option<&str>,
        part: &Part,
    ) -> Result<EventPage> {
        let account = caller.account(&self.accounts, account_id)?;
        let page = self.events.newest(&account.waba_id, kind, part.after.as_ref(), part.limit).await?;
        let last = page.rows.last().filter(|_| !page.is_last);
        let next_cursor = last.map(|event| event.place().as_str().to_owned());
        Ok(EventPage { events: page.rows.into_iter().map(Listed::from).collect(), next_cursor })
    }

    /// One event of an account's WhatsApp Business Account, as it came. What is no UTF-8 in it is replaced by U+FFFD.
    pub async fn whole(&self, caller: &Caller, account_id: Option<AccountId>, id: &str) -> Result<String> {
        let account = caller.account(&self.accounts, account_id)?;
        let found = self.events.whole(id).await?.filter(|(event, _)| event.waba_id == account.waba_id);
        let (_, content) = found.ok_or_else(not_found)?;
        Ok(String::from_utf8(content).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned()))
    }
}

impl From<WebhookEvent> for Listed {
    fn from(event: WebhookEvent) -> Self {
        let content = event.content().filter(|_| event.size_bytes <= LISTED_BYTES);
        let content = content.and_then(|content| serde_json::from_str(content).ok());
        let WebhookEvent { id, kind, at, problem, size_bytes, .. } = event;
        Self { id, kind, at: moment(at), problem, size_bytes, content }
    }
}

/// The same whether there is none or it is somebody else's.
fn not_found() -> Error {
    Error::new(Kind::NotFound, "There is no event with this id").code("event_not_found").retryable(false)
}
