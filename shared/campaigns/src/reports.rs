//! How far campaigns have come, and what became of each recipient.

use std::collections::BTreeMap;
use std::sync::Arc;

use auth::Caller;
use domain::{AccountId, Accounts, CampaignId, Clock, Contact, Error, Member, MessageId, Result};
use serde::Serialize;
use storage::{
    Campaign, Campaigns, Chunk, Chunks, Counts, Database, FailureCount, Message, Messages, Place, Recipient,
    Recipients, Standing,
};
use utoipa::ToSchema;

use crate::form::Form;
use crate::found;
use crate::view::{Details, Summary};

/// Of a campaign with so many chunks or fewer the counts are taken from the chunks themselves; of a larger one they are those
/// of the last minute.
const COUNTED_AT_ONCE: u32 = 100;
/// So many chunks are looked at for a page of recipients with one status: where they are seldom, a page may be short.
const SEARCHED: u32 = 1_000;
/// So many chunks are read with one call.
const READ_TOGETHER: u32 = 50;

/// Tells of campaigns. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Reports {
    campaigns: Campaigns,
    chunks: Chunks,
    recipients: Recipients,
    messages: Messages,
    accounts: Arc<Accounts>,
    clock: Clock,
}

/// A page of campaigns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CampaignPage {
    /// The newest first.
    campaigns: Vec<Summary>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A page of a campaign's recipients.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecipientPage {
    /// In the order of their rows.
    recipients: Vec<RecipientView>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A recipient as clients read them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Recipient)]
struct RecipientView {
    /// As digits.
    phone: String,
    /// As the row has it.
    #[schema(required)]
    name: Option<String>,
    /// `pending`, `sent`, `delivered`, `read`, `failed`, `unknown` or `left_out`.
    status: &'static str,
    /// Why they were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The values of the template's places.
    parameters: BTreeMap<String, String>,
    /// Which upload their row came with, from 1.
    upload: u32,
    /// Their row in it.
    row: u32,
    /// How often it was tried to write to them.
    attempts: u32,
    /// Our id of their message.
    #[schema(required)]
    message_id: Option<MessageId>,
    /// Meta's id of their message.
    #[schema(required)]
    wamid: Option<String>,
    /// Why their message failed.
    #[schema(required)]
    error: Option<FailureView>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RecipientFailure)]
struct FailureView {
    /// Meta's number, or a word of ours.
    code: String,
    /// For people.
    error: String,
    /// What helps.
    what_to_do: &'static str,
    /// Whether `retry-failed` tries it again by itself.
    retryable: bool,
}

/// Where a page of recipients begins: a chunk, and a recipient of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecipientPlace {
    chunk: u32,
    index: u32,
}

impl RecipientPlace {
    /// Reads what the page before gave. `None`: it is no place.
    pub fn parse(text: &str) -> Option<Self> {
        let (chunk, index) = text.split_once('.')?;
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        Some(Self { chunk: number(chunk)?, index: number(index)?.min(Member::MOST) })
    }

    fn as_text(self) -> String {
        format!("{}.{}", self.chunk, self.index)
    }
}

impl Reports {
    /// Tells of campaigns of a deployment's tables.
    pub fn new(database: &Database, accounts: Arc<Accounts>, clock: Clock) -> Self {
        Self {
            campaigns: Campaigns::new(database),
            chunks: Chunks::new(database),
            recipients: Recipients::new(database),
            messages: Messages::new(database),
            accounts,
            clock,
        }
    }

    /// At most `limit` campaigns of an account, newest first; behind the place `after`.
    pub async fn list(
        &self,
        caller: &Caller,
        account_id: Option<AccountId>,
        after: Option<&Place>,
        limit: i32,
    ) -> Result<CampaignPage> {
        let account = caller.account(&self.accounts, account_id)?;
        let page = self.campaigns.newest(account.id, after, limit).await?;
        let last = page.rows.last().filter(|_| !page.is_last);
        Ok(CampaignPage {
            next_cursor: last.map(|campaign| campaign.place().as_str().to_owned()),
            campaigns: page.rows.iter().map(Summary::from).collect(),
        })
    }

    /// All that is known of a campaign.
    pub async fn get(&self, caller: &Caller, id: CampaignId) -> Result<Details> {
        let mut campaign = found::campaign(&self.campaigns, &self.accounts, caller, id).await?;
        if campaign.chunk_count <= COUNTED_AT_ONCE {
            self.count(&mut campaign).await?;
        }
        Details::of(&campaign, &self.accounts, self.clock.now())
    }

    /// Puts what the chunks say at this moment in place of what the campaign counts.
    async fn count(&self, campaign: &mut Campaign) -> Result<()> {
        let now = self.clock.now();
        let mut counts = Counts::default();
        let mut failures: BTreeMap<String, i64> = BTreeMap::new();
        for chunk in self.chunks.get(campaign.new.id, 0..campaign.chunk_count).await? {
            let tally = chunk.tally(now);
            counts = counts.and(&tally.counts);
            for (code, count) in tally.failures {
                *failures.entry(code).or_default() += count;
            }
        }
        let known = std::mem::take(&mut campaign.failures);
        let last_at = |code: &str| known.get(code).and_then(|failure| failure.last_at);
        campaign.failures = failures
            .into_iter()
            .map(|(code, count)| (code.clone(), FailureCount { count, last_at: last_at(&code) }))
            .collect();
        campaign.counts = counts;
        Ok(())
    }

