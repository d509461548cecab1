//! A key as a file tells it, and whether it may be one.

use std::collections::HashMap;

use auth::ApiKey;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::settings;

/// The fields that are read. Whatever else a row has is passed over.
pub(super) const FIELDS: [&str; 4] = ["key", "name", "is_active", "created_at"];

/// A row of a file, unchecked.
pub(super) struct Row {
    /// Where it stands, for people.
    pub(super) place: String,
    /// Its fields by their names.
    pub(super) fields: Map<String, Value>,
}

/// A key of a file.
pub struct Found {
    /// Where it stands, for people.
    pub(super) place: String,
    /// The key, exactly.
    pub key: ApiKey,
    /// What people call it.
    pub(super) name: String,
    /// Whether it is accepted.
    pub is_active: bool,
    created_at: Option<Timestamp>,
}

impl Found {
    /// Reads a row of the reference's table. What is wrong is told by its field, and never by its value.
    pub fn read(place: &str, fields: &Map<String, Value>) -> Result<Self, String> {
        read(fields, place.to_owned())
    }

    /// What is imported of it beside the key itself.
    pub fn settings(&self) -> auth::Import {
        auth::Import { name: self.name.clone(), is_active: self.is_active, created_at: self.created_at }
    }
}

/// Checks every row. What is wrong is told by place and field, and never by its value: it may be a key that stands in the
/// wrong column.
pub(super) fn check(rows: Vec<Row>) -> Result<Vec<Found>, String> {
    if rows.is_empty() {
        return Err("there is no API key in it".to_owned());
    }
    let found = rows.into_iter().map(|row| {
        let Row { place, fields } = row;
        read(&fields, place.clone()).map_err(|problem| format!("{place}: {problem}"))
    });
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let mut places = HashMap::new();
    for Found { place, key, .. } in &found {
        if let Some(first) = places.insert(key.reveal(), place) {
            return Err(format!("{place}: key is the same as that of {first}"));
        }
    }
    Ok(found)
}

fn read(fields: &Map<String, Value>, place: String) -> Result<Found, String> {
    let key = ApiKey::parse(text(fields, "key")?).map_err(|error| format!("key {error}"))?;
    let name = settings::name(text(fields, "name")?).map_err(|error| format!("name {error}"))?;
    let is_active = fields.get("is_active").map_or(Some(true), boolean);
    let is_active = is_active.ok_or("is_active must be true or false")?;
    let created_at = match fields.get("created_at") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_str() {
            Some("") => None,
            text => {
                Some(text.and_then(moment).ok_or("created_at must be a date and time, such as 2026-05-01T10:20:30Z")?)
            }
        },
    };
    Ok(Found { place, key, name, is_active, created_at })
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    fields.get(name).and_then(Value::as_str).ok_or_else(|| format!("{name} must be a text"))
}

/// As Django and its databases write it.
fn boolean(value: &Value) -> Option<bool> {
    let text = match value {
        Value::Bool(value) => return Some(*value),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => return None,
    };
    match text.as_str() {
        "true" | "t" | "1" => Some(true),
        "false" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// As Django and its databases write it; in UTC, unless it tells its offset.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    text.parse().ok().or_else(local)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(fields: &Value) -> Row {
        Row { place: "here".to_owned(), fields: fields.as_object().unwrap().clone() }
    }

    #[test]
    fn a_moment_is_read_however_django_and_its_databases_write_it() {
        let utc = "2026-05-01T10:20:30.123Z".parse::<Timestamp>().unwrap();
        for text in [
            "2026-05-01T10:20:30.123Z",
            "2026-05-01T15:50:30.123+05:30",
            "2026-05-01 10:20:30.123",
            "2026-05-01 10:20:30.123+00",
            "2026-05-01 10:20:30.123+00:00",
            "2026-05-01T10:20:30.123",
        ] {
            assert_eq!(moment(text), Some(utc), "{text}");
        }
        assert_eq!(moment("yesterday"), None);
    }

    #[test]
    fn a_boolean_is_read_however_django_and_its_databases_write_it() {
        for (value, is) in [
            (json!(true), Some(true)),
            (json!("True"), Some(true)),
            (json!("t"), Some(true)),
            (json!("1"), Some(true)),
            (json!(false), Some(false)),
            (json!("FALSE"), Some(false)),
            (json!("f"), Some(false)),
            (json!("0"), Some(false)),
            // None of these may make a key active that was not.
            (json!(""), None),
            (json!(null), None),
            (json!("no"), None),
        ] {
            assert_eq!(boolean(&value), is, "{value}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_place_and_field_and_never_by_its_value() {
        let secret = "s3cret-in-the-wrong-column";
        for (fields, told) in [
            (json!({"name": "a"}), "here: key must be a text"),
            (json!({"name": "a", "key": 5}), "here: key must be a text"),
            (json!({"name": "a", "key": ""}), "here: key must have 1 to 64 characters"),
            (json!({"name": "a", "key": secret.repeat(3)}), "here: key must have 1 to 64 characters"),
            (json!({"name": "a", "key": format!("wak_{secret}")}), "here: key begins with wak_"),
            (json!({"key": secret}), "here: name must be a text"),
            (json!({"key": secret, "name": ""}), "here: name must have 1 to 255 characters"),
            (json!({"key": secret, "name": "a", "is_active": secret}), "here: is_active must be true or false"),
            (json!({"key": secret, "name": "a", "created_at": secret}), "here: created_at must be a date and time"),
        ] {
            let problem = check(vec![row(&fields)]).err().unwrap();
            assert!(problem.starts_with(told) && !problem.contains(secret), "{problem}");
        }
        let twice = json!({"key": secret, "name": "a"});
        let problem = check(vec![row(&twice), row(&twice)]).err().unwrap();
        assert_eq!(problem, "here: key is the same as that of here");
    }

    #[test]
    fn a_key_is_taken_exactly_with_the_spaces_around_it() {
        let found = check(vec![row(&json!({"key": " ключ ", "name": "a"}))]).unwrap();
        assert_eq!(found[0].key.reveal(), " ключ ");
        assert!(found[0].is_active && found[0].created_at.is_none());
    }
}
