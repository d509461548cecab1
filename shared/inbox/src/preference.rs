//! What contacts want, told by WhatsApp's own switch (Meta: "`user_preferences` webhook").

use domain::{Account, Contact};
use jiff::Timestamp;
use serde_json::Value;
use storage::{Chat, OptOutBy};

use crate::payload::moment;

/// Whether a contact wants to be written to.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) chat: Chat,
    pub(crate) wants_messages: bool,
    pub(crate) by: OptOutBy,
    pub(crate) at: Timestamp,
}

/// Reads what a contact chose for an account.
pub(crate) fn read(item: &Value, account: &Account) -> Result<Wish, &'static str> {
    let text = |member: &str| item.get(member).and_then(Value::as_str);
    let wants_messages = match text("value") {
        Some("stop") => false,
        Some("resume" | "signup") => true,
        _ => return Err("it is no choice that is known here"),
    };
    let by_number = text("wa_id").and_then(Contact::of_number);
    let contact = by_number.or_else(|| Contact::of_user_id(text("user_id")?)).ok_or("it does not say who chose")?;
    let at = item.get("timestamp").and_then(moment).ok_or("it has no timestamp")?;
    Ok(Wish { chat: Chat { account_id: account.id, contact }, wants_messages, by: OptOutBy::WhatsApp, at })
}
