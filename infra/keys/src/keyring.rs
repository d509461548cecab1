//! The API keys of a deployment, and who administers them here.

use auth::{KeyRecord, KeyState, Registry, Usage};
use domain::Clock;
use embedded_dynamodb::Engine;
use storage::Actor;

use crate::problem::Problem;
use crate::settings::Place;
use crate::tables::{Missing, Tables};

/// What every command works with.
pub(crate) struct Keyring {
    /// The keys.
    pub(crate) registry: Registry,
    /// How much they are used.
    pub(crate) usage: Usage,
    /// What time it is.
    pub(crate) clock: Clock,
    /// As whom the audit trail knows the person at this terminal.
    pub(crate) by: Actor,
    _engine: Option<Engine>,
}

impl Keyring {
    /// The keys of the deployment that the command line or the environment names.
    pub(crate) async fn open(place: &Place, if_missing: Missing) -> Result<Self, Problem> {
        let Tables { database, engine } = Tables::open(place, if_missing).await?;
        let clock = Clock::system();
        Ok(Self {
            registry: Registry::new(&database, clock.clone()),
            usage: Usage::new(&database, clock.clone()),
            clock,
            by: administrator(),
            _engine: engine,
        })
    }

    /// How a key stands now, in a word.
    pub(crate) fn state(&self, key: &KeyRecord) -> &'static str {
        match key.state(self.clock.now()) {
            KeyState::Active => "active",
            KeyState::ExpiresSoon => "expires soon",
            KeyState::Rotating => "rotating",
            KeyState::Expired => "expired",
            KeyState::Disabled => "disabled",
        }
    }
}

/// As whom the audit trail knows the person at this terminal.
pub fn administrator() -> Actor {
    Actor { name: format!("command line ({})", user()), address: None }
}

/// The name of the account on this machine, as Unix or Windows tells it.
fn user() -> String {
    let told = ["USER", "USERNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    told.map(|name| name.trim().to_owned()).find(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}
