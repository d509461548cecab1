//! What the outbox guarantees, on the real embedded DynamoDB and the simulated Meta, over real sockets: which faults
//! end how, what an idempotency key promises, what a storage that fails may cost, what is told of a contact, that nobody
//! of a campaign is written to twice, and what single messages take of a number's rate.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what goes wrong here fails the test")]

mod accounts;
mod bed;
mod campaign;
mod contacts;
mod crashes;
mod dry_run;
mod idempotency;
mod meta_errors;
mod outcomes;
mod rate;
mod time;
mod wire;
