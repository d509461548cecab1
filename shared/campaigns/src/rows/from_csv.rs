//! Recipients in a CSV file, as people and their spreadsheets write them: with any of four separators, quoted or not, with
//! a mark at the beginning that tells the encoding, with Windows' line ends and with empty lines.

use std::borrow::Cow;

use csv::{ByteRecord, ReaderBuilder, Trim};
use domain::{Error, Kind, Result};
use serde_json::Value;

use super::{MOST_ROWS, Problem, RawRow, too_many};
use crate::target::Target;

/// What separates the columns, the likeliest first.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// How people call the column that matters; those of the reference first.
const PHONE_COLUMNS: [&str; 12] = [
    "phone",
    "mobile",
    "phone_number",
    "phone number",
    "phonenumber",
    "number",
    "whatsapp",
    "wa_id",
    "msisdn",
    "telephone",
    "tel",
    "cell",
];
/// More columns than any list of people has.
const MOST_COLUMNS: usize = 200;
/// Stands where bytes could not be read as text.
const REPLACED: char = '\u{fffd}';

/// A column that is looked at.
struct Column {
    name: String,
    /// Whether it is named like a place of a template, and like nothing else.
    is_parameter: bool,
}

pub(super) fn rows(bytes: &[u8]) -> Result<Vec<RawRow>> {
    let text = decoded(bytes)?;
    let (separator, told_in_lines, text) = separator(&text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut record = ByteRecord::new();
    let mut head: Option<(Vec<Option<Column>>, usize)> = None;
    let mut rows = Vec::new();
    let mut count = 0;
    let mut lines = Lines { text, at: 0, line: told_in_lines + 1 };
    while reader.read_byte_record(&mut record).map_err(|error| broken(0).caused_by(error))? {
        let [begin, end] = [record.position().unwrap_or(reader.position()), reader.position()].map(csv::Position::byte);
        let whole = slice(text, begin, end);
        // Empty lines before a row are read with it.
        let empty = whole.len() - whole.trim_start_matches(['\r', '\n']).len();
        let line = lines.up_to(usize::try_from(begin).unwrap_or(usize::MAX).saturating_add(empty));
        if whole.trim_end().contains('\n') && !whole.matches('"').count().is_multiple_of(2) {
            let message = format!("The CSV file has a quotation mark that is not closed, from line {line} on");
            return Err(Error::new(Kind::Invalid, message).code("invalid_csv").retryable(false));
        }
        let cells: Vec<Cow<'_, str>> = record.iter().map(String::from_utf8_lossy).collect();
        if cells.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        match &head {
            None => head = Some(columns(&cells)?),
            Some((columns, phone)) => {
                count += 1;
                if count <= MOST_ROWS {
                    rows.push(row(line, columns, *phone, &cells));
                }
            }
        }
    }
    if head.is_none() {
        return Err(no_head("is empty"));
    }
    if count > MOST_ROWS { Err(too_many(count)) } else { Ok(rows) }
}

/// The file's text, whatever its first bytes say of how it is encoded.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>> {
    let utf_16 = |pairs: &[u8], number: fn([u8; 2]) -> u16| -> Result<Cow<'_, str>> {
        let units = pairs.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(number));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.map(Cow::Owned).map_err(|_| broken(0))
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest),
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        bytes => utf_8(bytes),
    }
}

fn utf_8(bytes: &[u8]) -> Result<Cow<'_, str>> {
    let line_at = |end: usize| bytes.iter().take(end).filter(|byte| **byte == b'\n').count() + 1;
    let text = std::str::from_utf8(bytes).map_err(|error| broken(line_at(error.valid_up_to())))?;
    // What passed the bytes on may have replaced those that are no text.
    match text.find(REPLACED) {
        Some(at) => Err(broken(line_at(at))),
        None => Ok(Cow::Borrowed(text.trim_start_matches('\u{feff}'))),
    }
}

