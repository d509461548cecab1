//! The campaign that a request names.

use auth::Caller;
use domain::{Accounts, CampaignId, CampaignStatus, Error, Kind, Result};
use storage::{Campaign, Campaigns};

/// Reads the campaign that a request names, as it is now. One that is not there and one of an account that the caller may not
/// use are the same to the caller: not found.
pub(crate) async fn campaign(
    campaigns: &Campaigns,
    accounts: &Accounts,
    caller: &Caller,
    id: CampaignId,
) -> Result<Campaign> {
    let campaign = campaigns.get(id).await?.ok_or_else(|| not_found(id))?;
    match caller.account(accounts, Some(campaign.new.account_id)) {
        Ok(_) => Ok(campaign),
        Err(_) => Err(not_found(id)),
    }
}

/// Reads the id of a campaign out of a path. What is no number is no campaign's.
pub fn id(text: &str) -> Result<CampaignId> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let id = text.parse().ok().filter(|_| is_plain).map(CampaignId);
    id.ok_or_else(|| no_campaign("There is no campaign with such an id: it is a whole number"))
}

pub(crate) fn not_found(id: CampaignId) -> Error {
    no_campaign(&format!("There is no campaign with the id {id}"))
}

fn no_campaign(message: &str) -> Error {
    Error::new(Kind::NotFound, message).code("campaign_not_found").retryable(false)
}

/// The campaign's status does not allow what the request wants.
pub(crate) fn wrong_status(status: CampaignStatus, what: &str) -> Error {
    let message = format!("This campaign is {}: {what}", status.as_str());
    Error::new(Kind::Conflict, message).code("wrong_status").retryable(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_whole_number_is_no_campaign() {
        assert_eq!(id("1017").unwrap(), CampaignId(1017));
        for odd in ["", "0", "007", "+7", "-7", "7 ", "7.0", "x", "٧", "99999999999999999999", "7/start"] {
            assert_eq!(id(odd).unwrap_err().kind(), Kind::NotFound, "{odd}");
        }
    }
}
