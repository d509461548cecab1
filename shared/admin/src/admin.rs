//! All that an administrator's page asks for.

use std::pin::Pin;

use domain::{Clock, Error, Result};
use secrecy::{ExposeSecret, SecretString};
use storage::{Actor, Database, SetupTokens};

use crate::attempts::{Attempts, Reserved};
use crate::credential::Credentials;
use crate::one_time_code::OneTimeSecret;
use crate::opaque::{DeviceId, SessionId};
use crate::password;
use crate::password_sign_in::PasswordSignIn;
use crate::provider_sign_in::{Arrival, Begun, ProviderSettings, ProviderSignIn, Returned};
use crate::session::{self, Session, Sessions};
use crate::sign_in::{Browser, Principal, Prompt, SignIn, Verdict};

/// Who may administer a deployment. A clone shares the connection.
#[derive(Clone)]
pub struct Admin<S = PasswordSignIn> {
    sign_in: S,
    sessions: Sessions,
    credentials: Credentials,
    clock: Clock,
}

/// What a browser gets that has signed in: the values of two cookies.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// For the session cookie.
    pub session: SessionId,
    /// For the device cookie, which lives for 180 days. `None`: it stays as it is.
    pub device: Option<DeviceId>,
}

impl<S: SignIn> Admin<S> {
    fn by(sign_in: S, database: &Database, clock: Clock) -> Self {
        let credentials = Credentials::new(database);
        Self { sign_in, sessions: Sessions::new(database, credentials.clone(), clock.clone()), credentials, clock }
    }

    /// What the page must ask for.
    pub async fn prompt(&self) -> Result<Prompt> {
        self.sign_in.prompt().await
    }

    /// Opens a session for whoever proves to be somebody. It has a new id, and the session that the browser presents
    /// ends: an id that somebody planted in it before is worth nothing.
    pub async fn sign_in(&self, proof: &S::Proof, browser: Browser<'_>) -> Result<Verdict<SignedIn>> {
        // Before the proof: whatever ends all sessions in the meantime ends this one too.
        let epoch = session::epoch(self.credentials.read().await?.as_ref());
        let proven = match self.sign_in.verify(proof, browser).await? {
            Verdict::Proven(proven) => proven,
            Verdict::Refused => {
                tracing::warn!("an attempt to sign in was refused");
                return Ok(Verdict::Refused);
            }
            Verdict::Wait(wait) => {
                tracing::warn!("an attempt to sign in came too early");
                return Ok(Verdict::Wait(wait));
            }
        };
        let (by, facts) = (proven.principal.actor(browser.address), proven.principal.facts());
        let (session, open) = self.sessions.open(proven.principal, epoch)?;
        let mut writes = vec![open];
        if let Some(old) = browser.session.and_then(SessionId::parse) {
            writes.push(self.sessions.close(&old)?);
        }
        if !self.credentials.change(writes, "signed_in", facts, &by, self.clock.now()).await? {
            // The same 256 random bits twice: that does not happen by chance.
            return Err(Error::internal("a new session was there already"));
        }
        Ok(Verdict::Proven(SignedIn { session, device: proven.device }))
    }

    /// The valid session that a session cookie names. Call it at every request: it also keeps the session alive.
    pub async fn find_session(&self, cookie: &str) -> Result<Option<Session>> {
        Ok(self.sessions.find(cookie).await?.filter(|session| self.sign_in.admits(&session.principal)))
    }

    /// Ends the session that a session cookie names. Whoever presents it afterwards is nobody.
    pub async fn sign_out(&self, cookie: &str) -> Result<()> {
        self.sessions.end(cookie).await
    }

    /// Ends all sessions, the one that asks for it among them.
    pub async fn sign_out_everywhere(&self, by: &Actor) -> Result<()> {
        self.credentials.end_epoch(by, self.clock.now()).await
    }
}

impl Admin {
    /// The administrator of a deployment. Without `setup_tokens` a password can't be set, unless by
    /// [`set_password_locally`](Self::set_password_locally).
    pub fn new(database: &Database, setup_tokens: Option<SetupTokens>, clock: Clock) -> Self {
        let attempts = Attempts::new(database, clock.clone());
        let sign_in = PasswordSignIn::new(Credentials::new(database), attempts, setup_tokens, clock.clone());
        Self::by(sign_in, database, clock)
    }

    /// Sets a password by the setup token, the first one or, by a newer token, one in the place of a forgotten one. All
    /// sessions end, and codes are not asked for any more. A token works once, for 24 hours, and not if the password
    /// was set since it was made.
    pub async fn set_up(
        &self,
        token: &SecretString,
        new_password: &SecretString,
        browser: Browser<'_>,
    ) -> Result<Verdict<()>> {
        password::check_length(new_password)?;
        // Not counted as an attempt: nobody guesses a token, and strangers who try must not keep the operator out.
        let Some(token) = self.sign_in.good_token(token).await? else { return Ok(Verdict::Refused) };
        let (hash, by) = (password::hash(new_password)?, Principal::Admin.actor(browser.address));
        let is_set = self.credentials.set_by_token(&token, hash, &by, self.clock.now()).await?;
        Ok(if is_set { Verdict::Proven(()) } else { Verdict::Refused })
    }

