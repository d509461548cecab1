//! The edge: events of API Gateway in, answers out, the one table from error to status, and the Lambda runtime.
//!
//! An endpoint implements [`Endpoint`]; [`serve`] runs it on Lambda and [`respond`] answers one event, on Lambda as on
//! one machine. No event whatsoever crashes a function: one that can't be read is answered with 400, and a panic with
//! 500. What a schedule starts implements [`Task`]; [`serve_task`] runs it on Lambda. What takes messages from a queue
//! implements [`Consumer`]; [`serve_consumer`] runs it.

mod consumer;
mod endpoint;
mod event;
mod fields;
mod form;
mod log;
mod parameters;
mod request;
mod response;
mod serve;
mod task;

pub use consumer::{BatchReport, Consumer, consume, serve_consumer};
pub use endpoint::{Endpoint, Route};
pub use fields::{Fields, whole_number};
pub use form::Form;
pub use parameters::{Parameters, cursor};
pub use request::Request;
pub use response::Response;
pub use serve::{Invocation, StartError, respond, serve};
pub use task::{Task, run_task, serve_task};
