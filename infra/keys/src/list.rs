//! `list`: all keys, as a table for people or as JSON for programs.

use auth::{KeyRecord, KeyUse};
use domain::Scope;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::keyring::Keyring;
use crate::output::{self, ends, visible};
use crate::problem::Problem;
use crate::settings::List;

/// The use of so many keys is asked for at once.
const PAGE: usize = 25;
/// A longer name is cut short in the table.
const WIDEST: usize = 40;

/// Shows the keys.
pub(crate) async fn list(wanted: &List, keyring: &Keyring) -> Result<(), Problem> {
    let keys = all(&wanted.search, keyring).await?;
    if wanted.json {
        let keys: Vec<Value> = keys.iter().map(|(key, used)| as_json(key, used, keyring)).collect();
        let text = serde_json::to_string_pretty(&keys).map_err(|error| Problem::new(error.to_string()))?;
        return output::report(&text);
    }
    if keys.is_empty() {
        output::note("No key.");
        return Ok(());
    }
    output::report(&table(keys.iter().map(|(key, used)| as_row(key, used, keyring))))
}

async fn all(search: &str, keyring: &Keyring) -> Result<Vec<(KeyRecord, KeyUse)>, Problem> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = keyring.registry.newest(search, after.as_deref(), PAGE).await?;
        let used = keyring.usage.of(page.keys.iter().map(|key| key.id.as_str())).await?;
        all.extend(page.keys.into_iter().zip(used));
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

fn as_json(key: &KeyRecord, used: &KeyUse, keyring: &Keyring) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "first_four": key.first_four,
        "last_four": key.last_four,
        "state": keyring.state(key).replace(' ', "_"),
        "is_active": key.is_active,
        "is_weak": key.is_weak,
        "scopes": key.scopes,
        "accounts": key.accounts,
        "requests_per_minute": key.requests_per_minute,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "retires_at": key.retires_at,
        "successor_id": key.successor_id,
        "predecessor_id": key.predecessor_id,
        "last_used_at": used.last_used_at,
        "requests_24h": used.last_day(),
        "requests_7d": used.last_week(),
    })
}

const COLUMNS: [&str; 10] =
    ["ID", "NAME", "KEY", "STATE", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "24 H", "7 DAYS"];

fn as_row(key: &KeyRecord, used: &KeyUse, keyring: &Keyring) -> [String; COLUMNS.len()] {
    let is_all = Scope::ALL.iter().all(|scope| key.scopes.contains(scope.as_str()));
    let scopes = key.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    // Whichever comes first ends it.
    let end = [key.expires_at, key.retires_at].into_iter().flatten().min();
    [
        key.id.clone(),
        shortened(&visible(&key.name)),
        ends(key.first_four.clone().zip(key.last_four.clone())),
        keyring.state(key).to_owned() + if key.is_weak { ", weak" } else { "" },
        if is_all { "all".to_owned() } else { scopes },
        day(key.created_at),
        end.map_or_else(|| "never".to_owned(), minute),
        used.last_used_at.map_or_else(|| "-".to_owned(), minute),
        used.last_day().to_string(),
        used.last_week().to_string(),
    ]
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= WIDEST {
        return name.to_owned();
    }
    name.chars().take(WIDEST - 1).chain(['…']).collect()
}

/// Lines in columns, each as wide as its widest text.
fn table(rows: impl Iterator<Item = [String; COLUMNS.len()]>) -> String {
    let rows: Vec<_> = std::iter::once(COLUMNS.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; COLUMNS.len()];
    for row in &rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.chars().count().max(*width);
        }
    }
    let line = |row: &[String; COLUMNS.len()]| {
        let cells = row.iter().zip(widths).map(|(text, width)| format!("{text:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
