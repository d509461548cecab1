//! Those blocked now, page by page.

use auth::Caller;
use domain::{AccountId, Error, Result};
use storage::{BlockedContact, ListPosition};

use crate::BlockList;

/// Which part of the list is asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// Of which account; `None` for the default.
    pub account_id: Option<AccountId>,
    /// How many contacts at most.
    pub limit: i32,
    /// Behind which place it begins; `None` at the newest.
    pub after: Option<ListPosition>,
}

/// A page of the list.
#[derive(Debug)]
pub struct BlockedPage {
    /// Those whom the account blocks now, newest first.
    pub contacts: Vec<BlockedContact>,
    /// Behind which place the next page begins; `None`: this is the last.
    pub next: Option<ListPosition>,
}

impl BlockList {
    /// Those whom the account blocks now, newest first.
    pub async fn list(&self, caller: &Caller, page: &Page) -> Result<BlockedPage> {
        let account = caller.account(&self.accounts, page.account_id)?;
        let limit = usize::try_from(page.limit).map_err(Error::internal)?;
        // One more than asked for tells whether there is a next page.
        let asked_for = page.limit.saturating_add(1);
        let mut contacts = self.contacts.newest(account.id, page.after.as_ref(), asked_for).await?;
        let is_last = contacts.len() <= limit;
        contacts.truncate(limit);
        let next = contacts.last().filter(|_| !is_last).map(|contact| contact.listed.clone());
        Ok(BlockedPage { contacts, next })
    }
}
