//! A message that a contact wrote, out of a webhook (Meta: "Messages webhook").

use domain::{Account, Contact, message_body};
use serde_json::Value;
use storage::{Chat, OptOutBy, Received};

use crate::payload::{is_plain, moment};
use crate::preference::Wish;
use crate::words::Words;

/// A message, and what else it tells of its writer.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) received: Received,
    /// The name that the writer goes by.
    pub(crate) name: Option<String>,
    /// Whether a person wrote it: WhatsApp itself tells in messages, too, that somebody has a new number.
    pub(crate) is_from_person: bool,
    /// What its writer said of being written to.
    pub(crate) wish: Option<Wish>,
}

/// Meta documents no length; so much is allowed for.
pub(crate) const LONGEST_WAMID: usize = 255;
const LONGEST_KIND: usize = 64;
/// In characters. Longer than any name that WhatsApp allows.
const LONGEST_NAME: usize = 200;

/// Reads a message to an account. `contacts` are those that stand beside it.
pub(crate) fn read(
    item: &Value,
    contacts: &[Value],
    account: &Account,
    words: &Words,
) -> Result<Message, &'static str> {
    let text = |member: &str| item.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("group_id").is_some() {
        return Err("it was written in a group, which is no chat here");
    }
    let wamid = text("id").filter(|wamid| is_plain(wamid, LONGEST_WAMID)).ok_or("it has no id")?;
    let at = item.get("timestamp").and_then(moment).ok_or("it has no timestamp")?;
    let kind = text("type").unwrap_or("text");
    if !is_plain(kind, LONGEST_KIND) {
        return Err("it has no type that could be one");
    }
    let (from, user_id) = (text("from"), text("from_user_id"));
    let by_number = from.and_then(|number| Some((Contact::of_number(number)?, number)));
    let by_user_id = || user_id.and_then(|id| Some((Contact::of_user_id(id)?, id)));
    let (contact, phone) = by_number.or_else(by_user_id).ok_or("it does not say who wrote it")?;
    let chat = Chat { account_id: account.id, contact };
    let body = message_body(kind, item);
    let wants_messages = words.wish(kind, item);
    let wish = wants_messages.map(|wants_messages| Wish { chat: chat.clone(), wants_messages, by: OptOutBy::Word, at });
    let reply_to = item.pointer("/context/id").and_then(Value::as_str).filter(|id| is_plain(id, LONGEST_WAMID));
    let received = Received {
        chat,
        phone: phone.chars().filter(char::is_ascii_graphic).take(LONGEST_KIND * 3).collect(),
        wamid: wamid.to_owned(),
        kind: kind.to_owned(),
        body,
        content: item.to_string(),
        reply_to: reply_to.map(str::to_owned),
        at,
    };
    Ok(Message { received, name: name(contacts, from, user_id), is_from_person: kind != "system", wish })
}

/// The name of whoever has this number or this id, among the contacts that stand beside a message.
fn name(contacts: &[Value], from: Option<&str>, user_id: Option<&str>) -> Option<String> {
    let is = |contact: &Value, member: &str, id: Option<&str>| {
        id.is_some() && contact.get(member).and_then(Value::as_str) == id
    };
    let contact = contacts.iter().find(|contact| is(contact, "wa_id", from) || is(contact, "user_id", user_id))?;
    let name = contact.pointer("/profile/name")?.as_str()?;
    Some(name.chars().take(LONGEST_NAME).collect()).filter(|name: &String| !name.is_empty())
}
