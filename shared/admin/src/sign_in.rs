//! How people prove who they are, apart from what follows from it.

use std::time::Duration;

use domain::Result;
use serde::{Deserialize, Serialize};
use storage::{Actor, Facts};

use crate::opaque::DeviceId;
use crate::provider_sign_in::Identity;

/// A way to prove who one is: [`PasswordSignIn`](crate::PasswordSignIn) or [`ProviderSignIn`](crate::ProviderSignIn).
///
/// Sessions, signing out and the audit trail are the same for all: they are [`Admin`](crate::Admin)'s.
pub trait SignIn: Send + Sync {
    /// What the browser presents to be let in.
    type Proof: Send + Sync;

    /// What the page must ask for.
    fn prompt(&self) -> impl Future<Output = Result<Prompt>> + Send;

    /// Checks a proof. It says no in the same way, and after the same work, whatever is wrong.
    fn verify(&self, proof: &Self::Proof, browser: Browser<'_>)
    -> impl Future<Output = Result<Verdict<Proven>>> + Send;

    /// Whether somebody who has proven that they are this may come in, still: asked for every request of a session. Who
    /// signed in by another way may not.
    fn admits(&self, principal: &Principal) -> bool;
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
    /// For a visit to the OpenID provider.
    Provider,
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
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// Who has the one password.
    Admin,
    /// Whom the OpenID provider knows.
    Person(Identity),
}

impl Principal {
    /// What the audit trail calls them.
    pub fn name(&self) -> String {
        match self {
            Self::Admin => "admin".to_owned(),
            Self::Person(identity) => identity.name(),
        }
    }

    pub(crate) fn actor(&self, address: Option<&str>) -> Actor {
        Actor { name: self.name(), address: address.map(str::to_owned) }
    }

    /// What else the audit trail tells of them when they sign in.
    pub(crate) fn facts(&self) -> Facts {
        match self {
            Self::Admin => Facts::new(),
            Self::Person(Identity { issuer, subject, .. }) => {
                [("issuer", issuer), ("subject", subject)].map(|(name, fact)| (name.to_owned(), fact.clone())).into()
            }
        }
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
