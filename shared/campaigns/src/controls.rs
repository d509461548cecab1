//! Holds and ends campaigns, lets them go on, and tries again those who failed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auth::Caller;
use domain::{Accounts, CampaignId, CampaignStatus, CampaignStep, Clock, Error, Member, Result};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use storage::{Campaign, Campaigns, Chunk, Chunks, Database, Mark, Standing, Stepped, Upload, WorkQueue};
use utoipa::ToSchema;

use crate::dispatch::Dispatch;
use crate::found::{self, not_found, wrong_status};
use crate::view::Details;

/// So many chunks are read or written side by side.
const SIDE_BY_SIDE: usize = 16;
/// So many chunks are read with one call.
const READ_TOGETHER: u32 = 50;
/// A chunk that changes under our hands is tried again so often.
const ROUNDS: usize = 6;
/// More tries than this, and something else is wrong.
const MOST_ATTEMPTS: u32 = 100;

/// Sets campaigns going: what needs the queue, and no Meta. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Controls {
    pub(crate) campaigns: Campaigns,
    chunks: Chunks,
    dispatch: Dispatch,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) clock: Clock,
}

/// Holds and ends campaigns: what needs no queue and no Meta. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Brakes {
    campaigns: Campaigns,
    accounts: Arc<Accounts>,
    clock: Clock,
}

/// Whom to try again.
#[derive(Clone, Debug, Default)]
pub struct Again {
    /// Those who failed for one of these reasons; `None`: for one that passes by itself.
    pub codes: Option<BTreeSet<String>>,
    /// Also those of whom it is not known whether they were written to: they may get the message twice.
    pub unknown: bool,
}

/// What became of those who failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RetriedCampaign)]
pub struct Retried {
    #[serde(flatten)]
    details: Details,
    /// How many are tried again.
    #[serde(rename = "retried_count")]
    count: i64,
    /// Those who are not tried again, by why they failed.
    #[serde(rename = "not_retried")]
    others: BTreeMap<String, Other>,
}

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = NotRetried)]
struct Other {
    /// How many.
    count: i64,
    /// Why they failed.
    error: &'static str,
    /// What helps.
    what_to_do: &'static str,
}

impl Brakes {
    /// Holds and ends campaigns in a deployment's tables.
    pub fn new(database: &Database, accounts: Arc<Accounts>, clock: Clock) -> Self {
        Self { campaigns: Campaigns::new(database), accounts, clock }
    }

    /// Holds a running campaign: within seconds nobody more is written to.
    pub async fn pause(&self, caller: &Caller, id: CampaignId) -> Result<Details> {
        found::campaign(&self.campaigns, &self.accounts, caller, id).await?;
        let paused =
            step(&self.campaigns, id, CampaignStep::Pause, "only a running one can be paused", &self.clock).await?;
        Details::of(&paused, &self.accounts, self.clock.now())
    }

    /// Ends a campaign for good: whoever was not written to yet never will be.
    pub async fn cancel(&self, caller: &Caller, id: CampaignId) -> Result<Details> {
        found::campaign(&self.campaigns, &self.accounts, caller, id).await?;
        let ended = step(&self.campaigns, id, CampaignStep::Cancel, "it has ended already", &self.clock).await?;
        Details::of(&ended, &self.accounts, self.clock.now())
    }
}

impl Controls {
    /// Sets campaigns going in a deployment's tables.
    pub fn new(database: &Database, queue: WorkQueue, accounts: Arc<Accounts>, clock: Clock) -> Self {
        let chunks = Chunks::new(database);
        let dispatch = Dispatch { chunks: chunks.clone(), queue };
        Self { campaigns: Campaigns::new(database), chunks, dispatch, accounts, clock }
    }

    /// Lets a paused campaign go on.
    pub async fn resume(&self, caller: &Caller, id: CampaignId) -> Result<Details> {
        found::campaign(&self.campaigns, &self.accounts, caller, id).await?;
        let resumed =
            step(&self.campaigns, id, CampaignStep::Resume, "only a paused one can be resumed", &self.clock).await?;
        self.set_going(&resumed).await
    }

