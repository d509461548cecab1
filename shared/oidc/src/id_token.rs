//! ID tokens (OpenID Connect Core 1.0, section 3.1.3.7; RFC 7515; RFC 8725).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::IdTokenError;
use crate::keys::{Algorithm, Keys};
use crate::provider::Email;

/// In bytes. Those of people in very many groups have some 8 KB.
const LONGEST: usize = 16 * 1024;
/// How far the clocks may be apart.
const LEEWAY_S: i64 = 60;

/// A token that is read, and not believed yet.
pub(crate) struct Unverified<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// What a token must say to be the answer to a question.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    /// What came together with it.
    pub(crate) access_token: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Whom a token that is believed names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) subject: String,
    pub(crate) email: Email,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: String,
    at_hash: Option<String>,
    #[serde(flatten)]
    email: EmailClaims,
}

/// What a token or the userinfo endpoint tells of somebody's address.
#[derive(Deserialize)]
pub(crate) struct EmailClaims {
    email: Option<String>,
    email_verified: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl<'a> Unverified<'a> {
    /// Reads a token, and refuses those that are of no use whoever signed them.
    pub(crate) fn parse(token: &'a str) -> Result<Self, IdTokenError> {
        if token.len() > LONGEST {
            return Err(IdTokenError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(IdTokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(IdTokenError::Malformed)?;
        let Header { alg, kid, typ, crit } = json(header)?;
        let algorithm = Algorithm::of(&alg).ok_or(IdTokenError::Algorithm)?;
        if crit.is_some() || typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err(IdTokenError::Kind);
        }
        let signature = bytes(signature)?;
        Ok(Self { algorithm, key_id: kid, signed, payload, signature })
    }

    /// The key that it names.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whom it names, if it is signed by one of these keys and the answer to this question.
    pub(crate) fn verify(&self, keys: &Keys, expected: &Expected<'_>) -> Result<Named, IdTokenError> {
        keys.verify(self.algorithm, self.key_id(), self.signed, &self.signature)?;
        let claims: Claims = json(self.payload)?;
        claims.check(expected)?;
        Ok(Named { email: claims.email.read(), subject: claims.sub })
    }
}

impl Claims {
    fn check(&self, expected: &Expected<'_>) -> Result<(), IdTokenError> {
        let audience = self.aud.all();
        let now_s = expected.now.as_second();
        // What is for several clients must say that it was made for this one; what says it, must be right.
        let is_ours = match self.azp.as_deref() {
            Some(party) => party == expected.client_id,
            None => audience.len() == 1,
        };
        let is_in_time = |at: i64| at <= now_s.saturating_add(LEEWAY_S);
        let tests = [
            (self.iss == expected.issuer, IdTokenError::Issuer),
            (audience.iter().any(|one| one == expected.client_id), IdTokenError::Audience),
            (is_ours, IdTokenError::AuthorizedParty),
            (now_s < self.exp.saturating_add(LEEWAY_S), IdTokenError::Expired),
            (is_in_time(self.iat) && self.nbf.is_none_or(is_in_time), IdTokenError::TooEarly),
            (self.nonce == expected.nonce, IdTokenError::Nonce),
            (self.is_of(expected.access_token), IdTokenError::AccessToken),
            (is_subject(&self.sub), IdTokenError::Subject),
        ];
        tests.into_iter().find(|(is_met, _)| !is_met).map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Whether it belongs to the access token that came with it, where it says so. Both algorithms hash with SHA-256.
    fn is_of(&self, access_token: Option<&str>) -> bool {
        let Some(at_hash) = &self.at_hash else { return true };
        let hash = access_token.map(Sha256::digest);
        let left_half = hash.as_ref().and_then(|hash| hash.get(..16));
        left_half.is_some_and(|half| URL_SAFE_NO_PAD.encode(half) == *at_hash)
    }
}

impl EmailClaims {
    pub(crate) fn read(&self) -> Email {
        let Some(email) = &self.email else { return Email::Untold };
        // Some providers say it as a text.
        let is_verified = self.email_verified.as_ref().is_some_and(|told| *told == true || told == "true");
        let is_address = email.len() <= 254
            && email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
            && !email.chars().any(|character| character.is_whitespace() || character.is_control());
        if is_verified && is_address { Email::Verified(email.to_ascii_lowercase()) } else { Email::Unverified }
    }
}

impl Audience {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// As OpenID Connect Core has it: at most 255 characters of ASCII.
pub(crate) fn is_subject(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, IdTokenError> {
    serde_json::from_slice(&bytes(part)?).map_err(|_| IdTokenError::Malformed)
}

fn bytes(part: &str) -> Result<Vec<u8>, IdTokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::Malformed)
}

#[cfg(test)]
mod tests;
