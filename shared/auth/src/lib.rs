//! API keys: their format, how they are kept, and the only way to become a [`Caller`].
//!
//! A key is never stored: the table's partition key is its SHA-256, so that one strongly consistent read decides, and
//! nothing is cached: a disabled key is refused on the very next request.

mod caller;
mod key;
mod keys;
mod limit;
mod per_key;
mod record;
mod registry;
mod usage;

pub use caller::Caller;
pub use key::{ApiKey, KeyError};
pub use keys::Keys;
pub use record::{KeyRecord, KeySettings, KeyState};
pub use registry::{Import, Page, Registry};
pub use usage::{KeyUse, Usage};
