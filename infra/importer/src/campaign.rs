//! Campaigns and their recipients.

use std::hash::{DefaultHasher, Hash, Hasher};

use campaigns::Filling;
use domain::{CampaignId, CampaignStatus, Contact, Error, Kind, Member, MessageId, RecipientRef, SendState};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use storage::{CampaignBefore, Chat, Mark, NewCampaign, NewMessage, Recipient, SentBefore, Status};

use crate::known::{Belongs, Known};
use crate::message::KEY_ID;
use crate::report::Report;
use crate::row::{Fault, Row};

pub(crate) const MODEL: &str = "whatsappcampaign";
pub(crate) const RECIPIENT: &str = "whatsappcampaignrecipient";
const LONGEST_NAME: usize = 255;
/// Of a recipient's values, in bytes: a hundred recipients stand in a row of 400 KB.
const LONGEST_VALUES: usize = 2_000;
/// Of what Meta said of a failure, in characters.
const LONGEST_ERROR: usize = 1_000;
/// By what a failure is counted of which no code is known.
const NO_CODE: &str = "no_code";

/// A campaign of the file, and how far its recipients have been read.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    pub(crate) campaign: CampaignBefore,
    filling: Filling,
    /// What the campaign's own columns say was sent.
    sent_count: i64,
    /// What its recipients say.
    pub(crate) counted_sent: i64,
    /// So many recipients were read.
    next: u32,
}

/// A recipient, where they stand in their campaign, and the message that they got.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) chunk: u32,
    pub(crate) recipient: Recipient,
    pub(crate) marks: Vec<(Mark, Member)>,
    pub(crate) message: SentBefore,
}

/// Reads a campaign. `Ok(None)`: it does not come over, which is noted.
pub(crate) fn read(row: &Row, known: &Known, now: Timestamp, report: &mut Report) -> Result<Option<Before>, Fault> {
    let belongs = known.account(row, None)?;
    let created_at = row.required_moment("created_at")?;
    let (scheduled_at, started_at) = (row.moment("scheduled_at")?, row.moment("started_at")?);
    let ended_at = row.moment("completed_at")?;
    let sent_count = row.count("sent_count")?;
    let template = row.integer("template")?.and_then(|pk| known.templates.get(&pk)).cloned();
    let status = status(row, scheduled_at, now, report)?;
    let Belongs::To(account_id) = belongs else {
        report.passed_over(MODEL, row.pk, "its account is left out");
        return Ok(None);
    };
    if template.is_none() {
        report.note(&format!("{MODEL}: its template is gone"), row.pk);
    }
    let (template_name, language) = template.unwrap_or_default();
    let none = Map::new();
    let filling = Filling::new(row.object("parameter_mappings").unwrap_or(&none)).unwrap_or_else(|_| {
        report.note(&format!("{MODEL}: parameter_mappings fills in no template that the gateway could send"), row.pk);
        Filling::default()
    });
    let new = NewCampaign {
        id: CampaignId(row.pk),
        account_id,
        name: row.text("name")?.chars().take(LONGEST_NAME).collect(),
        template_name,
        language: if language.is_empty() { "en".to_owned() } else { language },
        form: filling.to_json().map_err(|_| Fault::new("parameter_mappings", "can't be kept"))?,
        despite_opt_out: false,
        key_id: KEY_ID.to_owned(),
        answer: "{}".to_owned(),
        created_at,
        scheduled_at,
    };
    let campaign = CampaignBefore { new, status, started_at, ended_at };
    Ok(Some(Before { campaign, filling, sent_count, counted_sent: 0, next: 0 }))
}

