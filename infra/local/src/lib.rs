//! The whole system on one machine: the embedded DynamoDB, the Meta simulator and every endpoint behind one HTTP port,
//! with no Docker, no AWS account and no Meta account.
//!
//! Routes, schedules, queues and tables come from template.yaml. A request becomes the event that API Gateway would make of it and
//! goes to the same code as on Lambda: in this process, or with `--lambda` in a process of its own for each function.

mod event;
mod functions;
mod gateway;
mod guard;
mod processes;
mod queues;
mod schedules;
mod settings;
mod stack;
mod terminal;

pub use settings::Settings;
pub use stack::{Stack, StackError};
pub use terminal::{Interrupts, log_to_terminal};
