//! Table `CampaignChunks`: what became of each hundred of a campaign's recipients, and what is still to be done with them.
//!
//! A row holds sets of numbers: who was sent to, whose phone has it, who failed for which reason. A set only grows. What a
//! recipient [stands](Standing) at is read off the sets they are in, so that nothing depends on the order in which things are
//! noted, nor on how often.
//!
//! - `todo_at` stands in rows with something to do: from when on. Whoever [hands out](Chunks::hand_out) or
//!   [takes](Chunks::take) a chunk moves it on, so that nobody else does, until then.
//! - `changed` stands in rows of which something became known that the caretaker has not seen to: that it is counted, that
//!   somebody has something to do with it, and that the campaign is what its counts say. It stays until all of that is done, so
//!   that whoever dies in between has left it behind.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Select, TransactWriteItem, Update,
};
use domain::{CampaignId, Error, Member, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counts::{Counts, Tally};
use super::{Row, number, owned};
use crate::database::{Database, Written, epoch_millis, outage};

const TODO: &str = "todo";
const CHANGED: &str = "changed";
/// A chunk that was handed out and that nobody took is handed out again after this.
const HANDED_OUT_FOR: Duration = Duration::from_mins(1);
/// Longer than anybody works on a chunk, and than one waits that was put off for a throttle.
const UNDER_WAY: Duration = Duration::from_mins(20);
/// After this long nobody waits any more for a status that would tell what became of an unknown message.
const UNKNOWN_FOR: Duration = Duration::from_hours(24);

/// The chunks of all campaigns.
#[derive(Clone, Debug)]
pub struct Chunks {
    database: Database,
    table: String,
}

/// Something that is known of a recipient, once and for all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// Meta took their message.
    Sent,
    /// Their phone has it.
    Delivered,
    /// They saw it.
    Read,
    /// It was refused, or it was taken and failed, for the reason with this code.
    Failed(String),
    /// It may have been sent.
    Unknown,
    /// It was not sent to them, for this reason.
    LeftOut(String),
    /// Another try is made: what is known of the former ones counts no longer.
    Retried,
}

/// How far a recipient has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing<'a> {
    /// They are still to be written to, or it is being done.
    Pending,
    /// It may have been done.
    Unknown,
    /// It is not done, for this reason.
    LeftOut(&'a str),
    /// Meta took the message.
    Sent,
    /// It failed, for the reason with this code.
    Failed(&'a str),
    /// Their phone has it.
    Delivered,
    /// They saw it.
    Read,
}

/// What is known of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its campaign.
    pub campaign_id: CampaignId,
    /// Which of the campaign's chunks, from 0.
    pub number: u32,
    /// So many recipients it has.
    pub size: u32,
    sets: BTreeMap<Mark, BTreeSet<Member>>,
    last_unknown_at: Option<Timestamp>,
    version: i64,
    changed: bool,
    /// From when on there is something to do.
    pub todo_at: Option<Timestamp>,
    /// What the campaign's row counts of it.
    pub(super) folded: Tally,
}

/// What became of a wish to release a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It is released.
    Done,
    /// It is still its worker's, and more is known of it by now: it is to be read again.
    Changed,
    /// It is somebody else's by now, who knows better.
    Lost,
}

/// A chunk that was handed out: what travels through the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkJob {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Which of its chunks.
    pub chunk: u32,
    /// The chunk's `todo_at` since it was handed out, in milliseconds since the Unix epoch: whoever comes with an older one
    /// comes too late.
    pub ticket_ms: i64,
}

impl Mark {
    /// The attribute that holds the set. Never change one: it is stored.
    fn attribute(&self) -> String {
        match self {
            Self::Sent => "sent".to_owned(),
            Self::Delivered => "delivered".to_owned(),
            Self::Read => "read".to_owned(),
            Self::Failed(code) => format!("failed#{code}"),
            Self::Unknown => "unknown".to_owned(),
            Self::LeftOut(why) => format!("left_out#{why}"),
            Self::Retried => "retried".to_owned(),
        }
    }

