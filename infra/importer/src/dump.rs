//! The file, row by row: never more of it than one row is in memory.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use keys::Problem;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Value};

/// A row of the file. Its fields are read only where they are needed.
#[derive(Debug, Deserialize)]
pub(crate) struct RawRow {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) pk: Value,
    pub(crate) fields: Box<RawValue>,
}

/// Whether the reading goes on.
pub(crate) enum Go {
    On,
    /// Whoever took the rows wants no more: what is told then is of no account.
    Stop,
}

/// Hands every row to `take`, in the order of the file.
pub(crate) fn each_row(file: &Path, take: impl FnMut(RawRow) -> Go) -> Result<(), Problem> {
    let problem = |told: &dyn fmt::Display| Problem::new(format!("{}: {told}", file.display()));
    let mut reader = BufReader::with_capacity(1 << 20, File::open(file).map_err(|error| problem(&error))?);
    skip_begin(&mut reader).map_err(|error| problem(&error))?;
    let is_array = reader.fill_buf().map_err(|error| problem(&error))?.first() == Some(&b'[');
    let read = if is_array { array(reader, take) } else { lines(reader, take) };
    // Never the parser's own words, which quote what it found: it may be a key.
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let told = if error.is_io() {
            "can't be read".to_owned()
        } else {
            "is not as `manage.py dumpdata` writes it".to_owned()
        };
        problem(&format!("line {line}, column {column}: {told}"))
    })
}

/// Passes over a byte order mark and white space.
fn skip_begin(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let skipped =
            buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0xef | 0xbb | 0xbf));
        let count = skipped.count();
        if count == 0 {
            return Ok(());
        }
        reader.consume(count);
    }
}

fn lines(reader: impl BufRead, mut take: impl FnMut(RawRow) -> Go) -> serde_json::Result<()> {
    for row in Deserializer::from_reader(reader).into_iter() {
        if let Go::Stop = take(row?) {
            break;
        }
    }
    Ok(())
}

fn array(reader: impl BufRead, take: impl FnMut(RawRow) -> Go) -> serde_json::Result<()> {
    let mut deserializer = Deserializer::from_reader(reader);
    Rows(take).deserialize(&mut deserializer)?;
    deserializer.end()
}

struct Rows<F>(F);

impl<'de, F: FnMut(RawRow) -> Go> DeserializeSeed<'de> for Rows<F> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(RawRow) -> Go> Visitor<'de> for Rows<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element()? {
            if let Go::Stop = (self.0)(row) {
                return Err(A::Error::custom("nobody wants more rows"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut rows = Vec::new();
        let result = each_row(file.path(), |row| {
            rows.push((row.model, row.pk.to_string()));
            Go::On
        });
        let place = format!("{}: ", file.path().display());
        result.map(|()| rows).map_err(|problem| problem.to_string().replace(&place, ""))
    }

    #[test]
    fn an_array_and_a_line_for_each_row_are_read_alike() {
        let rows = vec![("a.b".to_owned(), "1".to_owned()), ("a.c".to_owned(), "\"x\"".to_owned())];
        let (one, two) =
            (r#"{"model": "a.b", "pk": 1, "fields": {"x": 1}}"#, r#"{"model":"a.c","pk":"x","fields":{}}"#);
        assert_eq!(read(&format!("\u{feff} [{one},\n{two}]\n")), Ok(rows.clone()));
        assert_eq!(read(&format!("{one}\n{two}\n")), Ok(rows));
        assert_eq!((read("[]"), read("")), (Ok(vec![]), Ok(vec![])));
    }

    #[test]
    fn a_broken_file_is_told_by_its_place_and_never_by_its_text() {
        for broken in [
            r#"["s3cret"]"#,
            r#"[{"model": "s3cret", "pk": 1, "fields": {}"#,
            r#"[{"model": 5, "fields": "s3cret"}]"#,
            r#"{"model": "a", "pk": 1, "fields": {}} s3cret"#,
            r#"[] "s3cret""#,
            "s3cret,key",
        ] {
            let problem = read(broken).unwrap_err();
            assert!(problem.starts_with("line 1, column") && !problem.contains("s3cret"), "{broken}: {problem}");
        }
    }
}
