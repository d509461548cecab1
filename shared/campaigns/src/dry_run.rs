//! What would become of a campaign if it were started: nothing is written, and nothing is sent.

use std::time::{Duration, Instant};

use auth::Caller;
use domain::{Account, CampaignId, CampaignStep, Contact, Error, Result};
use serde::Serialize;
use storage::{Campaign, Recipient};
use utoipa::ToSchema;

use crate::found;
use crate::shape::Shape;
use crate::starter::Starter;
use crate::templates;
use crate::view::{RowProblem, moment, takes};

/// So many of those left out and of the wrong rows are named; all are counted.
const NAMED: usize = 1_000;
/// So many rows of wrong rows are read for that.
const PARTS: u32 = 10;
/// So many chunks are looked at together.
const READ_TOGETHER: u32 = 10;
/// What is kept back of the function's time for answering.
const ANSWERING_TIME: Duration = Duration::from_secs(5);

/// What would become of a campaign. `Serialize` gives it as clients read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CampaignDryRun)]
pub struct DryRun {
    /// Always `dry_run`.
    status: &'static str,
    /// The campaign.
    id: CampaignId,
    /// Whether it could be started.
    would_start: bool,
    /// To how many it would be sent, as far as they were looked at.
    would_send_count: i64,
    /// All its recipients.
    total_count: i64,
    /// How many were looked at: fewer than all where there is no time for more.
    checked_count: i64,
    /// Those who opted out or are blocked.
    left_out_count: i64,
    /// The first of them.
    left_out: Vec<LeftOutView>,
    /// Rows of people who stood there already.
    double_count: i64,
    /// The first of them.
    double_rows: Vec<RowProblem>,
    /// Rows that nobody can be written to for.
    wrong_count: i64,
    /// The first of them.
    wrong_rows: Vec<RowProblem>,
    /// How long it would take.
    estimated_seconds: u64,
    /// When it would be through if it were started now.
    estimated_end_at: String,
    /// What Meta says of the template.
    template: TemplateView,
    /// What may stand in its way.
    warnings: Vec<Warning>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LeftOut)]
struct LeftOutView {
    /// As digits.
    phone: String,
    /// As the row has it.
    #[schema(required)]
    name: Option<String>,
    /// Which upload, from 1.
    upload: u32,
    /// Their row in it.
    row: u32,
    /// `opted_out` or `blocked`.
    reason: &'static str,
}

/// What Meta says of the template; `null` is what it did not say.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Template)]
struct TemplateView {
    /// Its name.
    name: String,
    /// Its language.
    language: String,
    /// `APPROVED`, …
    #[schema(required)]
    status: Option<String>,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    #[schema(required)]
    category: Option<String>,
}

/// What stands, or may stand, in the way.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Warning {
    /// A stable word.
    code: &'static str,
    /// For people.
    message: String,
}

impl Starter {
    /// Tells what would become of a campaign if it were started now.
    pub async fn dry_run(&self, caller: &Caller, id: CampaignId, time_left: Duration) -> Result<DryRun> {
        let begun = Instant::now();
        let campaign = found::campaign(&self.controls.campaigns, &self.controls.accounts, caller, id).await?;
        let account = caller.account(&self.controls.accounts, Some(campaign.new.account_id))?;
        let (name, language) = (&campaign.new.template_name, &campaign.new.language);
        let time = time_left.saturating_sub(ANSWERING_TIME);
        let parts = campaign.wrong_parts.min(PARTS);
        let (shape, rows, looked) = futures::join!(
            Box::pin(templates::shape(&self.whatsapp, account, name, language)),
            Box::pin(self.recipients.wrong(id, 0..parts)),
            Box::pin(self.look(&campaign, account, begun, time)),
        );
        let (checked_count, left_out_count, left_out) = looked?;
        let (doubles, wrong): (Vec<_>, Vec<_>) = rows?.into_iter().partition(|row| row.code == "double");
        let named = |rows: Vec<_>| rows.into_iter().take(NAMED).map(RowProblem::from).collect();
        let would_send_count = checked_count - left_out_count;
        let now = self.controls.clock.now();
        let takes = takes(campaign.counts.total - left_out_count, None, account.messages_per_second);
        let warnings = warnings(&campaign, shape.as_ref(), checked_count);
        let may_start = CampaignStep::Start.leads_to(campaign.status).is_some() && campaign.counts.total > 0;
        Ok(DryRun {
            status: "dry_run",
            id,
            would_start: may_start && shape.as_ref().is_none_or(Shape::is_approved),
            would_send_count,
            total_count: campaign.counts.total,
            checked_count,
            left_out_count,
            left_out,
            double_count: campaign.double_count,
            double_rows: named(doubles),
            wrong_count: campaign.wrong_count,
            wrong_rows: named(wrong),
            estimated_seconds: takes.as_secs() + u64::from(takes.subsec_nanos() > 0),
            estimated_end_at: moment(now.saturating_add(takes).map_err(Error::internal)?),
            template: TemplateView {
                name: name.clone(),
                language: language.clone(),
                status: shape.as_ref().map(|shape| shape.status.clone()),
                category: shape.map(|shape| shape.category),
            },
            warnings,
        })
    }

    /// How many were looked at, how many of them would be left out, and the first of these.
    async fn look(
        &self,
        campaign: &Campaign,
        account: &Account,
        begun: Instant,
        time: Duration,
    ) -> Result<(i64, i64, Vec<LeftOutView>)> {
        let (mut checked, mut count, mut named) = (0, 0, Vec::new());
        let mut first = 0;
        while first < campaign.chunk_count && begun.elapsed() < time {
            let last = campaign.chunk_count.min(first + READ_TOGETHER);
            let chunks = self.recipients.of_chunks(campaign.new.id, first..last).await?;
            let people: Vec<(&Recipient, Contact)> = chunks
                .values()
                .flatten()
                .filter_map(|recipient| Some((recipient, Contact::of_number(&recipient.phone)?)))
                .collect();
            let contacts: Vec<_> = people.iter().map(|(_, contact)| contact).collect();
            let known = self.contacts.known(account.id, &contacts).await?;
            for ((recipient, _), known) in people.iter().zip(known) {
                checked += 1;
                let Some(why) = outbox::LeftOut::of(&known, campaign.new.despite_opt_out) else { continue };
                count += 1;
                if named.len() < NAMED {
                    let Recipient { phone, name, upload, row, .. } = (*recipient).clone();
                    named.push(LeftOutView { phone, name, upload, row, reason: why.as_str() });
                }
            }
            first = last;
        }
        Ok((checked, count, named))
    }
}

fn warnings(campaign: &Campaign, shape: Option<&Shape>, checked_count: i64) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, message| warnings.push(Warning { code, message });
    if CampaignStep::Start.leads_to(campaign.status).is_none() {
        warn("wrong_status", format!("This campaign is {}, and can't be started.", campaign.status.as_str()));
    }
    if campaign.counts.total == 0 {
        warn("no_recipients", "This campaign has no recipients yet.".to_owned());
    }
    match shape {
        None => warn(
            "template_unknown",
            "WhatsApp does not tell of such a template: whether it is approved and what it asks for is not known."
                .to_owned(),
        ),
        Some(shape) if !shape.is_approved() => {
            warn(
                "template_not_approved",
                format!("The template is {}, and only an approved one can be sent.", shape.status),
            );
        }
        Some(_) => {}
    }
    if checked_count < campaign.counts.total {
        let message = format!("Only the first {checked_count} recipients were looked at: there is no time for more.");
        warn("not_all_checked", message);
    }
    warnings
}
