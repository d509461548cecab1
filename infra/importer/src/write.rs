//! Writes what the survey let through. Whoever dies on the way may begin again: each write is made once, whoever repeats it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use auth::Registry;
use domain::{CampaignId, Clock, Kind, Result};
use futures::future::{FutureExt, LocalBoxFuture};
use futures::stream::FuturesUnordered;
use futures::{StreamExt, stream};
use keys::{Found, Problem};
use serde_json::Value;
use storage::{
    Became, BlockEvent, BlockedContacts, Campaigns, Conversations, Database, Messages, Recipient, TakenOver,
};
use tokio::sync::mpsc;

use crate::campaign::Placed;
use crate::dump::{self, Go, RawRow};
use crate::known::Known;
use crate::message::{self, Message};
use crate::people::Blocked;
use crate::report::Report;
use crate::row::{self, Fault, Row};
use crate::settings::Settings;
use crate::survey::{BLOCKED, KEY};
use crate::{campaign, people, survey};

/// So often a write is tried that DynamoDB throttles or can't be reached for, after waits that double.
const ATTEMPTS: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// So many rows wait to be written.
const ROWS_AHEAD: usize = 256;
/// Of a chunk's messages so many are written side by side.
const OF_A_CHUNK: usize = 4;
/// After so many rows a person is told that it goes on.
const TOLD_EVERY: u64 = 100_000;

/// Where everything is written.
#[derive(Debug)]
struct Stores {
    registry: Registry,
    conversations: Conversations,
    messages: Messages,
    blocked: BlockedContacts,
    campaigns: Campaigns,
    clock: Clock,
}

/// What became of the write of a row.
struct Done {
    model: &'static str,
    pk: i64,
    rows: u64,
    fate: Fate,
}

