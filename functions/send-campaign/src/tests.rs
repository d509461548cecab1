//! The guarantees of this consumer.
