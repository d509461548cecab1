//! Writes down what a webhook told.

use std::collections::BTreeMap;

use domain::{Error, Result, SendState};
use futures::future::{BoxFuture, FutureExt};
use futures::{StreamExt, stream};
use storage::{Chat, Heard, NewEvent, Received, Report};

use crate::Inbox;
use crate::message::Message;
use crate::payload::{Event, Told};
use crate::preference::Wish;

/// So many writes go side by side: a thousand at once would each need a connection, and one after the other they would
/// take too long.
const SIDE_BY_SIDE: usize = 32;
/// What a message's row holds of what Meta told, in bytes: DynamoDB takes 400 KB with everything else in it.
const LONGEST_CONTENT: usize = 200_000;

impl Inbox {
    /// Writes down all of it. One failure never keeps the rest from being written.
    pub(crate) async fn record(&self, told: Told<'_>) -> Result<()> {
        let Told { messages, statuses, wishes, events } = told;
        let mut chats: BTreeMap<Chat, Vec<Message>> = BTreeMap::new();
        for message in messages {
            chats.entry(message.received.chat.clone()).or_default().push(message);
        }
        let chats = chats.into_iter().map(|(chat, messages)| self.chat(chat, messages).boxed());
        let statuses = statuses.into_iter().map(|report| self.status(report).boxed());
        let wishes = wishes.into_iter().map(|wish| self.wish(wish).boxed());
        let events = events.into_iter().map(|event| self.event(event).boxed());
        let writes: Vec<BoxFuture<'_, Result<()>>> = chats.chain(statuses).chain(wishes).chain(events).collect();
        let results: Vec<_> = stream::iter(writes).buffer_unordered(SIDE_BY_SIDE).collect().await;
        results.into_iter().collect()
    }

    /// The messages of one conversation, one after the other: they count in one row.
    async fn chat(&self, chat: Chat, messages: Vec<Message>) -> Result<()> {
        let mut result = Ok(());
        // First what may be repeated: whoever dies on the way has counted nothing that is not there.
        let newest = messages.iter().max_by_key(|message| message.received.at);
        if let Some(Message { received, .. }) = newest {
            result = result.and(self.conversations.moved(&chat, &received.phone, received.at).await);
        }
        for Message { mut received, name, is_from_person, wish } in messages {
            if is_from_person {
                let Received { phone, wamid, at, .. } = &received;
                let heard = Heard { phone_number: phone, name: name.as_deref(), wamid, at: *at };
                result = result.and(self.conversations.heard(&chat, &heard).await);
            }
            if let Some(wish) = wish {
                result = result.and(self.wish(wish).await);
            }
            result = result.and(self.message(&mut received).await);
        }
        result
    }

    async fn message(&self, received: &mut Received) -> Result<()> {
        if received.content.len() > LONGEST_CONTENT {
            let account =
                self.accounts.find(Some(received.chat.account_id)).ok_or_else(|| Error::internal("no such account"))?;
            let event = NewEvent {
                waba_id: &account.waba_id,
                kind: "large_message",
                told_at: Some(received.at),
                came_at: received.at,
                content: received.content.as_bytes(),
                problem: None,
            };
            let id = self.events.keep(&event).await?;
            received.content = serde_json::json!({ "event_id": id }).to_string();
        }
        self.messages.receive(received, &self.conversations).await
    }

    async fn status(&self, report: Report) -> Result<()> {
        let Some(message) = self.messages.reported(&report).await? else {
            return self.messages.settle_elsewhere(&report).await;
        };
        // Its sender did not learn that Meta has it, and so has not moved the conversation.
        if message.state != SendState::Accepted {
            let recipient = report.recipient.as_deref().unwrap_or(&message.new.phone);
            if let Some(chat) = Chat::with_number(report.account_id, recipient) {
                self.conversations.moved(&chat, recipient, message.new.created_at).await?;
            }
        }
        self.messages.settle(&message, &report).await
    }

    async fn wish(&self, wish: Wish) -> Result<()> {
        let Wish { chat, wants_messages, by, at } = wish;
        self.conversations.preferred(&chat, wants_messages, by, at).await
    }

    async fn event(&self, event: Event<'_>) -> Result<()> {
        let Event { waba_id, kind, told_at, came_at, content, problem } = event;
        if let Some(problem) = problem {
            tracing::warn!(kind, problem, "something in a webhook was not understood, and is kept");
        }
        let event = NewEvent { waba_id: &waba_id, kind: &kind, told_at, came_at, content, problem };
        self.events.keep(&event).await.map(|_| ())
    }
}
