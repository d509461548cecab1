//! Sends each message at most once, and accounts for every one.
//!
//! Meta has no idempotency key and no way to ask what became of a message. So a message is recorded before Meta is
//! called and again after, and whatever happens in between leaves a row that tells the truth:
//!
//! ```text
//! reserved ──▶ sending ──▶ accepted (wamid)
//!     │           ├──────▶ rejected (error): it was not sent
//!     ▼           └──────▶ unknown: it may have been sent; only a status webhook settles it
//! given up
//! ```
//!
//! - *reserved* exists only under an idempotency key: the key's row points at a message that has no row yet. When whoever
//!   reserved it dies there, the next request with the key gives that message up, so that it can never begin, and
//!   sends its own.
//! - *sending* whose sender died is *unknown* after its deadline, and is never sent again by us.

mod approved_templates;
mod campaign;
mod contact_words;
mod dry_run;
mod meta_error;
mod outbox;
mod refusals;
mod setup;
mod single_sends;
mod window;

pub use campaign::{CampaignMessage, DELIVERY_TIME, Fate, LeftOut, Trouble, failure_code};
pub use dry_run::DryRun;
pub use outbox::{Delivery, Draft, Outbox, Terms};
pub use setup::{country_from_env, from_env, whatsapp_from_env};