/// What a campaign is here. The reference picks recipients when it sends: none of its campaigns goes on by itself here.
fn status(
    row: &Row,
    scheduled_at: Option<Timestamp>,
    now: Timestamp,
    report: &mut Report,
) -> Result<CampaignStatus, Fault> {
    let mut note = |what: &str| report.note(&format!("{MODEL}: {what}"), row.pk);
    Ok(match row.text("status")? {
        "draft" => {
            note("is a draft, without its audience: add recipients before starting it");
            CampaignStatus::Draft
        }
        "scheduled" if scheduled_at.is_some_and(|at| now < at) => {
            note("is scheduled, without its audience: add recipients before its time");
            CampaignStatus::Scheduled
        }
        "scheduled" => {
            note("was scheduled for a time that has passed: it is a draft");
            CampaignStatus::Draft
        }
        "running" => {
            note("was running: it is cancelled, and completed if it is imported again once it has ended there");
            CampaignStatus::Cancelled
        }
        "paused" => CampaignStatus::Paused,
        "completed" => CampaignStatus::Completed,
        "failed" => CampaignStatus::Failed,
        _ => return Err(Fault::new("status", "is none that is known")),
    })
}

impl Before {
    /// Its recipients are about to be read once more.
    pub(crate) fn begin_again(&mut self) {
        (self.next, self.counted_sent) = (0, 0);
    }

    /// What its counts say that its recipients do not.
    pub(crate) fn check_counts(&self, pk: i64, report: &mut Report) {
        if self.sent_count != self.counted_sent {
            report.note(&format!("{MODEL}: sent_count is not what its recipients say, by whom it is counted here"), pk);
        }
    }
}

/// Reads a recipient, the next of their campaign. `Ok(None)`: their campaign does not come over.
pub(crate) fn recipient(row: &Row, known: &mut Known, report: &mut Report) -> Result<Option<Placed>, Fault> {
    let campaign = row.integer("campaign")?.ok_or_else(|| Fault::new("campaign", "is empty"))?;
    let (contact, phone) = known.contact(row, "phone_number")?;
    let name: String = row.text("name")?.chars().take(LONGEST_NAME).collect();
    let name = Some(name).filter(|name| !name.is_empty());
    let wamid = row.id("message_id")?.map(str::to_owned);
    let sent_at = row.moment("sent_at")?;
    let word = row.text("status")?.to_owned();
    let error: String = row.text("error_message")?.chars().take(LONGEST_ERROR).collect();
    let is_again = !known.seen_recipients.insert(fingerprint(campaign, &contact));
    let Some(before) = known.campaigns.get_mut(&campaign) else {
        report.passed_over(RECIPIENT, row.pk, "their campaign does not come over");
        return Ok(None);
    };
    let (index, chunk) = (before.next % Member::MOST, before.next / Member::MOST);
    before.next += 1;
    let id = CampaignId(campaign);
    let member = Member::new(index, 0).ok_or_else(|| Fault::new("campaign", "has too many recipients"))?;
    let values = values(row, before, name.as_deref(), &phone, report);
    let fate = Fate::read(&word, wamid.as_deref(), &error, row.pk, report);
    before.counted_sent += i64::from(fate.marks.contains(&Mark::Sent));
    let new = &before.campaign.new;
    let at = sent_at.or(before.campaign.started_at).unwrap_or(new.created_at);
    let mut template = json!({"name": new.template_name, "language": {"code": new.language}});
    let components = before.filling.components(&values);
    if let (false, Some(template)) = (components.is_empty(), template.as_object_mut()) {
        template.insert("components".to_owned(), components.into());
    }
    let content = json!({"messaging_product": "whatsapp", "to": phone, "type": "template", "template": template});
    if is_again {
        report.note(&format!("{RECIPIENT}: is in the campaign twice, and counts twice as there"), row.pk);
    }
    let message = SentBefore {
        new: NewMessage {
            // A person's second message can't have the id of the first.
            id: if is_again {
                MessageId::taken_over(&format!("recipient {}", row.pk))
            } else {
                MessageId::in_campaign(id, &contact, 0)
            },
            account_id: new.account_id,
            phone: phone.clone(),
            key_id: KEY_ID.to_owned(),
            content: content.to_string(),
            created_at: at,
            deadline_at: at,
            campaign: Some(RecipientRef { campaign_id: id, chunk, member }),
        },
        chat: Chat { account_id: new.account_id, contact },
        wamid,
        state: fate.state,
        failure: fate.failure.map(|error| error.public().clone()),
        status: fate.status,
    };
    let recipient = Recipient { phone, name, values, upload: 1, row: before.next };
    let marks = fate.marks.into_iter().map(|mark| (mark, member)).collect();
    Ok(Some(Placed { chunk, recipient, marks, message }))
}

