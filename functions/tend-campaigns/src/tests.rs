//! The guarantees of this task.