    /// Sets the password of the local stack, at each of its starts. Nothing changes if it is this one already. It asks
    /// for nothing: no request may ever lead here.
    pub async fn set_password_locally(&self, new_password: &SecretString) -> Result<()> {
        if new_password.expose_secret().is_empty() {
            return Err(Error::invalid_field("password", "password must not be empty"));
        }
        let credential = self.credentials.read().await?;
        if credential.is_some_and(|credential| PasswordSignIn::is_password(&credential, new_password)) {
            return Ok(());
        }
        let by = Actor { name: "local stack".to_owned(), address: None };
        self.credentials.set_freely(password::hash(new_password)?, &by, self.clock.now()).await
    }

    /// Changes the password for somebody who is signed in and knows the present one. All sessions end, and the browser
    /// gets a new one: whoever else was signed in is not any more.
    pub async fn change_password(
        &self,
        session: &Session,
        current_password: &SecretString,
        new_password: &SecretString,
        browser: Browser<'_>,
    ) -> Result<Verdict<SignedIn>> {
        password::check_length(new_password)?;
        let check = Box::pin(async {
            let Some(credential) = self.credentials.read().await? else { return Ok(None) };
            let is_right = PasswordSignIn::is_password(&credential, current_password);
            if !is_right || credential.epoch != session.epoch {
                return Ok(None);
            }
            let (opened, open) = self.sessions.open(session.principal.clone(), credential.epoch.saturating_add(1))?;
            let writes = vec![open, self.sessions.close_open(&session.id)?];
            let (hash, by) = (password::hash(new_password)?, session.actor(browser.address));
            let is_set = self.credentials.replace(&credential, hash, writes, &by, self.clock.now()).await?;
            Ok(is_set.then_some(SignedIn { session: opened, device: None }))
        });
        self.attempt(browser, check).await
    }

    /// Asks for a one-time code at each sign-in from now on, once a first `code` shows that the app has the secret.
    /// Refused if the code is wrong, or if codes are asked for already.
    pub async fn one_time_codes_on(
        &self,
        secret: &OneTimeSecret,
        code: &SecretString,
        by: &Actor,
    ) -> Result<Verdict<()>> {
        // Not counted as an attempt: there is nothing to guess for whoever has the secret.
        let now = self.clock.now();
        let Some(step) = secret.step(code.expose_secret(), now) else { return Ok(Verdict::Refused) };
        let is_on = self.credentials.set_secret(secret, step, by, now).await?;
        Ok(if is_on { Verdict::Proven(()) } else { Verdict::Refused })
    }

    /// Asks for no one-time codes any more, for a last one that is good.
    pub async fn one_time_codes_off(
        &self,
        code: &SecretString,
        by: &Actor,
        browser: Browser<'_>,
    ) -> Result<Verdict<()>> {
        let check = Box::pin(async {
            let now = self.clock.now();
            let Some(credential) = self.credentials.read().await? else { return Ok(None) };
            let Some(step) = credential.step(Some(code), now) else { return Ok(None) };
            let is_off = self.credentials.forget_secret(&credential, step, by, now).await?;
            Ok(is_off.then_some(()))
        });
        self.attempt(browser, check).await
    }

    /// Makes one attempt. The check is a future: nothing of it happens before the attempt is reserved.
    async fn attempt<T>(
        &self,
        browser: Browser<'_>,
        check: Pin<Box<impl Future<Output = Result<Option<T>>>>>,
    ) -> Result<Verdict<T>> {
        let attempt = match self.sign_in.attempts.reserve(browser.device).await? {
            Reserved::Attempt(attempt) => attempt,
            Reserved::Wait(wait) => return Ok(Verdict::Wait(wait.unsigned_abs())),
        };
        let Some(proven) = check.await? else { return Ok(Verdict::Refused) };
        if let Err(error) = self.sign_in.attempts.succeeded(&attempt).await {
            // What was asked for is done, and can't be asked for again.
            tracing::warn!(cause = error.source_chain(), "an attempt that succeeded still counts");
        }
        Ok(Verdict::Proven(proven))
    }
}

impl Admin<ProviderSignIn> {
    /// The administrators of a deployment whom an OpenID provider knows.
    pub fn by_provider(settings: ProviderSettings, database: &Database, clock: Clock) -> Self {
        Self::by(ProviderSignIn::new(settings, database, clock.clone()), database, clock)
    }

    /// What the provider calls itself.
    pub fn issuer(&self) -> &str {
        self.sign_in.issuer()
    }

    /// Sends a browser on its way to the provider. `client_id` is our name there, `redirect_uri` where it shall come back.
    pub async fn begin(&self, client_id: &str, redirect_uri: &str) -> Result<Begun> {
        self.sign_in.begin(client_id, redirect_uri).await
    }

    /// Finds out who has come back from the provider. That is only who they are: whether they may come in,
    /// [`sign_in`](Self::sign_in) says.
    pub async fn arrive(&self, returned: &Returned<'_>) -> Result<Arrival> {
        self.sign_in.arrive(returned).await
    }
}

#[cfg(test)]
mod tests;
