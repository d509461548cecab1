//! The format of an API key.

use std::collections::BTreeSet;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What our own keys begin with. Never change it: secret scanners and clients know it.
const PREFIX: &str = "wak_";
/// The hex digits of a `UUIDv4`.
const RANDOM_LENGTH: usize = 32;
const CHECKSUM_LENGTH: usize = 6;
/// The longest key of the reference's database column.
const LONGEST: usize = 64;
/// A shorter key would be given away by its first and last characters.
const SHORTEST_SHOWN: usize = 16;
/// So many characters, of which so many are different, are taken for random.
const LONG: usize = 22;
const VARIED: usize = 10;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An API key: `wak_`, the 32 hex digits of a `UUIDv4` and the CRC-32 of all that in 6 base62 characters; or any other
/// text of 1 to 64 characters, as imported from the reference.
///
/// A value is well formed, which says nothing of whether the key is known. It cannot be printed.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// A text that can't be an API key. Told apart from an unknown key only where no client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or longer than any key.
    #[error("must have 1 to {LONGEST} characters")]
    Length,
    /// Begins like one of our own keys, but is none: mistyped or cut short.
    #[error("begins with {PREFIX} but its checksum is wrong: it was mistyped or cut short")]
    Checksum,
}

impl ApiKey {
    /// A new key, from 122 random bits.
    pub fn generate() -> Self {
        let random = format!("{PREFIX}{}", Uuid::new_v4().simple());
        let checksum = checksum(&random);
        Self(format!("{random}{checksum}").into())
    }

    /// Reads a key as a client presents it: exactly, with nothing trimmed.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(KeyError::Length);
        }
        if text.starts_with(PREFIX) && !is_our_own(text) {
            return Err(KeyError::Checksum);
        }
        Ok(Self(text.into()))
    }

    /// The key itself, to be shown once to the person who asked for it.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether somebody might guess it: it is neither of ours, nor a `UUIDv4`, nor long and varied enough to have been
    /// drawn at random.
    pub fn is_weak(&self) -> bool {
        let text = self.reveal();
        let is_random = |uuid: Uuid| uuid.get_version_num() == 4;
        let varied = text.chars().collect::<BTreeSet<_>>().len();
        let is_long = text.chars().count() >= LONG && varied >= VARIED;
        !(is_our_own(text) || Uuid::try_parse(text).map_or(is_long, is_random))
    }

    /// What is kept of a key: its SHA-256 in hex. Nobody finds 122 random bits behind it.
    pub(crate) fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.reveal()))
    }

    /// The first and the last four characters, by which people tell keys apart; nothing of a key so short that they
    /// would give it away.
    pub fn ends(&self) -> Option<(String, String)> {
        let characters: Vec<char> = self.reveal().chars().collect();
        let (first, last) = (characters.get(..4)?, characters.get(characters.len().checked_sub(4)?..)?);
        (characters.len() >= SHORTEST_SHOWN).then(|| (first.iter().collect(), last.iter().collect()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

fn is_our_own(text: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let Some((random, given)) = text.split_at_checked(PREFIX.len() + RANDOM_LENGTH) else { return false };
    random.bytes().skip(PREFIX.len()).all(is_hex) && given == checksum(random)
}

/// CRC-32 (IEEE 802.3) in base62, the most significant digit first.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_key_has_42_characters_of_the_documented_form_and_reads_back() {
        let key = ApiKey::generate();
        assert_eq!(key.reveal().len(), 42);
        assert!(key.reveal().starts_with("wak_"));
        assert!(key.reveal().bytes().skip(4).all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(key.reveal().as_bytes()[16], b'4', "the version digit of a UUIDv4");
        assert_eq!(ApiKey::parse(key.reveal()).unwrap().hash(), key.hash());
    }

    #[test]
    fn the_format_never_changes() {
        let key = "wak_00000000000040008000000000000000";
        assert_eq!(checksum(key), "1siO7u");
        assert!(ApiKey::parse(&format!("{key}{}", checksum(key))).is_ok());
    }

    #[test]
    fn imported_keys_are_any_text_of_1_to_64_characters() {
        for good in ["a", "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9", "ключ с пробелами", &"é".repeat(64), "WAK_x"]
        {
            assert!(ApiKey::parse(good).is_ok(), "{good}");
        }
        for bad in ["", &"x".repeat(65)] {
            assert_eq!(ApiKey::parse(bad).unwrap_err(), KeyError::Length);
        }
    }

    #[test]
    fn what_begins_like_our_own_key_must_be_one() {
        let key = ApiKey::generate();
        for bad in
            ["wak_", "wak_short", &key.reveal()[..41], &format!("{}0", key.reveal()), "wak_ééééééééééééééééééééé"]
        {
            assert_eq!(ApiKey::parse(bad).unwrap_err(), KeyError::Checksum, "{bad}");
        }
    }

    #[test]
    fn a_short_imported_key_is_not_given_away_by_its_ends() {
        assert_eq!(ApiKey::parse("abcd1234").unwrap().ends(), None);
        let shown = ApiKey::parse("0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9").unwrap().ends();
        assert_eq!(shown, Some(("0b1c".to_owned(), "e8f9".to_owned())));
    }

    #[test]
    fn a_key_that_somebody_thought_up_is_weak() {
        let is_weak = |text: &str| ApiKey::parse(text).unwrap().is_weak();
        for weak in
            ["a", "test", "my-company-api-key", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "12341234123412341234123412341234"]
        {
            assert!(is_weak(weak), "{weak}");
        }
        // All zeros, and one that tells its time: UUIDs, but not drawn at random.
        for weak in ["00000000-0000-0000-0000-000000000000", "0190163d-8694-739b-aea5-966c26f8ad91"] {
            assert!(is_weak(weak), "{weak}");
        }
        for strong in
            ["0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9", "0b1c2d3e4f5046178293a4b5c6d7e8f9", "kD8sjw02nfLq93mZpX1vTe"]
        {
            assert!(!is_weak(strong), "{strong}");
        }
        assert!(!ApiKey::generate().is_weak());
    }

    #[test]
    fn a_key_cannot_be_printed() {
        let key = ApiKey::generate();
        assert_eq!(format!("{key:?}"), "ApiKey(…)");
    }

    proptest! {
        #[test]
        fn one_changed_character_of_our_own_key_is_always_noticed(position in 4usize..42, replacement in "[0-9A-Za-z]") {
            let key = ApiKey::generate();
            let mut changed = key.reveal().to_owned();
            changed.replace_range(position..=position, &replacement);
            prop_assert_eq!(ApiKey::parse(&changed).is_ok(), changed == key.reveal());
        }

        #[test]
        fn reading_any_text_never_panics(text in "\\PC{0,80}") {
            let _ = ApiKey::parse(&text);
            let _ = ApiKey::parse(&format!("wak_{text}"));
        }
    }
}
