//! Makes campaigns.

use std::time::Duration;

use auth::Caller;
use domain::{AccountId, CampaignId, Error, IdempotencyKey, Kind, Result};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use storage::{Campaign, Claim, Database, IdempotencyKeys, NewCampaign, Reservation, Subject};
use whatsapp::WhatsApp;

use crate::form::Form;
use crate::rows::{self, Uploaded};
use crate::templates;
use crate::uploader::{Uploader, enough, within};
use crate::view::{Details, RowProblem, Uploads};

/// The longest way ahead for which a campaign is made.
const LATEST: SignedDuration = SignedDuration::from_hours(24 * 365);
/// Makes campaigns. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Planner {
    uploader: Uploader,
    idempotency_keys: IdempotencyKeys,
    whatsapp: WhatsApp,
}

/// A campaign as its caller wants it.
#[derive(Clone, Debug, Serialize)]
pub struct Draft {
    /// The account to send from; `None` for the default.
    pub account_id: Option<AccountId>,
    /// What people call it.
    pub name: String,
    /// The template to send.
    pub template_name: String,
    /// The template's language.
    pub language: String,
    /// Which field of a recipient goes where in the template.
    pub parameter_mappings: Option<Map<String, Value>>,
    /// Whether it is sent even to contacts who opted out.
    pub despite_opt_out: bool,
    /// When it starts by itself.
    pub scheduled_at: Option<Timestamp>,
}

/// A campaign that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What the client reads.
    pub answer: Value,
    /// Whether an earlier request made it.
    pub replayed: bool,
}

impl Planner {
    /// Makes campaigns in a deployment's tables, with what `uploader` makes of their recipients.
    pub fn new(uploader: Uploader, database: &Database, whatsapp: WhatsApp) -> Self {
        Self { uploader, idempotency_keys: IdempotencyKeys::new(database), whatsapp }
    }

    /// Makes a campaign, once under an idempotency key, with the recipients that were uploaded with it. It is there with all
    /// of them or not at all.
    pub async fn create(
        &self,
        caller: &Caller,
        draft: Draft,
        uploaded: Uploaded<'_>,
        idempotency_key: Option<&IdempotencyKey>,
        time_left: Duration,
    ) -> Result<Made> {
        let Uploader { campaigns, accounts, country, clock, .. } = &self.uploader;
        let account = caller.account(accounts, draft.account_id)?;
        let now = clock.now();
        let raw = uploaded.rows()?;
        enough(time_left)?;
        let fingerprint = fingerprint(account.id, &draft, uploaded)?;
        let key = |id| idempotency_key.map(|key| claim(caller, key, fingerprint, id, now));
        if let Some(claim) = key(CampaignId(0))
            && let Some(standing) = self.idempotency_keys.get(&claim).await?
        {
            return self.replay(&claim, &standing).await;
        }
        check_schedule(draft.scheduled_at, now)?;
        let shape = templates::shape(&self.whatsapp, account, &draft.template_name, &draft.language).await;
        let mut form = Form::new(draft.parameter_mappings.as_ref(), shape.as_ref())?;
        form.learn(&raw);
        let sorted = rows::sort(&raw, 1, &form, country);
        let id = campaigns.next_id().await?;
        let added = within(time_left, self.uploader.write(id, 0, 0, &sorted)).await?;
        let new = NewCampaign {
            id,
            account_id: account.id,
            name: draft.name,
            template_name: draft.template_name,
            language: draft.language,
            form: form.to_json()?,
            despite_opt_out: draft.despite_opt_out,
            key_id: caller.key_id().to_owned(),
            answer: String::new(),
            created_at: now,
            scheduled_at: draft.scheduled_at,
        };
        let details = Details::of(&Campaign::begin(new.clone(), added), accounts, now)?;
        let uploads = Uploads::new(sorted.recipients.len(), sorted.doubles, sorted.wrong);
        let answer = answer(&details, &uploads)?;
        // The rows stand in rows of their own.
        let stored = self::answer(&details, &Uploads { double_rows: vec![], wrong_rows: vec![], ..uploads })?;
        let claim = key(id);
        let reservation = claim.as_ref().map(|claim| self.idempotency_keys.reservation(claim)).transpose()?;
        match (campaigns.create(NewCampaign { answer: stored.to_string(), ..new }, added, reservation).await?, claim) {
            (Some(_), _) => Ok(Made { answer, replayed: false }),
            // Another request with the same key was faster.
            (None, Some(claim)) => match self.idempotency_keys.get(&claim).await? {
                Some(standing) => self.replay(&claim, &standing).await,
                None => Err(Error::internal("an idempotency key stands for nothing")),
            },
            (None, None) => Err(Error::internal("a campaign without a key met one")),
        }
    }

