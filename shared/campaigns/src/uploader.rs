//! Adds recipients to campaigns.

use std::sync::Arc;
use std::time::Duration;

use auth::Caller;
use domain::{Accounts, CampaignId, Clock, CountryCode, Error, Kind, Result};
use serde::Serialize;
use storage::{Added, Campaign, Campaigns, Chunks, Database, Recipients, Upload, Wrong};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::form::Form;
use crate::found::{self, not_found, wrong_status};
use crate::rows::{self, Sorted, Uploaded};
use crate::view::Uploads;

/// With less time than this left, no upload is begun: half of it would be written for nothing.
const LEAST_TIME: Duration = Duration::from_secs(10);
/// What is kept back of the function's time for answering.
const ANSWERING_TIME: Duration = Duration::from_secs(2);

/// Adds recipients to campaigns: what needs no Meta. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Uploader {
    pub(crate) campaigns: Campaigns,
    chunks: Chunks,
    pub(crate) recipients: Recipients,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) country: CountryCode,
    pub(crate) clock: Clock,
}

/// What was added to a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AddedRecipients {
    /// The campaign.
    id: CampaignId,
    /// All its recipients now.
    total_count: i64,
    #[serde(flatten)]
    uploads: Uploads,
}

impl Uploader {
    /// Adds recipients in a deployment's tables.
    pub fn new(database: &Database, accounts: Arc<Accounts>, country: CountryCode, clock: Clock) -> Self {
        Self {
            campaigns: Campaigns::new(database),
            chunks: Chunks::new(database),
            recipients: Recipients::new(database),
            accounts,
            country,
            clock,
        }
    }

    /// Adds recipients to a campaign that has not begun: all of them, or none.
    pub async fn add(
        &self,
        caller: &Caller,
        id: CampaignId,
        uploaded: Uploaded<'_>,
        time_left: Duration,
    ) -> Result<AddedRecipients> {
        found::campaign(&self.campaigns, &self.accounts, caller, id).await?;
        let raw = uploaded.rows()?;
        enough(time_left)?;
        let owner = Uuid::new_v4().to_string();
        let campaign = match self.campaigns.begin_upload(id, &owner, self.clock.now()).await? {
            Upload::Begun(campaign) => campaign,
            Upload::Busy => return Err(Upload::busy()),
            Upload::NoSuchCampaign => return Err(not_found(id)),
            Upload::Refused(campaign) => {
                return Err(wrong_status(campaign.status, "recipients are added before it starts"));
            }
        };
        let added = within(time_left, self.add_to(&campaign, &owner, &raw)).await;
        if added.is_err() {
            // Whoever comes next shall not wait for this one. Should it fail, they wait for a minute.
            let _ = self.campaigns.abandon_upload(id, &owner).await;
        }
        added
    }

    async fn add_to(&self, campaign: &Campaign, owner: &str, raw: &[rows::RawRow]) -> Result<AddedRecipients> {
        let id = campaign.new.id;
        let mut form = Form::from_json(&campaign.new.form)?;
        form.learn(raw);
        let mut sorted = rows::sort(raw, campaign.upload_count + 1, &form, &self.country);
        let contacts = sorted.recipients.iter().map(|new| &new.contact);
        let known = self.recipients.known(id, campaign.chunk_count, contacts).await?;
        let known: std::collections::BTreeSet<_> = known.into_iter().cloned().collect();
        let (there, new): (Vec<_>, Vec<_>) =
            std::mem::take(&mut sorted.recipients).into_iter().partition(|new| known.contains(&new.contact));
        sorted.recipients = new;
        sorted.doubles.extend(there.iter().map(|new| rows::known_already(&new.recipient)));
        sorted.doubles.sort_by_key(|double| double.row);
        let added = self.write(id, campaign.chunk_count, campaign.wrong_parts, &sorted).await?;
        let after = self.campaigns.finish_upload(id, owner, added, &form.to_json()?).await?;
        let after = after.ok_or_else(|| Error::storage("an upload took longer than it may"))?;
        let uploads = Uploads::new(sorted.recipients.len(), sorted.doubles, sorted.wrong);
        Ok(AddedRecipients { id, total_count: after.counts.total, uploads })
    }

    /// Writes down an upload, which does not count yet.
    pub(crate) async fn write(
        &self,
        id: CampaignId,
        first_chunk: u32,
        first_part: u32,
        sorted: &Sorted,
    ) -> Result<Added> {
        let Sorted { recipients, doubles, wrong } = sorted;
        let skipped: Vec<Wrong> = doubles.iter().chain(wrong).cloned().collect();
        let (sizes, wrong_parts) = futures::try_join!(
            Box::pin(self.recipients.add(id, first_chunk, recipients)),
            Box::pin(self.recipients.add_wrong(id, first_part, &skipped)),
        )?;
        self.chunks.make(id, first_chunk, &sizes).await?;
        let count = |list: usize| i64::try_from(list).map_err(Error::internal);
        Ok(Added {
            recipients: count(recipients.len())?,
            chunks: u32::try_from(sizes.len()).map_err(Error::internal)?,
            doubles: count(doubles.len())?,
            wrong: count(wrong.len())?,
            wrong_parts,
        })
    }
}

pub(crate) fn enough(time_left: Duration) -> Result<()> {
    if time_left >= LEAST_TIME { Ok(()) } else { Err(too_little_time()) }
}

/// What takes longer than the function lives is given up in time.
pub(crate) async fn within<T>(time_left: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let work = tokio::time::timeout(time_left.saturating_sub(ANSWERING_TIME), Box::pin(work));
    work.await.unwrap_or_else(|_| Err(too_little_time()))
}

fn too_little_time() -> Error {
    Error::new(Kind::Unavailable, "There is too little time left for so many rows. Nothing was changed. Try again.")
        .code("too_little_time")
        .retryable(true)
        .retry_after(Duration::from_secs(1))
}
