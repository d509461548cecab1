//! A status of a message that was sent, out of a webhook (Meta: "Status messages webhook").

use domain::Account;
use serde_json::Value;
use storage::{Report, Status};

use crate::message::LONGEST_WAMID;
use crate::payload::{is_plain, moment};

/// More than any status has, in bytes: a message keeps five of them in its row.
const LONGEST: usize = 16_000;

/// Reads a status of a message that an account sent.
pub(crate) fn read(item: &Value, account: &Account) -> Result<Report, &'static str> {
    let text = |member: &str| item.get(member).and_then(Value::as_str);
    let wamid = text("id").filter(|wamid| is_plain(wamid, LONGEST_WAMID)).ok_or("it has no id")?;
    let status = text("status").and_then(Status::parse).ok_or("it is no status that is known here")?;
    let at = item.get("timestamp").and_then(moment).ok_or("it has no timestamp")?;
    let content = item.to_string();
    if content.len() > LONGEST {
        return Err("it is too large for a status");
    }
    let message_id = text("biz_opaque_callback_data").and_then(|data| data.parse().ok());
    let recipient = text("recipient_id").filter(|recipient| is_plain(recipient, LONGEST_WAMID)).map(str::to_owned);
    Ok(Report { account_id: account.id, message_id, wamid: wamid.to_owned(), recipient, status, at, content })
}
