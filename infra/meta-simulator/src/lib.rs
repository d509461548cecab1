//! Meta's WhatsApp Cloud API as a server, for tests (in-process) and for people (`cargo run -p meta-simulator`).
//!
//! It answers as Meta does (payload checks, error codes, ids), sends the signed webhooks back, shows on a web page what
//! the simulated phones received, and fails on demand: by the recipient's number, or armed through [`Simulator`] and
//! the control API. The crate's README holds the table of failure numbers.

mod arrivals;
mod clock;
mod control;
mod counts;
mod customers;
mod faults;
mod graph;
mod json;
mod limits;
mod listener;
mod newest;
mod page;
mod pending;
mod phones;
mod requests;
mod server;
mod settings;
mod weather;
mod webhooks;
mod world;

pub use customers::{CustomerMessage, NotSent};
pub use faults::Fault;
pub use phones::{Choice, DeliveryStatus, PhoneMessage};
pub use requests::RecordedRequest;
pub use server::Simulator;
pub use settings::{Account, Settings};
pub use weather::Weather;

/// The access token of the built-in account.
pub const ACCESS_TOKEN: &str = "EAAGsimulatedTokenForTheLocalAccount0123456789";
/// The phone number id of the built-in account.
pub const PHONE_NUMBER_ID: &str = "106540352242922";
/// The WhatsApp Business Account id of the built-in account.
pub const WABA_ID: &str = "102290129340398";
/// The app secret that signs the built-in account's webhooks.
pub const APP_SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// The word that the webhook's owner expects in Meta's verification request.
pub const VERIFY_TOKEN: &str = "simulated-verify-token";
/// The built-in account's own number, as digits.
pub const DISPLAY_PHONE_NUMBER: &str = "15557654321";
