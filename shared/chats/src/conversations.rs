//! An account's conversations.

use std::time::Duration;

use auth::Caller;
use domain::{AccountId, Result};
use jiff::Timestamp;
use serde::Serialize;
use storage::{Conversation, OptOutBy};
use utoipa::ToSchema;

use crate::{Chats, Part, moment};

/// So long Meta takes any message after the contact wrote (Meta: "Customer service windows").
const WINDOW: Duration = Duration::from_hours(24);

/// Some conversations as the reference lists them.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatPage {
    /// The one with the newest message first.
    conversations: Vec<Listed>,
    /// The place behind which the next page begins, for [`Place::parse`](crate::Place::parse); `None`: this page is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A conversation as the reference lists it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
struct Listed {
    /// Always the same for the same contact; up to 53 bits.
    id: u64,
    /// Digits without `+`; or the business-scoped user id of somebody whose number WhatsApp hides.
    phone_number: String,
    /// The number of a label of the reference, where the conversation came from there. None is made here: the reference's own
    /// pages, which do that, have no counterpart.
    #[schema(required)]
    label: Option<i64>,
    /// Messages that came and were not read.
    unread_count: i64,
    /// When the newest message of either direction came or went.
    #[schema(required)]
    last_message_at: Option<String>,
}

/// A conversation with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConversationDetails)]
pub(crate) struct Whole {
    #[serde(flatten)]
    listed: Listed,
    /// As the contact calls themselves.
    #[schema(required)]
    name: Option<String>,
    /// When the contact last wrote.
    #[schema(required)]
    last_inbound_at: Option<String>,
    /// Until when WhatsApp takes any message to them.
    #[schema(required)]
    window_expires_at: Option<String>,
    /// That they want no messages.
    #[schema(required)]
    opted_out: Option<OptedOut>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OptedOut {
    /// Since when.
    since: String,
    /// How they said so: `word` or `whatsapp`.
    by: &'static str,
}

impl Chats {
    /// An account's conversations, newest first, perhaps only those with unread messages.
    pub async fn list(
        &self,
        caller: &Caller,
        account_id: Option<AccountId>,
        only_unread: bool,
        part: &Part,
    ) -> Result<ChatPage> {
        let account = caller.account(&self.accounts, account_id)?;
        let page = self.conversations.newest(account.id, only_unread, part.after.as_ref(), part.limit).await?;
        let last = page.rows.last().filter(|_| !page.is_last);
        let next_cursor = last.and_then(Conversation::place).map(|place| place.as_str().to_owned());
        Ok(ChatPage { conversations: page.rows.into_iter().map(Listed::from).collect(), next_cursor })
    }
}

impl From<Conversation> for Listed {
    fn from(conversation: Conversation) -> Self {
        Self {
            id: conversation.id(),
            label: conversation.label,
            unread_count: conversation.unread_count,
            last_message_at: conversation.last_message_at.map(moment),
            phone_number: conversation.phone_number,
        }
    }
}

impl From<Conversation> for Whole {
    fn from(conversation: Conversation) -> Self {
        let expiry = |at: Timestamp| at.saturating_add(WINDOW).ok();
        let opted_out = conversation.opted_out().map(|opt_out| OptedOut {
            since: moment(opt_out.since),
            by: match opt_out.by {
                OptOutBy::Word => "word",
                OptOutBy::WhatsApp => "whatsapp",
                OptOutBy::Before => "before",
            },
        });
        Self {
            name: conversation.name.clone(),
            last_inbound_at: conversation.last_inbound_at.map(moment),
            window_expires_at: conversation.last_inbound_at.and_then(expiry).map(moment),
            opted_out,
            listed: conversation.into(),
        }
    }
}
