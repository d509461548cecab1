//! Campaigns, in three tables.
//!
//! - `Campaigns`: a campaign is a row, with the counts of what became of its recipients.
//! - `CampaignRecipients`: [who](Recipients) is in a campaign, written once, a hundred to a row.
//! - `CampaignChunks`: [what became](Chunks) of each hundred. Everything that is noted there is a number in a set, and sets
//!   only grow: it may be noted again, in whatever order, and the row is the same. So no count is ever wrong, whoever dies.
//!
//! What the chunks' rows say is [folded](Campaigns::fold) into the campaign's row, so that its counts are read at once.

mod chunks;
mod counts;
mod recipients;
mod taken_over;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem, Update};
use domain::{AccountId, CampaignId, CampaignStatus, CampaignStep, Error, Kind, PublicError, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};

use crate::database::{Database, Transacted, Written, epoch_millis, outage};
use crate::page::Page;
use crate::place::Place;

pub use chunks::{Chunk, ChunkJob, Chunks, Mark, Released, Standing};
pub use counts::{Counts, Tally};
pub use recipients::{NewRecipient, Recipient, Recipients, Wrong};
pub use taken_over::{CampaignBefore, TakenOver};

const NEWEST: &str = "newest";
const ACTIVE: &str = "active";
/// The row that holds the number handed out last; no campaign has this id.
const NUMBERS: i64 = 0;
/// How fast a campaign is is told from how far it had come so long ago at least.
const SAMPLE_EVERY: Duration = Duration::from_secs(50);
/// An upload that takes longer has died.
const UPLOAD_TIME: Duration = Duration::from_mins(1);
/// More changes than this under our hands, and others are at it.
const ROUNDS: usize = 6;
/// What stands before the code of a failure in the name of the attribute that counts it.
const FAILED: &str = "failed#";
/// The same, for the attribute that says when it was last counted.
const FAILED_AT: &str = "failed_at#";

type Row = HashMap<String, AttributeValue>;

/// The campaigns of a deployment.
#[derive(Clone, Debug)]
pub struct Campaigns {
    database: Database,
    table: String,
    chunks: Chunks,
    recipients: Recipients,
}

/// What a campaign is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewCampaign {
    /// Its number.
    pub id: CampaignId,
    /// The sending account.
    pub account_id: AccountId,
    /// What people call it.
    pub name: String,
    /// The template that it sends.
    pub template_name: String,
    /// The template's language.
    pub language: String,
    /// How the template is filled in, as JSON.
    pub form: String,
    /// Whether it is sent even to contacts who opted out.
    #[serde(default)]
    pub despite_opt_out: bool,
    /// The id of the API key that made it.
    pub key_id: String,
    /// What whoever made it was answered, as JSON, but for the rows.
    pub answer: String,
    /// When it was made.
    #[serde(with = "millisecond::required")]
    pub created_at: Timestamp,
    /// When it starts by itself.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Timestamp>,
}

/// A campaign as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Campaign {
    /// What it was made of.
    #[serde(flatten)]
    pub new: NewCampaign,
    /// How far it has come.
    pub status: CampaignStatus,
    /// What became of its recipients, as far as it is folded in.
    #[serde(flatten)]
    pub counts: Counts,
    /// So many chunks its recipients are in.
    pub chunk_count: u32,
    /// So many rows of uploads held somebody who was there already.
    #[serde(default)]
    pub double_count: i64,
    /// So many rows of uploads were wrong.
    #[serde(default)]
    pub wrong_count: i64,
    /// In so many rows of `CampaignRecipients` the wrong and the double ones are written down.
    #[serde(default)]
    pub wrong_parts: u32,
    /// So many uploads there were.
    #[serde(default)]
    pub upload_count: u32,
    /// When it was first started.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Since when it runs, if it does.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub running_since: Option<Timestamp>,
    /// When it ended.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it is paused, as JSON of a [`PublicError`]; absent where a person paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused_because: Option<String>,
    /// When it was paused.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<Timestamp>,
    /// How far it had come when that was last looked at.
    #[serde(rename = "measured", default, skip_serializing_if = "Option::is_none")]
    sample: Option<Sample>,
    /// The same, the time before.
    #[serde(rename = "measured_before", default, skip_serializing_if = "Option::is_none")]
    earlier_sample: Option<Sample>,
    /// There while the campaign is in the index of those that run or wait for their time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active: Option<String>,
    /// Where it stands in the list.
    position: Place,
    /// Until when somebody adds recipients.
    #[serde(default, with = "millisecond::optional", skip_serializing_if = "Option::is_none")]
    upload_until: Option<Timestamp>,
    /// The status that it had at the program from which it was taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    taken_over: Option<CampaignStatus>,
    /// How many failed for which reason, and when that was last counted.
    #[serde(skip)]
    pub failures: BTreeMap<String, FailureCount>,
}

