//! A campaign as clients read it.

use std::time::Duration;

use domain::{AccountId, Accounts, CampaignId, CampaignStatus, Error, Result, SendRate};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use storage::{Campaign, Counts, Wrong};
use utoipa::ToSchema;

use crate::form::Form;

/// A campaign in a list. The first members are those of the reference.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Campaign)]
pub struct Summary {
    /// Its id.
    id: CampaignId,
    /// What people call it.
    name: String,
    /// Where it stands.
    status: CampaignStatus,
    /// Those whose message Meta took; only grows.
    sent_count: i64,
    /// Those whose message Meta refused, or could not deliver.
    failed_count: i64,
    /// When it was made.
    created_at: String,
    /// All its recipients.
    total_count: i64,
    /// Those who are still to be written to.
    pending_count: i64,
    /// Those whose message arrived; only grows.
    delivered_count: i64,
    /// Those who read it; only grows.
    read_count: i64,
    /// Those of whom Meta did not say whether it took their message.
    unknown_count: i64,
    /// Those who opted out or are blocked.
    left_out_count: i64,
}

/// All that is known of a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CampaignDetails)]
pub struct Details {
    #[serde(flatten)]
    summary: Summary,
    /// The account that sends it.
    account_id: AccountId,
    /// The template.
    template_name: String,
    /// The template's language.
    language: String,
    /// Which field of a recipient goes where in the template.
    #[schema(value_type = Object)]
    parameter_mappings: Map<String, Value>,
    /// Whether it is sent even to contacts who opted out.
    despite_opt_out: bool,
    /// When it starts by itself.
    #[schema(required)]
    scheduled_at: Option<String>,
    /// When it was started.
    #[schema(required)]
    started_at: Option<String>,
    /// When it ended.
    #[schema(required)]
    completed_at: Option<String>,
    /// `null` unless it is paused.
    #[schema(required)]
    paused: Option<Paused>,
    /// Rows of people who stood there already.
    double_count: i64,
    /// Rows that nobody can be written to for.
    wrong_count: i64,
    /// Messages a second, while it runs.
    #[schema(required)]
    rate_per_second: Option<f64>,
    /// When it will be through, at that rate.
    #[schema(required)]
    estimated_end_at: Option<String>,
    /// Why messages failed, by Meta's codes.
    errors: Vec<FailuresByCode>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Paused {
    /// When.
    #[schema(required)]
    at: Option<String>,
    /// `null` where a person did it.
    #[schema(required)]
    code: Option<String>,
    /// For people.
    #[schema(required)]
    error: Option<String>,
    /// Meta's own error object.
    #[schema(required)]
    meta: Option<Value>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct FailuresByCode {
    /// Meta's number, or a word of ours.
    code: String,
    /// How many.
    count: i64,
    /// When it was told last.
    #[schema(required)]
    last_at: Option<String>,
    /// For people.
    error: &'static str,
    /// What helps.
    what_to_do: &'static str,
    /// Whether `retry-failed` tries them again by itself.
    retryable: bool,
}

/// What an upload added.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Uploads {
    /// Recipients that were added.
    pub(crate) added_count: usize,
    /// Rows of people who stood there already.
    pub(crate) double_count: usize,
    /// Rows that nobody can be written to for.
    pub(crate) wrong_count: usize,
    /// The first of the doubles.
    pub(crate) double_rows: Vec<RowProblem>,
    /// The first of the wrong rows.
    pub(crate) wrong_rows: Vec<RowProblem>,
}

/// Why nobody is written to for a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowProblem {
    /// Which upload, from 1.
    upload: u32,
    /// The line of the file, or the place in the list.
    row: u32,
    /// A stable word.
    code: String,
    /// For people.
    error: String,
}

impl From<Wrong> for RowProblem {
    fn from(Wrong { upload, row, code, error }: Wrong) -> Self {
        Self { upload, row, code, error }
    }
}

impl From<&Campaign> for Summary {
    fn from(campaign: &Campaign) -> Self {
        let Counts { total, pending, sent, delivered, read, failed, unknown, left_out, .. } = campaign.counts;
        Self {
            id: campaign.new.id,
            name: campaign.new.name.clone(),
            status: campaign.status,
            sent_count: sent,
            failed_count: failed,
            created_at: moment(campaign.new.created_at),
            total_count: total,
            pending_count: pending,
            delivered_count: delivered,
            read_count: read,
            unknown_count: unknown,
            left_out_count: left_out,
        }
    }
}

