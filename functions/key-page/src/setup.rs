//! Building the function from the environment that template.yaml gives it.

use admin::Admin;
use auth::{Registry, Usage};
use domain::Clock;
use futures::FutureExt;
use futures::future::BoxFuture;
use storage::{AuditTrail, Database, SetupError, SetupTokens};

use crate::KeyPage;

/// What the local stack sets, and template.yaml doesn't: see [`KeyPage::is_local`].
const LOCAL: &str = "KEY_PAGE_IS_LOCAL";

impl KeyPage {
    /// Builds the function from the environment.
    pub fn from_env() -> BoxFuture<'static, Result<Self, SetupError>> {
        // On the heap: what connects to AWS is some kilobytes of state, needed once.
        connect().boxed()
    }

    /// The page of a deployment whose tables are in `database`.
    pub fn new(database: &Database, setup_tokens: Option<SetupTokens>, clock: Clock) -> Self {
        Self {
            registry: Registry::new(database, clock.clone()),
            usage: Usage::new(database, clock.clone()),
            audit: AuditTrail::new(database),
            admin: Admin::new(database, setup_tokens, clock.clone()),
            accounts: None,
            clock,
            is_local: std::env::var(LOCAL).is_ok_and(|value| value == "true"),
        }
    }
}

async fn connect() -> Result<KeyPage, SetupError> {
    let page = KeyPage::new(&Database::from_env()?, SetupTokens::from_env()?, Clock::system());
    // Also opens the connection to DynamoDB; if that fails, the first request will tell.
    let (accounts, _) = futures::join!(storage::accounts::from_env(), page.admin.prompt());
    // Before the accounts are put in, keys can be made all the same: for all accounts.
    let accounts = accounts.inspect_err(|error| tracing::warn!(%error, "the accounts are not known")).ok();
    Ok(KeyPage { accounts, ..page })
}