/// How many failed for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCount {
    /// How many.
    pub count: i64,
    /// When it was last counted.
    pub last_at: Option<Timestamp>,
}

/// How far a campaign had come at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    #[serde(with = "millisecond::required")]
    pub at: Timestamp,
    /// To how many recipients was still to be written.
    pub pending: i64,
}

/// What an upload adds to a campaign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// So many recipients.
    pub recipients: i64,
    /// In so many chunks.
    pub chunks: u32,
    /// So many rows held somebody who was there already.
    pub doubles: i64,
    /// So many rows were wrong.
    pub wrong: i64,
    /// Those and these are written down in so many rows.
    pub wrong_parts: u32,
}

impl Campaign {
    /// A campaign as it is when it is made.
    pub fn begin(new: NewCampaign, added: Added) -> Self {
        let status = if new.scheduled_at.is_some() { CampaignStatus::Scheduled } else { CampaignStatus::Draft };
        Self {
            status,
            counts: Counts::of_new(added.recipients),
            chunk_count: added.chunks,
            double_count: added.doubles,
            wrong_count: added.wrong,
            wrong_parts: added.wrong_parts,
            upload_count: 1,
            started_at: None,
            running_since: None,
            ended_at: None,
            paused_because: None,
            paused_at: None,
            sample: None,
            earlier_sample: None,
            active: is_active(status).then(|| ACTIVE.to_owned()),
            position: Place::new(new.created_at, &new.id.to_string()),
            upload_until: None,
            taken_over: None,
            failures: BTreeMap::new(),
            new,
        }
    }

    fn read(mut row: Row) -> Result<Self> {
        let mut failures: BTreeMap<String, FailureCount> = BTreeMap::new();
        let counted: Vec<_> = row.keys().filter(|name| name.starts_with(FAILED)).cloned().collect();
        for name in counted {
            let count = row.remove(&name).and_then(|value| value.as_n().ok()?.parse().ok()).unwrap_or_default();
            let code = name.trim_start_matches(FAILED);
            let last_at = row.get(&format!("{FAILED_AT}{code}")).and_then(|value| value.as_n().ok()?.parse().ok());
            let last_at = last_at.and_then(|at| Timestamp::from_millisecond(at).ok());
            failures.insert(code.to_owned(), FailureCount { count, last_at });
        }
        failures.retain(|_, failure| failure.count != 0);
        let campaign: Self = serde_dynamo::from_item(row).map_err(Error::internal)?;
        Ok(Self { failures, ..campaign })
    }

    /// Where it stands in the list.
    pub fn place(&self) -> &Place {
        &self.position
    }

    /// Why it is paused, where it was not a person.
    pub fn paused_because(&self) -> Option<PublicError> {
        serde_json::from_str(self.paused_because.as_deref()?).ok()
    }

    /// How far it had come a while ago, or when it began to run. `None`: it does not run.
    pub fn sample(&self) -> Option<Sample> {
        self.earlier_sample.or(self.sample)
    }

    /// What its counts say that it shall become by itself.
    fn conclusion(&self) -> Option<CampaignStep> {
        let Counts { total, open, failed, left_out, .. } = self.counts;
        if open > 0 {
            // Those who failed are tried again, and whoever wanted that died on the way.
            let has_ended = matches!(self.status, CampaignStatus::Completed | CampaignStatus::Failed);
            return has_ended.then_some(CampaignStep::RetryFailed);
        }
        let all_failed = failed > 0 && failed + left_out >= total;
        let step = if all_failed { CampaignStep::Fail } else { CampaignStep::Complete };
        step.leads_to(self.status).filter(|to| *to != self.status).map(|_| step)
    }
}

