//! Writes down what a webhook told.

use std::collections::BTreeMap;

use domain::{CampaignId, Error, Member, RecipientRef, Result, SendState};
use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use futures::{StreamExt, stream};
use storage::{Chat, Heard, Mark, NewEvent, Received, Report};

use crate::Inbox;
use crate::message::Message;
use crate::payload::{Event, Told};
use crate::preference::Wish;
use crate::status;

/// So many writes go side by side: a thousand at once would each need a connection, and one after the other they would
/// take too long.
const SIDE_BY_SIDE: usize = 32;
/// What a message's row holds of what Meta told, in bytes: DynamoDB takes 400 KB with everything else in it.
const LONGEST_CONTENT: usize = 200_000;

/// What was told of a campaign's recipient. `None`: it was of no campaign.
type OfCampaign = Option<(RecipientRef, Vec<Mark>)>;

impl Inbox {
    /// Writes down all of it. One failure never keeps the rest from being written.
    pub(crate) async fn record(&self, told: Told<'_>) -> Result<()> {
        let Told { messages, statuses, wishes, events } = told;
        let mut chats: BTreeMap<Chat, Vec<Message>> = BTreeMap::new();
        for message in messages {
            chats.entry(message.received.chat.clone()).or_default().push(message);
        }
        let chats = chats.into_iter().map(|(chat, messages)| self.chat(chat, messages).map_ok(no_campaign).boxed());
        let statuses = statuses.into_iter().map(|report| self.status(report).boxed());
        let wishes = wishes.into_iter().map(|wish| self.wish(wish).map_ok(no_campaign).boxed());
        let events = events.into_iter().map(|event| self.event(event).map_ok(no_campaign).boxed());
        let writes: Vec<BoxFuture<'_, Result<OfCampaign>>> =
            chats.chain(statuses).chain(wishes).chain(events).collect();
        let results: Vec<_> = stream::iter(writes).buffer_unordered(SIDE_BY_SIDE).collect().await;
        let (mut of_campaigns, mut result) = (Vec::new(), Ok(()));
        for written in results {
            match written {
                Ok(of_campaign) => of_campaigns.extend(of_campaign),
                Err(error) => result = Err(error),
            }
        }
        self.campaigns(of_campaigns).await.and(result)
    }

    /// Notes what was told of campaigns' recipients: with one write for all of a chunk.
    async fn campaigns(&self, told: Vec<(RecipientRef, Vec<Mark>)>) -> Result<()> {
        let mut chunks: BTreeMap<(CampaignId, u32), Vec<(Mark, Member)>> = BTreeMap::new();
        for (RecipientRef { campaign_id, chunk, member }, marks) in told {
            chunks.entry((campaign_id, chunk)).or_default().extend(marks.into_iter().map(|mark| (mark, member)));
        }
        let now = self.clock.now();
        let writes = chunks.into_iter().map(|((id, chunk), marks)| {
            async move { self.chunks.note(id, chunk, &marks, now).await.map(|_| ()) }.boxed()
        });
        let writes: Vec<BoxFuture<'_, Result<()>>> = writes.collect();
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

    /// Records a status. One that came before is told of the campaign all the same: whoever took it may have died on the way.
    async fn status(&self, report: Report) -> Result<OfCampaign> {
        let Some(message) = self.messages.reported(&report).await? else {
            return self.messages.settle_elsewhere(&report).await.map(no_campaign);
        };
        // Its sender did not learn that Meta has it, and so has not moved the conversation.
        if message.state != SendState::Accepted {
            let recipient = report.recipient.as_deref().unwrap_or(&message.new.phone);
            if let Some(chat) = Chat::with_number(report.account_id, recipient) {
                self.conversations.moved(&chat, recipient, message.new.created_at).await?;
            }
        }
        self.messages.settle(&message, &report).await?;
        Ok(message.new.campaign.map(|recipient| (recipient, status::marks(&report))))
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

fn no_campaign((): ()) -> OfCampaign {
    None
}
