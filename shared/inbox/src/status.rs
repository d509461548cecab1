//! A status of a message that was sent, out of a webhook (Meta: "Status messages webhook").

use domain::Account;
use serde_json::Value;
use storage::{Mark, Report, Status};

use crate::message::LONGEST_WAMID;
use crate::payload::{is_plain, moment};

/// More than any status has, in bytes: a message keeps five of them in its row.
const LONGEST: usize = 16_000;
/// By what a failure is counted of which Meta does not say the code.
const NO_CODE: &str = "no_code";

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

/// What a status says of a campaign's recipient: whatever it is, Meta took the message.
pub(crate) fn marks(report: &Report) -> Vec<Mark> {
    match report.status {
        Status::Sent => vec![Mark::Sent],
        Status::Delivered => vec![Mark::Delivered],
        Status::Read | Status::Played => vec![Mark::Read],
        Status::Failed => vec![Mark::Sent, Mark::Failed(failure_code(&report.content))],
    }
}

fn failure_code(content: &str) -> String {
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    let code = content.pointer("/errors/0/code").and_then(Value::as_i64);
    code.map_or_else(|| NO_CODE.to_owned(), |code| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_counted_by_metas_code_and_without_one_all_the_same() {
        assert_eq!(failure_code(r#"{"errors":[{"code":131026,"title":"x"},{"code":1}]}"#), "131026");
        for odd in ["", "{}", r#"{"errors":[]}"#, r#"{"errors":{"code":1}}"#, r#"{"errors":[{"code":"1"}]}"#] {
            assert_eq!(failure_code(odd), NO_CODE, "{odd}");
        }
    }
}
