//! CSV with the columns' names in its first line, as a database or a spreadsheet writes it.

use csv::{Reader, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use crate::import::found::{FIELDS, Row};

/// The rows of a CSV file.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, String> {
    // Nothing is trimmed: a space may belong to a key.
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let header = header(&mut reader)?;
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    loop {
        let is_row = reader.read_record(&mut record).map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            format!("line {line}: there are not as many values as the first line has columns")
        })?;
        if !is_row {
            return Ok(rows);
        }
        let fields = header.iter().zip(&record).filter(|(name, _)| FIELDS.contains(&name.as_str()));
        let fields: Map<_, _> = fields.map(|(name, value)| (name.clone(), Value::String(value.to_owned()))).collect();
        rows.push(Row { place: format!("line {}", record.position().map_or(0, csv::Position::line)), fields });
    }
}

/// The names of the columns. What else stands in a first line may be a key, and is not repeated.
fn header(reader: &mut Reader<&[u8]>) -> Result<Vec<String>, String> {
    let header = reader.headers().map_err(|_| "line 1 is not CSV".to_owned())?;
    let header: Vec<_> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    for field in FIELDS {
        let count = header.iter().filter(|name| *name == field).count();
        let is_required = field == "key" || field == "name";
        if count > 1 {
            return Err(format!("line 1 names the column {field} twice"));
        }
        if count == 0 && is_required {
            return Err(format!(
                "line 1 names no column {field}. It must be the JSON of `manage.py dumpdata`, or CSV whose first line names \
                 the columns, separated by commas"
            ));
        }
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        rows(text).err().unwrap()
    }

    #[test]
    fn columns_come_in_any_order_and_only_those_of_a_key_are_read() {
        let rows = rows("note,Name,is_active, key\nx,\"a, \"\"b\"\"\nc\",t,\" k \"\ny,d,f,e\n").unwrap();
        let fields: Vec<_> = rows.into_iter().map(|row| (row.place, Value::Object(row.fields))).collect();
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(
            fields,
            [
                ("line 2".to_owned(), json(r#"{"name": "a, \"b\"\nc", "is_active": "t", "key": " k "}"#)),
                ("line 4".to_owned(), json(r#"{"name": "d", "is_active": "f", "key": "e"}"#)),
            ]
        );
    }

    #[test]
    fn what_is_wrong_with_the_table_is_told_by_its_line_and_never_by_its_text() {
        assert!(problem("").starts_with("line 1 names no column key"));
        assert!(problem("s3cret,shop\n").starts_with("line 1 names no column key"));
        assert!(problem("key;name\ns3cret;shop\n").starts_with("line 1 names no column key"));
        assert!(problem("key\ns3cret\n").starts_with("line 1 names no column name"));
        assert_eq!(problem("key,name,key\na,b,c\n"), "line 1 names the column key twice");
        let problem = problem("key,name\na,b\ns3cret\n");
        assert_eq!(problem, "line 3: there are not as many values as the first line has columns");
    }
}
