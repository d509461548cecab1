//! The secret that a deployment shares with its OpenID provider, where that wants one.

use domain::Result;
use secrecy::SecretString;

use crate::aws::SetupError;
use crate::secret::Secret;

const ARN: &str = "OIDC_CLIENT_SECRET_ARN";

/// Where the client secret is read from.
#[derive(Clone, Debug)]
pub struct ClientSecret(Source);

#[derive(Clone, Debug)]
enum Source {
    SecretsManager(Secret),
    Given(Option<SecretString>),
}

impl ClientSecret {
    /// The Secrets Manager secret that `OIDC_CLIENT_SECRET_ARN` names. Where it names none, there is no client secret.
    pub fn from_env() -> Result<Self, SetupError> {
        Ok(Self(Secret::from_env(ARN)?.map_or(Source::Given(None), Source::SecretsManager)))
    }

    /// Always this one, or always none: for this machine.
    pub fn given(secret: Option<SecretString>) -> Self {
        Self(Source::Given(secret))
    }

    /// The client secret that stands there now: read each time, so that a new value counts at once. `None`: there is
    /// none, and none is sent.
    pub async fn read(&self) -> Result<Option<SecretString>> {
        match &self.0 {
            Source::SecretsManager(secret) => Ok(secret.read().await?.map(|value| value.text)),
            Source::Given(secret) => Ok(secret.clone()),
        }
    }
}
