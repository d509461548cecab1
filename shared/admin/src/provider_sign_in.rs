//! Signing in by an OpenID provider.

use std::sync::Arc;

use domain::{Clock, Error, Kind, Result};
use oidc::{Client, Email, Person, Provider};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use storage::{ClientSecret, Database};
use url::Url;

use crate::constant_time;
use crate::handshake::Handshakes;
use crate::listed::{Listed, SUBJECT};
use crate::opaque::HandshakeId;
use crate::sign_in::{Browser, Principal, Prompt, Proven, SignIn, Verdict};

/// What is known of the provider, and who may come in.
#[derive(Debug)]
pub struct ProviderSettings {
    /// The provider.
    pub provider: Provider,
    /// The secret that we share with it, where it wants one.
    pub client_secret: ClientSecret,
    /// Who, of all whom it knows, may administer.
    pub listed: Listed,
}

/// Signing in by an OpenID provider. It counts the attempts, not we.
#[derive(Clone)]
pub struct ProviderSignIn {
    settings: Arc<ProviderSettings>,
    handshakes: Handshakes,
    clock: Clock,
}

/// Somebody whom the provider knows. It says so in an ID token that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Which provider.
    pub issuer: String,
    /// The provider's own name for them, which never changes.
    pub subject: String,
    /// Their address, in small letters, if the provider says that it is theirs.
    pub email: Option<String>,
}

/// A browser that is sent to the provider.
#[derive(Debug)]
pub struct Begun {
    /// Where it goes.
    pub url: Url,
    /// For the handshake cookie, which it must bring back within ten minutes, also when it comes from another site.
    pub handshake: HandshakeId,
}

/// What a browser brings back from the provider.
#[derive(Clone, Copy, Debug)]
pub struct Returned<'a> {
    /// The handshake cookie, as it came.
    pub handshake: Option<&'a str>,
    /// The parameter `state`.
    pub state: &'a str,
    /// The parameter `iss`.
    pub issuer: Option<&'a str>,
    /// The parameter `code`.
    pub code: Option<&'a SecretString>,
    /// The parameter `error`: with one, or without a code, the provider says no.
    pub error: Option<&'a str>,
    /// As it was given to [`Admin::begin`](crate::Admin::begin).
    pub client_id: &'a str,
    /// As it was given to [`Admin::begin`](crate::Admin::begin).
    pub redirect_uri: &'a str,
}

/// What comes of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Somebody, who need not be one of those who may come in.
    Somebody(Identity),
    /// It was not begun in this browser, was used already, or began too long ago.
    NotBegun,
    /// The provider lets nobody in: they gave up, or it refused them.
    Declined,
    /// What the provider says proves nothing. The log has the reason.
    Refused,
}

impl Identity {
    /// What the audit trail calls them, and an entry of the list that names them.
    pub fn name(&self) -> String {
        self.email.clone().unwrap_or_else(|| self.subject_entry())
    }

    /// The entry of the list that names them whatever their address.
    pub fn subject_entry(&self) -> String {
        format!("{SUBJECT}{}", self.subject)
    }
}

impl SignIn for ProviderSignIn {
    type Proof = Identity;

    async fn prompt(&self) -> Result<Prompt> {
        Ok(Prompt::Provider)
    }

    /// Refuses those who are not on the list: who they are is proven already.
    async fn verify(&self, identity: &Identity, _: Browser<'_>) -> Result<Verdict<Proven>> {
        let principal = Principal::Person(identity.clone());
        Ok(if self.admits(&principal) { Verdict::Proven(Proven { principal, device: None }) } else { Verdict::Refused })
    }

    fn admits(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Admin => false,
            Principal::Person(identity) => identity.issuer == self.issuer() && self.settings.listed.names(identity),
        }
    }
}

impl ProviderSignIn {
    pub(crate) fn new(settings: ProviderSettings, database: &Database, clock: Clock) -> Self {
        Self { settings: Arc::new(settings), handshakes: Handshakes::new(database, clock.clone()), clock }
    }