    fn of_attribute(name: &str) -> Option<Self> {
        Some(match name {
            "sent" => Self::Sent,
            "delivered" => Self::Delivered,
            "read" => Self::Read,
            "unknown" => Self::Unknown,
            "retried" => Self::Retried,
            _ => match name.split_once('#')? {
                ("failed", code) => Self::Failed(code.to_owned()),
                ("left_out", why) => Self::LeftOut(why.to_owned()),
                _ => return None,
            },
        })
    }
}

impl Standing<'_> {
    /// The word that clients read and ask by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::LeftOut(_) => "left_out",
            Self::Sent => "sent",
            Self::Failed(_) => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }

    /// Every word.
    pub const WORDS: [&'static str; 7] = ["pending", "sent", "delivered", "read", "failed", "unknown", "left_out"];
}

impl Chunk {
    /// The recipient at `index`, in the try that counts now: the last one, unless it has not been made yet and Meta took the
    /// message of an earlier one after all.
    pub fn member(&self, index: u32) -> Option<Member> {
        let last = self.tries(index).next_back()?;
        if self.standing(last) > Standing::Pending {
            return Some(last);
        }
        let is_taken =
            |member: &Member| matches!(self.standing(*member), Standing::Sent | Standing::Delivered | Standing::Read);
        self.tries(index).rev().find(is_taken).or(Some(last))
    }

    /// Every recipient, in the try that counts now.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        (0..self.size).filter_map(|index| self.member(index))
    }

    /// Every try to write to the recipient at `index`.
    fn tries(&self, index: u32) -> impl DoubleEndedIterator<Item = Member> {
        let retried = self.sets.get(&Mark::Retried).into_iter().flatten();
        let last = retried.filter(|member| member.index() == index).map(|member| member.attempt()).max();
        let count = if index < self.size { last.unwrap_or_default() + 1 } else { 0 };
        (0..count).filter_map(move |attempt| Member::new(index, attempt))
    }

    /// How far a recipient has come in one try.
    pub fn standing(&self, member: Member) -> Standing<'_> {
        let known = self.sets.iter().filter(|(_, set)| set.contains(&member)).filter_map(|(mark, _)| match mark {
            Mark::Sent => Some(Standing::Sent),
            Mark::Delivered => Some(Standing::Delivered),
            Mark::Read => Some(Standing::Read),
            Mark::Failed(code) => Some(Standing::Failed(code)),
            Mark::Unknown => Some(Standing::Unknown),
            Mark::LeftOut(why) => Some(Standing::LeftOut(why)),
            Mark::Retried => None,
        });
        known.max().unwrap_or(Standing::Pending)
    }

    /// Whether one of these is known of the recipient at `index`, in whatever try.
    fn ever(&self, marks: &[Mark], index: u32) -> bool {
        marks.iter().any(|mark| self.sets.get(mark).into_iter().flatten().any(|member| member.index() == index))
    }

    /// Whether something became known that the caretaker has not seen to.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// From when on something is to be done with the chunk, by what is known of its recipients. `None`: nothing, unless more
    /// becomes known.
    pub fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        let has = |standing| self.members().any(|member| self.standing(member) == standing);
        if has(Standing::Pending) {
            return Some(now);
        }
        self.unknown_until().filter(|until| now < *until && has(Standing::Unknown))
    }

    /// Whether nobody will do in time what is due at `due_at`: whoever waits for a status waits for a day, in which somebody may
    /// become pending again.
    fn is_unheeded(&self, due_at: Timestamp, now: Timestamp) -> bool {
        let latest = now.saturating_add(UNDER_WAY).unwrap_or(now).max(due_at);
        self.todo_at.is_none_or(|todo_at| latest < todo_at)
    }

    /// Until when somebody waits for what became of unknown messages.
    pub fn unknown_until(&self) -> Option<Timestamp> {
        self.last_unknown_at.and_then(|at| at.saturating_add(UNKNOWN_FOR).ok())
    }

    /// The chunk in numbers.
    pub fn tally(&self, now: Timestamp) -> Tally {
        let total = i64::from(self.size);
        let mut tally = Tally { counts: Counts { total, ..Counts::default() }, failures: BTreeMap::new() };
        let counts = &mut tally.counts;
        let waits = self.unknown_until().is_some_and(|until| now < until);
        for member in self.members() {
            let standing = self.standing(member);
            match standing {
                Standing::Pending => (counts.pending, counts.open) = (counts.pending + 1, counts.open + 1),
                Standing::Unknown => {
                    (counts.unknown, counts.open) = (counts.unknown + 1, counts.open + i64::from(waits));
                }
                Standing::LeftOut(_) => counts.left_out += 1,
                Standing::Failed(code) => {
                    counts.failed += 1;
                    *tally.failures.entry(code.to_owned()).or_default() += 1;
                }
                Standing::Sent | Standing::Delivered | Standing::Read => {}
            }
            // What is once true of one try stays true.
            let ever = |marks| i64::from(self.ever(marks, member.index()));
            counts.sent += ever(&[Mark::Sent, Mark::Delivered, Mark::Read]);
            counts.delivered += ever(&[Mark::Delivered, Mark::Read]);
            counts.read += ever(&[Mark::Read]);
        }
        tally
    }

    /// The chunk when the campaign's row counts this of it.
    pub(super) fn counted(&self, tally: Tally) -> Self {
        Self { folded: tally, version: self.version + 1, ..self.clone() }
    }

    fn read(row: &Row) -> Result<Self> {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
        let integer = |name: &str| row.get(name).and_then(|value| value.as_n().ok()?.parse::<i64>().ok());
        let moment = |name: &str| integer(name).and_then(|at| Timestamp::from_millisecond(at).ok());
        let number = text("id").and_then(|id| id.split_once('#')?.1.parse().ok());
        let (Some(campaign_id), Some(number)) = (integer("campaign_id").map(CampaignId), number) else {
            return Err(Error::internal("a chunk is of no campaign"));
        };
        let sets = row.iter().filter_map(|(name, value)| {
            let members = value.as_ns().ok()?.iter().filter_map(|number| number.parse().ok());
            Some((Mark::of_attribute(name)?, members.map(Member::from_number).collect()))
        });
        let folded = row.get("folded").cloned().map(serde_dynamo::from_attribute_value).transpose();
        Ok(Self {
            campaign_id,
            number,
            size: integer("size").and_then(|size| size.try_into().ok()).unwrap_or_default(),
            sets: sets.collect(),
            last_unknown_at: moment("last_unknown_at"),
            version: integer("version").unwrap_or_default(),
            changed: row.contains_key(CHANGED),
            todo_at: moment("todo_at"),
            folded: folded.map_err(Error::internal)?.unwrap_or_default(),
        })
    }
}

