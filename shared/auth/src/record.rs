//! What is kept of a key.

use std::collections::BTreeSet;
use std::fmt::Display;

use domain::{AccountId, Scope};
use jiff::fmt::serde::timestamp::millisecond;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use storage::Facts;

/// So long before its end a key is shown as one that expires soon.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a key may do, and what people call it: all that an administrator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySettings {
    /// For people: 1 to 255 characters.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The accounts that it may use; `None` for all.
    pub accounts: Option<BTreeSet<AccountId>>,
    /// From then on it is refused; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// How many requests it may make a minute; `None` for any number.
    pub requests_per_minute: Option<u32>,
}

impl KeySettings {
    /// A key that may do everything, with every account, for ever and at any pace.
    pub fn unlimited(name: impl Into<String>) -> Self {
        let scopes = Scope::ALL.into();
        Self { name: name.into(), scopes, accounts: None, expires_at: None, requests_per_minute: None }
    }
}

/// What is stored of a key, by its hash. The key itself is not. Only administrators change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    pub(crate) key_hash: String,
    /// Names the key in logs, in the audit trail and on the key page.
    pub id: String,
    /// For people.
    pub name: String,
    /// The key's first four characters, unless they would give it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_four: Option<String>,
    /// The key's last four characters, unless they would give it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_four: Option<String>,
    /// Whether it is accepted at all.
    pub is_active: bool,
    /// Whether it was imported although it can be guessed.
    #[serde(default)]
    pub is_weak: bool,
    /// When it was made.
    #[serde(with = "millisecond::required")]
    pub created_at: Timestamp,
    /// From then on it is refused.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What it may do. Texts, so that a scope of another version neither breaks a key nor grants anything.
    pub scopes: BTreeSet<String>,
    /// The accounts that it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<BTreeSet<AccountId>>,
    /// How many requests it may make a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// The key that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<String>,
    /// The key whose place it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predecessor_id: Option<String>,
    /// From then on it is refused, because another key has taken its place.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub retires_at: Option<Timestamp>,
    /// How often it was changed: a change that was decided on an older state is noticed.
    #[serde(default)]
    pub version: u64,
}

/// How a key stands, as people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Accepted.
    Active,
    /// Accepted, for less than 7 days more.
    ExpiresSoon,
    /// Accepted until its successor has taken over.
    Rotating,
    /// Refused: its time is over.
    Expired,
    /// Refused: switched off.
    Disabled,
}

impl KeyRecord {
    /// How the key stands at `now`.
    pub fn state(&self, now: Timestamp) -> KeyState {
        let is_over = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let is_soon = |at: Timestamp| at.duration_since(now) < SOON;
        match self {
            key if !key.is_active => KeyState::Disabled,
            key if is_over(key.expires_at) || is_over(key.retires_at) => KeyState::Expired,
            key if key.retires_at.is_some() => KeyState::Rotating,
            key if key.expires_at.is_some_and(is_soon) => KeyState::ExpiresSoon,
            _ => KeyState::Active,
        }
    }

    /// Whether a request with the key is let in at `now`.
    pub fn is_accepted(&self, now: Timestamp) -> bool {
        !matches!(self.state(now), KeyState::Disabled | KeyState::Expired)
    }

    /// What an administrator decided about it.
    pub fn settings(&self) -> KeySettings {
        KeySettings {
            name: self.name.clone(),
            scopes: self.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
            accounts: self.accounts.clone(),
            expires_at: self.expires_at,
            requests_per_minute: self.requests_per_minute,
        }
    }

    pub(crate) fn set(&mut self, settings: KeySettings) {
        self.name = settings.name;
        self.scopes = settings.scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect();
        self.accounts = settings.accounts;
        self.expires_at = settings.expires_at;
        self.requests_per_minute = settings.requests_per_minute;
    }

    /// What the audit trail tells of it.
    pub(crate) fn facts(&self) -> Facts {
        let accounts = self.accounts.as_ref();
        let facts = [
            ("name", Some(self.name.clone())),
            ("state", Some(if self.is_active { "enabled" } else { "disabled" }.to_owned())),
            ("scopes", Some(list(&self.scopes))),
            ("accounts", Some(accounts.map_or_else(|| "all".to_owned(), list))),
            ("expires_at", Some(self.expires_at.map_or_else(|| "never".to_owned(), |at| at.to_string()))),
            ("requests_per_minute", Some(self.requests_per_minute.map_or_else(|| "any".to_owned(), |n| n.to_string()))),
            ("retires_at", self.retires_at.map(|at| at.to_string())),
            ("successor", self.successor_id.clone()),
            ("predecessor", self.predecessor_id.clone()),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

fn list<T: Display>(of: &BTreeSet<T>) -> String {
    of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
