//! How people prove who they are, apart from what follows from it.

use std::time::Duration;

use domain::Result;
use serde::{Deserialize, Serialize};
use storage::Actor;

use crate::opaque::DeviceId;

/// A way to prove who one is. Today there is one, [`PasswordSignIn`](crate::PasswordSignIn).
///
/// Another, such as OIDC, brings its own proof (the provider's code, and what the page kept of the way there), its own
/// [`Prompt`] (where to send the browser) and gives no device id, since its provider counts the attempts. Sessions,
/// signing out and the audit trail are the same for all: they are [`Admin`](crate::Admin)'s.
pub trait SignIn: Send + Sync {
    /// What the browser presents to be let in.
    type Proof: Send + Sync;

    /// What the page must ask for.
    fn prompt(&self) -> impl Future<Output = Result<Prompt>> + Send;

    /// Checks a proof. It says no in the same way, and after the same work, whatever is wrong.
    fn verify(&self, proof: &Self::Proof, browser: Browser<'_>)
    -> impl Future<Output = Result<Verdict<Proven>>> + Send;
}

/// What the page must ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// For nothing: there is no way in, and none to make one.
    NotConfigured,
    /// For a setup token and a new password.
    SetUp,
    /// For the password.
    Password {
        /// And for a one-time code.
        one_time_code: bool,
    },
}

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// Yes, and this is what comes of it.
    Proven(T),
    /// No. Which of all that was presented is wrong is told to nobody.
    Refused,
    /// Not looked at: it is too early by this much.
    Wait(Duration),
}

/// Who has proven to be whom.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Who it is.
    pub principal: Principal,
    /// What the browser shall keep, so that next time its attempts are counted apart from strangers'.
    pub device: Option<DeviceId>,
}

/// Somebody who may administer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Principal(String);

impl Principal {
    /// Somebody called `name` in the audit trail.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Who has the one password.
    pub(crate) fn admin() -> Self {
        Self::new("admin")
    }

    /// What the audit trail calls them.
    pub fn name(&self) -> &str {
        &self.0
    }

    pub(crate) fn actor(&self, address: Option<&str>) -> Actor {
        Actor { name: self.0.clone(), address: address.map(str::to_owned) }
    }
}

/// What is known of the browser that sends a request. Its cookies are secrets: it cannot be printed.
#[derive(Clone, Copy, Default)]
pub struct Browser<'a> {
    /// The session cookie, as it came.
    pub session: Option<&'a str>,
    /// The device cookie, as it came.
    pub device: Option<&'a str>,
    /// The network address, as API Gateway saw it.
    pub address: Option<&'a str>,
}
