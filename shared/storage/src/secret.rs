//! A secret of AWS Secrets Manager, read anew each time: a new value counts at once.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use domain::{Error, Result};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::aws::{self, SetupError};

/// Names one secret.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    client: Client,
    arn: String,
}

/// The text that stands there now.
pub(crate) struct SecretValue {
    pub(crate) text: SecretString,
    /// When it was put there, if that is told.
    pub(crate) created_at: Option<Timestamp>,
}

impl Secret {
    /// The secret whose ARN stands in this environment variable. `None`: it names none.
    pub(crate) fn from_env(setting: &str) -> Result<Option<Self>, SetupError> {
        let Some(arn) = std::env::var(setting).ok().filter(|arn| !arn.is_empty()) else { return Ok(None) };
        let client = Client::new(&aws::from_env("AWS_ENDPOINT_URL_SECRETS_MANAGER")?.config);
        Ok(Some(Self { client, arn }))
    }

    /// `None`: there is no value, or it is no text.
    pub(crate) async fn read(&self) -> Result<Option<SecretValue>> {
        value(self.client.get_secret_value().secret_id(&self.arn).send().await)
    }

    #[cfg(test)]
    pub(crate) fn at(url: &str) -> Self {
        Self { client: Client::new(&aws::local(url).config), arn: "arn:aws:x".to_owned() }
    }
}

fn value(answer: Result<GetSecretValueOutput, SdkError<GetSecretValueError>>) -> Result<Option<SecretValue>> {
    let value = match answer {
        Ok(value) => value,
        // What Secrets Manager says of a secret that has no value yet, and of one that is gone.
        Err(error) if error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) => {
            return Ok(None);
        }
        // Not the whole of it: its raw answer may quote the secret.
        Err(SdkError::ServiceError(context)) => return Err(Error::storage(context.into_err())),
        Err(error) => return Err(Error::storage(error)),
    };
    let created_at = value.created_date.and_then(|at| at.to_millis().ok());
    let created_at = created_at.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    Ok(value.secret_string.map(|text| SecretValue { text: text.into(), created_at }))
}