    /// Tries again those who failed for a reason that passes by itself, or for one that is named.
    pub async fn retry_failed(&self, caller: &Caller, id: CampaignId, again: &Again) -> Result<Retried> {
        let campaign = found::campaign(&self.campaigns, &self.accounts, caller, id).await?;
        if CampaignStep::RetryFailed.leads_to(campaign.status).is_none() {
            return Err(wrong_status(campaign.status, "nobody has failed yet who could be tried again"));
        }
        let ranges = (0..campaign.chunk_count).step_by(READ_TOGETHER as usize);
        let ranges = ranges.map(|first| first..campaign.chunk_count.min(first.saturating_add(READ_TOGETHER)));
        let parts = stream::iter(ranges).map(|range| Box::pin(self.retry_in(&campaign, range, again)));
        let parts: Vec<_> = parts.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        let mut count = 0;
        let mut others: BTreeMap<String, Other> = BTreeMap::new();
        for (retried, not_retried) in parts {
            count += retried;
            for (code, count) in not_retried {
                let advice = meta_errors::advice(code.parse().unwrap_or(i64::MIN));
                let entry = others.entry(code).or_default();
                (entry.error, entry.what_to_do) = (advice.reason, advice.what_to_do);
                entry.count += count;
            }
        }
        let now = self.clock.now();
        // One that has ended runs again.
        self.campaigns.conclude(id, now).await?;
        let campaign = self.campaigns.get(id).await?.ok_or_else(|| not_found(id))?;
        let is_running = campaign.status == CampaignStatus::Running;
        let details =
            if is_running { self.set_going(&campaign).await? } else { Details::of(&campaign, &self.accounts, now)? };
        Ok(Retried { details, count, others })
    }

    async fn retry_in(
        &self,
        campaign: &Campaign,
        chunks: std::ops::Range<u32>,
        again: &Again,
    ) -> Result<(i64, BTreeMap<String, i64>)> {
        let (mut retried, mut others) = (0, BTreeMap::new());
        for chunk in self.chunks.get(campaign.new.id, chunks).await? {
            let mut marks = Vec::new();
            for member in chunk.members() {
                let is_wanted = match chunk.standing(member) {
                    Standing::Failed(code) => {
                        let is_wanted = again.wants(code);
                        if !is_wanted {
                            *others.entry(code.to_owned()).or_default() += 1;
                        }
                        is_wanted
                    }
                    Standing::Unknown => again.unknown,
                    _ => false,
                };
                let next = Member::new(member.index(), member.attempt() + 1);
                if let Some(next) = next.filter(|next| is_wanted && next.attempt() < MOST_ATTEMPTS) {
                    marks.push((Mark::Retried, next));
                }
            }
            if !marks.is_empty() {
                retried += i64::try_from(marks.len()).map_err(Error::internal)?;
                self.note(&chunk, &marks).await?;
            }
        }
        Ok((retried, others))
    }

    /// Notes something of a chunk, and counts it at once: what the campaign is depends on it.
    async fn note(&self, chunk: &Chunk, marks: &[(Mark, Member)]) -> Result<()> {
        let now = self.clock.now();
        for _ in 0..ROUNDS {
            let noted = self.chunks.note(chunk.campaign_id, chunk.number, marks, now).await?;
            let noted = noted.ok_or_else(|| Error::internal("a chunk is gone"))?;
            if self.campaigns.fold(&noted, now).await?.is_some() {
                return Ok(());
            }
        }
        Err(Error::storage("a chunk changes all the time"))
    }

    pub(crate) async fn set_going(&self, campaign: &Campaign) -> Result<Details> {
        let now = self.clock.now();
        let account = self.accounts.find(Some(campaign.new.account_id));
        let account = account.ok_or_else(|| Error::internal("a campaign of no account"))?;
        // It runs already. Should nothing be handed out now, it is within the minute.
        if let Err(error) = self.dispatch.top_up(campaign, account, now).await {
            tracing::warn!(cause = error.source_chain(), "a campaign that runs waits for the next minute");
        }
        Details::of(campaign, &self.accounts, now)
    }
}

impl Again {
    fn wants(&self, code: &str) -> bool {
        match &self.codes {
            Some(codes) => codes.contains(code),
            None => code.parse().is_ok_and(|code| meta_errors::advice(code).retryable),
        }
    }
}

/// Takes a step with a campaign, or says why not: `needs` is what it would need for that.
pub(crate) async fn step(
    campaigns: &Campaigns,
    id: CampaignId,
    step: CampaignStep,
    needs: &str,
    clock: &Clock,
) -> Result<Campaign> {
    match campaigns.step(id, step, None, clock.now()).await? {
        Stepped::Done(campaign) => Ok(*campaign),
        Stepped::Refused(campaign) => Err(wrong_status(campaign.status, needs)),
        Stepped::Busy => Err(Upload::busy()),
        Stepped::NoSuchCampaign => Err(not_found(id)),
    }
}
