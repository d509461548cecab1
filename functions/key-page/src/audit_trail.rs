//! The audit trail: a page of it, and all of it as a file.

use api::Response;
use askama::Template;
use domain::{Error, Result};
use storage::{Entry, Facts};

use crate::KeyPage;
use crate::answer::{self, Frame};
use crate::visit::SignedIn;
use crate::words::Moment;

const ROWS_PER_PAGE: i32 = 50;
/// A file holds at most so many rows, the newest: an answer of a Lambda function has at most 6 MB.
const ROWS_PER_FILE: usize = 10_000;
const ROWS_PER_READ: i32 = 1_000;

struct Line {
    at: Moment,
    by: String,
    address: String,
    what: String,
    key: Option<(String, String)>,
    /// Each by its name, with what it was and what it is now.
    changes: Vec<(String, Option<String>, Option<String>)>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Trail {
    frame: Frame,
    /// The key that it is about, if it is not about all.
    key_id: Option<String>,
    rows: Vec<Line>,
    next: Option<String>,
    is_first_page: bool,
}

pub(crate) async fn page(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let (key_id, after) = (signed_in.visit.id_in_query("key"), signed_in.visit.id_in_query("after"));
    let mut entries = page.audit.newest(key_id.as_deref(), after.as_deref(), ROWS_PER_PAGE + 1).await?;
    // One more than is shown tells whether there are more.
    let shown = usize::try_from(ROWS_PER_PAGE).unwrap_or(usize::MAX);
    let has_more = entries.len() > shown;
    entries.truncate(shown);
    let trail = Trail {
        frame: Frame::new(signed_in, "audit"),
        next: entries.last().filter(|_| has_more).map(|entry| entry.id.clone()),
        rows: entries.into_iter().map(line).collect(),
        is_first_page: after.is_none(),
        key_id,
    };
    answer::page(200, &trail)
}

pub(crate) async fn csv(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let key_id = signed_in.visit.id_in_query("key");
    let mut file = csv::Writer::from_writer(Vec::new());
    let header = ["at", "by", "address", "action", "key_id", "key_name", "before", "after"];
    file.write_record(header).map_err(Error::internal)?;
    let (mut after, mut count) = (None, 0);
    while count < ROWS_PER_FILE {
        let entries = page.audit.newest(key_id.as_deref(), after.as_deref(), ROWS_PER_READ).await?;
        let Some(last) = entries.last() else { break };
        after = Some(last.id.clone());
        count += entries.len();
        for entry in &entries {
            let fields = [
                entry.at.to_string(),
                entry.by.clone(),
                entry.address.clone().unwrap_or_default(),
                entry.action.clone(),
                entry.key_id.clone().unwrap_or_default(),
                entry.key_name.clone().unwrap_or_default(),
                facts(&entry.before),
                facts(&entry.after),
            ];
            file.write_record(fields.map(harmless)).map_err(Error::internal)?;
        }
    }
    let bytes = file.into_inner().map_err(|error| Error::internal(error.to_string()))?;
    Ok(answer::csv_file("audit-trail.csv", String::from_utf8(bytes).map_err(Error::internal)?))
}

fn facts(facts: &Facts) -> String {
    facts.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

/// A spreadsheet takes what begins like this for a formula, and runs it (OWASP: "CSV Injection").
fn harmless(field: String) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field }
}

fn line(entry: Entry) -> Line {
    let mut changes: Vec<_> = entry.before.keys().chain(entry.after.keys()).map(String::as_str).collect();
    changes.sort_unstable();
    changes.dedup();
    let value = |facts: &Facts, name: &str| facts.get(name).map(|value| readable(value));
    let change = |name: &str| (name.replace('_', " "), value(&entry.before, name), value(&entry.after, name));
    Line {
        changes: changes.into_iter().map(change).collect(),
        at: Moment::new(entry.at),
        what: entry.action.replace('_', " "),
        key: entry.key_id.map(|id| (id, entry.key_name.unwrap_or_default())),
        by: entry.by,
        address: entry.address.unwrap_or_default(),
    }
}

/// A fact as a person reads it: a moment as on the other pages.
fn readable(fact: &str) -> String {
    fact.parse().map_or_else(|_| fact.to_owned(), |at| Moment::new(at).text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_a_formula() {
        for field in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(field.to_owned()), format!("'{field}"));
        }
        assert_eq!(harmless("shop = till".to_owned()), "shop = till");
    }
}