enum Fate {
    /// It is there now.
    New,
    /// It was there already.
    There,
    /// It is there, however long.
    Done,
    /// It is there, and people may want to know this of it.
    Noted(&'static str),
    PassedOver(&'static str),
    NotTaken(Fault),
}

type Task = LocalBoxFuture<'static, Result<Done, Problem>>;

/// Writes it all.
pub(crate) async fn write(
    settings: &Settings,
    database: &Database,
    mut known: Known,
    report: &mut Report,
) -> Result<(), Problem> {
    let clock = Clock::system();
    let stores = Arc::new(Stores {
        registry: Registry::new(database, clock.clone()),
        conversations: Conversations::new(database),
        messages: Messages::new(database),
        blocked: BlockedContacts::new(database),
        campaigns: Campaigns::new(database),
        clock,
    });
    let closed = campaigns(&stores, &known, report).await?;
    chats(&stores, &known, usize::from(settings.at_once), report).await?;
    known.begin_again();
    rows(settings, stores, known, closed, report).await
}

/// Writes what is known of conversations and contacts.
async fn chats(stores: &Arc<Stores>, known: &Known, at_once: usize, report: &mut Report) -> Result<(), Problem> {
    let chats = known.chats_to_write().into_iter().map(|(chat, facts)| {
        let stores = Arc::clone(stores);
        async move {
            let is_new = persist(async || stores.conversations.take_over(&chat, &facts).await).await?;
            Ok::<_, Problem>(facts.id.is_some().then_some(is_new))
        }
    });
    let mut chats = stream::iter(chats).buffer_unordered(at_once);
    while let Some(written) = chats.next().await {
        if let Some(is_new) = written? {
            report.written("whatsappconversation", is_new);
        }
    }
    Ok(())
}

/// Makes the campaigns. Gives those that nobody may be added to.
async fn campaigns(stores: &Stores, known: &Known, report: &mut Report) -> Result<HashSet<i64>, Problem> {
    let Some((last, _)) = known.campaigns().last() else { return Ok(HashSet::new()) };
    persist(async || stores.campaigns.leave_room(CampaignId(last)).await).await?;
    let mut closed = HashSet::new();
    for (pk, before) in known.campaigns() {
        let became = persist(async || stores.campaigns.take_over(before).await).await?;
        report.written(campaign::MODEL, became == TakenOver::New);
        match became {
            TakenOver::New | TakenOver::Again => {}
            TakenOver::ChangedHere => {
                report.note(
                    &format!("{}: was changed at the gateway since, and stays as it is there", campaign::MODEL),
                    pk,
                );
            }
            TakenOver::FilledHere => {
                report.note(&format!("{}: was given recipients at the gateway, and keeps those", campaign::MODEL), pk);
                closed.insert(pk);
            }
            TakenOver::NumberTaken => {
                let fault = Fault::new("pk", "is the number of another campaign at the gateway");
                report.not_taken(campaign::MODEL, &Value::from(pk), &fault)?;
                closed.insert(pk);
            }
        }
    }
    Ok(closed)
}

/// Writes what is read row by row.
async fn rows(
    settings: &Settings,
    stores: Arc<Stores>,
    known: Known,
    closed: HashSet<i64>,
    report: &mut Report,
) -> Result<(), Problem> {
    let (sender, mut receiver) = mpsc::channel(ROWS_AHEAD);
    let file = settings.file.clone();
    let reader = tokio::task::spawn_blocking(move || {
        dump::each_row(&file, |raw| if sender.blocking_send(raw).is_ok() { Go::On } else { Go::Stop })
    });
    let mut writer = Writer {
        stores,
        known,
        closed,
        allow_weak: settings.allow_weak,
        chunks: HashMap::new(),
        told: Report::default(),
    };
    let mut under_way = FuturesUnordered::new();
    let mut count = 0;
    loop {
        while under_way.len() >= usize::from(settings.at_once) {
            conclude(under_way.next().await, report, &mut count)?;
        }
        match receiver.recv().await {
            Some(raw) => under_way.extend(writer.task(&raw)),
            None => break,
        }
    }
    reader.await.map_err(|error| Problem::new(error.to_string()))??;
    under_way.extend(writer.last_chunks());
    while !under_way.is_empty() {
        conclude(under_way.next().await, report, &mut count)?;
    }
    Ok(())
}

fn conclude(done: Option<Result<Done, Problem>>, report: &mut Report, count: &mut u64) -> Result<(), Problem> {
    let Some(done) = done else { return Ok(()) };
    let Done { model, pk, rows, fate } = done?;
    for _ in 0..rows {
        match &fate {
            Fate::New => report.written(model, true),
            Fate::There => report.written(model, false),
            // Whether it was there already does not show.
            Fate::Done => {}
            Fate::Noted(what) => report.note(&format!("{model}: {what}"), pk),
            Fate::PassedOver(why) => report.passed_over(model, pk, why),
            Fate::NotTaken(fault) => report.not_taken(model, &Value::from(pk), fault)?,
        }
        *count += 1;
        if count.is_multiple_of(TOLD_EVERY) {
            keys::note(&format!("{count} rows are written"));
        }
    }
    Ok(())
}

/// Makes writes of rows.
struct Writer {
    stores: Arc<Stores>,
    known: Known,
    closed: HashSet<i64>,
    allow_weak: bool,
    /// Of each campaign the recipients that are not a full chunk yet.
    chunks: HashMap<i64, Vec<(i64, Placed)>>,
    /// What the survey told already.
    told: Report,
}

impl Writer {
    /// What is to be written of a row. Nothing of those that can't be taken.
    fn task(&mut self, raw: &RawRow) -> Option<Task> {
        match row::model(raw)? {
            KEY => survey::key(raw, self.allow_weak).ok().map(|(row, found)| self.key(row.pk, found)),
            BLOCKED => {
                let row = Row::read(raw).ok()?;
                let blocked = people::blocked(&row, &self.known, &mut self.told).ok()??;
                Some(self.block(row.pk, blocked))
            }
            message::MODEL => {
                let row = Row::read(raw).ok()?;
                let message = message::read(&row, &self.known, &mut self.told).ok()??;
                Some(self.message(row.pk, message))
            }
            campaign::RECIPIENT => {
                let row = Row::read(raw).ok()?;
                let campaign = row.integer("campaign").ok()??;
                let placed = campaign::recipient(&row, &mut self.known, &mut self.told).ok()??;
                if self.closed.contains(&campaign) {
                    let fate = Fate::PassedOver("their campaign has others at the gateway");
                    let done = Done { model: campaign::RECIPIENT, pk: row.pk, rows: 1, fate };
                    return Some(futures::future::ready(Ok(done)).boxed_local());
                }
                let chunk = self.chunks.entry(campaign).or_default();
                let is_next = chunk.first().is_some_and(|(_, first)| first.chunk != placed.chunk);
                let full = if is_next { std::mem::take(chunk) } else { Vec::new() };
                chunk.push((row.pk, placed));
                (!full.is_empty()).then(|| self.chunk(campaign, full))
            }
            _ => None,
        }
    }

    fn last_chunks(&mut self) -> Vec<Task> {
        let chunks = std::mem::take(&mut self.chunks);
        chunks.into_iter().map(|(campaign, chunk)| self.chunk(campaign, chunk)).collect()
    }

    fn key(&self, pk: i64, found: Found) -> Task {
        let stores = Arc::clone(&self.stores);
        async move {
            let by = keys::administrator();
            let imported = persist(async || stores.registry.import(&found.key, found.settings(), &by).await).await?;
            let is_new = imported.is_some();
            let there = if is_new { None } else { persist(async || stores.registry.by_key(&found.key).await).await? };
            let is_on_here = there.is_some_and(|record| record.is_active) && !found.is_active;
            let fate = if is_on_here {
                Fate::Noted("is disabled there since, and still works here: disable it on the key page")
            } else if is_new {
                Fate::New
            } else {
                Fate::There
            };
            Ok(Done { model: KEY, pk, rows: 1, fate })
        }
        .boxed_local()
    }

    fn block(&self, pk: i64, blocked: Blocked) -> Task {
        let stores = Arc::clone(&self.stores);
        async move {
            let Blocked { account, contact, phone_number, reason, since, until } = blocked;
            let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
            let event = |became, at| BlockEvent {
                account,
                contact: contact.as_str().to_owned(),
                phone_number: &phone_number,
                became,
                by: None,
                at,
            };
            let begun = event(Became::Blocked { reason }, since);
            persist(async || stores.blocked.record(&begun).await).await?;
            if let Some(at) = until {
                let ended = event(Became::Unblocked, at);
                persist(async || stores.blocked.record(&ended).await).await?;
            }
            Ok(Done { model: BLOCKED, pk, rows: 1, fate: Fate::Done })
        }
        .boxed_local()
    }

    fn message(&self, pk: i64, message: Message) -> Task {
        let stores = Arc::clone(&self.stores);
        async move {
            let is_new = match &message {
                Message::Received(received) => {
                    persist(async || stores.messages.take_over_received(received).await).await?
                }
                Message::Sent(sent) => persist(async || stores.messages.take_over_sent(sent).await).await?,
            };
            Ok(Done { model: message::MODEL, pk, rows: 1, fate: if is_new { Fate::New } else { Fate::There } })
        }
        .boxed_local()
    }

    /// Writes a chunk's messages, and then that they are in it.
    fn chunk(&self, campaign: i64, chunk: Vec<(i64, Placed)>) -> Task {
        let stores = Arc::clone(&self.stores);
        async move {
            let number = chunk.first().map_or(0, |(_, placed)| placed.chunk);
            let pk = chunk.first().map_or(0, |(pk, _)| *pk);
            let rows = u64::try_from(chunk.len()).unwrap_or_default();
            let recipients: Vec<Recipient> = chunk.iter().map(|(_, placed)| placed.recipient.clone()).collect();
            let marks: Vec<_> = chunk.iter().flat_map(|(_, placed)| placed.marks.clone()).collect();
            let messages = chunk.into_iter().map(|(_, placed)| {
                let stores = Arc::clone(&stores);
                async move { persist(async || stores.messages.take_over_sent(&placed.message).await).await }
            });
            let mut messages = stream::iter(messages).buffer_unordered(OF_A_CHUNK);
            let mut is_new = false;
            while let Some(written) = messages.next().await {
                is_new |= written?;
            }
            let (id, now) = (CampaignId(campaign), stores.clock.now());
            let taken = persist(async || stores.campaigns.take_over_chunk(id, number, &recipients, &marks, now).await);
            let fate = match (taken.await?, is_new) {
                (true, true) => Fate::New,
                (true, false) => Fate::There,
                (false, _) => Fate::NotTaken(Fault::new(
                    "campaign",
                    "has others in this one's place at the gateway: recipients were removed there since the first import",
                )),
            };
            Ok(Done { model: campaign::RECIPIENT, pk, rows, fate })
        }
        .boxed_local()
    }
}

/// Tries a write again that DynamoDB throttles, or that it can't be reached for. Every write may be repeated.
async fn persist<T>(write: impl AsyncFn() -> Result<T>) -> Result<T, Problem> {
    let mut attempt = 1;
    loop {
        match write().await {
            Err(error) if error.kind() == Kind::Unavailable && attempt < ATTEMPTS => {
                tokio::time::sleep(FIRST_WAIT * (1 << attempt)).await;
                attempt += 1;
            }
            result => return Ok(result?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use domain::Error;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_write_that_is_throttled_is_tried_again_and_one_that_is_wrong_is_not() {
        let tried = Cell::new(0);
        let throttled = async |times: u32| {
            tried.set(tried.get() + 1);
            if tried.get() > times { Ok(tried.get()) } else { Err(Error::storage("throttled")) }
        };
        assert_eq!(persist(async || throttled(5).await).await.unwrap(), 6);
        tried.set(0);
        assert!(persist(async || throttled(u32::MAX).await).await.is_err());
        assert_eq!(tried.get(), ATTEMPTS);
        tried.set(0);
        let wrong = async || {
            tried.set(tried.get() + 1);
            Err::<(), _>(Error::internal("wrong"))
        };
        assert!(persist(wrong).await.is_err());
        assert_eq!(tried.get(), 1);
    }
}
