//! One-time codes from an authenticator app: TOTP (RFC 6238) in the form that every app knows, SHA-1, 6 digits, 30 s.

use domain::{Error, Result};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Algorithm, Builder, Secret, Totp};

/// What an authenticator app and we both know. It cannot be printed.
#[derive(Clone, Debug)]
pub struct OneTimeSecret(SecretString);

impl OneTimeSecret {
    /// 160 bits: the length that RFC 4226 recommends.
    const LENGTH: usize = 20;

    /// A new secret, which nobody knows yet and nothing is changed by.
    pub fn generate() -> Self {
        Self(Secret::from(rand::random::<[u8; Self::LENGTH]>()).to_base32().into())
    }

    /// Reads a secret as [`reveal`](Self::reveal) wrote it.
    pub fn parse(text: &str) -> Result<Self> {
        match Secret::try_from_base32(text) {
            Ok(secret) if secret.as_bytes().len() == Self::LENGTH => Ok(Self(text.into())),
            _ => Err(Error::invalid_field("secret", "secret must be the one that the page shows")),
        }
    }

    /// The secret in base32, for those who type it into their app.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// The address that an authenticator app reads from a QR code.
    pub fn uri(&self) -> SecretString {
        const ISSUER: &str = "WhatsApp%20Gateway";
        let secret = self.reveal();
        format!("otpauth://totp/{ISSUER}:admin?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30")
            .into()
    }

    /// The 30 seconds, counted from 1970, that the code belongs to: those of now, or the ones just before or after, for
    /// clocks that differ. `None`: the code is wrong. Spaces are ignored, since apps show `123 456`.
    pub(crate) fn step(&self, code: &str, now: Timestamp) -> Option<u64> {
        let code: String = code.split_whitespace().collect();
        self.totp()?.check(&code, u64::try_from(now.as_second()).ok()?)
    }

    fn totp(&self) -> Option<Totp> {
        let secret = Secret::try_from_base32(self.reveal()).ok()?;
        let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30).with_skew(1);
        totp.with_secret(secret).build().ok()
    }

    #[cfg(test)]
    pub(crate) fn code(&self, at: Timestamp) -> String {
        self.totp().unwrap().generate(at.as_second().try_into().unwrap()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, of whose 8 digits the last 6 are ours; the secret is "12345678901234567890".
        let secret = OneTimeSecret::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(secret.step(code, at(second)), Some(u64::try_from(second).unwrap() / 30));
        }
        assert_eq!(secret.step("287 082", at(59)), Some(1), "as apps show it");
    }

    #[test]
    fn a_code_is_good_one_step_early_and_one_step_late_and_no_more() {
        let secret = OneTimeSecret::generate();
        let now = at(1_800_000_000);
        let step = 60_000_000;
        let minute = Duration::from_secs(30);
        assert_eq!(secret.step(&secret.code(now), now), Some(step));
        assert_eq!(secret.step(&secret.code(now - minute), now), Some(step - 1));
        assert_eq!(secret.step(&secret.code(now + minute), now), Some(step + 1));
        // A million codes: that one of these is another's by chance happens once in 250 000 runs.
        assert_eq!(secret.step(&secret.code(now - 2 * minute), now), None);
        assert_eq!(secret.step(&secret.code(now + 2 * minute), now), None);
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        let secret = OneTimeSecret::generate();
        for code in ["", "12345", "1234567", "abcdef", "+12345", "-12345", "１２３４５６", "12345\0"] {
            assert_eq!(secret.step(code, at(1_800_000_000)), None, "{code}");
        }
    }

    #[test]
    fn a_secret_has_160_bits_reads_back_and_can_not_be_printed() {
        let secret = OneTimeSecret::generate();
        assert_eq!(OneTimeSecret::parse(secret.reveal()).unwrap().reveal(), secret.reveal());
        for odd in ["", "GEZDGNBV", "!", &format!("{}AA", secret.reveal())] {
            assert_eq!(OneTimeSecret::parse(odd).unwrap_err().public().field.as_deref(), Some("secret"));
        }
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        let uri = secret.uri();
        let end = format!("?secret={}&issuer=WhatsApp%20Gateway&algorithm=SHA1&digits=6&period=30", secret.reveal());
        assert_eq!(uri.expose_secret(), format!("otpauth://totp/WhatsApp%20Gateway:admin{end}"));
    }
}
