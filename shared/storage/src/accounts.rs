//! Where the connected accounts are read from.

use aws_sdk_secretsmanager::Client;
use domain::Accounts;
use secrecy::{ExposeSecret, SecretString};

use crate::aws::{self, SetupError};

const INLINE: &str = "WHATSAPP_ACCOUNTS";
const SECRET: &str = "WHATSAPP_ACCOUNTS_SECRET";

/// Reads the accounts that the environment names: the JSON itself or `@FILE` in `WHATSAPP_ACCOUNTS`, or else the
/// Secrets Manager secret that `WHATSAPP_ACCOUNTS_SECRET` names by its ARN.
pub async fn from_env() -> Result<Accounts, SetupError> {
    match std::env::var(INLINE) {
        Ok(inline) => parse(&SecretString::from(inline)),
        Err(_) => from_secrets_manager(&aws::required(SECRET)?).await,
    }
}

/// Reads the accounts from their JSON array, or from the file that `@FILE` names.
pub fn parse(setting: &SecretString) -> Result<Accounts, SetupError> {
    match setting.expose_secret().strip_prefix('@') {
        None => array(INLINE, setting.expose_secret()),
        Some(path) => {
            let contents = std::fs::read_to_string(path).map_err(|error| {
                SetupError::new(INLINE, format!("names a file that can't be read: {path}: {error}"))
            })?;
            array(INLINE, SecretString::from(contents).expose_secret())
        }
    }
}

fn array(setting: &'static str, json: &str) -> Result<Accounts, SetupError> {
    json.parse().map_err(|error: domain::AccountsError| SetupError::new(setting, error.to_string()))
}

async fn from_secrets_manager(arn: &str) -> Result<Accounts, SetupError> {
    let client = Client::new(&aws::from_env("AWS_ENDPOINT_URL_SECRETS_MANAGER")?.config);
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer =
        answer.map_err(|error| SetupError::new(SECRET, format!("can't be read: {}", error.into_service_error())))?;
    let json = answer.secret_string().ok_or_else(|| SetupError::new(SECRET, "holds no text"))?;
    array(SECRET, json)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"[{"id":1,"phone_number_id":"1","waba_id":"2","access_token":"EAAsecret"}]"#;

    #[test]
    fn accounts_are_read_from_the_setting_or_from_the_file_it_names() {
        assert_eq!(parse(&ONE.into()).unwrap().iter().count(), 1);
        let path = std::env::temp_dir().join(format!("accounts-{}.json", uuid::Uuid::new_v4()));
        std::fs::write(&path, ONE).unwrap();
        let read = parse(&format!("@{}", path.display()).into());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.unwrap().iter().count(), 1);
    }

    #[test]
    fn an_error_names_the_setting_and_never_a_secret() {
        let error = parse(&ONE.replace('[', "").into()).unwrap_err().to_string();
        assert!(error.starts_with("WHATSAPP_ACCOUNTS must be a JSON array") && !error.contains("EAA"), "{error}");
        let error = parse(&"@/no/such/file".to_owned().into()).unwrap_err().to_string();
        assert!(error.starts_with("WHATSAPP_ACCOUNTS names a file that can't be read: /no/such/file"), "{error}");
    }
}
