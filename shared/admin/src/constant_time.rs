//! Comparing secrets without telling, by the time that it takes, how much of them agrees.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A keyed hash of `message`. Its [`verify_slice`](Mac::verify_slice) takes the same time whatever it compares.
pub(crate) fn tag(key: &[u8], message: &[u8]) -> Option<Hmac<Sha256>> {
    // `None` is for keys of a wrong length, and HMAC takes any.
    Some(Hmac::<Sha256>::new_from_slice(key).ok()?.chain_update(message))
}

/// Whether two secrets are the same.
pub(crate) fn same(presented: &str, secret: &str) -> bool {
    // Secrets of any length become tags of one length. The key need not be secret: the tags are shown to nobody.
    const KEY: &[u8] = b"compare";
    let expected = tag(KEY, secret.as_bytes()).map(|tag| tag.finalize().into_bytes());
    let presented = tag(KEY, presented.as_bytes());
    presented.zip(expected).is_some_and(|(presented, expected)| presented.verify_slice(&expected).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_is_the_same() {
        assert!(same("", "") && same("t0ken", "t0ken"));
        for other in ["", "t0ke", "t0ken\0", "t0ken ", "T0ken", "t0ken-and-more"] {
            assert!(!same(other, "t0ken") && !same("t0ken", other), "{other}");
        }
    }
}