/// What the recipient's template was filled in with.
fn values(row: &Row, before: &Before, name: Option<&str>, phone: &str, report: &mut Report) -> Vec<String> {
    let none = Map::new();
    let parameters = row.object("parameters").unwrap_or(&none);
    // As the reference does: what is empty among the parameters is looked for beside them.
    let parameter = |field: &str| {
        let text = match parameters.get(field)? {
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(false) => return None,
            other => other.to_string(),
        };
        Some(text).filter(|text| !text.is_empty())
    };
    let beside = |field: &str| match field {
        "name" => name.map(str::to_owned),
        "phone" => Some(phone.to_owned()),
        _ => None,
    };
    let values = before.filling.values(|field| parameter(field).or_else(|| beside(field)));
    if values.iter().map(String::len).sum::<usize>() <= LONGEST_VALUES {
        return values;
    }
    report.note(&format!("{RECIPIENT}: parameters are too long to be kept"), row.pk);
    vec![String::new(); values.len()]
}

/// What became of a recipient.
struct Fate {
    marks: Vec<Mark>,
    state: SendState,
    status: Option<Status>,
    failure: Option<Error>,
}

impl Fate {
    fn read(word: &str, wamid: Option<&str>, error: &str, pk: i64, report: &mut Report) -> Self {
        let taken = |marks: &[Mark], status: Option<Status>| Self {
            marks: [&[Mark::Sent], marks].concat(),
            state: SendState::Accepted,
            status,
            failure: None,
        };
        match (Status::parse(word), wamid) {
            (Some(Status::Sent), _) => taken(&[], None),
            (Some(Status::Delivered), _) => taken(&[Mark::Delivered], Some(Status::Delivered)),
            (Some(status @ (Status::Read | Status::Played)), _) => taken(&[Mark::Delivered, Mark::Read], Some(status)),
            (Some(Status::Failed), Some(_)) => taken(&[Mark::Failed(code(error))], Some(Status::Failed)),
            (Some(Status::Failed), None) => {
                let words = if error.is_empty() { "It was not sent" } else { error };
                Self {
                    marks: vec![Mark::Failed(code(error))],
                    state: SendState::Rejected,
                    status: None,
                    failure: Some(Error::new(Kind::UpstreamFailed, words).code("failed")),
                }
            }
            // A row that was never written to again: nobody knows whether Meta was called.
            (None, None) => {
                report.note(&format!("{RECIPIENT}: it is not known whether they were written to"), pk);
                Self { marks: vec![Mark::Unknown], state: SendState::Unknown, status: None, failure: None }
            }
            (None, Some(_)) => {
                report.note(&format!("{RECIPIENT}: their status is none that is known here: it counts as sent"), pk);
                taken(&[], None)
            }
        }
    }
}

/// Meta's code, which begins its words: `(#131026) Message undeliverable`.
fn code(error: &str) -> String {
    let code = error.split_once("(#").and_then(|(_, rest)| rest.split_once(')')).map(|(code, _)| code);
    let is_code = |code: &&str| (1..=9).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
    code.filter(is_code).unwrap_or(NO_CODE).to_owned()
}

/// A number that stands for a person in a campaign: of millions, all must be remembered. Were it the same for two, one's
/// message would only have another id.
fn fingerprint(campaign: i64, contact: &Contact) -> u64 {
    let mut hasher = DefaultHasher::new();
    (campaign, contact).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_counted_by_the_code_that_meta_named() {
        assert_eq!(code("(#131026) Message undeliverable"), "131026");
        assert_eq!(code("Bad: (#130429) x (Details: (#1) y)"), "130429");
        for odd in ["", "(#)", "(#12", "(#1a)", "(#12345678901)", "HTTPSConnectionPool(host='x')", "(#é)"] {
            assert_eq!(code(odd), NO_CODE, "{odd}");
        }
    }
}
