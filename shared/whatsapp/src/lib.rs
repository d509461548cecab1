#![doc = include_str!("../README.md")]

mod answer;
mod block;
mod business;
mod classify;
mod client;
mod contacts;
mod error;
mod graph_error;
mod interactive;
mod media;
mod message;
mod node;
mod number;
mod paging;
mod template;

pub use block::{BlockOutcome, BlockUser, BlockedUser, ChangedUser, FailedUser, MAX_USERS_PER_BLOCK};
pub use business::{Business, CreatedTemplate, ListedTemplate, NewTemplate};
pub use client::{SetupError, WhatsApp};
pub use contacts::{Contact, ContactAddress, ContactEmail, ContactName, ContactOrg, ContactPhone, ContactUrl};
pub use error::{Error, Throttle, WhyUnknown};
pub use graph_error::GraphError;
pub use interactive::{Flow, Interactive, ListRow, ListSection, ProductSection};
pub use media::{Media, MediaSource, MediaUpload};
pub use message::{Content, Location, Message, Reaction, Text};
pub use node::MAX_CALL_TIME;
pub use number::{MAX_UPLOAD_TIME, Number, Sent};
pub use secrecy::SecretString;
pub use template::Template;

#[cfg(test)]
mod tests;
