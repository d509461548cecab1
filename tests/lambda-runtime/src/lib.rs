//! AWS Lambda on this machine, for tests: a function's real program as a child process that is watched and killed, with the
//! environment that Lambda gives it, and the events that API Gateway and others send.
//!
//! [`every_function!`] makes a test of everything that holds for every function that sends, [`every_program!`] of what
//! holds for the others too. Most of what they feed them stands in the folder `events`.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "only tests call this: what goes wrong fails them")]

mod environment;
mod events;
mod function;
mod gate;
pub mod guarantees;
pub mod programs;
mod relay;

use std::time::Duration;

pub use embedded_secrets_manager::SecretsManager;
pub use environment::Environment;
pub use events::{Case, Events, NO_JSON};
pub use function::{Function, FunctionError};
pub use gate::{Gate, Held};
pub use guarantees::Subject;
pub use programs::Program;
pub use relay::{Call, Relay};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits for `event`, but not for ever.
async fn patiently<T>(what: &str, event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, event).await.map_err(|_| what).expect("it takes too long")
}
