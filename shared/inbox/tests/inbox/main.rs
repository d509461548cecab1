//! The inbox on the embedded DynamoDB: what Meta sends, in every shape and order, and what stands in the tables then.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "what goes wrong here fails the test"
)]

mod bed;
mod believed;
mod campaigns;
mod concurrency;
mod order;
mod pool;
mod statuses;
mod understood;
