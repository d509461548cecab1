//! Which tokens are believed: one that is right in all, and none that is wrong in anything.

use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

use super::*;
use crate::keys::KeySet;

const ISSUER: &str = "https://sign-in.example.com";
const CLIENT: &str = "gateway";
const NONCE: &str = "the-nonce-of-this-handshake";
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
/// OpenID Connect Core 1.0, appendix A.4, is about this pair.
const AT_HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &SystemRandom::new());
        Self(pair.unwrap())
    }

    fn point(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn jwk(&self, id: &str) -> Value {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "kid": id, "x": part(&self.point()[1..33]), "y": part(&self.point()[33..])})
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let signed = signed(header, claims);
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn signed(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().unwrap()
}

/// So many seconds from now.
fn at(seconds: i64) -> Value {
    (now().as_second() + seconds).into()
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "1", "typ": "JWT"})
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "exp": at(300), "iat": at(0), "nonce": NONCE,
        "email": "Ann@Example.com", "email_verified": true})
}

fn with(value: Value, name: &str, member: Value) -> Value {
    let mut value = value;
    value[name] = member;
    value
}

fn without(value: Value, name: &str) -> Value {
    let mut value = value;
    value.as_object_mut().unwrap().remove(name);
    value
}

fn expected() -> Expected<'static> {
    Expected { issuer: ISSUER, client_id: CLIENT, nonce: NONCE, access_token: Some(ACCESS_TOKEN), now: now() }
}

/// A provider with two keys.
struct Bed {
    signer: Signer,
    keys: Keys,
}

impl Bed {
    fn new() -> Self {
        let (signer, other) = (Signer::new(), Signer::new());
        let keys = json!({"keys": [other.jwk("0"), signer.jwk("1")]});
        Self { keys: serde_json::from_value::<KeySet>(keys).unwrap().into(), signer }
    }

    fn judge(&self, token: &str) -> Result<Named, IdTokenError> {
        Unverified::parse(token)?.verify(&self.keys, &expected())
    }

    fn judge_claims(&self, claims: &Value) -> Result<Named, IdTokenError> {
        self.judge(&self.signer.sign(&header().to_string(), &claims.to_string()))
    }

    fn judge_header(&self, header: &Value) -> Result<Named, IdTokenError> {
        self.judge(&self.signer.sign(&header.to_string(), &claims().to_string()))
    }
}

#[test]
fn a_token_that_is_right_in_all_names_somebody() {
    let named = Bed::new().judge_claims(&claims()).unwrap();
    let expected = Named { subject: "248289761001".to_owned(), email: Email::Verified("ann@example.com".to_owned()) };
    assert_eq!(named, expected);
}

#[test]
fn a_token_may_be_for_several_clients_a_moment_late_or_early_and_say_more() {
    let bed = Bed::new();
    for good in [
        with(claims(), "aud", json!([CLIENT])),
        with(with(claims(), "aud", json!(["another", CLIENT])), "azp", CLIENT.into()),
        with(claims(), "azp", CLIENT.into()),
        with(claims(), "exp", at(-59)),
        with(claims(), "iat", at(60)),
        with(claims(), "nbf", at(60)),
        with(claims(), "at_hash", AT_HASH.into()),
        with(claims(), "groups", json!(["a", {"b": null}])),
        with(claims(), "azp", Value::Null),
    ] {
        assert!(bed.judge_claims(&good).is_ok(), "{good}");
    }
    for good in [without(header(), "typ"), with(header(), "typ", "jwt".into()), with(header(), "x5t", "x".into())] {
        assert!(bed.judge_header(&good).is_ok(), "{good}");
    }
}

