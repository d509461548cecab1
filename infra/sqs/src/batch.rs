//! Several of the same in one request: each entry succeeds or fails by itself, once the batch as a whole is in order.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::errors::Refusal;
use crate::requests::{self, MOST_BYTES, Members};

pub(crate) const MOST_ENTRIES: usize = 10;

/// Does something with each entry, which by then has no `Id` any more.
pub(crate) fn each(members: Members, mut act: impl FnMut(Members) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
    let entries = requests::entries(members)?;
    check(&entries)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for mut entry in entries {
        let id = entry.remove("Id").unwrap_or_default();
        match act(entry) {
            Ok(Value::Object(mut done)) => {
                done.insert("Id".to_owned(), id);
                successful.push(Value::Object(done));
            }
            Ok(_) => successful.push(json!({"Id": id})),
            Err(refusal) => failed.push(json!({
                "Id": id,
                "SenderFault": true,
                "Code": refusal.code(),
                "Message": refusal.to_string(),
            })),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

fn check(entries: &[Members]) -> Result<(), Refusal> {
    match entries.len() {
        0 => return Err(Refusal::EmptyBatch),
        1..=MOST_ENTRIES => {}
        _ => return Err(Refusal::TooManyEntries),
    }
    let mut ids = HashSet::new();
    for entry in entries {
        let id = entry.get("Id").and_then(Value::as_str).filter(|id| is_id(id)).ok_or(Refusal::EntryId)?;
        if !ids.insert(id) {
            return Err(Refusal::SameEntryId(id.to_owned()));
        }
    }
    let length = |entry: &Members| entry.get("MessageBody").and_then(Value::as_str).map_or(0, str::len);
    if entries.iter().map(length).sum::<usize>() > MOST_BYTES {
        return Err(Refusal::BatchTooLong);
    }
    Ok(())
}

fn is_id(id: &str) -> bool {
    (1..=80).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