impl Details {
    pub(crate) fn of(campaign: &Campaign, accounts: &Accounts, now: Timestamp) -> Result<Self> {
        let is_paused = campaign.status == CampaignStatus::Paused;
        let rate = rate_per_second(campaign, now);
        let pending = campaign.counts.pending;
        let send_rate = accounts.find(Some(campaign.new.account_id)).map(|account| account.messages_per_second);
        let estimated = (campaign.status == CampaignStatus::Running && pending > 0)
            .then(|| takes(pending, rate, send_rate.unwrap_or_default()));
        let estimated_end_at = match estimated {
            Some(takes) => Some(now.saturating_add(takes).map_err(Error::internal)?),
            None => None,
        };
        let mut errors: Vec<_> = campaign
            .failures
            .iter()
            .map(|(code, failure)| {
                let advice = meta_errors::advice(code.parse().unwrap_or(i64::MIN));
                FailuresByCode {
                    code: code.clone(),
                    count: failure.count,
                    last_at: failure.last_at.map(moment),
                    error: advice.reason,
                    what_to_do: advice.what_to_do,
                    retryable: advice.retryable,
                }
            })
            .collect();
        errors.sort_by_key(|failures| std::cmp::Reverse(failures.count));
        let paused = is_paused.then(|| {
            let because = campaign.paused_because();
            Paused {
                at: campaign.paused_at.map(moment),
                code: because.as_ref().and_then(|error| error.code.as_ref().map(ToString::to_string)),
                error: because.as_ref().map(|error| error.message.clone()),
                meta: because.and_then(|error| error.meta),
            }
        });
        Ok(Self {
            summary: campaign.into(),
            account_id: campaign.new.account_id,
            template_name: campaign.new.template_name.clone(),
            language: campaign.new.language.clone(),
            parameter_mappings: Form::from_json(&campaign.new.form)?.mappings(),
            despite_opt_out: campaign.new.despite_opt_out,
            scheduled_at: campaign.new.scheduled_at.map(moment),
            started_at: campaign.started_at.map(moment),
            completed_at: campaign.ended_at.map(moment),
            paused,
            double_count: campaign.double_count,
            wrong_count: campaign.wrong_count,
            rate_per_second: rate.map(|rate| (rate * 10.0).round() / 10.0),
            estimated_end_at: estimated_end_at.map(moment),
            errors,
        })
    }
}

impl Uploads {
    pub(crate) fn new(added_count: usize, doubles: Vec<Wrong>, wrong: Vec<Wrong>) -> Self {
        let problems = |rows: Vec<Wrong>| rows.into_iter().map(RowProblem::from).collect();
        Self {
            added_count,
            double_count: doubles.len(),
            wrong_count: wrong.len(),
            double_rows: problems(doubles),
            wrong_rows: problems(wrong),
        }
    }
}

/// How fast a running campaign has been of late. `None`: it does not run, or not long enough to tell, or nobody is left.
fn rate_per_second(campaign: &Campaign, now: Timestamp) -> Option<f64> {
    let sample = campaign.sample().filter(|_| campaign.counts.pending > 0)?;
    let seconds = now.duration_since(sample.at).as_secs_f64();
    let messages = u32::try_from(sample.pending - campaign.counts.pending).ok()?;
    (seconds >= 1.0).then(|| f64::from(messages) / seconds)
}

/// How long so many messages take, as fast as it was of late or else as fast as the number may send.
pub(crate) fn takes(messages: i64, rate_per_second: Option<f64>, send_rate: SendRate) -> Duration {
    let rate = rate_per_second.filter(|rate| *rate > 0.0).unwrap_or_else(|| f64::from(send_rate.per_second()));
    let messages = f64::from(u32::try_from(messages).unwrap_or(u32::MAX));
    // Not longer than anybody lives.
    let century = SignedDuration::from_hours(24 * 365 * 100).as_secs_f64();
    Duration::from_secs_f64((messages / rate).min(century))
}

/// A moment as clients read it: with milliseconds even where they are zero, as in the reference.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}
