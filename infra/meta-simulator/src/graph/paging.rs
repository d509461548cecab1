//! Pages with cursors. As at Meta, cursors stand on the last page too: only an absent `next` or empty `data` ends a list.

use crate::json::set;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Call;
use super::errors::GraphError;

const DEFAULT_LIMIT: usize = 25;
const MAX_LIMIT: usize = 1_000;

/// One page of `items`. `version` says which state of the list this is; a cursor of another one is refused.
pub(crate) fn page(call: &Call, base_url: &str, items: &[Value], version: u64) -> Result<Value, GraphError> {
    let limit = match call.parameter("limit") {
        None => DEFAULT_LIMIT,
        Some(limit) => match limit.parse::<usize>() {
            Ok(limit) if limit > 0 => limit.min(MAX_LIMIT),
            _ => return Err(GraphError::of(100).details("limit must be a positive number.")),
        },
    };
    let start = match (call.parameter("after"), call.parameter("before")) {
        (Some(after), _) => position(&after, version)?,
        (None, Some(before)) => position(&before, version)?.saturating_sub(limit),
        (None, None) => 0,
    };
    let data: Vec<&Value> = items.iter().skip(start).take(limit).collect();
    if items.is_empty() {
        return Ok(json!({ "data": [] }));
    }
    let end = start + data.len();
    let after = cursor(end, version);
    let mut paging = json!({ "cursors": { "before": cursor(start, version), "after": after } });
    if end < items.len() {
        set(&mut paging, "next", json!(format!("{base_url}{}?limit={limit}&after={after}", call.path)));
    }
    if start > 0 {
        set(
            &mut paging,
            "previous",
            json!(format!("{base_url}{}?limit={limit}&before={}", call.path, cursor(start, version))),
        );
    }
    Ok(json!({ "data": data, "paging": paging }))
}

fn cursor(position: usize, version: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{position}:{version}"))
}

fn position(cursor: &str, current: u64) -> Result<usize, GraphError> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let read = decoded.as_deref().and_then(|text| text.split_once(':'));
    let read = read.and_then(|(position, version)| Some((position.parse().ok()?, version.parse::<u64>().ok()?)));
    match read {
        Some((position, version)) if version == current => Ok(position),
        Some(_) => Err(GraphError::of(139_102)),
        None => Err(GraphError::of(131_059)),
    }
}
