//! What goes wrong, in one line for a person.

use std::fmt;

use domain::{Error, Kind};

/// Why a command was not done. Never holds a key.
#[derive(Debug)]
pub struct Problem(String);

impl Problem {
    /// A problem in these words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl From<Error> for Problem {
    /// What clients are not told of an outage, this person needs: the table's name, the missing permission, the host.
    fn from(error: Error) -> Self {
        match (error.kind(), error.source_chain()) {
            (Kind::Unavailable | Kind::Internal, Some(cause)) => Self(format!("the tables can't be used: {cause}")),
            _ => Self(error.public().message.clone()),
        }
    }
}
