//! Our own id of a message.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Our id of a message: a `UUIDv7`, so that ids sort by the time they were made.
///
/// It travels to Meta as `biz_opaque_callback_data`, and comes back in every status webhook of the message (Meta:
/// "Status messages webhook").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(Uuid);

impl MessageId {
    /// A new id.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_read_back() {
        let id = MessageId::generate();
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
    }
}
