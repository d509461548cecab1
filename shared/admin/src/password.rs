//! The password: its length, and its argon2id hash.
//!
//! A hash takes some 70 ms and 46 MiB. It runs on the thread that serves the request: a function serves one at a time,
//! and of all that want to guess at once only one gets as far as a hash (see `attempts`).

use std::hint::black_box;
use std::ops::RangeInclusive;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, MIN_SALT_LEN, Params, Version};
use domain::{Error, Result};
use secrecy::{ExposeSecret, SecretString};

/// How many characters a password has. No rule says which: length is what counts (OWASP ASVS 6.2).
const LENGTH: RangeInclusive<usize> = 8..=128;
/// OWASP ASVS, appendix C: at least 46 MiB with one pass and one lane.
const PARAMS: Params = match Params::new(46 * 1024, 1, 1, Some(Params::DEFAULT_OUTPUT_LEN)) {
    Ok(params) => params,
    // When compiling, never when running.
    Err(_) => panic!("argon2 refuses the parameters"),
};
/// The salt for the work that is done where there is no hash to compare with.
const NOBODYS_SALT: &[u8] = b"nobody's own salt";

/// A new password must have 8 to 128 characters.
pub(crate) fn check_length(password: &SecretString) -> Result<()> {
    if LENGTH.contains(&password.expose_secret().chars().count()) {
        return Ok(());
    }
    let (shortest, longest) = (LENGTH.start(), LENGTH.end());
    Err(Error::invalid_field("password", format!("password must have {shortest} to {longest} characters")))
}

/// The hash to store, as a PHC string: with its salt and its parameters.
pub(crate) fn hash(password: &SecretString) -> Result<String> {
    let hash = argon2().hash_password(password.expose_secret().as_bytes()).map_err(Error::internal)?;
    Ok(hash.to_string())
}

/// Whether the password is the one behind the stored hash. Exactly one hash is computed whatever the answer, and also
/// when there is nothing to compare with: the time that it takes tells nothing.
pub(crate) fn matches(stored: Option<&str>, presented: &SecretString) -> bool {
    let presented = presented.expose_secret().as_bytes();
    if let Some(hash) = stored.and_then(usable) {
        return argon2().verify_password(presented, &hash).is_ok();
    }
    // Its outcome is of no use: the black box keeps the compiler from noticing.
    let _ = black_box(argon2().hash_password_with_salt(presented, NOBODYS_SALT));
    false
}

/// A stored hash, if it is one of ours in every respect. Anything else costs the same and matches nothing: parameters
/// that someone else chose could take all memory, or no time.
fn usable(stored: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(stored).ok()?;
    let is_ours = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(&hash).is_ok_and(|params| params == PARAMS)
        && hash.salt.as_ref().is_some_and(|salt| salt.len() >= MIN_SALT_LEN);
    is_ours.then_some(hash)
}

/// For one hash.
fn argon2() -> Argon2<'static> {
    #[cfg(test)]
    HASHES.set(HASHES.get() + 1);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMS)
}

#[cfg(test)]
thread_local! {
    /// How many hashes this test has computed so far.
    pub(crate) static HASHES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_8_to_128_characters_of_any_kind() {
        for (password, is_good) in [
            ("1234567".to_owned(), false),
            ("12345678".to_owned(), true),
            ("        ".to_owned(), true),
            ("é".repeat(7), false),
            ("é".repeat(8), true),
            ("é".repeat(128), true),
            ("é".repeat(129), false),
        ] {
            let checked = check_length(&password.clone().into());
            assert_eq!(checked.is_ok(), is_good, "{password}");
            if let Err(error) = checked {
                assert_eq!(error.public().field.as_deref(), Some("password"));
            }
        }
    }

    #[test]
    fn a_password_matches_its_own_hash_and_no_other() {
        let right = SecretString::from("correct horse");
        let stored = hash(&right).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        assert_ne!(hash(&right).unwrap(), stored, "every hash has its own salt");
        assert!(matches(Some(&stored), &right));
        for wrong in ["", "correct horsf", "correct horse ", "Correct horse"] {
            assert!(!matches(Some(&stored), &wrong.into()), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_our_own_hash_matches_nothing_and_takes_one_hash_all_the_same() {
        let right = SecretString::from("correct horse");
        let stored = hash(&right).unwrap();
        let weak_params = Params::new(8, 1, 1, Some(32)).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, weak_params).hash_password(b"correct horse");
        let no_hash = stored.rsplit_once('$').unwrap().0;
        let odd = [
            None,
            Some(String::new()),
            Some("correct horse".to_owned()),
            Some("$argon2id$".to_owned()),
            Some(no_hash.to_owned()),
            Some(weak.unwrap().to_string()),
            Some(stored.replace("m=47104", "m=4294967295")),
            Some(stored.replace("argon2id", "argon2i")),
            Some(stored.replace("v=19", "v=16")),
            Some(stored.replace("$v=19", "")),
            Some(format!("{stored} ")),
        ];
        for stored in odd {
            let before = HASHES.get();
            assert!(!matches(stored.as_deref(), &right), "{stored:?}");
            assert_eq!(HASHES.get() - before, 1, "{stored:?}");
        }
    }

    #[test]
    fn right_and_wrong_take_one_hash_each() {
        let stored = hash(&"correct horse".into()).unwrap();
        for presented in ["correct horse", "wrong"] {
            let before = HASHES.get();
            matches(Some(&stored), &presented.into());
            assert_eq!(HASHES.get() - before, 1);
        }
    }
}