impl Chunks {
    /// The chunks of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("CampaignChunks"), database: database.clone() }
    }

    /// Makes a campaign's chunks with these numbers, from `first` on, with so many recipients each. Chunks that are there
    /// already are made anew: nobody may have begun with them.
    pub async fn make(&self, campaign_id: CampaignId, first: u32, sizes: &[u32]) -> Result<()> {
        let row = |(chunk, size): (u32, &u32)| {
            let tally = Tally { counts: Counts::of_new(i64::from(*size)), failures: BTreeMap::new() };
            Ok(Row::from([
                ("id".to_owned(), id(campaign_id, chunk)),
                ("campaign_id".to_owned(), number(campaign_id.0)),
                ("size".to_owned(), number(i64::from(*size))),
                ("version".to_owned(), number(0)),
                ("todo_at".to_owned(), number(0)),
                ("folded".to_owned(), serde_dynamo::to_attribute_value(tally).map_err(Error::internal)?),
            ]))
        };
        let rows = (first..).zip(sizes).map(row).collect::<Result<_>>()?;
        self.database.put_all(&self.table, rows).await
    }

    /// Reads some of a campaign's chunks as they are now, in the order of their numbers.
    pub async fn get(&self, campaign_id: CampaignId, numbers: impl IntoIterator<Item = u32>) -> Result<Vec<Chunk>> {
        let key = |chunk| (self.table.clone(), Row::from([("id".to_owned(), id(campaign_id, chunk))]));
        let rows = self.database.get_all(numbers.into_iter().map(key).collect()).await?;
        let mut chunks: Vec<_> = rows.iter().map(|(_, row)| Chunk::read(row)).collect::<Result<_>>()?;
        chunks.sort_unstable_by_key(|chunk| chunk.number);
        Ok(chunks)
    }

    /// Hands out chunks of a campaign with something to do, so that `most` are under way and no more. Nobody else hands out
    /// the same: not before it should have come back.
    pub async fn hand_out(&self, campaign_id: CampaignId, most: u32, now: Timestamp) -> Result<Vec<ChunkJob>> {
        let most_rows = i32::try_from(most).unwrap_or(i32::MAX);
        let until = now.saturating_add(UNDER_WAY).map_err(Error::internal)?;
        let under_way = self
            .todo(campaign_id, "campaign_id = :campaign AND todo_at BETWEEN :from AND :until")
            .expression_attribute_values(":from", number(now.as_millisecond() + 1))
            .expression_attribute_values(":until", epoch_millis(until))
            .select(Select::Count)
            .limit(most_rows);
        let waiting = self
            .todo(campaign_id, "campaign_id = :campaign AND todo_at <= :now")
            .expression_attribute_values(":now", epoch_millis(now))
            .limit(most_rows);
        let (under_way, waiting) = futures::join!(under_way.send(), waiting.send());
        let under_way = under_way.map_err(outage)?.count;
        let free = usize::try_from(most_rows - under_way).unwrap_or_default();
        let rows = waiting.map_err(outage)?.items.unwrap_or_default();
        let waiting = rows.iter().take(free).filter_map(|row| {
            let chunk = row.get("id")?.as_s().ok()?.split_once('#')?.1.parse().ok()?;
            let todo_at: i64 = row.get("todo_at")?.as_n().ok()?.parse().ok()?;
            Some((chunk, todo_at))
        });
        let ticket_ms = now.saturating_add(HANDED_OUT_FOR).map_err(Error::internal)?.as_millisecond();
        let taken = waiting.map(async |(chunk, todo_at): (u32, i64)| {
            let job = ChunkJob { campaign_id, chunk, ticket_ms };
            Ok(self.move_on(campaign_id, chunk, todo_at, ticket_ms).await?.map(|_| job))
        });
        let taken: Vec<Result<Option<ChunkJob>>> = futures::future::join_all(taken).await;
        taken.into_iter().filter_map(Result::transpose).collect()
    }

    /// Takes a chunk that was handed out, to work on it until `until`. `None`: it was taken before, or handed out anew.
    pub async fn take(&self, job: &ChunkJob, until: Timestamp) -> Result<Option<Chunk>> {
        self.move_on(job.campaign_id, job.chunk, job.ticket_ms, until.as_millisecond()).await
    }

    /// Keeps a chunk that was taken until `until` for longer. `false`: it is somebody else's by now.
    pub async fn keep(&self, chunk: &Chunk, until: Timestamp, longer: Timestamp) -> Result<bool> {
        let (from_ms, to_ms) = (until.as_millisecond(), longer.as_millisecond());
        Ok(self.move_on(chunk.campaign_id, chunk.number, from_ms, to_ms).await?.is_some())
    }

    /// Gives back a chunk that was handed out and that nobody works on now: it waits to be handed out again.
    pub async fn give_back(&self, job: &ChunkJob, now: Timestamp) -> Result<()> {
        self.move_on(job.campaign_id, job.chunk, job.ticket_ms, now.as_millisecond()).await.map(|_| ())
    }

    /// Says from when on there is something to do with a chunk that was taken until `until`, as it was then: `None` for never.
    pub async fn release(&self, chunk: &Chunk, until: Timestamp, todo_at: Option<Timestamp>) -> Result<Released> {
        let update = self
            .update(chunk.campaign_id, chunk.number)
            .condition_expression("todo_at = :until AND version = :version")
            .expression_attribute_values(":until", epoch_millis(until))
            .expression_attribute_values(":version", number(chunk.version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = match todo_at {
            None => update.update_expression("REMOVE todo_at"),
            Some(at) => {
                update.update_expression("SET todo_at = :at").expression_attribute_values(":at", epoch_millis(at))
            }
        };
        let row = match self.database.update(update).await? {
            Written::Done => return Ok(Released::Done),
            Written::Refused(row) => row.ok_or_else(|| Error::internal("a chunk is gone"))?,
        };
        let is_ours = Chunk::read(&row)?.todo_at == Some(until);
        Ok(if is_ours { Released::Changed } else { Released::Lost })
    }

    /// Makes sure that somebody does in time what is to be done with a chunk, by what was read of it.
    pub async fn heed(&self, chunk: &Chunk, now: Timestamp) -> Result<()> {
        let Some(due_at) = chunk.due_at(now).filter(|due_at| chunk.is_unheeded(*due_at, now)) else { return Ok(()) };
        let update = self.update(chunk.campaign_id, chunk.number).update_expression("SET todo_at = :at");
        let update = update.expression_attribute_values(":at", epoch_millis(due_at));
        let update = match chunk.todo_at {
            None => update.condition_expression("attribute_exists(id) AND attribute_not_exists(todo_at)"),
            Some(seen) => {
                update.condition_expression("todo_at = :seen").expression_attribute_values(":seen", epoch_millis(seen))
            }
        };
        self.database.update(update).await.map(|_| ())
    }

    /// Says that all is done that a chunk asked for, as it was then. If it is no longer so, it stays among those that changed.
    pub async fn seen_to(&self, chunk: &Chunk) -> Result<()> {
        let update = self
            .update(chunk.campaign_id, chunk.number)
            .update_expression("REMOVE changed, changed_at")
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(chunk.version));
        self.database.update(update).await.map(|_| ())
    }

    /// Moves a chunk's time on, if it is what it is believed to be. Asking again for the same is no harm.
    async fn move_on(&self, campaign_id: CampaignId, chunk: u32, from_ms: i64, to_ms: i64) -> Result<Option<Chunk>> {
        let update = self
            .update(campaign_id, chunk)
            .update_expression("SET todo_at = :to")
            .condition_expression("todo_at = :from OR todo_at = :to")
            .expression_attribute_values(":from", number(from_ms))
            .expression_attribute_values(":to", number(to_ms));
        self.updated(update).await
    }

    /// Notes what is known of some recipients of a chunk, and gives the chunk as it is then. Noting the same again changes
    /// nothing. `None`: there is no such chunk.
    pub async fn note(
        &self,
        campaign_id: CampaignId,
        chunk: u32,
        marks: &[(Mark, Member)],
        now: Timestamp,
    ) -> Result<Option<Chunk>> {
        let has = |wanted: &Mark| marks.iter().any(|(mark, _)| mark == wanted);
        let mut set =
            vec!["changed = if_not_exists(changed, :changed)", "changed_at = if_not_exists(changed_at, :now)"];
        if has(&Mark::Unknown) {
            set.push("last_unknown_at = :now");
        }
        // There is something to do again.
        if has(&Mark::Retried) {
            set.push("todo_at = :none");
        }
        let mut values = HashMap::from([
            (":changed".to_owned(), AttributeValue::S(CHANGED.to_owned())),
            (":now".to_owned(), epoch_millis(now)),
            (":one".to_owned(), number(1)),
        ]);
        if has(&Mark::Retried) {
            values.insert(":none".to_owned(), number(0));
        }
        let (add, names) = sets(marks, &mut values);
        let update = self
            .update(campaign_id, chunk)
            .update_expression(format!("SET {} ADD version :one{add}", set.join(", ")))
            .condition_expression("attribute_exists(id)")
            .set_expression_attribute_names(Some(names).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(Some(values));
        self.updated(update).await
    }

    /// Takes over a chunk of another program's campaign, of which nobody waits for anything. A second time it may have more
    /// recipients, and more may be known of them; it never has fewer.
    pub(super) async fn take_over(
        &self,
        campaign_id: CampaignId,
        chunk: u32,
        size: u32,
        marks: &[(Mark, Member)],
    ) -> Result<()> {
        let mut values = owned([
            (":campaign", number(campaign_id.0)),
            (":size", number(i64::from(size))),
            (":one", number(1)),
            (":nothing", serde_dynamo::to_attribute_value(Tally::default()).map_err(Error::internal)?),
        ]);
        let (add, names) = sets(marks, &mut values);
        let update = self
            .update(campaign_id, chunk)
            .update_expression(format!(
                "SET campaign_id = :campaign, #size = :size, folded = if_not_exists(folded, :nothing) ADD version :one{add}"
            ))
            .condition_expression("attribute_not_exists(id) OR #size <= :size")
            .set_expression_attribute_names(Some(names.clone()))
            .expression_attribute_names("#size", "size")
            .set_expression_attribute_values(Some(values.clone()));
        if self.updated(update).await?.is_some() {
            return Ok(());
        }
        values.retain(|name, _| name == ":one" || name.starts_with(":m"));
        let update = self
            .update(campaign_id, chunk)
            .update_expression(format!("ADD version :one{add}"))
            .condition_expression("attribute_exists(id)")
            .set_expression_attribute_names(Some(names).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(Some(values));
        self.updated(update).await.map(|_| ())
    }

    /// At most `limit` chunks that changed before `before` and that nobody has seen to, those that wait longest first.
    pub async fn changed(&self, before: Timestamp, limit: i32) -> Result<Vec<(CampaignId, u32)>> {
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            .index_name(CHANGED)
            .key_condition_expression("changed = :changed AND changed_at < :before")
            .expression_attribute_values(":changed", AttributeValue::S(CHANGED.to_owned()))
            .expression_attribute_values(":before", epoch_millis(before))
            .limit(limit);
        let rows = query.send().await.map_err(outage)?.items.unwrap_or_default();
        let place = |row: &Row| {
            let (campaign_id, chunk) = row.get("id")?.as_s().ok()?.split_once('#')?;
            Some((CampaignId(campaign_id.parse().ok()?), chunk.parse().ok()?))
        };
        Ok(rows.iter().filter_map(place).collect())
    }

    /// The write that says what of a chunk the campaign's row counts: part of the transaction that counts it.
    pub(super) fn folded(&self, chunk: &Chunk, tally: &Tally) -> Result<TransactWriteItem> {
        let values = [
            (":folded", serde_dynamo::to_attribute_value(tally).map_err(Error::internal)?),
            (":version", number(chunk.version)),
            (":next", number(chunk.version + 1)),
        ];
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", id(chunk.campaign_id, chunk.number))
            .update_expression("SET folded = :folded, version = :next")
            .condition_expression("version = :version")
            .set_expression_attribute_values(Some(owned(values)))
            .build()
            .map_err(Error::internal)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn todo(&self, campaign_id: CampaignId, condition: &str) -> QueryFluentBuilder {
        let query = self.database.client().query().table_name(&self.table).index_name(TODO);
        query.key_condition_expression(condition).expression_attribute_values(":campaign", number(campaign_id.0))
    }

    fn update(&self, campaign_id: CampaignId, chunk: u32) -> UpdateItemFluentBuilder {
        let update = self.database.client().update_item().table_name(&self.table);
        update.key("id", id(campaign_id, chunk)).return_values(ReturnValue::AllNew)
    }

    /// The chunk after an update. `None`: the condition did not hold.
    async fn updated(&self, update: UpdateItemFluentBuilder) -> Result<Option<Chunk>> {
        match self.database.update_and_read(update).await? {
            (Written::Done, Some(row)) => Chunk::read(&row).map(Some),
            (Written::Done, None) => Err(Error::internal("a chunk that was changed is not shown")),
            (Written::Refused(_), _) => Ok(None),
        }
    }
}

/// What adds members to the sets of a chunk: the end of an expression, the names in it and, among the others, its values.
fn sets(marks: &[(Mark, Member)], values: &mut HashMap<String, AttributeValue>) -> (String, HashMap<String, String>) {
    let mut sets: BTreeMap<&Mark, BTreeSet<String>> = BTreeMap::new();
    for (mark, member) in marks {
        sets.entry(mark).or_default().insert(member.number().to_string());
    }
    let (mut add, mut names) = (Vec::new(), HashMap::new());
    for (index, (mark, members)) in sets.into_iter().enumerate() {
        add.push(format!(", #m{index} :m{index}"));
        names.insert(format!("#m{index}"), mark.attribute());
        values.insert(format!(":m{index}"), AttributeValue::Ns(members.into_iter().collect()));
    }
    (add.concat(), names)
}

fn id(campaign_id: CampaignId, chunk: u32) -> AttributeValue {
    AttributeValue::S(format!("{campaign_id}#{chunk}"))
}
