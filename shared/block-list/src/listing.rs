//! Those blocked now, page by page.

use auth::Caller;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AccountId, Error, Result};
use serde::Serialize;
use storage::{BlockedContact, ListPosition};

use crate::BlockList;

/// Which part of the list is asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// Of which account; `None` for the default.
    pub account_id: Option<AccountId>,
    /// How many contacts at most.
    pub limit: i32,
    /// Where it begins; `None` at the newest.
    pub cursor: Option<Cursor>,
}

/// Where a page ended. Opaque to clients, who are told nothing of how the list is kept.
#[derive(Clone, Debug)]
pub struct Cursor(ListPosition);

/// A page as the reference answers, with where the next one begins.
#[derive(Debug, Serialize)]
pub struct BlockedPage {
    blocked_users: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A contact that is blocked now.
#[derive(Debug, Serialize)]
struct Listed {
    phone_number: String,
    blocked_at: String,
    reason: String,
}

impl Cursor {
    /// Reads what was given as `next_cursor`.
    pub fn parse(text: &str) -> Result<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = decoded.as_deref().and_then(ListPosition::parse);
        let problem = || Error::invalid_field("cursor", "cursor must be a next_cursor of this list, unchanged");
        position.map(Self).ok_or_else(problem)
    }

    fn behind(contact: &BlockedContact) -> String {
        URL_SAFE_NO_PAD.encode(contact.listed.as_str())
    }
}

impl BlockList {
    /// Those whom the account blocks now, newest first.
    pub async fn list(&self, caller: &Caller, page: &Page) -> Result<BlockedPage> {
        let account = caller.account(&self.accounts, page.account_id)?;
        let limit = usize::try_from(page.limit).map_err(Error::internal)?;
        // One more than asked for tells whether there is a next page.
        let after = page.cursor.as_ref().map(|cursor| &cursor.0);
        let mut contacts = self.contacts.newest(account.id, after, page.limit.saturating_add(1)).await?;
        let is_last = contacts.len() <= limit;
        contacts.truncate(limit);
        let next_cursor = contacts.last().filter(|_| !is_last).map(Cursor::behind);
        Ok(BlockedPage { blocked_users: contacts.into_iter().map(Listed::from).collect(), next_cursor })
    }
}

impl From<BlockedContact> for Listed {
    fn from(contact: BlockedContact) -> Self {
        let BlockedContact { phone_number, blocked_at, reason, .. } = contact;
        // Milliseconds even where they are zero, as in the reference.
        Self { phone_number, blocked_at: format!("{blocked_at:.3}"), reason }
    }
}