fn is_active(status: CampaignStatus) -> bool {
    matches!(status, CampaignStatus::Scheduled | CampaignStatus::Running)
}

impl Campaigns {
    /// The campaigns of a deployment.
    pub fn new(database: &Database) -> Self {
        Self {
            table: database.table("Campaigns"),
            chunks: Chunks::new(database),
            recipients: Recipients::new(database),
            database: database.clone(),
        }
    }

    /// A number that no campaign has. One whose answer is lost is never used.
    pub async fn next_id(&self) -> Result<CampaignId> {
        let answer = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", number(NUMBERS))
            .update_expression("ADD last_id :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(outage)?;
        let last = answer.attributes.as_ref().and_then(|row| row.get("last_id")?.as_n().ok()?.parse().ok());
        last.map(CampaignId).ok_or_else(|| Error::internal("no number was handed out"))
    }

    /// Makes a campaign whose recipients are written already; and, if a reservation is given, together with it or not at all.
    /// `false`: the reservation's key stands for something else already, and nothing is made.
    pub async fn create(
        &self,
        new: NewCampaign,
        added: Added,
        reservation: Option<TransactWriteItem>,
    ) -> Result<Option<Campaign>> {
        let campaign = Campaign::begin(new, added);
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(&campaign).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(id)")
            .build()
            .map_err(Error::internal)?;
        let put = TransactWriteItem::builder().put(put).build();
        match self.database.transact([Some(put), reservation].into_iter().flatten().collect()).await? {
            Transacted::Done => Ok(Some(campaign)),
            Transacted::Refused { write: 0 } => Err(Error::internal("a new campaign has the number of another")),
            Transacted::Refused { .. } => Ok(None),
        }
    }

    /// Reads a campaign as it is now.
    pub async fn get(&self, id: CampaignId) -> Result<Option<Campaign>> {
        if id.0 == NUMBERS {
            return Ok(None);
        }
        let get = self.database.client().get_item().table_name(&self.table).key("id", number(id.0));
        let row = get.consistent_read(true).send().await.map_err(outage)?.item;
        row.map(Campaign::read).transpose()
    }

    /// At most `limit` campaigns of an account, newest first; behind the place `after`, if one is given.
    pub async fn newest(&self, account_id: AccountId, after: Option<&Place>, limit: i32) -> Result<Page<Campaign>> {
        let start_key = |place: &Place| {
            Row::from([
                ("account_id".to_owned(), AttributeValue::N(account_id.to_string())),
                ("position".to_owned(), AttributeValue::S(place.as_str().to_owned())),
                ("id".to_owned(), AttributeValue::N(place.id().to_owned())),
            ])
        };
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            .index_name(NEWEST)
            .key_condition_expression("account_id = :account")
            .expression_attribute_values(":account", AttributeValue::N(account_id.to_string()))
            .scan_index_forward(false)
            .limit(Page::<Campaign>::query_limit(limit))
            .set_exclusive_start_key(after.map(start_key));
        Page::of(query.send().await.map_err(outage)?, limit, Campaign::read)
    }

    /// Those that run or wait for their time, as they are now; by their ids, since one that can't be read keeps no other from
    /// being tended.
    pub async fn active(&self) -> Result<Vec<(CampaignId, Result<Campaign>)>> {
        let (mut keys, mut start_key) = (Vec::new(), None);
        loop {
            let query = self
                .database
                .client()
                .query()
                .table_name(&self.table)
                .index_name(ACTIVE)
                .key_condition_expression("active = :active")
                .expression_attribute_values(":active", AttributeValue::S(ACTIVE.to_owned()))
                .set_exclusive_start_key(start_key);
            let page = query.send().await.map_err(outage)?;
            let ids = page.items.unwrap_or_default().into_iter().filter_map(|mut row| row.remove("id"));
            keys.extend(ids.map(|id| (self.table.clone(), Row::from([("id".to_owned(), id)]))));
            start_key = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start_key.is_none() {
                break;
            }
        }
        let rows = self.database.get_all(keys).await?;
        let campaigns = rows.into_iter().filter_map(|(_, row)| {
            let id = CampaignId(row.get("id")?.as_n().ok()?.parse().ok()?);
            Some((id, Campaign::read(row)))
        });
        // The index is a moment late.
        let is_tended =
            |campaign: &Result<Campaign>| campaign.as_ref().map_or(true, |campaign| is_active(campaign.status));
        Ok(campaigns.filter(|(_, campaign)| is_tended(campaign)).collect())
    }

    /// Takes a step with a campaign, and gives it as it is then; or the refusal, which says what it is. `because` is why it
    /// is paused, where it is not a person who does it.
    pub async fn step(
        &self,
        id: CampaignId,
        step: CampaignStep,
        because: Option<&PublicError>,
        now: Timestamp,
    ) -> Result<Stepped> {
        for _ in 0..ROUNDS {
            let Some(before) = self.get(id).await? else { return Ok(Stepped::NoSuchCampaign) };
            let Some(to) = step.leads_to(before.status) else { return Ok(Stepped::Refused(Box::new(before))) };
            if before.upload_until.is_some_and(|until| until >= now) {
                return Ok(Stepped::Busy);
            }
            if let Some(after) = self.turn(&before, to, because, now).await? {
                return Ok(Stepped::Done(Box::new(after)));
            }
        }
        Err(Error::storage("a campaign changes all the time"))
    }

    /// Makes the campaign what it shall be, if its status is still what it was. `None`: it is not.
    async fn turn(
        &self,
        before: &Campaign,
        to: CampaignStatus,
        because: Option<&PublicError>,
        now: Timestamp,
    ) -> Result<Option<Campaign>> {
        let mut set = vec!["#status = :to"];
        let mut remove = Vec::new();
        let mut values = vec![(":to", status(to)?), (":from", status(before.status)?), (":now", epoch_millis(now))];
        if is_active(to) {
            set.push("active = :active");
            values.push((":active", AttributeValue::S(ACTIVE.to_owned())));
        } else {
            remove.push("active");
        }
        match to {
            CampaignStatus::Running => {
                set.extend(["started_at = if_not_exists(started_at, :now)", "measured = :sample"]);
                if before.status != CampaignStatus::Running {
                    set.push("running_since = :now");
                }
                remove.extend(["paused_because", "paused_at", "ended_at", "measured_before"]);
                let sample = Sample { at: now, pending: before.counts.pending };
                values.push((":sample", serde_dynamo::to_attribute_value(sample).map_err(Error::internal)?));
            }
            CampaignStatus::Paused if before.status == CampaignStatus::Paused => {}
            CampaignStatus::Paused => {
                set.push("paused_at = :now");
                remove.extend(["running_since", "measured", "measured_before"]);
                match because {
                    Some(error) => {
                        set.push("paused_because = :because");
                        let because = serde_json::to_string(error).map_err(Error::internal)?;
                        values.push((":because", AttributeValue::S(because)));
                    }
                    None => remove.push("paused_because"),
                }
            }
            _ => {
                set.push("ended_at = if_not_exists(ended_at, :now)");
                remove.extend(["running_since", "measured", "measured_before"]);
            }
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let mut condition =
            "#status = :from AND (attribute_not_exists(upload_until) OR upload_until < :now)".to_owned();
        // Whoever ends it because nobody is left, and says how it ended, must know that it is still so.
        if matches!(to, CampaignStatus::Completed | CampaignStatus::Failed) {
            condition.push_str(" AND open_count = :open AND failed_count = :failed AND left_out_count = :left_out");
            let Counts { open, failed, left_out, .. } = before.counts;
            values.extend(
                [(":open", open), (":failed", failed), (":left_out", left_out)]
                    .map(|(name, count)| (name, number(count))),
            );
        }
        let update = self
            .update(before.new.id)
            .update_expression(expression)
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .set_expression_attribute_values(Some(owned(values)));
        self.updated(update).await
    }

    /// Makes of a campaign what its counts say: completed or failed when nobody is left, or running again.
    pub async fn conclude(&self, id: CampaignId, now: Timestamp) -> Result<()> {
        for _ in 0..ROUNDS {
            let Some(before) = self.get(id).await? else { return Ok(()) };
            let Some(to) = before.conclusion().and_then(|step| step.leads_to(before.status)) else { return Ok(()) };
            if self.turn(&before, to, None, now).await?.is_some() {
                return Ok(());
            }
        }
        Err(Error::storage("a campaign changes all the time"))
    }

    /// Remembers how far a running campaign has come, for telling how fast it is; unless it did so a moment ago.
    pub async fn take_sample(&self, campaign: &Campaign, now: Timestamp) -> Result<()> {
        let Some(last) = campaign.sample else { return Ok(()) };
        if now.duration_since(last.at).unsigned_abs() < SAMPLE_EVERY {
            return Ok(());
        }
        let sample = Sample { at: now, pending: campaign.counts.pending };
        let attribute = |sample: Sample| serde_dynamo::to_attribute_value(sample).map_err(Error::internal);
        let update = self
            .update(campaign.new.id)
            .update_expression("SET measured = :sample, measured_before = :last")
            .condition_expression("#status = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":running", status(CampaignStatus::Running)?)
            .expression_attribute_values(":sample", attribute(sample)?)
            .expression_attribute_values(":last", attribute(last)?);
        self.updated(update).await.map(|_| ())
    }

    /// Begins to add recipients: for a minute nobody else does, and the campaign stays as it is. Gives the campaign.
    pub async fn begin_upload(&self, id: CampaignId, owner: &str, now: Timestamp) -> Result<Upload> {
        let until = now.saturating_add(UPLOAD_TIME).map_err(Error::internal)?;
        let may = CampaignStep::AddRecipients.allowed_from();
        let may: Vec<_> =
            may.enumerate().map(|(index, from)| Ok((format!(":s{index}"), status(from)?))).collect::<Result<_>>()?;
        let names: Vec<_> = may.iter().map(|(name, _)| name.clone()).collect();
        let mut values: HashMap<_, _> = may.into_iter().collect();
        values.extend(owned([
            (":owner", AttributeValue::S(owner.to_owned())),
            (":until", epoch_millis(until)),
            (":now", epoch_millis(now)),
        ]));
        let condition = format!(
            "#status IN ({}) AND (attribute_not_exists(upload_until) OR upload_until < :now OR upload_owner = :owner)",
            names.join(", ")
        );
        let update = self
            .update(id)
            .update_expression("SET upload_owner = :owner, upload_until = :until")
            .condition_expression(condition)
            .expression_attribute_names("#status", "status")
            .set_expression_attribute_values(Some(values));
        if let Some(campaign) = self.updated(update).await? {
            return Ok(Upload::Begun(Box::new(campaign)));
        }
        Ok(match self.get(id).await? {
            None => Upload::NoSuchCampaign,
            Some(campaign) if CampaignStep::AddRecipients.leads_to(campaign.status).is_none() => {
                Upload::Refused(Box::new(campaign))
            }
            Some(_) => Upload::Busy,
        })
    }

    /// Ends an upload: what it added counts from now on, all of it. `None`: it took too long, and nothing counts.
    pub async fn finish_upload(
        &self,
        id: CampaignId,
        owner: &str,
        added: Added,
        form: &str,
    ) -> Result<Option<Campaign>> {
        let values = [
            (":owner", AttributeValue::S(owner.to_owned())),
            (":recipients", number(added.recipients)),
            (":chunks", number(i64::from(added.chunks))),
            (":doubles", number(added.doubles)),
            (":wrong", number(added.wrong)),
            (":parts", number(i64::from(added.wrong_parts))),
            (":one", number(1)),
            (":form", AttributeValue::S(form.to_owned())),
        ];
        let update = self
            .update(id)
            .update_expression(
                "SET form = :form REMOVE upload_owner, upload_until \
                 ADD total_count :recipients, open_count :recipients, pending_count :recipients, chunk_count :chunks, double_count :doubles, \
                 wrong_count :wrong, wrong_parts :parts, upload_count :one",
            )
            .condition_expression("upload_owner = :owner")
            .set_expression_attribute_values(Some(owned(values)));
        self.updated(update).await
    }

    /// Gives up an upload, so that nobody waits for it.
    pub async fn abandon_upload(&self, id: CampaignId, owner: &str) -> Result<()> {
        let update = self
            .update(id)
            .update_expression("REMOVE upload_owner, upload_until")
            .condition_expression("upload_owner = :owner")
            .expression_attribute_values(":owner", AttributeValue::S(owner.to_owned()));
        self.updated(update).await.map(|_| ())
    }

    /// Counts what a chunk says and the campaign does not know yet: both rows or none. Gives the chunk as it is then. `None`: it
    /// has changed since it was read, and is to be read again.
    pub async fn fold(&self, chunk: &Chunk, now: Timestamp) -> Result<Option<Chunk>> {
        let tally = chunk.tally(now);
        if tally == chunk.folded {
            return Ok(Some(chunk.clone()));
        }
        let count = self.count(chunk, &tally, now)?;
        let writes = [Some(self.chunks.folded(chunk, &tally)?), count].into_iter().flatten().collect();
        let is_done = self.database.transact(writes).await? == Transacted::Done;
        Ok(is_done.then(|| chunk.counted(tally)))
    }

    /// The write that adds to a campaign what is new in a chunk. `None`: nothing is.
    fn count(&self, chunk: &Chunk, tally: &Tally, now: Timestamp) -> Result<Option<TransactWriteItem>> {
        let (mut add, mut set) = (Vec::new(), Vec::new());
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        for (index, (name, difference)) in tally.counts.since(&chunk.folded.counts).into_iter().enumerate() {
            add.push(format!("{name} :c{index}"));
            values.insert(format!(":c{index}"), number(difference));
        }
        for (index, (code, difference)) in tally.failures_since(&chunk.folded).into_iter().enumerate() {
            add.push(format!("#f{index} :f{index}"));
            values.insert(format!(":f{index}"), number(difference));
            names.insert(format!("#f{index}"), format!("{FAILED}{code}"));
            if difference > 0 {
                set.push(format!("#t{index} = :now"));
                values.insert(":now".to_owned(), epoch_millis(now));
                names.insert(format!("#t{index}"), format!("{FAILED_AT}{code}"));
            }
        }
        if add.is_empty() {
            return Ok(None);
        }
        let mut expression = format!("ADD {}", add.join(", "));
        if !set.is_empty() {
            expression = format!("{expression} SET {}", set.join(", "));
        }
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", number(chunk.campaign_id.0))
            .update_expression(expression)
            .condition_expression("attribute_exists(id)")
            .set_expression_attribute_names(Some(names).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(Some(values))
            .build()
            .map_err(Error::internal)?;
        Ok(Some(TransactWriteItem::builder().update(update).build()))
    }

    fn update(&self, id: CampaignId) -> UpdateItemFluentBuilder {
        let update = self.database.client().update_item().table_name(&self.table).key("id", number(id.0));
        update.return_values(ReturnValue::AllNew)
    }

    /// The campaign after an update. `None`: the condition did not hold.
    async fn updated(&self, update: UpdateItemFluentBuilder) -> Result<Option<Campaign>> {
        match self.database.update_and_read(update).await? {
            (Written::Done, Some(row)) => Campaign::read(row).map(Some),
            (Written::Done, None) => Err(Error::internal("a campaign that was changed is not shown")),
            (Written::Refused(_), _) => Ok(None),
        }
    }
}

/// What became of a step.
#[derive(Clone, Debug)]
pub enum Stepped {
    /// It is taken: the campaign as it is then.
    Done(Box<Campaign>),
    /// The campaign's status does not allow it: the campaign as it is.
    Refused(Box<Campaign>),
    /// Somebody adds recipients to it at this moment.
    Busy,
    /// There is no such campaign.
    NoSuchCampaign,
}

/// What became of a wish to add recipients.
#[derive(Clone, Debug)]
pub enum Upload {
    /// Nobody else adds any for a while: the campaign as it is.
    Begun(Box<Campaign>),
    /// The campaign's status does not allow it: the campaign as it is.
    Refused(Box<Campaign>),
    /// Somebody else does so at this moment.
    Busy,
    /// There is no such campaign.
    NoSuchCampaign,
}

impl Upload {
    /// Somebody else adds recipients at this moment.
    pub fn busy() -> Error {
        Error::new(Kind::Conflict, "Recipients are being added to this campaign: try again in a moment")
            .code("upload_in_progress")
            .retryable(true)
            .retry_after(Duration::from_secs(2))
    }
}

fn status(status: CampaignStatus) -> Result<AttributeValue> {
    serde_dynamo::to_attribute_value(status).map_err(Error::internal)
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn owned(values: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> HashMap<String, AttributeValue> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests;
