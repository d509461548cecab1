//! Marking a conversation as read: here, and where it is asked for, at the contact's.

use std::time::Duration;

use auth::Caller;
use domain::{Account, AccountId, Error, Kind, Result};
use meta_errors::Asked;
use serde::Serialize;
use storage::Chat;
use utoipa::ToSchema;
use whatsapp::WhatsApp;

use crate::{Chats, chat_not_found};

/// What is kept back of the function's time for counting as read what Meta was told, and for answering.
const RECORDING_TIME: Duration = Duration::from_secs(8);
/// With less time than this for Meta, it is not called: its answer would hardly come.
const LEAST_META_TIME: Duration = Duration::from_secs(1);

const RECEIPT: Asked = Asked {
    not_reached: "WhatsApp can't be reached. The chat is as unread as before.",
    throttled: "WhatsApp takes no more requests for the moment. The chat is as unread as before.",
    refused: "WhatsApp refused to mark the message as read without saying why. The chat is as unread as before.",
    unknown: unanswered,
};

/// Marks conversations as read. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct ReadReceipts {
    chats: Chats,
    whatsapp: WhatsApp,
}

/// What a client wants to be marked as read.
#[derive(Clone, Copy, Debug)]
pub struct ReadWish<'a> {
    /// Of which account; `None` for the default.
    pub account_id: Option<AccountId>,
    /// Which conversation: a phone number in any form, or a business-scoped user id.
    pub phone: &'a str,
    /// Whether the contact shall see blue ticks.
    pub tell_whatsapp: bool,
    /// How long the function may still work.
    pub time_left: Duration,
}

/// A conversation that has been read.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = ReadChat)]
pub struct Read {
    /// Always `success`.
    status: &'static str,
    /// Always 0.
    unread_count: i64,
    /// Whether the contact sees blue ticks now.
    told_whatsapp: bool,
}

impl ReadReceipts {
    /// Over a deployment's chats.
    pub fn new(chats: Chats, whatsapp: WhatsApp) -> Self {
        Self { chats, whatsapp }
    }

    /// Counts a conversation as read: if WhatsApp is to be told, only once it was. May be repeated without harm.
    pub async fn read(&self, caller: &Caller, wish: &ReadWish<'_>) -> Result<Read> {
        let account = caller.account(&self.chats.accounts, wish.account_id)?;
        let chat = self.chats.chat(caller, wish.account_id, wish.phone)?;
        let told_whatsapp = wish.tell_whatsapp && self.tell_whatsapp(account, &chat, wish.time_left).await?;
        let read = self.chats.conversations.read(&chat).await;
        let is_there = if told_whatsapp { read.map_err(|error| not_recorded(&error))? } else { read? };
        is_there.then_some(Read { status: "success", unread_count: 0, told_whatsapp }).ok_or_else(chat_not_found)
    }

    /// `false`: the contact has written nothing that could be marked.
    async fn tell_whatsapp(&self, account: &Account, chat: &Chat, time_left: Duration) -> Result<bool> {
        let conversation = self.chats.conversations.get(chat).await?.ok_or_else(chat_not_found)?;
        let Some(wamid) = conversation.last_inbound_wamid else { return Ok(false) };
        let timeout = time_left.saturating_sub(RECORDING_TIME);
        if timeout < LEAST_META_TIME {
            return Err(too_little_time());
        }
        let number = self.whatsapp.number(&account.phone_number_id, &account.access_token);
        match tokio::time::timeout(timeout, number.mark_as_read(&wamid)).await {
            Ok(answer) => answer.map(|()| true).map_err(|error| meta_errors::to_domain(error, &RECEIPT)),
            Err(late) => Err(unanswered().caused_by(late)),
        }
    }
}

fn unanswered() -> Error {
    let message = "WhatsApp did not say whether it marked the message as read. The chat is as unread as before. Repeat the \
                   request: that does no harm.";
    let error = Error::new(Kind::Unanswered, message).code("outcome_unknown").retryable(true);
    error.retry_after(Duration::from_secs(1))
}

/// WhatsApp was told, and the storage failed then.
fn not_recorded(cause: &Error) -> Error {
    let message = "WhatsApp marked the message as read, but the chat still counts as unread here: the service can't reach \
                   its storage. Repeat the request: that does no harm.";
    let error = Error::new(Kind::Unavailable, message).code("not_recorded").retryable(true);
    error.retry_after(Duration::from_secs(1)).caused_by(cause.source_chain().unwrap_or_default())
}

/// The function would be stopped before the answer.
fn too_little_time() -> Error {
    Error::new(Kind::Unavailable, "There is too little time left. Nothing was changed. Try again.")
        .code("too_little_time")
        .retryable(true)
        .retry_after(Duration::from_secs(1))
}
