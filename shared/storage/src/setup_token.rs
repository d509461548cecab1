//! The token with which an administrator sets the first password, or a new one when it is forgotten. Whoever may write
//! its secret in AWS is the administrator.

use domain::Result;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::aws::SetupError;
use crate::secret::Secret;

const SECRET: &str = "ADMIN_SETUP_TOKEN_SECRET";

/// A token as it stands in Secrets Manager.
#[derive(Clone, Debug)]
pub struct SetupToken {
    /// The token itself.
    pub secret: SecretString,
    /// When this value was put there.
    pub created_at: Timestamp,
}

/// Where the setup token is read from.
#[derive(Clone, Debug)]
pub struct SetupTokens(Source);

#[derive(Clone, Debug)]
enum Source {
    SecretsManager(Secret),
    Given(SetupToken),
}

impl SetupTokens {
    /// The Secrets Manager secret that `ADMIN_SETUP_TOKEN_SECRET` names by its ARN. `None`: it names none, and there is
    /// no setup.
    pub fn from_env() -> Result<Option<Self>, SetupError> {
        Ok(Secret::from_env(SECRET)?.map(|secret| Self(Source::SecretsManager(secret))))
    }

    /// Always this token, for tests.
    pub fn given(token: SetupToken) -> Self {
        Self(Source::Given(token))
    }

    /// The token that stands there now: read each time, so that a new value counts at once. `None`: there is none.
    pub async fn read(&self) -> Result<Option<SetupToken>> {
        match &self.0 {
            Source::SecretsManager(secret) => {
                // A token whose age nobody tells is none: it might be older than it may be.
                let value = secret.read().await?.and_then(|value| Some((value.text, value.created_at?)));
                Ok(value.map(|(secret, created_at)| SetupToken { secret, created_at }))
            }
            Source::Given(token) => Ok(Some(token.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use domain::Kind;
    use secrecy::ExposeSecret;

    use super::*;

    fn secrets_manager(url: &str) -> SetupTokens {
        SetupTokens(Source::SecretsManager(Secret::at(url)))
    }

    /// A Secrets Manager that answers every request like this, until the process ends.
    fn answering(status: &'static str, body: &'static str) -> SetupTokens {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // The request is a JSON object, and ends with it.
                let (mut request, mut buffer) = (Vec::new(), [0; 8192]);
                while !request.ends_with(b"}") {
                    let length = stream.read(&mut buffer).unwrap();
                    request.extend_from_slice(&buffer[..length]);
                }
                let length = body.len();
                write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                    .unwrap();
            }
        });
        secrets_manager(&url)
    }

    #[tokio::test]
    async fn a_token_comes_with_the_moment_it_was_put_there() {
        let tokens = answering("200 OK", r#"{"SecretString": "t0ken", "CreatedDate": 1767323045.5}"#);
        let token = tokens.read().await.unwrap().unwrap();
        assert_eq!(token.secret.expose_secret(), "t0ken");
        assert_eq!(token.created_at.to_string(), "2026-01-02T03:04:05.5Z");
        assert!(!format!("{token:?} {tokens:?}").contains("t0ken"));
    }

    #[tokio::test]
    async fn a_secret_without_a_text_or_an_age_or_a_value_is_no_token() {
        let not_found = r#"{"__type": "ResourceNotFoundException", "message": "no value"}"#;
        for (status, body) in [
            ("200 OK", r#"{"SecretBinary": "AAAA", "CreatedDate": 1767323045.678}"#),
            ("200 OK", r#"{"SecretString": "t0ken"}"#),
            ("400 Bad Request", not_found),
        ] {
            assert!(answering(status, body).read().await.unwrap().is_none(), "{body}");
        }
    }

    #[tokio::test]
    async fn an_outage_is_an_error_and_never_no_token() {
        let denied = r#"{"__type": "AccessDeniedException", "message": "no"}"#;
        for tokens in [answering("400 Bad Request", denied), secrets_manager("http://127.0.0.1:1")] {
            assert_eq!(tokens.read().await.unwrap_err().kind(), Kind::Unavailable);
        }
    }
}
