//! Lambda on this machine: functions' real programs as processes of their own, which ask for events as on AWS.
//!
//! Each process handles one event at a time; while all are busy, another is started. One that ends, or that takes longer
//! than it may, is killed, and its event has failed.

mod function;
mod runtime_api;
mod watch;

pub use function::{Failure, Function, Program, StartError};
pub use runtime_api::{Outcome, RuntimeApi};
pub use watch::Watch;