#[test]
fn a_claim_that_is_wrong_proves_nothing() {
    let bed = Bed::new();
    for (name, value, problem) in [
        ("iss", json!("https://sign-in.example.com/"), IdTokenError::Issuer),
        ("iss", json!("https://evil.example.com"), IdTokenError::Issuer),
        ("iss", json!(""), IdTokenError::Issuer),
        ("aud", json!("another"), IdTokenError::Audience),
        ("aud", json!("gateway "), IdTokenError::Audience),
        ("aud", json!([]), IdTokenError::Audience),
        ("aud", json!(["another"]), IdTokenError::Audience),
        ("aud", json!([CLIENT, "another"]), IdTokenError::AuthorizedParty),
        ("azp", json!("another"), IdTokenError::AuthorizedParty),
        ("azp", json!(""), IdTokenError::AuthorizedParty),
        ("exp", at(-60), IdTokenError::Expired),
        ("exp", json!(0), IdTokenError::Expired),
        ("exp", json!(i64::MIN), IdTokenError::Expired),
        ("iat", at(61), IdTokenError::TooEarly),
        ("iat", json!(i64::MAX), IdTokenError::TooEarly),
        ("nbf", at(61), IdTokenError::TooEarly),
        ("nonce", json!("the-nonce-of-another"), IdTokenError::Nonce),
        ("nonce", json!(""), IdTokenError::Nonce),
        ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RA"), IdTokenError::AccessToken),
        ("at_hash", json!(""), IdTokenError::AccessToken),
        ("sub", json!(""), IdTokenError::Subject),
        ("sub", json!("a\nb"), IdTokenError::Subject),
        ("sub", json!("ü"), IdTokenError::Subject),
        ("sub", json!("x".repeat(256)), IdTokenError::Subject),
        // Of another type
        ("iss", json!([ISSUER]), IdTokenError::Malformed),
        ("sub", json!(1), IdTokenError::Malformed),
        ("aud", json!({"0": CLIENT}), IdTokenError::Malformed),
        ("aud", json!([1]), IdTokenError::Malformed),
        ("exp", json!("9999999999"), IdTokenError::Malformed),
        ("exp", json!(1e300), IdTokenError::Malformed),
        ("exp", Value::Null, IdTokenError::Malformed),
        ("iat", json!(true), IdTokenError::Malformed),
        ("nonce", json!([NONCE]), IdTokenError::Malformed),
        ("at_hash", json!(1), IdTokenError::Malformed),
        ("email", json!(["ann@example.com"]), IdTokenError::Malformed),
    ] {
        let token = with(claims(), name, value);
        assert_eq!(bed.judge_claims(&token), Err(problem), "{token}");
    }
    let several = with(with(claims(), "aud", json!([CLIENT, "another"])), "azp", "another".into());
    assert_eq!(bed.judge_claims(&several), Err(IdTokenError::AuthorizedParty));
}

#[test]
fn a_token_without_one_of_its_claims_proves_nothing() {
    let bed = Bed::new();
    for name in ["iss", "sub", "aud", "exp", "iat", "nonce"] {
        assert_eq!(bed.judge_claims(&without(claims(), name)), Err(IdTokenError::Malformed), "{name}");
    }
    let twice = claims().to_string().replacen('{', r#"{"iss":"https://evil.example.com","#, 1);
    let token = bed.signer.sign(&header().to_string(), &twice);
    assert_eq!(bed.judge(&token), Err(IdTokenError::Malformed), "a claim that stands there twice");
}

#[test]
fn a_header_that_is_wrong_proves_nothing() {
    let bed = Bed::new();
    for (name, value, problem) in [
        ("alg", json!("none"), IdTokenError::Algorithm),
        ("alg", json!("None"), IdTokenError::Algorithm),
        ("alg", json!(""), IdTokenError::Algorithm),
        ("alg", json!("HS256"), IdTokenError::Algorithm),
        ("alg", json!("ES384"), IdTokenError::Algorithm),
        ("alg", json!("es256"), IdTokenError::Algorithm),
        ("alg", json!("PS256"), IdTokenError::Algorithm),
        // There is no key for it.
        ("alg", json!("RS256"), IdTokenError::UnknownKey),
        ("alg", Value::Null, IdTokenError::Malformed),
        ("alg", json!(["ES256"]), IdTokenError::Malformed),
        ("kid", json!("0"), IdTokenError::Signature),
        ("kid", json!("2"), IdTokenError::UnknownKey),
        ("kid", json!(""), IdTokenError::UnknownKey),
        ("kid", Value::Null, IdTokenError::UnknownKey),
        ("typ", json!("at+jwt"), IdTokenError::Kind),
        ("typ", json!("logout+jwt"), IdTokenError::Kind),
        ("typ", json!(""), IdTokenError::Kind),
        ("crit", json!(["b64"]), IdTokenError::Kind),
    ] {
        let header = with(header(), name, value);
        assert_eq!(bed.judge_header(&header), Err(problem), "{header}");
    }
    assert_eq!(bed.judge_header(&without(header(), "alg")), Err(IdTokenError::Malformed));
    assert_eq!(bed.judge_header(&without(header(), "kid")), Err(IdTokenError::UnknownKey), "it could be either");
}

/// Whoever has only what everybody may know.
#[test]
fn a_forged_token_proves_nothing() {
    let bed = Bed::new();
    let (header_text, claims_text) = (header().to_string(), claims().to_string());
    let unsigned = signed(&header_text, &claims_text);
    for signature in ["", "AAAA", &URL_SAFE_NO_PAD.encode([0; 64]), &URL_SAFE_NO_PAD.encode([255; 64])] {
        assert_eq!(bed.judge(&format!("{unsigned}.{signature}")), Err(IdTokenError::Signature), "{signature}");
    }
    let with_none = signed(&with(header(), "alg", "none".into()).to_string(), &claims_text);
    assert_eq!(bed.judge(&format!("{with_none}.")), Err(IdTokenError::Algorithm));
    // With the public key as a shared secret, in each form that a program might take it in.
    let jwk = bed.signer.jwk("1").to_string();
    for secret in [bed.signer.point(), jwk.as_bytes(), b""] {
        for alg in ["HS256", "ES256"] {
            let unsigned = signed(&with(header(), "alg", alg.into()).to_string(), &claims_text);
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), unsigned.as_bytes());
            let problem = if alg == "HS256" { IdTokenError::Algorithm } else { IdTokenError::Signature };
            assert_eq!(bed.judge(&format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(tag))), Err(problem));
        }
    }
    let stranger = Signer::new();
    assert_eq!(bed.judge(&stranger.sign(&header_text, &claims_text)), Err(IdTokenError::Signature));
    // With a key that the token itself brings along, or says where to fetch.
    for (name, value) in
        [("jwk", stranger.jwk("1")), ("jku", "https://evil.example.com/keys".into()), ("x5c", json!(["AAAA"]))]
    {
        let token = stranger.sign(&with(header(), name, value).to_string(), &claims_text);
        assert_eq!(bed.judge(&token), Err(IdTokenError::Signature), "{name}");
    }
    // With another's signature, or other claims under this one.
    let token = bed.signer.sign(&header_text, &claims_text);
    let (_, signature) = token.rsplit_once('.').unwrap();
    let others = signed(&header_text, &with(claims(), "sub", "1".into()).to_string());
    assert_eq!(bed.judge(&format!("{others}.{signature}")), Err(IdTokenError::Signature));
}

