//! What the webhook's function is built from.

use std::sync::Arc;

use domain::Clock;
use futures::FutureExt;
use futures::future::BoxFuture;
use storage::{Database, SetupError};

use crate::{Inbox, START_WORDS, STOP_WORDS, Words};

/// Builds an inbox from the environment that template.yaml gives the function: its tables, the accounts, and by which words
/// contacts opt out (`STOP_WORDS`) and in again (`START_WORDS`).
pub fn from_env() -> BoxFuture<'static, Result<Inbox, SetupError>> {
    // On the heap: what connects to AWS is some kilobytes of state, needed once.
    connect().boxed()
}

async fn connect() -> Result<Inbox, SetupError> {
    let database = Database::from_env()?;
    let words = |name: &str, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let words = Words::new(&words("STOP_WORDS", STOP_WORDS), &words("START_WORDS", START_WORDS));
    let (accounts, ()) = futures::join!(storage::accounts::from_env(), database.warm());
    Ok(Inbox::new(&database, Arc::new(accounts?), words, Clock::system()))
}
