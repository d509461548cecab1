//! The real program, killed: at random among ten thousand recipients, and at every single call of the database; and held up.
//!
//! The truth is what the simulated Meta took. Nobody may get two messages; whoever got none must be told as unknown, or still
//! to be written to; and what is counted must be so.
//!
//! Nothing waits for a lease or a deadline to pass: [`bed::Bed::time_passes`] ends them in the tables.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what goes wrong here fails the test")]

mod bed;
mod each_call;
mod queue;
mod random;
mod resumed;
