//! Meta asks whether a webhook's address is really ours (Meta: "Webhooks", "Verification requests").

use domain::{Accounts, Error, Kind, Result};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

/// Meta's question.
#[derive(Clone, Copy, Debug)]
pub struct Handshake<'a> {
    /// `hub.mode`: `subscribe`.
    pub mode: Option<&'a str>,
    /// `hub.verify_token`: what whoever set the webhook up typed in there.
    pub verify_token: Option<&'a str>,
    /// `hub.challenge`: a number to be given back.
    pub challenge: Option<&'a str>,
}

/// Meta's is a number; nobody else needs a longer one.
const LONGEST_CHALLENGE: usize = 20;

/// The challenge, if the token is one of the accounts'.
pub(crate) fn answer(accounts: &Accounts, handshake: &Handshake<'_>) -> Result<String> {
    if handshake.mode != Some("subscribe") {
        return Err(Error::invalid_field("hub.mode", "hub.mode must be subscribe"));
    }
    if !is_known(accounts, handshake.verify_token.unwrap_or_default()) {
        let message = "hub.verify_token is none of the accounts' verify_token";
        return Err(Error::new(Kind::Forbidden, message).code("wrong_verify_token").retryable(false));
    }
    // It is shown to whoever asks: nothing but digits.
    let is_number = |challenge: &&str| {
        (1..=LONGEST_CHALLENGE).contains(&challenge.len()) && challenge.bytes().all(|byte| byte.is_ascii_digit())
    };
    let challenge = handshake.challenge.filter(is_number);
    challenge.map(str::to_owned).ok_or_else(|| {
        Error::invalid_field("hub.challenge", format!("hub.challenge must be 1 to {LONGEST_CHALLENGE} digits"))
    })
}

/// Compares by hashes, and with all of them, so that the time taken tells nothing about any token.
fn is_known(accounts: &Accounts, given: &str) -> bool {
    let hash = |token: &str| <[u8; 32]>::from(Sha256::digest(token));
    let given_hash = hash(given);
    let tokens = accounts.iter().filter_map(|account| account.verify_token.as_ref());
    tokens.fold(false, |known, token| {
        let is_same = hash(token.expose_secret()).iter().zip(&given_hash).fold(0, |bits, (a, b)| bits | (a ^ b)) == 0;
        known | (is_same & !token.expose_secret().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str = r#"[{"id":1,"phone_number_id":"1","waba_id":"1","access_token":"t","verify_token":"word"},
        {"id":2,"phone_number_id":"2","waba_id":"1","access_token":"t","verify_token":"other"},
        {"id":3,"phone_number_id":"3","waba_id":"1","access_token":"t","verify_token":""},
        {"id":4,"phone_number_id":"4","waba_id":"1","access_token":"t"}]"#;

    fn ask(mode: &str, token: Option<&str>, challenge: Option<&str>) -> Result<String> {
        answer(&ACCOUNTS.parse().unwrap(), &Handshake { mode: Some(mode), verify_token: token, challenge })
    }

    #[test]
    fn the_token_of_any_account_gets_the_challenge_back() {
        for token in ["word", "other"] {
            assert_eq!(ask("subscribe", Some(token), Some("1158201444")).unwrap(), "1158201444");
        }
    }

    #[test]
    fn another_token_none_or_an_empty_one_is_forbidden_also_where_an_account_has_none() {
        for token in [None, Some(""), Some("Word"), Some("word "), Some("wor"), Some("whatsapp_verify")] {
            assert_eq!(ask("subscribe", token, Some("1")).unwrap_err().kind(), Kind::Forbidden, "{token:?}");
        }
    }

    #[test]
    fn a_challenge_that_is_no_number_is_never_given_back() {
        for challenge in [None, Some(""), Some("<b>"), Some("1 "), Some("-1"), Some("123456789012345678901"), Some("١")]
        {
            let error = ask("subscribe", Some("word"), challenge).unwrap_err();
            assert_eq!(error.public().field.as_deref(), Some("hub.challenge"), "{challenge:?}");
        }
    }

    #[test]
    fn another_mode_is_a_mistake() {
        for mode in ["", "unsubscribe", "Subscribe"] {
            assert_eq!(ask(mode, Some("word"), Some("1")).unwrap_err().public().field.as_deref(), Some("hub.mode"));
        }
    }
}
