//! `create`: a new key.

use auth::{KeySettings, Registry};
use domain::{AccountId, Scope};
use jiff::SignedDuration;

use crate::keyring::Keyring;
use crate::output;
use crate::problem::Problem;
use crate::settings::{Create, Preset};

/// Makes a key and shows it.
pub(crate) async fn create(wanted: Create, keyring: &Keyring) -> Result<(), Problem> {
    let life = wanted.expires_in_days.map(|days| SignedDuration::from_hours(i64::from(days) * 24));
    let expires_at = life.map(|life| keyring.clock.now().saturating_add(life)).transpose();
    let settings = KeySettings {
        scopes: match (wanted.preset, wanted.scope) {
            (None, scopes) if scopes.is_empty() => Scope::ALL.into(),
            (None, scopes) => scopes.into_iter().collect(),
            (Some(Preset::All), _) => Scope::ALL.into(),
            (Some(Preset::Send), _) => [Scope::MessagesSend].into(),
            (Some(Preset::Read), _) => Scope::READ.into(),
        },
        accounts: (!wanted.account.is_empty()).then(|| wanted.account.into_iter().map(AccountId).collect()),
        expires_at: expires_at.map_err(|error| Problem::new(error.to_string()))?,
        requests_per_minute: wanted.requests_per_minute,
        name: wanted.name,
    };
    let (key, record) = keyring.registry.create(&Registry::new_id(), settings, &keyring.by).await?;
    output::new_key(&key, &record)
}
