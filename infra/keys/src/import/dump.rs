//! The JSON of Django's `manage.py dumpdata`.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::import::found::Row;

/// What Django calls the table.
const MODEL: &str = "django_meta_whatsapp.whatsappapikey";

/// One row of any table. The fields of the others, which may be millions of messages, are not even read.
#[derive(Deserialize)]
struct Object<'a> {
    model: String,
    #[serde(default)]
    pk: Value,
    #[serde(borrow)]
    fields: &'a RawValue,
}

/// The API keys of a dump.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, String> {
    // Never the parser's own words, which quote what it found: it may be a key.
    let objects: Vec<Object<'_>> = serde_json::from_str(text).map_err(|error| {
        format!("line {}, column {} is not as `manage.py dumpdata` writes it", error.line(), error.column())
    })?;
    let rows = objects.iter().filter(|object| object.model == MODEL).map(|object| {
        let place = format!("the API key with pk {}", object.pk);
        let fields: Result<Map<String, Value>, _> = serde_json::from_str(object.fields.get());
        let fields = fields.map_err(|_| format!("{place}: fields must be an object"))?;
        Ok(Row { place, fields })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_dump_is_told_by_its_place_and_never_by_its_text() {
        for broken in [r#"["s3cret"]"#, r#"[{"model": "s3cret", "fields": {}"#, r#"[{"model": 5, "fields": "s3cret"}]"#]
        {
            let problem = rows(broken).err().unwrap();
            assert!(problem.starts_with("line 1, column") && !problem.contains("s3cret"), "{problem}");
        }
        let text = r#"[{"model": "django_meta_whatsapp.whatsappapikey", "pk": 3, "fields": "s3cret"}]"#;
        assert_eq!(rows(text).err().unwrap(), "the API key with pk 3: fields must be an object");
    }
}