    /// At most `limit` recipients of a campaign in the order of their rows, perhaps only those with one status; from the
    /// place `from` on.
    pub async fn recipients(
        &self,
        caller: &Caller,
        id: CampaignId,
        status: Option<&str>,
        from: Option<RecipientPlace>,
        limit: usize,
    ) -> Result<RecipientPage> {
        let campaign = found::campaign(&self.campaigns, &self.accounts, caller, id).await?;
        let from = from.unwrap_or(RecipientPlace { chunk: 0, index: 0 });
        let (mut found, mut next) = (Vec::new(), None);
        let mut first = from.chunk;
        let end = campaign.chunk_count.min(from.chunk.saturating_add(SEARCHED));
        'search: while first < end {
            let last = end.min(first.saturating_add(READ_TOGETHER));
            for chunk in self.chunks.get(id, first..last).await? {
                let begins_at = if chunk.number == from.chunk { from.index } else { 0 };
                for member in chunk.members().filter(|member| member.index() >= begins_at) {
                    if status.is_some_and(|status| chunk.standing(member).as_str() != status) {
                        continue;
                    }
                    if found.len() == limit {
                        next = Some(RecipientPlace { chunk: chunk.number, index: member.index() });
                        break 'search;
                    }
                    found.push((chunk.clone(), member));
                }
            }
            first = last;
        }
        if next.is_none() && end < campaign.chunk_count {
            next = Some(RecipientPlace { chunk: end, index: 0 });
        }
        let recipients = self.views(&campaign, &found).await?;
        Ok(RecipientPage { recipients, next_cursor: next.map(RecipientPlace::as_text) })
    }

    async fn views(&self, campaign: &Campaign, found: &[(Chunk, Member)]) -> Result<Vec<RecipientView>> {
        let id = campaign.new.id;
        let form = Form::from_json(&campaign.new.form)?;
        let mut numbers: Vec<_> = found.iter().map(|(chunk, _)| chunk.number).collect();
        numbers.dedup();
        let people = self.recipients.of_chunks(id, numbers).await?;
        let person = |(chunk, member): &(Chunk, Member)| {
            let recipient = people.get(&chunk.number)?.get(usize::try_from(member.index()).ok()?)?;
            Some((recipient, Contact::of_number(&recipient.phone)?))
        };
        let known: Vec<_> =
            found.iter().map(person).collect::<Option<_>>().ok_or_else(|| Error::internal("a recipient is gone"))?;
        // Nothing was sent to the others.
        let message_id = |contact: &Contact, member: &Member| MessageId::in_campaign(id, contact, member.attempt());
        let wanted = found.iter().zip(&known).filter(|((chunk, member), _)| {
            !matches!(chunk.standing(*member), Standing::Pending | Standing::LeftOut(_))
        });
        let ids = wanted.map(|((_, member), (_, contact))| message_id(contact, member));
        let messages = self.messages.many(ids).await?;
        let views = found.iter().zip(&known).map(|((chunk, member), (recipient, contact))| {
            let message = messages.get(&message_id(contact, member));
            RecipientView::new(chunk.standing(*member), *member, recipient, &form, message)
        });
        Ok(views.collect())
    }
}

impl RecipientView {
    fn new(
        standing: Standing<'_>,
        member: Member,
        recipient: &Recipient,
        form: &Form,
        message: Option<&Message>,
    ) -> Self {
        let error = match standing {
            Standing::Failed(code) => {
                let advice = meta_errors::advice(code.parse().unwrap_or(i64::MIN));
                let told = message.and_then(Message::failure).map(|failure| failure.message);
                Some(FailureView {
                    code: code.to_owned(),
                    error: told.unwrap_or_else(|| advice.reason.to_owned()),
                    what_to_do: advice.what_to_do,
                    retryable: advice.retryable,
                })
            }
            _ => None,
        };
        Self {
            phone: recipient.phone.clone(),
            name: recipient.name.clone(),
            status: standing.as_str(),
            reason: match standing {
                Standing::LeftOut(why) => Some(why.to_owned()),
                _ => None,
            },
            parameters: form.parameters(&recipient.values),
            upload: recipient.upload,
            row: recipient.row,
            attempts: member.attempt() + u32::from(!matches!(standing, Standing::Pending | Standing::LeftOut(_))),
            message_id: message.map(|message| message.new.id),
            wamid: message.and_then(|message| message.wamid.clone()),
            error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_it_was_and_what_is_none_is_refused() {
        for place in [RecipientPlace { chunk: 0, index: 0 }, RecipientPlace { chunk: 99_999, index: 99 }] {
            assert_eq!(RecipientPlace::parse(&place.as_text()), Some(place));
        }
        for odd in ["", ".", "1", "1.", ".1", "-1.2", "1.+2", "1.2.3", "99999999999.1", "1767323045678#9"] {
            assert_eq!(RecipientPlace::parse(odd), None, "{odd}");
        }
    }
}
