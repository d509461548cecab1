//! Who sent a webhook: only Meta knows the app's secret.

use std::collections::BTreeMap;

use domain::{Account, Accounts, Error, Kind, Result};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

const SCHEME: &str = "sha256=";

/// The accounts for whose app this body was signed: what it says about any other is not to be believed.
///
/// `signature` is the header `X-Hub-Signature-256`, the HMAC of the body's bytes as they came: Meta escapes its JSON in ways
/// that no other serialisation repeats (Meta: "Webhooks", "Validate payloads").
pub(crate) fn signers<'a>(accounts: &'a Accounts, body: &[u8], signature: Option<&str>) -> Result<Vec<&'a Account>> {
    let mut by_secret: BTreeMap<&str, Vec<&Account>> = BTreeMap::new();
    for account in accounts.iter() {
        for secret in secrets(account) {
            by_secret.entry(secret.expose_secret()).or_default().push(account);
        }
    }
    if by_secret.is_empty() {
        return Err(Error::new(Kind::Unavailable, "The webhook is not set up: no account has an app secret")
            .code("webhook_not_set_up")
            .retryable(true));
    }
    let Some(signature) = signature.and_then(read) else {
        return Err(Error::unauthorized().caused_by("no X-Hub-Signature-256 that could be one"));
    };
    let mut signers: Vec<&Account> = Vec::new();
    // All of them are tried, so that the time taken tells nothing about which one fits.
    for (secret, owners) in by_secret {
        if is_signed(secret, body, &signature) {
            signers.extend(owners);
        }
    }
    if signers.is_empty() {
        return Err(Error::unauthorized().caused_by("the signature is none of any account's app"));
    }
    // In the order in which the accounts were given.
    let is_signer = |account: &&Account| signers.iter().any(|signer| signer.id == account.id);
    Ok(accounts.iter().filter(is_signer).collect())
}

/// The app's secret and the one before it, as far as they are any.
fn secrets(account: &Account) -> impl Iterator<Item = &SecretString> {
    let both = [account.app_secret.as_ref(), account.previous_app_secret.as_ref()];
    both.into_iter().flatten().filter(|secret| !secret.expose_secret().is_empty())
}

fn read(header: &str) -> Option<[u8; 32]> {
    let mut signature = [0; 32];
    hex::decode_to_slice(header.strip_prefix(SCHEME)?, &mut signature).ok()?;
    Some(signature)
}

fn is_signed(secret: &str, body: &[u8], signature: &[u8]) -> bool {
    // HMAC takes a key of any length; the comparison takes the same time wherever the two differ.
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .is_ok_and(|mac| mac.chain_update(body).verify_slice(signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;

    fn accounts(secrets: &[(Option<&str>, Option<&str>)]) -> Accounts {
        let account = |(id, (current, previous)): (usize, &(Option<&str>, Option<&str>))| {
            serde_json::json!({"id": id, "phone_number_id": id.to_string(), "waba_id": "1", "access_token": "t",
                "app_secret": current, "previous_app_secret": previous})
        };
        let all: Vec<_> = secrets.iter().enumerate().map(account).collect();
        serde_json::Value::from(all).to_string().parse().unwrap()
    }

    fn sign(secret: &str, body: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
        format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
    }

    fn signed(accounts: &Accounts, body: &[u8], signature: Option<&str>) -> Result<Vec<i64>, Kind> {
        let signers = signers(accounts, body, signature).map_err(|error| error.kind())?;
        Ok(signers.iter().map(|account| account.id.0).collect())
    }

    #[test]
    fn the_current_and_the_previous_secret_sign_and_no_other() {
        let accounts =
            accounts(&[(Some("new"), Some("old")), (Some("another"), None), (Some("new"), None), (None, None)]);
        for (secret, expected) in [("new", vec![0, 2]), ("old", vec![0]), ("another", vec![1])] {
            assert_eq!(signed(&accounts, BODY, Some(&sign(secret, BODY))).unwrap(), expected, "{secret}");
        }
        for secret in ["", "neW", "newold"] {
            assert_eq!(signed(&accounts, BODY, Some(&sign(secret, BODY))), Err(Kind::Unauthorized), "{secret}");
        }
    }

    #[test]
    fn a_signature_or_a_body_with_any_bit_flipped_is_refused() {
        let accounts = accounts(&[(Some("secret"), Some("old"))]);
        let good = sign("secret", BODY);
        for byte in 0..BODY.len() {
            for bit in 0..8 {
                let mut body = BODY.to_vec();
                body[byte] ^= 1 << bit;
                assert_eq!(signed(&accounts, &body, Some(&good)), Err(Kind::Unauthorized), "{byte}.{bit}");
            }
        }
        let digest = hex::decode(good.strip_prefix(SCHEME).unwrap()).unwrap();
        for byte in 0..digest.len() {
            for bit in 0..8 {
                let mut flipped = digest.clone();
                flipped[byte] ^= 1 << bit;
                let header = format!("sha256={}", hex::encode(flipped));
                assert_eq!(signed(&accounts, BODY, Some(&header)), Err(Kind::Unauthorized), "{byte}.{bit}");
            }
        }
    }

    #[test]
    fn a_header_that_is_no_signature_is_refused() {
        let accounts = accounts(&[(Some("secret"), None)]);
        let good = sign("secret", BODY);
        let digits = good.strip_prefix(SCHEME).unwrap();
        let odd = [
            "",
            "sha256=",
            digits,
            &format!("sha1={digits}"),
            &format!("{good}0"),
            &format!("{good}00"),
            &format!(" {good}"),
            &format!("sha256=sha256={digits}"),
            &good[..70],
            "sha256=ä",
        ];
        for header in odd.into_iter().map(Some).chain([None]) {
            assert_eq!(signed(&accounts, BODY, header), Err(Kind::Unauthorized), "{header:?}");
        }
    }

    #[test]
    fn without_any_secret_nothing_is_believed_and_meta_is_told_to_come_again() {
        for none in [&[(None, None)][..], &[(Some(""), Some("")), (None, None)]] {
            let accounts = accounts(none);
            for header in [None, Some(sign("", BODY))] {
                assert_eq!(signed(&accounts, BODY, header.as_deref()), Err(Kind::Unavailable));
            }
        }
    }
}