fn broken(line: usize) -> Error {
    let place = if line == 0 { String::new() } else { format!(": it stops being so in line {line}") };
    let message = format!("The CSV file must be UTF-8 (in a spreadsheet, save it as \"CSV UTF-8\"){place}");
    Error::new(Kind::Invalid, message).code("invalid_csv").retryable(false)
}

/// Counts the lines of a text.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line in which this byte stands, which is behind the one that was asked for before.
    fn up_to(&mut self, begin: usize) -> u32 {
        let passed = self.text.as_bytes().get(self.at..begin).unwrap_or_default();
        let ends = passed.iter().enumerate().filter(|(index, byte)| match byte {
            b'\n' => true,
            // An old Mac's line ends.
            b'\r' => passed.get(index + 1).is_none_or(|next| *next != b'\n'),
            _ => false,
        });
        self.line += u32::try_from(ends.count()).unwrap_or(u32::MAX);
        self.at = begin.max(self.at);
        self.line
    }
}

/// What separates the columns, how many lines before the others told so, and the text without those.
fn separator(text: &str) -> (char, u32, &str) {
    // A spreadsheet's own way to say it.
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let told = first.trim_end_matches('\r').strip_prefix("sep=").and_then(|told| told.chars().next());
    if let Some(separator) = told.filter(|separator| SEPARATORS.contains(separator)) {
        return (separator, 1, rest);
    }
    let head = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut counts = [0; SEPARATORS.len()];
    let mut is_quoted = false;
    for character in head.chars() {
        is_quoted ^= character == '"';
        let index = SEPARATORS.iter().position(|separator| *separator == character && !is_quoted);
        if let Some(count) = index.and_then(|index| counts.get_mut(index)) {
            *count += 1;
        }
    }
    let most = SEPARATORS.into_iter().zip(counts).rev().max_by_key(|(_, count)| *count);
    (most.map_or(',', |(separator, _)| separator), 0, text)
}

/// The columns by their names, and which of them has the phone.
fn columns(cells: &[Cow<'_, str>]) -> Result<(Vec<Option<Column>>, usize)> {
    if cells.len() > MOST_COLUMNS {
        return Err(no_head(&format!("has {} columns, and may have {MOST_COLUMNS}", cells.len())));
    }
    let names: Vec<String> = cells.iter().map(|cell| cell.trim_matches('\u{feff}').trim().to_owned()).collect();
    for (index, name) in names.iter().enumerate() {
        if !name.is_empty() && names.iter().take(index).any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(no_head(&format!("has two columns with the name {name:?}")));
        }
    }
    let is_called = |wanted: &&str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    let phone = PHONE_COLUMNS.iter().find_map(is_called);
    let phone =
        phone.ok_or_else(|| no_head("must name the columns in its first line, and one of them must be phone"))?;
    let column = |name: String| {
        let is_parameter = Target::is_no_mere_name(&name);
        (!name.is_empty()).then_some(Column { name, is_parameter })
    };
    Ok((names.into_iter().map(column).collect(), phone))
}

fn no_head(how: &str) -> Error {
    Error::new(Kind::Invalid, format!("The CSV file {how}")).code("invalid_csv").retryable(false)
}

fn row(line: u32, columns: &[Option<Column>], phone: usize, cells: &[Cow<'_, str>]) -> RawRow {
    let mut row = RawRow { row: line, ..RawRow::default() };
    if let Some(surplus) = cells.iter().skip(columns.len()).find(|cell| !cell.is_empty()) {
        let words = format!("has more columns than the first line: {surplus:?} stands in none");
        row.problem = Some(Problem::new("columns", words));
    }
    for (index, (column, cell)) in columns.iter().zip(cells).enumerate() {
        let value = Value::from(cell.as_ref());
        if index == phone {
            row.phone = Some(value.clone());
        }
        let Some(Column { name, is_parameter }) = column else { continue };
        row.fields.insert(name.clone(), value);
        // An empty cell of a column that others need is no value of this row.
        if *is_parameter && !cell.is_empty() {
            row.given.push(name.clone());
        }
    }
    row
}

fn slice(text: &str, from: u64, to: u64) -> &str {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    text.get(index(from)..index(to)).unwrap_or_default()
}
