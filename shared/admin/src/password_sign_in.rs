//! Signing in with the one password, and with a one-time code if that is turned on.

use domain::{Clock, Result};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use storage::{SetupToken, SetupTokens};

use crate::attempts::{Attempt, Attempts, Reserved};
use crate::credential::{Credential, Credentials};
use crate::sign_in::{Browser, Principal, Prompt, Proven, SignIn, Verdict};
use crate::{constant_time, password};

/// A shorter one could be guessed, and is none.
const SHORTEST_TOKEN: usize = 20;
/// How long a setup token is good.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// What somebody who has the password presents.
#[derive(Debug)]
pub struct PasswordProof {
    /// The password.
    pub password: SecretString,
    /// The code that the authenticator app shows, if the page asked for one.
    pub one_time_code: Option<SecretString>,
}

/// Signing in with the one password. Nothing is verified before an attempt is reserved.
#[derive(Clone)]
pub struct PasswordSignIn {
    pub(crate) credentials: Credentials,
    pub(crate) attempts: Attempts,
    setup_tokens: Option<SetupTokens>,
    clock: Clock,
}

impl SignIn for PasswordSignIn {
    type Proof = PasswordProof;

    async fn prompt(&self) -> Result<Prompt> {
        Ok(match self.credentials.read().await? {
            Some(credential) if credential.has_password() => {
                Prompt::Password { one_time_code: credential.wants_code() }
            }
            _ if self.setup_tokens.is_some() => Prompt::SetUp,
            _ => Prompt::NotConfigured,
        })
    }

    async fn verify(&self, proof: &PasswordProof, browser: Browser<'_>) -> Result<Verdict<Proven>> {
        let attempt = match self.attempts.reserve(browser.device).await? {
            Reserved::Attempt(attempt) => attempt,
            Reserved::Wait(wait) => return Ok(Verdict::Wait(wait.unsigned_abs())),
        };
        if !self.is_right(proof, &attempt).await? {
            return Ok(Verdict::Refused);
        }
        let device = self.attempts.remember(&attempt, browser.device).await?;
        Ok(Verdict::Proven(Proven { principal: Principal::Admin, device: Some(device) }))
    }

    fn admits(&self, principal: &Principal) -> bool {
        *principal == Principal::Admin
    }
}

impl PasswordSignIn {
    pub(crate) fn new(
        credentials: Credentials,
        attempts: Attempts,
        setup_tokens: Option<SetupTokens>,
        clock: Clock,
    ) -> Self {
        Self { credentials, attempts, setup_tokens, clock }
    }

    /// Password and code are both looked at, whichever is wrong.
    async fn is_right(&self, proof: &PasswordProof, attempt: &Attempt) -> Result<bool> {
        let credential = self.credentials.read().await?;
        let stored = credential.as_ref().map(|credential| credential.password_hash.as_str());
        let is_password = password::matches(stored, &proof.password);
        let Some(credential) = credential else { return Ok(false) };
        if !credential.wants_code() {
            return Ok(is_password);
        }
        let step = credential.step(proof.one_time_code.as_ref(), self.clock.now());
        let Some(step) = step.filter(|_| is_password) else { return Ok(false) };
        self.credentials.use_step(&credential, step, &attempt.id).await
    }

    /// Whether this is the password, for somebody who is signed in already.
    pub(crate) fn is_password(credential: &Credential, presented: &SecretString) -> bool {
        password::matches(Some(&credential.password_hash), presented)
    }

    /// The setup token, if it is the one that was presented and is still young. Whether it was used already is asked by
    /// the write that uses it.
    pub(crate) async fn good_token(&self, presented: &SecretString) -> Result<Option<SetupToken>> {
        let Some(tokens) = &self.setup_tokens else { return Ok(None) };
        let now = self.clock.now();
        Ok(tokens.read().await?.filter(|token| {
            let secret = token.secret.expose_secret();
            let is_young = now.duration_since(token.created_at).abs() < TOKEN_LIFETIME;
            constant_time::same(presented.expose_secret(), secret) && is_young && secret.len() >= SHORTEST_TOKEN
        }))
    }
}
