//! Building the function from the environment that template.yaml gives it.

use admin::{Admin, ListedError, ProviderSettings, ProviderSignIn};
use auth::{Registry, Usage};
use domain::Clock;
use futures::FutureExt;
use futures::future::BoxFuture;
use storage::{AuditTrail, ClientSecret, Database, SetupError, SetupTokens};

use crate::KeyPage;

/// What the local stack sets, and template.yaml doesn't: see [`KeyPage::is_local`].
const LOCAL: &str = "KEY_PAGE_IS_LOCAL";

/// Signing in by an OpenID provider.
#[derive(Clone)]
pub struct Provider {
    /// Who may.
    pub admin: Admin<ProviderSignIn>,
    /// Our name at the provider. `None`: the variable `OidcClientId` of the API's stage tells it, since template.yaml can't
    /// make a client that names the API before the function that the API names.
    pub client_id: Option<String>,
}

/// What there is to set of a provider.
pub struct ProviderEntries {
    /// What it calls itself.
    pub issuer: String,
    /// Our name there.
    pub client_id: Option<String>,
    /// What we share with it.
    pub client_secret: ClientSecret,
    /// Who may administer, as text.
    pub admins: String,
}

impl Provider {
    /// Signing in by the provider of these settings, with the tables in `database`. An error names the setting.
    pub fn new(entries: ProviderEntries, database: &Database, clock: Clock) -> Result<Self, SetupError> {
        let ProviderEntries { issuer, client_id, client_secret, admins } = entries;
        let provider = oidc::Provider::new(&issuer);
        let provider = provider.map_err(|error| SetupError::new("OIDC_ISSUER", error.to_string()))?;
        let listed = admins.parse().map_err(|error: ListedError| SetupError::new("ADMINS", error.to_string()))?;
        let settings = ProviderSettings { provider, client_secret, listed };
        Ok(Self { admin: Admin::by_provider(settings, database, clock), client_id })
    }

    /// The provider that the environment names: `None` where `OIDC_ISSUER` is empty.
    fn from_env(database: &Database, is_local: bool) -> Result<Option<Self>, SetupError> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(issuer) = set("OIDC_ISSUER") else { return Ok(None) };
        let client_secret = match set("OIDC_CLIENT_SECRET").filter(|_| is_local) {
            Some(secret) => ClientSecret::given(Some(secret.into())),
            None => ClientSecret::from_env()?,
        };
        let admins = set("ADMINS").unwrap_or_default();
        let entries = ProviderEntries { issuer, client_id: set("OIDC_CLIENT_ID"), client_secret, admins };
        Self::new(entries, database, Clock::system()).map(Some)
    }
}

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
            provider: None,
            accounts: None,
            clock,
            is_local: std::env::var(LOCAL).is_ok_and(|value| value == "true"),
        }
    }
}

async fn connect() -> Result<KeyPage, SetupError> {
    let database = Database::from_env()?;
    let page = KeyPage::new(&database, SetupTokens::from_env()?, Clock::system());
    let provider = Provider::from_env(&database, page.is_local)?;
    let (accounts, ()) = futures::join!(storage::accounts::from_env(), database.warm());
    // Before the accounts are put in, keys can be made all the same: for all accounts.
    let accounts = accounts.inspect_err(|error| tracing::warn!(%error, "the accounts are not known")).ok();
    Ok(KeyPage { provider, accounts, ..page })
}
