//! What a provider says of itself (OpenID Connect Discovery 1.0).

use serde::Deserialize;
use url::{Host, Url};

use crate::error::{Endpoint, Error, SetupError};

/// The document as it comes.
#[derive(Deserialize)]
pub(crate) struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The same, checked.
pub(crate) struct Metadata {
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) keys: Url,
    pub(crate) user_info: Option<Url>,
    /// How a client secret goes to the token endpoint.
    pub(crate) secret_in: SecretIn,
    /// Whether every answer names its issuer.
    pub(crate) names_its_issuer: bool,
}

/// The two ways of RFC 6749, section 2.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretIn {
    Header,
    Body,
}

impl Document {
    /// The document of the provider that calls itself `issuer`.
    pub(crate) fn check(self, issuer: &str) -> Result<Metadata, Error> {
        if self.issuer != issuer {
            return Err(Error::OtherIssuer(plain(&self.issuer)));
        }
        let at = |address: &str, endpoint| address_of(address).map_err(|error| Error::Address(endpoint, error));
        let takes = |method: &str| match &self.token_endpoint_auth_methods_supported {
            Some(methods) => methods.iter().any(|one| one == method),
            // What holds where nothing is said.
            None => method == "client_secret_basic",
        };
        let only_in_body = !takes("client_secret_basic") && takes("client_secret_post");
        Ok(Metadata {
            authorization_endpoint: at(&self.authorization_endpoint, Endpoint::Authorization)?,
            token_endpoint: at(&self.token_endpoint, Endpoint::Token)?,
            keys: at(&self.jwks_uri, Endpoint::Keys)?,
            user_info: self.userinfo_endpoint.as_deref().map(|address| at(address, Endpoint::UserInfo)).transpose()?,
            secret_in: if only_in_body { SecretIn::Body } else { SecretIn::Header },
            names_its_issuer: self.authorization_response_iss_parameter_supported,
        })
    }
}

/// An address that a secret may be sent to: over TLS, or to this very machine.
pub(crate) fn address_of(text: &str) -> Result<Url, SetupError> {
    let url = Url::parse(text).map_err(SetupError::Url)?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(SetupError::Insecure);
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(SetupError::NotPlain);
    }
    Ok(url)
}

/// What another party wrote, fit for a line of a log: plain characters, and not many of them.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://sign-in.example.com/realms/shop";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://sign-in.example.com/auth?realm=shop",
            "token_endpoint": "https://tokens.example.com/token",
            "jwks_uri": "https://sign-in.example.com/keys",
            "more": ["than", "is", "asked", "for"],
        })
    }

    fn check(document: Value) -> Result<Metadata, Error> {
        serde_json::from_value::<Document>(document).unwrap().check(ISSUER)
    }

    #[test]
    fn a_document_names_the_endpoints_wherever_they_are() {
        let metadata = check(document()).unwrap();
        assert_eq!(metadata.token_endpoint.as_str(), "https://tokens.example.com/token");
        assert!(metadata.user_info.is_none() && !metadata.names_its_issuer);
    }

    #[test]
    fn a_document_of_another_issuer_is_refused_however_alike_they_are() {
        for other in ["", "https://sign-in.example.com/realms/shop/", "https://Sign-in.example.com/realms/shop"] {
            let mut document = document();
            document["issuer"] = other.into();
            assert!(matches!(check(document), Err(Error::OtherIssuer(told)) if told == other));
        }
    }

    #[test]
    fn an_endpoint_without_tls_is_refused_but_on_this_very_machine() {
        for member in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            for insecure in [
                "http://sign-in.example.com/x",
                "http://localhost.example.com/x",
                "http://127.0.0.1.example.com/x",
                "http://10.0.0.1/x",
                "ftp://localhost/x",
                "javascript:alert(1)",
                "/x",
                "",
            ] {
                let mut document = document();
                document[member] = insecure.into();
                assert!(matches!(check(document), Err(Error::Address(..))), "{member}: {insecure}");
            }
            for here in ["http://localhost:3000/x", "http://127.0.0.1:3000/x", "http://[::1]:3000/x"] {
                let mut document = document();
                document[member] = here.into();
                assert!(check(document).is_ok(), "{member}: {here}");
            }
        }
    }

    #[test]
    fn a_client_secret_goes_into_the_body_only_where_the_header_is_not_taken() {
        for (methods, expected) in [
            (Value::Null, SecretIn::Header),
            (json!(["client_secret_post", "client_secret_basic"]), SecretIn::Header),
            (json!(["client_secret_post", "none"]), SecretIn::Body),
            (json!(["private_key_jwt"]), SecretIn::Header),
        ] {
            let mut document = document();
            document["token_endpoint_auth_methods_supported"] = methods;
            assert_eq!(check(document).unwrap().secret_in, expected);
        }
    }
}
