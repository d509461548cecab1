//! Reads all of the file before anything of it is written: what can't be taken is told, and what belongs together is learnt.

use std::path::Path;

use domain::Accounts;
use jiff::Timestamp;
use keys::{Found, Problem};

use crate::dump::{self, Go, RawRow};
use crate::known::{Belongs, Known};
use crate::report::Report;
use crate::row::{self, Fault, Row};
use crate::settings::Settings;
use crate::{campaign, message, people};

pub(crate) const ACCOUNT: &str = "whatsappaccount";
pub(crate) const KEY: &str = "whatsappapikey";
pub(crate) const BLOCKED: &str = "whatsappblockeduser";
const CONTACT: &str = "whatsappcontact";
const CONVERSATION: &str = "whatsappconversation";
const TEMPLATE: &str = "whatsapptemplate";
/// What comes over.
const TAKEN: [&str; 7] = [KEY, CONTACT, CONVERSATION, message::MODEL, BLOCKED, campaign::MODEL, campaign::RECIPIENT];

/// Reads the file three times over: what others refer to; what has few rows; and what may have millions.
pub(crate) fn survey(
    settings: &Settings,
    accounts: &Accounts,
    now: Timestamp,
    report: &mut Report,
) -> Result<Known, Problem> {
    if let Some(id) = settings.account_of_the_rest.filter(|id| accounts.find(Some(*id)).is_none()) {
        return Err(Problem::new(format!("--account-of-the-rest: the gateway has no account {id}")));
    }
    let country = settings.default_country_code.clone();
    let mut known = Known::new(accounts, settings.account_of_the_rest, country);
    let mut strangers = Vec::new();
    each(&settings.file, |name, raw| refer(settings, accounts, &mut known, report, &mut strangers, name, raw))?;
    if !strangers.is_empty() {
        return Err(Problem::new(format!(
            "the gateway has no account for {}: add it to the gateway's accounts, or leave it out with --leave-out. Nothing was \
             written",
            strangers.join(", ")
        )));
    }
    each(&settings.file, |name, raw| {
        let learnt = match name {
            KEY => key(raw, settings.allow_weak).map(|_| ()),
            CONTACT => Row::read(raw).and_then(|row| people::contact(&row, &mut known, report)),
            CONVERSATION => Row::read(raw).and_then(|row| people::conversation(&row, &mut known, report)),
            BLOCKED => Row::read(raw).and_then(|row| people::blocked(&row, &known, report).map(|_| ())),
            campaign::MODEL => Row::read(raw).and_then(|row| {
                let read = campaign::read(&row, &known, now, report)?;
                known.campaigns.extend(read.map(|read| (row.pk, read)));
                Ok(())
            }),
            _ => return Ok(()),
        };
        told(report, name, raw, learnt)
    })?;
    each(&settings.file, |name, raw| {
        let learnt = match name {
            message::MODEL => Row::read(raw).and_then(|row| {
                // Also one that does not come over may be answered.
                if let (Some(wamid), Some(answered)) = (row.id("message_id")?, known.answered.get_mut(&row.pk)) {
                    *answered = Some(wamid.to_owned());
                }
                let Some(read) = message::read(&row, &known, report)? else { return Ok(()) };
                let (phone, at, wamid) = match &read {
                    message::Message::Received(received) => {
                        (&received.phone, received.at, Some(received.wamid.as_str()))
                    }
                    message::Message::Sent(sent) => (&sent.new.phone, sent.new.created_at, None),
                };
                known.heard_of(read.chat(), phone, at, wamid);
                Ok(())
            }),
            campaign::RECIPIENT => {
                Row::read(raw).and_then(|row| campaign::recipient(&row, &mut known, report).map(|_| ()))
            }
            _ => return Ok(()),
        };
        told(report, name, raw, learnt)
    })?;
    for (pk, before) in &mut known.campaigns {
        before.check_counts(*pk, report);
    }
    Ok(known)
}

/// Learns what other rows refer to, and counts.
fn refer(
    settings: &Settings,
    accounts: &Accounts,
    known: &mut Known,
    report: &mut Report,
    strangers: &mut Vec<String>,
    name: &str,
    raw: &RawRow,
) -> Result<(), Problem> {
    match name {
        ACCOUNT => {
            let Ok(row) = Row::read(raw) else { return Err(Problem::new("an account of the file has no pk")) };
            let number = row.text("phone_number_id").unwrap_or_default();
            if settings.leave_out.iter().any(|left_out| left_out == number) {
                known.accounts.insert(row.pk, Belongs::Nowhere);
                return Ok(());
            }
            let Some(account) = accounts.iter().find(|account| account.phone_number_id == number) else {
                strangers.push(format!("the phone_number_id {} ({ACCOUNT} {})", keys::visible(number), row.pk));
                return Ok(());
            };
            known.accounts.insert(row.pk, Belongs::To(account.id));
            let (pk, id) = (row.pk, account.id);
            keys::report(&format!("{ACCOUNT} {pk}: is account {id} of the gateway, by its phone_number_id {number}"))?;
            if account.id.0 != row.pk {
                report
                    .note(&format!("{ACCOUNT}: clients that name it have to say {} as account_id", account.id), row.pk);
            }
        }
        TEMPLATE => {
            // One that can't be read is as good as gone.
            if let Ok(row) = Row::read(raw) {
                let text = |field| row.text(field).unwrap_or_default().to_owned();
                known.templates.insert(row.pk, (text("name"), text("language")));
            }
        }
        message::MODEL => {
            report.read(message::MODEL);
            if let Ok(Some(pk)) = Row::read(raw).and_then(|row| row.integer("reply_to")) {
                known.answered.entry(pk).or_default();
            }
        }
        _ => match TAKEN.into_iter().find(|model| *model == name) {
            Some(model) => report.read(model),
            None => report.note(&format!("{}: does not come over", keys::visible(name)), row_pk(raw)),
        },
    }
    Ok(())
}

fn row_pk(raw: &RawRow) -> i64 {
    raw.pk.as_i64().unwrap_or_default()
}

/// Reads a key.
pub(crate) fn key(raw: &RawRow, allow_weak: bool) -> Result<(Row, Found), Fault> {
    let row = Row::read(raw)?;
    let found = Found::read(KEY, &row.fields).map_err(|told| {
        let field = ["key", "name", "is_active", "created_at"].into_iter().find(|field| told.starts_with(field));
        let reason = field.and_then(|field| told.strip_prefix(field)).unwrap_or(&told).trim().to_owned();
        Fault::new(field.unwrap_or("fields"), reason)
    })?;
    if found.key.is_weak() && !allow_weak {
        let reason =
            "can be guessed: give the apps that use it a new one, or say --allow-weak: then it works for 30 days";
        return Err(Fault::new("key", reason));
    }
    Ok((row, found))
}

/// Hands over every row of the app, by the name of its model.
fn each(file: &Path, mut take: impl FnMut(&str, &RawRow) -> Result<(), Problem>) -> Result<(), Problem> {
    let mut result = Ok(());
    let read = dump::each_row(file, |raw| {
        let Some(name) = row::model(&raw) else { return Go::On };
        result = take(name, &raw);
        if result.is_ok() { Go::On } else { Go::Stop }
    });
    result.and(read)
}

/// Tells why a row can't be taken.
fn told(report: &mut Report, name: &str, raw: &RawRow, learnt: Result<(), Fault>) -> Result<(), Problem> {
    let Err(fault) = learnt else { return Ok(()) };
    let model = TAKEN.into_iter().find(|model| *model == name).unwrap_or(KEY);
    report.not_taken(model, &raw.pk, &fault)
}
