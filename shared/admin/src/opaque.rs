//! What a browser keeps for us in its cookies: a session's id, a device's, and a handshake's.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// 256 random bits in hex: nobody guesses them, so that a plain SHA-256 is all that is stored of them.
#[derive(Clone)]
struct Opaque(SecretString);

impl Opaque {
    const LENGTH: usize = 64;

    fn generate() -> Self {
        Self(hex::encode(rand::random::<[u8; 32]>()).into())
    }

    /// Reads it exactly as we wrote it. `None`: it is not one of ours, which needs no look into the table.
    fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == Self::LENGTH && text.bytes().all(is_hex)).then(|| Self(text.into()))
    }

    fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.0.expose_secret()))
    }
}

/// Names a session to the browser that opened it. Whoever has it is signed in: it cannot be printed.
#[derive(Clone)]
pub struct SessionId(Opaque);

/// Names a browser that signed in before, so that its attempts are counted apart from strangers'. It opens nothing,
/// and cannot be printed all the same.
#[derive(Clone)]
pub struct DeviceId(Opaque);

/// Names a handshake with the provider to the browser that began it, and is the secret that the handshake's own are made
/// from. It cannot be printed.
#[derive(Clone)]
pub struct HandshakeId(Opaque);

impl SessionId {
    pub(crate) fn generate() -> Self {
        Self(Opaque::generate())
    }

    pub(crate) fn parse(presented: &str) -> Option<Self> {
        Opaque::parse(presented).map(Self)
    }

    /// The id of its row.
    pub(crate) fn row_id(&self) -> String {
        format!("session#{}", self.0.hash())
    }

    /// The value of the session's cookie.
    pub fn reveal(&self) -> &str {
        self.0.0.expose_secret()
    }
}

impl DeviceId {
    pub(crate) fn generate() -> Self {
        Self(Opaque::generate())
    }

    pub(crate) fn parse(presented: &str) -> Option<Self> {
        Opaque::parse(presented).map(Self)
    }

    /// The id of its row.
    pub(crate) fn row_id(&self) -> String {
        format!("device#{}", self.0.hash())
    }

    /// The value of the device's cookie.
    pub fn reveal(&self) -> &str {
        self.0.0.expose_secret()
    }
}

impl HandshakeId {
    pub(crate) fn generate() -> Self {
        Self(Opaque::generate())
    }

    pub(crate) fn parse(presented: &str) -> Option<Self> {
        Opaque::parse(presented).map(Self)
    }

    /// The id of its row.
    pub(crate) fn row_id(&self) -> String {
        format!("handshake#{}", self.0.hash())
    }

    /// The value of the handshake's cookie.
    pub fn reveal(&self) -> &str {
        self.0.0.expose_secret()
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceId(…)")
    }
}

impl fmt::Debug for HandshakeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandshakeId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_64_hex_digits_never_the_same_and_reads_back() {
        let (first, second) = (SessionId::generate(), SessionId::generate());
        assert_eq!(first.reveal().len(), 64);
        assert_ne!(first.reveal(), second.reveal());
        assert_eq!(SessionId::parse(first.reveal()).unwrap().row_id(), first.row_id());
    }

    #[test]
    fn an_id_is_read_exactly() {
        let id = DeviceId::generate();
        let id = id.reveal();
        let upper = id.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A");
        for other in ["", &id[1..], &format!("{id}0"), &format!(" {}", &id[1..]), &upper, &"é".repeat(32)] {
            assert!(DeviceId::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn an_id_can_not_be_printed() {
        let (session, device, handshake) = (SessionId::generate(), DeviceId::generate(), HandshakeId::generate());
        let printed = format!("{session:?} {device:?} {handshake:?}");
        assert_eq!(printed, "SessionId(…) DeviceId(…) HandshakeId(…)");
    }
}
