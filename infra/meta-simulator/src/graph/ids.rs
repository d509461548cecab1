//! Ids that look like Meta's.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A new message id: `wamid.` and base64 that holds the number and a random part, as real ones do.
pub(crate) fn wamid(wa_id: &str) -> String {
    let mut bytes = vec![0x1d, 0x05, 0x15, 0x02, 0x00, 0x11, 0x18];
    bytes.extend_from_slice(wa_id.as_bytes());
    bytes.push(0x15);
    bytes.extend_from_slice(&rand::random::<[u8; 16]>());
    format!("wamid.{}", STANDARD.encode(bytes))
}

/// What stands in `fbtrace_id` and `x-fb-trace-id`.
pub(crate) fn trace() -> String {
    format!("A{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>()))
}
