//! What the outbox guarantees, on the real embedded DynamoDB and the simulated Meta, over real sockets: which faults
//! end how, what an idempotency key promises, what a storage that fails may cost, and what is told of a contact.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what goes wrong here fails the test")]

mod accounts;
mod bed;
mod contacts;
mod crashes;
mod dry_run;
mod idempotency;
mod meta_errors;
mod outcomes;
mod time;
mod wire;
