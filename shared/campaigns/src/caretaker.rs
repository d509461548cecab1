//! What has to be done with campaigns every minute: start those whose time has come, find what has stopped, and count what
//! became known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Accounts, CampaignId, CampaignStatus, CampaignStep, Clock, Error, Kind, Result};
use futures::{StreamExt, stream};
use storage::{Campaign, Campaigns, Chunks, Database, Stepped, WorkQueue};

use crate::dispatch::Dispatch;

/// So many campaigns and chunks are looked at side by side.
const SIDE_BY_SIDE: usize = 16;
/// So many chunks are counted before it is looked whether there is time for more.
const COUNTED_TOGETHER: i32 = 200;
/// What is kept back of an invocation's time.
const RESERVE: Duration = Duration::from_secs(5);
/// A chunk that changes under our hands is counted again so often, and else a minute later.
const ROUNDS: usize = 4;

/// Takes care of campaigns. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Caretaker {
    campaigns: Campaigns,
    chunks: Chunks,
    dispatch: Dispatch,
    accounts: Arc<Accounts>,
    clock: Clock,
}

impl Caretaker {
    /// Takes care of campaigns of a deployment's tables.
    pub fn new(database: &Database, queue: WorkQueue, accounts: Arc<Accounts>, clock: Clock) -> Self {
        let chunks = Chunks::new(database);
        let dispatch = Dispatch { chunks: chunks.clone(), queue };
        Self { campaigns: Campaigns::new(database), chunks, dispatch, accounts, clock }
    }

    /// Does all of it, as far as there is time. One campaign's failure keeps no other from it: it is told afterwards.
    pub async fn tend(&self, time_left: Duration) -> Result<()> {
        let begun = Instant::now();
        let counted = self.count(begun, time_left.saturating_sub(RESERVE)).await;
        let active = self.campaigns.active().await?;
        let tended = stream::iter(active).map(|(id, campaign)| {
            Box::pin(async move {
                match campaign {
                    Ok(campaign) => (id, self.tend_one(campaign).await),
                    Err(error) => (id, Err(error)),
                }
            })
        });
        let tended: Vec<_> = tended.buffer_unordered(SIDE_BY_SIDE).collect().await;
        let (mut failed, mut causes) = (Vec::new(), Vec::new());
        for (id, outcome) in tended {
            if let Err(error) = outcome {
                failed.push(id.to_string());
                causes.push(format!("campaign {id}: {}", error.source_chain().unwrap_or_default()));
            }
        }
        counted?;
        if failed.is_empty() {
            return Ok(());
        }
        let message = format!("These campaigns were not tended: {}", failed.join(", "));
        Err(Error::new(Kind::Unavailable, message).code("not_tended").caused_by(causes.join("; ")))
    }

    async fn tend_one(&self, mut campaign: Campaign) -> Result<()> {
        let (id, now) = (campaign.new.id, self.clock.now());
        if campaign.status == CampaignStatus::Scheduled {
            if campaign.new.scheduled_at.is_some_and(|at| now < at) {
                return Ok(());
            }
            match self.start(&campaign).await? {
                Some(started) => campaign = started,
                None => return Ok(()),
            }
        }
        if campaign.status != CampaignStatus::Running {
            return Ok(());
        }
        self.campaigns.conclude(id, now).await?;
        self.campaigns.take_sample(&campaign, now).await?;
        let Some(account) = self.accounts.find(Some(campaign.new.account_id)) else { return Ok(()) };
        self.dispatch.top_up(&campaign, account, now).await.map(|_| ())
    }

    /// Starts a campaign whose time has come. `None`: it does not start now.
    async fn start(&self, campaign: &Campaign) -> Result<Option<Campaign>> {
        let (id, now) = (campaign.new.id, self.clock.now());
        if campaign.counts.total == 0 {
            // Nobody was added in time. Whoever adds somebody starts it by hand.
            let error =
                Error::new(Kind::Conflict, "The campaign's time came before it had recipients").code("no_recipients");
            self.campaigns.step(id, CampaignStep::Start, None, now).await?;
            self.campaigns.step(id, CampaignStep::Pause, Some(error.public()), now).await?;
            return Ok(None);
        }
        match self.campaigns.step(id, CampaignStep::Start, None, now).await? {
            Stepped::Done(started) => Ok(Some(*started)),
            // Somebody else started or cancelled it, or adds recipients at this moment.
            _ => Ok(None),
        }
    }

    /// Sees to all chunks of which something became known.
    async fn count(&self, begun: Instant, time: Duration) -> Result<()> {
        while begun.elapsed() < time {
            let now = self.clock.now();
            let changed = self.chunks.changed(now, COUNTED_TOGETHER).await?;
            let is_last = changed.len() < usize::try_from(COUNTED_TOGETHER).unwrap_or_default();
            let counts = stream::iter(changed).map(|(id, chunk)| Box::pin(self.count_chunk(id, chunk)));
            let counted: Vec<Result<()>> = counts.buffer_unordered(SIDE_BY_SIDE).collect().await;
            counted.into_iter().collect::<Result<()>>()?;
            if is_last {
                break;
            }
        }
        Ok(())
    }

    async fn count_chunk(&self, id: CampaignId, chunk: u32) -> Result<()> {
        for _ in 0..ROUNDS {
            let Some(chunk) = self.chunks.get(id, [chunk]).await?.pop() else { return Ok(()) };
            let now = self.clock.now();
            let Some(chunk) = self.campaigns.fold(&chunk, now).await? else { continue };
            self.chunks.heed(&chunk, now).await?;
            // Also of those that ended: what Meta took may fail later.
            self.campaigns.conclude(id, now).await?;
            return self.chunks.seen_to(&chunk).await;
        }
        Ok(())
    }
}