    /// The answer to an earlier request with the same key.
    async fn replay(&self, claim: &Claim, standing: &Reservation) -> Result<Made> {
        let Uploader { campaigns, recipients, .. } = &self.uploader;
        let (true, Subject::CampaignId(id)) = (standing.is_for(claim), standing.subject) else {
            let message = "This Idempotency-Key was used for another request: take a new one";
            return Err(Error::new(Kind::KeyReused, message).code("idempotency_key_reused").retryable(false));
        };
        let campaign = campaigns.get(id).await?.ok_or_else(|| Error::internal("a campaign that was made is gone"))?;
        let mut answer: Value = serde_json::from_str(&campaign.new.answer).map_err(Error::internal)?;
        let rows = recipients.wrong(id, 0..campaign.wrong_parts).await?;
        let (doubles, wrong): (Vec<_>, Vec<_>) =
            rows.into_iter().filter(|row| row.upload == 1).partition(|row| row.code == "double");
        for (name, rows) in [("double_rows", doubles), ("wrong_rows", wrong)] {
            let rows: Vec<_> = rows.into_iter().map(RowProblem::from).collect();
            if let Some(member) = answer.pointer_mut(&format!("/upload/{name}")) {
                *member = serde_json::to_value(rows).map_err(Error::internal)?;
            }
        }
        Ok(Made { answer, replayed: true })
    }
}

/// What a client reads of a campaign that was made.
fn answer(details: &Details, uploads: &Uploads) -> Result<Value> {
    let mut answer = serde_json::to_value(details).map_err(Error::internal)?;
    let uploads = serde_json::to_value(uploads).map_err(Error::internal)?;
    if let Some(members) = answer.as_object_mut() {
        members.insert("upload".to_owned(), uploads);
    }
    Ok(answer)
}

fn check_schedule(scheduled_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    let Some(at) = scheduled_at else { return Ok(()) };
    let latest = now.saturating_add(LATEST).map_err(Error::internal)?;
    if (now..=latest).contains(&at) {
        return Ok(());
    }
    Err(Error::invalid_field("scheduled_at", "scheduled_at must lie in the future, and within a year"))
}

fn claim(caller: &Caller, key: &IdempotencyKey, fingerprint: [u8; 32], id: CampaignId, at: Timestamp) -> Claim {
    Claim { key_id: caller.key_id().to_owned(), key: key.clone(), fingerprint, subject: Subject::CampaignId(id), at }
}

/// What a request asks for, all of it.
fn fingerprint(account_id: AccountId, draft: &Draft, uploaded: Uploaded<'_>) -> Result<[u8; 32]> {
    let json = |value: &Value| serde_json::to_vec(value).map_err(Error::internal);
    let draft = serde_json::to_vec(draft).map_err(Error::internal)?;
    let hash = Sha256::new().chain_update(format!("campaign of {account_id}")).chain_update([0]).chain_update(draft);
    let hash = match uploaded {
        Uploaded::Json(None) => hash.chain_update([0]),
        Uploaded::Json(Some(list)) => hash.chain_update([1]).chain_update(json(list)?),
        Uploaded::Csv(bytes) => hash.chain_update([2]).chain_update(bytes),
    };
    Ok(hash.finalize().into())
}