#[test]
fn what_is_no_token_is_told_as_such_whatever_it_is() {
    let bed = Bed::new();
    let token = bed.signer.sign(&header().to_string(), &claims().to_string());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let long = format!("{header}.{}.{signature}", "A".repeat(LONGEST));
    for (odd, problem) in [
        (String::new(), IdTokenError::Malformed),
        (".".to_owned(), IdTokenError::Malformed),
        ("..".to_owned(), IdTokenError::Malformed),
        ("a.b.c".to_owned(), IdTokenError::Malformed),
        (signed.to_owned(), IdTokenError::Malformed),
        (format!(" {token}"), IdTokenError::Malformed),
        (format!("{token}\n"), IdTokenError::Malformed),
        (format!("{token}="), IdTokenError::Malformed),
        (format!("{header}=.{payload}.{signature}"), IdTokenError::Malformed),
        (format!("{header}.{payload}.+/{signature}"), IdTokenError::Malformed),
        (format!("{header}.{payload}.{payload}.{signature}"), IdTokenError::Signature),
        (format!("{header}.{payload}.{signature}.{signature}"), IdTokenError::Signature),
        (format!("bnVsbA.{payload}.{signature}"), IdTokenError::Malformed),
        (format!("W10.{payload}.{signature}"), IdTokenError::Malformed),
        ("é.é.é".to_owned(), IdTokenError::Malformed),
        // Encrypted, for somebody else to read.
        (format!("{token}.AAAA.AAAA"), IdTokenError::Signature),
        (long, IdTokenError::TooLong),
        ("{".repeat(LONGEST + 1), IdTokenError::TooLong),
    ] {
        assert_eq!(bed.judge(&odd), Err(problem), "{odd:.200}");
    }
    for payload in ["", "null", "[]", "{", "1", "{}"] {
        let token = bed.signer.sign(r#"{"alg":"ES256","kid":"1"}"#, payload);
        assert_eq!(bed.judge(&token), Err(IdTokenError::Malformed), "{payload}");
    }
}

#[test]
fn an_access_token_is_bound_to_its_id_token_where_that_says_so() {
    let bed = Bed::new();
    let token = bed.signer.sign(&header().to_string(), &with(claims(), "at_hash", AT_HASH.into()).to_string());
    for (access_token, is_good) in [(Some(ACCESS_TOKEN), true), (Some("another"), false), (None, false)] {
        let verified = Unverified::parse(&token).unwrap().verify(&bed.keys, &Expected { access_token, ..expected() });
        assert_eq!(verified.is_ok(), is_good, "{access_token:?}");
    }
}

#[test]
fn an_address_counts_only_if_the_provider_says_that_it_is_theirs() {
    let bed = Bed::new();
    let verified = |email: &str| Email::Verified(email.to_owned());
    for (email, is_verified, expected) in [
        (json!("ann@example.com"), json!(true), verified("ann@example.com")),
        (json!("Ann.B+x@Example.COM"), json!("true"), verified("ann.b+x@example.com")),
        (json!("ann@example.com"), json!(false), Email::Unverified),
        (json!("ann@example.com"), Value::Null, Email::Unverified),
        (json!("ann@example.com"), json!("yes"), Email::Unverified),
        (json!("ann@example.com"), json!(1), Email::Unverified),
        (json!("ann@example.com"), json!([true]), Email::Unverified),
        (json!("ann"), json!(true), Email::Unverified),
        (json!("@example.com"), json!(true), Email::Unverified),
        (json!("ann@"), json!(true), Email::Unverified),
        (json!("ann@example.com, eve@example.com"), json!(true), Email::Unverified),
        (json!("ann@example.com\u{0}"), json!(true), Email::Unverified),
        (json!(format!("{}@example.com", "x".repeat(250))), json!(true), Email::Unverified),
        (Value::Null, json!(true), Email::Untold),
    ] {
        let claims = with(with(claims(), "email", email), "email_verified", is_verified);
        assert_eq!(bed.judge_claims(&claims).unwrap().email, expected, "{claims}");
    }
}
