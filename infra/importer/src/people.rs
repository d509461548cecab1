//! Contacts, conversations and blocked contacts.

use domain::{AccountId, Contact};
use jiff::Timestamp;
use storage::{Chat, KnownChat};

use crate::known::{Belongs, Conversation, Known, Person};
use crate::report::Report;
use crate::row::{Fault, Row};

const CONTACT: &str = "whatsappcontact";
const CONVERSATION: &str = "whatsappconversation";
const BLOCKED: &str = "whatsappblockeduser";
/// In characters. Longer than any name that WhatsApp allows.
const LONGEST_NAME: usize = 200;
/// In characters: of a note on why somebody is blocked.
const LONGEST_REASON: usize = 4_000;

/// A block of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) account: AccountId,
    pub(crate) contact: Contact,
    pub(crate) phone_number: String,
    pub(crate) reason: String,
    /// Since when.
    pub(crate) since: Timestamp,
    /// When they were unblocked, if they were.
    pub(crate) until: Option<Timestamp>,
}

/// Learns a contact.
pub(crate) fn contact(row: &Row, known: &mut Known, report: &mut Report) -> Result<(), Fault> {
    let (contact, _) = known.contact(row, "phone")?;
    let name: String = row.text("name")?.chars().take(LONGEST_NAME).collect();
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    let is_out = row.boolean("opted_out")?;
    let at = row.moment("updated_at")?.or(row.moment("created_at")?);
    let at = at.ok_or_else(|| Fault::new("updated_at", "is empty"))?;
    for (field, what) in [("email", "the e-mail address is"), ("notes", "the notes are")] {
        if row.has(field) {
            report.note(&format!("{CONTACT}: {what} not kept"), row.pk);
        }
    }
    if row.fields.get("labels").and_then(|labels| labels.as_array()).is_some_and(|labels| !labels.is_empty()) {
        report.note(&format!("{CONTACT}: the labels of the contact are not kept"), row.pk);
    }
    if name.is_none() && !is_out {
        report.passed_over(CONTACT, row.pk, "has no name and has not opted out: nothing to keep");
    }
    let phone_number = row.text("phone")?.to_owned();
    let person = Person { phone_number, name, opted_out: Some((is_out, at)) };
    // Of one person written in two ways: whoever wants no messages gets none.
    let there = known.people.entry(contact).or_insert_with(|| person.clone());
    there.name = there.name.take().or(person.name);
    let is_out_there = there.opted_out.is_some_and(|(is_out, _)| is_out);
    there.opted_out =
        if is_out == is_out_there || is_out { there.opted_out.max(person.opted_out) } else { there.opted_out };
    Ok(())
}

/// Learns a conversation.
pub(crate) fn conversation(row: &Row, known: &mut Known, report: &mut Report) -> Result<(), Fault> {
    let account = row.integer("account")?;
    if known.conversations.contains_key(&row.pk) {
        report.passed_over(CONVERSATION, row.pk, "stands in the file twice: the first is taken");
        return Ok(());
    }
    let belongs = known.account(row, None)?;
    let (contact, _) = known.contact(row, "phone_number")?;
    let unread_count = row.count("unread_count")?;
    let last_message_at = if let Some(at) = row.moment("last_message_at")? {
        at
    } else {
        let what = format!("{CONVERSATION}: last_message_at is empty: it stands in the list by created_at");
        report.note(&what, row.pk);
        row.required_moment("created_at")?
    };
    let label = row.integer("label")?;
    let id = u32::try_from(row.pk).map_err(|_| Fault::new("pk", "is too large to be kept as the conversation's id"))?;
    known.conversations.insert(row.pk, Conversation { account });
    let Belongs::To(account_id) = belongs else {
        report.passed_over(CONVERSATION, row.pk, "its account is left out");
        return Ok(());
    };
    if row.has("assigned_to") {
        report.note(&format!("{CONVERSATION}: to whom it is assigned is not kept"), row.pk);
    }
    if row.boolean("is_resolved")? {
        report.note(&format!("{CONVERSATION}: that it is resolved is not kept"), row.pk);
    }
    let new = KnownChat {
        id: Some(id),
        phone_number: row.text("phone_number")?.to_owned(),
        label,
        unread_count,
        last_message_at: Some(last_message_at),
        ..KnownChat::default()
    };
    let facts = known.chats.entry(Chat { account_id, contact }).or_default();
    facts.known = match facts.known.id {
        None => new,
        Some(there) => {
            let first = there.min(id);
            report.note(
                &format!(
                    "{CONVERSATION}: the same contact has another conversation, and here one: it has the id {first}"
                ),
                i64::from(there.max(id)),
            );
            merged(&facts.known, new)
        }
    };
    Ok(())
}

/// One conversation of two with the same contact.
fn merged(one: &KnownChat, other: KnownChat) -> KnownChat {
    let (first, second) = if one.id < other.id { (one.clone(), other) } else { (other, one.clone()) };
    KnownChat {
        label: first.label.or(second.label),
        unread_count: first.unread_count + second.unread_count,
        last_message_at: first.last_message_at.max(second.last_message_at),
        ..first
    }
}

/// Reads a block. `Ok(None)`: there is nothing to keep of it.
pub(crate) fn blocked(row: &Row, known: &Known, report: &mut Report) -> Result<Option<Blocked>, Fault> {
    let belongs = known.account(row, None)?;
    let phone_number = row.text("phone_number")?.to_owned();
    let by_id = Contact::of_number(row.text("wa_id")?);
    let contact = by_id
        .or_else(|| Contact::of_user_id(&phone_number))
        .map_or_else(|| Ok(known.contact(row, "phone_number")?.0), Ok)?;
    let blocked_at = row.required_moment("blocked_at")?;
    let unblocked_at = row.moment("unblocked_at")?;
    let is_active = row.boolean("is_active")?;
    let reason: String = row.text("reason")?.chars().take(LONGEST_REASON).collect();
    let Belongs::To(account) = belongs else {
        report.passed_over(BLOCKED, row.pk, "its account is left out");
        return Ok(None);
    };
    if !is_active && unblocked_at.is_none() && row.has("meta_error") {
        report.passed_over(BLOCKED, row.pk, "Meta refused to block them");
        return Ok(None);
    }
    if row.has("blocked_by") || row.has("unblocked_by") {
        report.note(&format!("{BLOCKED}: who did it is not kept"), row.pk);
    }
    let until = (!is_active).then(|| unblocked_at.unwrap_or(blocked_at).max(blocked_at));
    Ok(Some(Blocked { account, contact, phone_number, reason, since: blocked_at, until }))
}
