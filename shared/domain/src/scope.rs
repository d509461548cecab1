//! What an API key may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A right that an API key holds. Its text is stored with the key and shown to clients: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Send messages.
    #[serde(rename = "messages:send")]
    MessagesSend,
    /// Read conversations and their messages.
    #[serde(rename = "chats:read")]
    ChatsRead,
    /// Read campaigns and their progress.
    #[serde(rename = "campaigns:read")]
    CampaignsRead,
    /// Make, start and stop campaigns.
    #[serde(rename = "campaigns:write")]
    CampaignsWrite,
    /// Block and unblock contacts, and list those blocked.
    #[serde(rename = "contacts:block")]
    ContactsBlock,
    /// Read what Meta tells of the account: templates, quality, restrictions.
    #[serde(rename = "events:read")]
    EventsRead,
}

impl Scope {
    /// Every scope: what an imported key holds.
    pub const ALL: [Self; 6] = [
        Self::MessagesSend,
        Self::ChatsRead,
        Self::CampaignsRead,
        Self::CampaignsWrite,
        Self::ContactsBlock,
        Self::EventsRead,
    ];

    /// The scopes of a key that only reads.
    pub const READ: [Self; 3] = [Self::ChatsRead, Self::CampaignsRead, Self::EventsRead];

    /// The scope's text, as stored and as shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessagesSend => "messages:send",
            Self::ChatsRead => "chats:read",
            Self::CampaignsRead => "campaigns:read",
            Self::CampaignsWrite => "campaigns:write",
            Self::ContactsBlock => "contacts:block",
            Self::EventsRead => "events:read",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no scope.
#[derive(Debug, thiserror::Error)]
#[error("no such scope")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_one_text_everywhere() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
            assert_eq!(scope.as_str().parse::<Scope>().unwrap(), scope);
        }
        assert!("messages:".parse::<Scope>().is_err());
    }
}