    pub(crate) fn issuer(&self) -> &str {
        self.settings.provider.issuer()
    }

    pub(crate) async fn begin(&self, client_id: &str, redirect_uri: &str) -> Result<Begun> {
        let handshake = HandshakeId::generate();
        let client = Client { id: client_id, secret: None, redirect_uri };
        let url = self.settings.provider.authorization_url(&client, &handshake.secrets()?, self.clock.now()).await;
        let url = url.map_err(unavailable)?;
        self.handshakes.begin(&handshake).await?;
        Ok(Begun { url, handshake })
    }

    pub(crate) async fn arrive(&self, returned: &Returned<'_>) -> Result<Arrival> {
        let Some(handshake) = returned.handshake.and_then(HandshakeId::parse) else { return Ok(Arrival::NotBegun) };
        let secrets = handshake.secrets()?;
        // Before it is used up: what another page sends here does not end a handshake that is under way.
        if !constant_time::same(returned.state, &secrets.state) || !self.handshakes.use_up(&handshake).await? {
            return Ok(Arrival::NotBegun);
        }
        match self.identify(returned, &secrets).await {
            Ok(Some(identity)) => Ok(Arrival::Somebody(identity)),
            Ok(None) => Ok(Arrival::Declined),
            Err(Failed::Provider(error)) if error.is_refusal() => {
                tracing::warn!(cause = %error, "an attempt to sign in was refused");
                Ok(Arrival::Refused)
            }
            Err(Failed::Provider(error)) => Err(unavailable(error)),
            Err(Failed::Secret(error)) => Err(error),
        }
    }

    /// `None`: the provider says no.
    async fn identify(&self, returned: &Returned<'_>, secrets: &oidc::Handshake) -> Result<Option<Identity>, Failed> {
        let (ProviderSettings { provider, client_secret, .. }, now) = (&*self.settings, self.clock.now());
        provider.must_be_from_here(returned.issuer, now).await?;
        let Some(code) = returned.code.filter(|_| returned.error.is_none()) else {
            // Anybody may have written it: nothing of it but what a code of the standard is made of.
            let is_plain = |character: &char| character.is_ascii_lowercase() || *character == '_';
            let error: String = returned.error.unwrap_or_default().chars().filter(is_plain).take(40).collect();
            tracing::warn!(error, "an attempt to sign in ended at the provider");
            return Ok(None);
        };
        let secret = client_secret.read().await.map_err(Failed::Secret)?;
        let client = Client { id: returned.client_id, secret: secret.as_ref(), redirect_uri: returned.redirect_uri };
        let person = provider.redeem(code, &client, secrets, now).await?;
        let email = self.email_of(&person).await?;
        Ok(Some(Identity { issuer: self.issuer().to_owned(), subject: person.subject, email }))
    }

    /// Where the ID token does not tell it, it is asked for only if it decides.
    async fn email_of(&self, person: &Person) -> Result<Option<String>, oidc::Error> {
        let ProviderSettings { provider, listed, .. } = &*self.settings;
        let email = match &person.email {
            Email::Untold if !listed.name_subject(&person.subject) => {
                provider.email_of(person, self.clock.now()).await?
            }
            told => told.clone(),
        };
        Ok(match email {
            Email::Verified(email) => Some(email),
            Email::Unverified | Email::Untold => None,
        })
    }
}

/// Why it can't be said who came.
enum Failed {
    Provider(oidc::Error),
    Secret(Error),
}

impl From<oidc::Error> for Failed {
    fn from(error: oidc::Error) -> Self {
        Self::Provider(error)
    }
}

fn unavailable(error: oidc::Error) -> Error {
    let message = "The sign-in provider can't be reached, or does not answer as it should. Try again.";
    Error::new(Kind::UpstreamUnavailable, message).code("sign_in_provider").caused_by(error)
}
