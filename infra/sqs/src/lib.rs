//! SQS on this machine: standard queues over HTTP for the real AWS SDK, with the queues of template.yaml.
//!
//! The local stack wakes its functions with it and the tests run on it. Nothing is kept: what is to be done stands in
//! DynamoDB, and a message only says that something is, so whoever starts again looks there.
//!
//! It does what AWS documents of standard queues ("Amazon SQS API Reference"), as far as anything here uses it. What it
//! does not know, it refuses rather than ignores: attributes of messages, FIFO, tags. A message is never too old. Every
//! deadline is one of tokio's clock: a test that pauses it decides what time it is.

mod batch;
mod clock;
mod engine;
mod errors;
mod message;
mod mischief;
mod operations;
mod queue;
mod queues;
mod requests;
mod server;
mod settings;

pub use engine::{Engine, EngineError, REGION};
pub use mischief::Mischief;
