//! The 24 hours after a contact's message in which WhatsApp takes any message to them (Meta: "Customer service windows").
//! What is known of it here is a hint only: Meta decides.

use std::time::Duration;

use jiff::Timestamp;
use storage::Conversation;

const WINDOW: Duration = Duration::from_hours(24);

/// When a contact last wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LastWrote {
    At(Timestamp),
    /// No message of theirs is known.
    Never,
    /// It could not be learnt.
    NotKnown,
}

impl LastWrote {
    /// As the conversation tells; `None` where it could not be read.
    pub(crate) fn in_conversation(read: Option<&Option<Conversation>>) -> Self {
        match read {
            None => Self::NotKnown,
            Some(conversation) => {
                conversation.as_ref().and_then(|known| known.last_inbound_at).map_or(Self::Never, Self::At)
            }
        }
    }
}

/// When the window of a message that came `at` closes.
pub(crate) fn closes_at(at: Timestamp) -> Timestamp {
    at.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)
}
