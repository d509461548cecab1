//! Starts campaigns.

use auth::Caller;
use domain::{CampaignId, CampaignStep, Error, Kind, Result};
use storage::{Campaign, Contacts, Database, Recipients};
use whatsapp::WhatsApp;

use crate::controls::{Controls, step};
use crate::found::{self, wrong_status};
use crate::templates;
use crate::view::Details;

/// Starts campaigns, or tells what would become of them: what asks Meta for their templates. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Starter {
    pub(crate) controls: Controls,
    pub(crate) recipients: Recipients,
    pub(crate) contacts: Contacts,
    pub(crate) whatsapp: WhatsApp,
}

impl Starter {
    /// Starts campaigns in a deployment's tables, which `controls` then sets going.
    pub fn new(controls: Controls, database: &Database, whatsapp: WhatsApp) -> Self {
        Self { controls, recipients: Recipients::new(database), contacts: Contacts::new(database), whatsapp }
    }

    /// Starts a campaign now.
    pub async fn start(&self, caller: &Caller, id: CampaignId) -> Result<Details> {
        let campaign = found::campaign(&self.controls.campaigns, &self.controls.accounts, caller, id).await?;
        let needs = "only one that has not begun can be started";
        if CampaignStep::Start.leads_to(campaign.status).is_none() {
            return Err(wrong_status(campaign.status, needs));
        }
        if campaign.counts.total == 0 {
            let error = Error::new(Kind::Conflict, "This campaign has no recipients: add some first");
            return Err(error.code("no_recipients").retryable(false));
        }
        self.check_template(&campaign).await?;
        let started = step(&self.controls.campaigns, id, CampaignStep::Start, needs, &self.controls.clock).await?;
        self.controls.set_going(&started).await
    }

    async fn check_template(&self, campaign: &Campaign) -> Result<()> {
        let account = self.controls.accounts.find(Some(campaign.new.account_id));
        let account = account.ok_or_else(|| Error::internal("a campaign of no account"))?;
        let (name, language) = (&campaign.new.template_name, &campaign.new.language);
        match templates::shape(&self.whatsapp, account, name, language).await {
            Some(shape) if !shape.is_approved() => {
                let message = format!(
                    "The template {name} ({language}) is {}, and only an approved one can be sent",
                    shape.status
                );
                Err(Error::new(Kind::Conflict, message).code("template_not_approved").retryable(false))
            }
            _ => Ok(()),
        }
    }
}
