//! The provider: what it says of itself and its keys, kept for a while, and the two steps of signing in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use crate::discovery::{Document, Metadata, SecretIn, address_of, plain};
use crate::error::{Endpoint, Error, IdTokenError, SetupError};
use crate::http::{self, Http};
use crate::id_token::{EmailClaims, Expected, Named, Unverified};
use crate::keys::{KeySet, Keys};

/// How long it is believed what the provider said of itself, and its keys.
const FRESH: Duration = Duration::from_hours(1);
/// Keys are fetched anew for a token that names another one, but not more often than this.
const BETWEEN_FETCHES: Duration = Duration::from_mins(1);

/// An OpenID provider.
pub struct Provider {
    issuer: String,
    http: Http,
    metadata: Mutex<Option<Kept<Metadata>>>,
    keys: Mutex<Option<Kept<Keys>>>,
}

/// What was fetched, and when.
struct Kept<T> {
    value: Arc<T>,
    at: Timestamp,
}

/// This program, as the provider knows it.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its secret, if it has one.
    pub secret: Option<&'a SecretString>,
    /// Where the browser comes back to: one of the addresses that are registered for it.
    pub redirect_uri: &'a str,
}

/// What binds an answer to its question. Each is random, of at least 43 and at most 128 characters, and of letters, digits
/// and hyphens alone.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Is told when the code is redeemed; before, only its hash is.
    pub code_verifier: SecretString,
}

/// Somebody who has signed in at the provider.
#[derive(Clone, Debug)]
pub struct Person {
    /// The provider's own name for them, which never changes.
    pub subject: String,
    /// Their address, as far as the ID token tells.
    pub email: Email,
    access_token: Option<SecretString>,
}

/// What a provider tells of somebody's email address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Email {
    /// It is theirs: in small letters.
    Verified(String),
    /// They say that it is theirs.
    Unverified,
    /// Nothing.
    Untold,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: SecretString,
    access_token: Option<SecretString>,
}

/// RFC 6749, section 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    email: EmailClaims,
}

impl Provider {
    /// The provider that calls itself `issuer`, to the letter. Nothing is sent yet.
    pub fn new(issuer: &str) -> Result<Self, SetupError> {
        if address_of(issuer)?.query().is_some() {
            return Err(SetupError::NotPlain);
        }
        let (metadata, keys) = (Mutex::default(), Mutex::default());
        Ok(Self { issuer: issuer.to_owned(), http: Http::default(), metadata, keys })
    }

