//! Those blocked now, page by page.

use auth::Caller;
use domain::{AccountId, Result};
use storage::{BlockedContact, Place};

use crate::BlockList;

/// Which part of the list is asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// Of which account; `None` for the default.
    pub account_id: Option<AccountId>,
    /// How many contacts at most.
    pub limit: i32,
    /// Behind which place it begins; `None` at the newest.
    pub after: Option<Place>,
}

/// A page of the list.
#[derive(Debug)]
pub struct BlockedPage {
    /// Those whom the account blocks now, newest first.
    pub contacts: Vec<BlockedContact>,
    /// Behind which place the next page begins; `None`: this is the last.
    pub next: Option<Place>,
}

impl BlockList {
    /// Those whom the account blocks now, newest first.
    pub async fn list(&self, caller: &Caller, page: &Page) -> Result<BlockedPage> {
        let account = caller.account(&self.accounts, page.account_id)?;
        let storage::Page { rows, is_last } = self.contacts.newest(account.id, page.after.as_ref(), page.limit).await?;
        let next = rows.last().filter(|_| !is_last).map(|contact| contact.listed.clone());
        Ok(BlockedPage { contacts: rows, next })
    }
}
