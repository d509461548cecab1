//! The rows of an upload, as JSON or as CSV, and what becomes of each: a recipient, or a problem that a person can mend.

mod from_csv;
mod from_json;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::{Contact, CountryCode, Error, PhoneNumber, Result};
use serde_json::Value;
use storage::{NewRecipient, Recipient, Wrong};

use crate::form::Form;

/// So many recipients come in one call at most.
pub const MOST_ROWS: usize = 10_000;

/// The longest name of a person.
const LONGEST_NAME: usize = 255;
/// What is wrong may quote the row, of which more than this helps nobody; and hundreds of these stand in a row of the table.
const LONGEST_PROBLEM: usize = 300;
/// Longer than any way of writing a phone number.
const LONGEST_PHONE: usize = 60;

/// A row as it was uploaded: nothing of it has been looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RawRow {
    /// Where it stands: the line of a CSV file, or the place in a JSON list, from 1.
    pub(crate) row: u32,
    /// The number as it is written; `None`: there is none.
    pub(crate) phone: Option<Value>,
    /// Whatever else is known of the person, by name.
    pub(crate) fields: BTreeMap<String, Value>,
    /// What was given as parameters of the template, and nothing else.
    pub(crate) given: Vec<String>,
    /// What is wrong with the row as a whole.
    pub(crate) problem: Option<Problem>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// A stable word.
    pub(crate) code: &'static str,
    /// What a person reads: it begins with a verb.
    pub(crate) words: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }
}

impl RawRow {
    /// A field, whatever the case of its name.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        let any_case =
            || self.fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.fields.get(name).or_else(any_case)
    }

    /// The names of what was given as parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.given.iter().map(String::as_str)
    }
}

/// In which form the rows come.
#[derive(Clone, Copy, Debug)]
pub enum Uploaded<'a> {
    /// The list under `recipients` in a JSON body; `None`: there is none.
    Json(Option<&'a Value>),
    /// A CSV file.
    Csv(&'a [u8]),
}

impl Uploaded<'_> {
    /// Reads the rows. Only what leaves no row to speak of is an error.
    pub(crate) fn rows(self) -> Result<Vec<RawRow>> {
        let rows = match self {
            Self::Json(None) => Vec::new(),
            Self::Json(Some(list)) => from_json::rows(list)?,
            Self::Csv(bytes) => from_csv::rows(bytes)?,
        };
        if rows.len() > MOST_ROWS {
            return Err(too_many(rows.len()));
        }
        Ok(rows)
    }
}

fn too_many(count: usize) -> Error {
    let message = format!(
        "recipients may be at most {MOST_ROWS} in one request, and there are {count}: add the others with further requests to \
         /whatsapp/api/campaigns/{{id}}/recipients/"
    );
    Error::invalid_field("recipients", message).code("too_many_recipients")
}

/// What became of the rows of an upload.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// Each person once, in the order of the rows.
    pub(crate) recipients: Vec<NewRecipient>,
    /// Rows with somebody who stands in an earlier one.
    pub(crate) doubles: Vec<Wrong>,
    /// Rows that can't be sent to.
    pub(crate) wrong: Vec<Wrong>,
}

/// Reads the rows of the upload with this number, each for itself.
pub(crate) fn sort(rows: &[RawRow], upload: u32, form: &Form, country: &CountryCode) -> Sorted {
    let mut sorted = Sorted::default();
    let mut seen: BTreeMap<Contact, u32> = BTreeMap::new();
    let told = |row: u32, Problem { code, words }: Problem| {
        let words: String = words.chars().take(LONGEST_PROBLEM).collect();
        Wrong { upload, row, code: code.to_owned(), error: format!("Row {row} {words}") }
    };
    for raw in rows {
        let read = recipient(raw, upload, form, country);
        match read {
            Err(problem) => sorted.wrong.push(told(raw.row, problem)),
            Ok(new) => match seen.entry(new.contact.clone()) {
                Entry::Vacant(free) => {
                    free.insert(raw.row);
                    sorted.recipients.push(new);
                }
                Entry::Occupied(earlier) => {
                    let words = format!("has the same person as row {}", earlier.get());
                    sorted.doubles.push(told(raw.row, Problem::new("double", words)));
                }
            },
        }
    }
    sorted
}

/// Somebody who is in the campaign already.
pub(crate) fn known_already(recipient: &Recipient) -> Wrong {
    let Recipient { upload, row, .. } = *recipient;
    Wrong {
        upload,
        row,
        code: "double".to_owned(),
        error: format!("Row {row} has somebody who is in the campaign already"),
    }
}

fn recipient(raw: &RawRow, upload: u32, form: &Form, country: &CountryCode) -> Result<NewRecipient, Problem> {
    if let Some(problem) = &raw.problem {
        return Err(problem.clone());
    }
    let phone = phone(raw.phone.as_ref(), country)?;
    let contact =
        Contact::of_number(phone.as_digits()).ok_or_else(|| Problem::new("phone", "has a phone that is nobody's"))?;
    let name = match raw.field("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.trim()).filter(|name| !name.is_empty()),
        Some(_) => return Err(Problem::new("name", "has a name that must be a text")),
    };
    if name.is_some_and(|name| name.chars().count() > LONGEST_NAME) {
        return Err(Problem::new("name", format!("has a name that must have at most {LONGEST_NAME} characters")));
    }
    let values = form.values(raw)?;
    let (phone, name) = (phone.as_digits().to_owned(), name.map(str::to_owned));
    Ok(NewRecipient { contact, recipient: Recipient { phone, name, values, upload, row: raw.row } })
}

fn phone(given: Option<&Value>, country: &CountryCode) -> Result<PhoneNumber, Problem> {
    let text = match given {
        None | Some(Value::Null) => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text.trim()),
        // A whole number is what it looks like.
        Some(Value::Number(number)) if number.is_u64() => Cow::Owned(number.to_string()),
        Some(_) => return Err(Problem::new("phone", "has a phone that must be a text, for example \"+919876543210\"")),
    };
    if text.is_empty() {
        return Err(Problem::new("phone", "has no phone"));
    }
    if text.chars().count() > LONGEST_PHONE {
        return Err(Problem::new("phone", "has a phone that is far too long"));
    }
    PhoneNumber::parse(&text, country).map_err(|error| {
        let words = if is_rounded(&text) {
            "has a phone that a spreadsheet has rounded: make the column a text, and write the numbers anew".to_owned()
        } else {
            format!("has a phone that {error}")
        };
        Problem::new("phone", words)
    })
}

/// Whether a spreadsheet has written the number as `9.19877E+11`.
fn is_rounded(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['E', 'e']) else { return false };
    let is_number =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b".,".contains(&byte));
    is_number(digits) && exponent.strip_prefix('+').is_some_and(is_number)
}

#[cfg(test)]
mod tests;
