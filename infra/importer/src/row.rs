//! A row of a table, and what can be wrong with its fields.

use domain::PhoneNumber;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::dump::RawRow;

/// Before the name of every model.
const APP: &str = "django_meta_whatsapp.";
/// The latest moment that sorts as the others do: in the year 2286.
const LATEST_MS: i64 = 9_999_999_999_999;

/// Why a row can't be taken: never with the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) field: &'static str,
    pub(crate) reason: String,
}

/// A row of one of the app's tables.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) pk: i64,
    pub(crate) fields: Map<String, Value>,
}

impl Fault {
    pub(crate) fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// The model of a row without the app's name. `None`: it is of another app.
pub(crate) fn model(raw: &RawRow) -> Option<&str> {
    raw.model.strip_prefix(APP)
}

impl Row {
    pub(crate) fn read(raw: &RawRow) -> Result<Self, Fault> {
        let pk =
            integer(&raw.pk).filter(|pk| *pk > 0).ok_or_else(|| Fault::new("pk", "must be a whole number above 0"))?;
        let fields = serde_json::from_str(raw.fields.get()).map_err(|_| Fault::new("fields", "must be an object"))?;
        Ok(Self { pk, fields })
    }

    fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// A text; empty where it is missing.
    pub(crate) fn text(&self, field: &'static str) -> Result<&str, Fault> {
        match self.value(field) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Fault::new(field, "must be a text")),
        }
    }

    /// Whether a text has something in it.
    pub(crate) fn has(&self, field: &'static str) -> bool {
        self.text(field).is_ok_and(|text| !text.is_empty())
    }

    /// A text of visible ASCII of at most 255 characters, as ids of Meta's are; `None` where it is empty.
    pub(crate) fn id(&self, field: &'static str) -> Result<Option<&str>, Fault> {
        let text = self.text(field)?;
        let is_plain = text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain {
            Ok(Some(text).filter(|text| !text.is_empty()))
        } else {
            Err(Fault::new(field, "must be visible ASCII"))
        }
    }

    /// The pk of a row that it points at, or another whole number.
    pub(crate) fn integer(&self, field: &'static str) -> Result<Option<i64>, Fault> {
        self.value(field)
            .map(|value| integer(value).ok_or_else(|| Fault::new(field, "must be a whole number")))
            .transpose()
    }

    /// A number of things; 0 where it is missing.
    pub(crate) fn count(&self, field: &'static str) -> Result<i64, Fault> {
        let count = self.integer(field)?.unwrap_or_default();
        // A counter of more than this never was one.
        if (0..=i64::from(i32::MAX)).contains(&count) {
            Ok(count)
        } else {
            Err(Fault::new(field, "must be 0 to 2147483647"))
        }
    }

    /// A number.
    pub(crate) fn number(&self, field: &'static str) -> Option<&Value> {
        self.value(field).filter(|value| value.is_number())
    }

    /// True or false; false where it is missing.
    pub(crate) fn boolean(&self, field: &'static str) -> Result<bool, Fault> {
        match self.value(field) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(Fault::new(field, "must be true or false")),
        }
    }

    /// A moment, in UTC unless it tells its offset.
    pub(crate) fn moment(&self, field: &'static str) -> Result<Option<Timestamp>, Fault> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let at = value.as_str().and_then(|text| {
            let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
            text.parse().ok().or_else(local)
        });
        at.filter(|at: &Timestamp| (0..=LATEST_MS).contains(&at.as_millisecond()))
            .map(Some)
            .ok_or_else(|| Fault::new(field, "must be a date and time from 1970 on, such as 2026-05-01T10:20:30Z"))
    }

    /// A moment that can't be missing.
    pub(crate) fn required_moment(&self, field: &'static str) -> Result<Timestamp, Fault> {
        self.moment(field)?.ok_or_else(|| Fault::new(field, "is empty"))
    }

    /// A phone number, as for sending.
    pub(crate) fn phone(&self, field: &'static str, country: &domain::CountryCode) -> Result<PhoneNumber, Fault> {
        PhoneNumber::parse(self.text(field)?, country).map_err(|error| Fault::new(field, error.to_string()))
    }

    /// An object.
    pub(crate) fn object(&self, field: &'static str) -> Option<&Map<String, Value>> {
        self.value(field).and_then(Value::as_object)
    }
}

/// A whole number, also where it is written as a text.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A row with these fields.
    pub(crate) fn row(pk: i64, fields: &Value) -> Row {
        Row { pk, fields: fields.as_object().unwrap().clone() }
    }

    #[test]
    fn what_is_wrong_is_told_by_field_and_never_by_its_value() {
        let row = row(
            1,
            &json!({"text": 5, "id": "s3cret é", "count": -1, "bool": "s3cret", "at": "s3cret", "old": "1969-12-31T23:59:59Z"}),
        );
        let faults = [
            row.text("text").unwrap_err(),
            row.id("id").unwrap_err(),
            row.count("count").unwrap_err(),
            row.integer("bool").unwrap_err(),
            row.boolean("bool").unwrap_err(),
            row.moment("at").unwrap_err(),
            row.moment("old").unwrap_err(),
            row.required_moment("none").unwrap_err(),
            row.phone("at", &domain::CountryCode::default()).unwrap_err(),
        ];
        for fault in faults {
            assert!(!fault.field.is_empty() && !fault.reason.contains("s3cret"), "{fault:?}");
        }
    }

    #[test]
    fn what_is_missing_is_empty_and_moments_are_read_as_django_writes_them() {
        let row =
            row(1, &json!({"none": null, "at": "2026-05-01T15:50:30.123+05:30", "naive": "2026-05-01 10:20:30.123"}));
        assert_eq!(
            (row.text("none"), row.id("gone"), row.boolean("none"), row.count("none")),
            (Ok(""), Ok(None), Ok(false), Ok(0))
        );
        assert_eq!(row.moment("at"), row.moment("naive"));
    }
}