    /// What it calls itself.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where the browser goes to sign in.
    pub async fn authorization_url(
        &self,
        client: &Client<'_>,
        handshake: &Handshake,
        now: Timestamp,
    ) -> Result<Url, Error> {
        let mut url = self.metadata(now).await?.authorization_endpoint.clone();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(handshake.code_verifier.expose_secret()));
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", client.id),
            ("redirect_uri", client.redirect_uri),
            ("scope", "openid email"),
            ("state", &handshake.state),
            ("nonce", &handshake.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// Refuses what comes from another provider: `iss` is what the browser brings along under that name (RFC 9207).
    pub async fn must_be_from_here(&self, iss: Option<&str>, now: Timestamp) -> Result<(), Error> {
        let is_from_here = match iss {
            Some(iss) => iss == self.issuer,
            None => !self.metadata(now).await?.names_its_issuer,
        };
        if is_from_here { Ok(()) } else { Err(Error::OtherProvider) }
    }

    /// Gives the code for an ID token, and checks that: who has signed in.
    pub async fn redeem(
        &self,
        code: &SecretString,
        client: &Client<'_>,
        handshake: &Handshake,
        now: Timestamp,
    ) -> Result<Person, Error> {
        let tokens = self.tokens(code, client, handshake, now).await?;
        let expected = Expected {
            issuer: &self.issuer,
            client_id: client.id,
            nonce: &handshake.nonce,
            access_token: tokens.access_token.as_ref().map(ExposeSecret::expose_secret),
            now,
        };
        let token = Unverified::parse(tokens.id_token.expose_secret())?;
        let keys = self.keys_for(&token, now).await?;
        let Named { subject, email } = token.verify(&keys, &expected)?;
        Ok(Person { subject, email, access_token: tokens.access_token })
    }

    /// Their address, asked of the provider where the ID token tells none: it need not stand there.
    pub async fn email_of(&self, person: &Person, now: Timestamp) -> Result<Email, Error> {
        let metadata = self.metadata(now).await?;
        let (Email::Untold, Some(access_token), Some(url)) = (&person.email, &person.access_token, &metadata.user_info)
        else {
            return Ok(person.email.clone());
        };
        let request = self.http.client()?.get(url.clone()).bearer_auth(access_token.expose_secret());
        let told: UserInfo = http::get(request, Endpoint::UserInfo).await?;
        if told.sub != person.subject {
            return Err(IdTokenError::Subject.into());
        }
        Ok(told.email.read())
    }

    async fn tokens(
        &self,
        code: &SecretString,
        client: &Client<'_>,
        handshake: &Handshake,
        now: Timestamp,
    ) -> Result<Tokens, Error> {
        let metadata = self.metadata(now).await?;
        let request = token_request(self.http.client()?, &metadata, code, client, handshake);
        let (status, body) = http::send(request, Endpoint::Token).await?;
        match status {
            StatusCode::OK => http::parse(&body, Endpoint::Token),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => Err(match serde_json::from_slice::<Refusal>(&body) {
                Ok(refusal) => Error::CodeRefused(plain(&refusal.error)),
                Err(_) => Error::Status(Endpoint::Token, status.as_u16()),
            }),
            _ => Err(Error::Status(Endpoint::Token, status.as_u16())),
        }
    }

    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, Error> {
        if let Some(kept) = fresh(&self.metadata, now) {
            return Ok(kept);
        }
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document: Document = http::get(self.http.client()?.get(url), Endpoint::Discovery).await?;
        Ok(keep(&self.metadata, document.check(&self.issuer)?, now))
    }

    /// The keys, fetched anew if none of them is the one that a token names.
    async fn keys_for(&self, token: &Unverified<'_>, now: Timestamp) -> Result<Arc<Keys>, Error> {
        if let Some(kept) = fresh(&self.keys, now) {
            let is_known = token.key_id().is_none_or(|id| kept.have(id));
            if is_known || age(&self.keys, now).is_some_and(|age| age < BETWEEN_FETCHES) {
                return Ok(kept);
            }
        }
        let url = self.metadata(now).await?.keys.clone();
        let keys: KeySet = http::get(self.http.client()?.get(url), Endpoint::Keys).await?;
        Ok(keep(&self.keys, keys.into(), now))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn token_request(
    http: &reqwest::Client,
    metadata: &Metadata,
    code: &SecretString,
    client: &Client<'_>,
    handshake: &Handshake,
) -> reqwest::RequestBuilder {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose_secret())
        .append_pair("redirect_uri", client.redirect_uri)
        .append_pair("code_verifier", handshake.code_verifier.expose_secret());
    let mut request = http.post(metadata.token_endpoint.clone());
    match (client.secret, metadata.secret_in) {
        (Some(secret), SecretIn::Header) => request = request.header("Authorization", basic(client.id, secret)),
        (Some(secret), SecretIn::Body) => {
            form.append_pair("client_id", client.id).append_pair("client_secret", secret.expose_secret());
        }
        (None, _) => drop(form.append_pair("client_id", client.id)),
    }
    request.header("Content-Type", "application/x-www-form-urlencoded").body(form.finish())
}

/// RFC 6749, section 2.3.1: both are encoded as in a form before they are put together.
fn basic(id: &str, secret: &SecretString) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret.expose_secret()))))
}

fn fresh<T>(kept: &Mutex<Option<Kept<T>>>, now: Timestamp) -> Option<Arc<T>> {
    let is_fresh = age(kept, now)? < FRESH;
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.as_ref().filter(|_| is_fresh).map(|kept| Arc::clone(&kept.value))
}

fn age<T>(kept: &Mutex<Option<Kept<T>>>, now: Timestamp) -> Option<Duration> {
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.as_ref().map(|kept| now.duration_since(kept.at).unsigned_abs())
}

fn keep<T>(kept: &Mutex<Option<Kept<T>>>, value: T, now: Timestamp) -> Arc<T> {
    let value = Arc::new(value);
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { value: Arc::clone(&value), at: now });
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_address_over_tls_or_on_this_very_machine() {
        for good in ["https://accounts.example.com", "https://sso.example.com/realms/x/", "http://localhost:3000"] {
            assert_eq!(Provider::new(good).unwrap().issuer(), good);
        }
        for (wrong, problem) in [
            ("", "is not a URL"),
            ("accounts.example.com", "is not a URL"),
            ("http://accounts.example.com", "must begin with https://"),
            ("https://accounts.example.com?x=1", "must end with its path"),
            ("https://accounts.example.com#x", "must end with its path"),
            ("https://a:b@accounts.example.com", "must end with its path"),
        ] {
            let told = Provider::new(wrong).unwrap_err().to_string();
            assert!(told.starts_with(problem), "{wrong}: {told}");
        }
    }

    #[test]
    fn a_client_secret_is_encoded_before_it_goes_into_the_header() {
        let header = basic("shop:1", &"p@ss word".into());
        let decoded = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), "shop%3A1:p%40ss+word");
    }
}
