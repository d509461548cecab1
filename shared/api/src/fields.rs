//! The fields of a JSON body, each read by its type, range and length.
//!
//! Every error names its field and says what to write. A field that is `null` is one that is absent. Fields that
//! nobody asks for are ignored, as the reference does.

use std::ops::RangeInclusive;

use domain::{AccountId, CountryCode, Error, PhoneNumber, Result};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The fields of a JSON object.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl From<Map<String, Value>> for Fields {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

impl Fields {
    /// A field as it stands; `None` when it is absent or `null`.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text of `length` characters that must be there.
    pub fn text(&self, name: &str, length: RangeInclusive<usize>) -> Result<&str> {
        self.optional_text(name, length)?.ok_or_else(|| required(name))
    }

    /// A text of `length` characters, if it is there.
    pub fn optional_text(&self, name: &str, length: RangeInclusive<usize>) -> Result<Option<&str>> {
        self.value(name).map(|value| text_of(name, value, length)).transpose()
    }

    /// A whole number, if it is there.
    pub fn optional_integer(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        whole_number(value).map(Some).ok_or_else(|| must(name, "be a whole number"))
    }

    /// `true` or `false`, if it is there.
    pub fn optional_boolean(&self, name: &str) -> Result<Option<bool>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| must(name, "be true or false"))
    }

    /// A number within `range` that must be there: a JSON number, or a text that holds one, as the reference takes
    /// both.
    pub fn number(&self, name: &str, range: RangeInclusive<f64>) -> Result<f64> {
        let number = match self.value(name).ok_or_else(|| required(name))? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| must(name, "be a number"))?;
        if range.contains(&number) {
            return Ok(number);
        }
        Err(must(name, &format!("be between {} and {}", range.start(), range.end())))
    }

    /// A phone number that must be there. `country` is put before a bare 10-digit one.
    pub fn phone_number(&self, name: &str, country: &CountryCode) -> Result<PhoneNumber> {
        let value = self.value(name).ok_or_else(|| required(name))?;
        let text = value.as_str().ok_or_else(|| must(name, "be a text, for example \"+919876543210\""))?;
        PhoneNumber::parse(text, country).map_err(|error| Error::invalid_field(name, format!("{name} {error}")))
    }

    /// The contacts that the request names: one in `phone`, or 1 to `most` in `phones`. Each as it is written, which is how
    /// the reference passes it on; Meta reads it.
    pub fn contacts(&self, most: usize) -> Result<Vec<&str>> {
        // A business-scoped user id is the longest that Meta takes.
        const LENGTH: RangeInclusive<usize> = 1..=150;
        let phone = self.value("phone").filter(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
        let Some(phones) = self.value("phones") else {
            // In the reference's words.
            let phone = phone.ok_or_else(|| Error::invalid_field("phone", "Phone required"))?;
            return Ok(vec![text_of("phone", phone, LENGTH)?]);
        };
        if phone.is_some() {
            return Err(must("phones", "be left out where phone is given"));
        }
        let phones = phones.as_array().filter(|phones| (1..=most).contains(&phones.len()));
        let phones = phones.ok_or_else(|| must("phones", &format!("be a list of 1 to {most} texts")))?;
        phones.iter().enumerate().map(|(index, phone)| text_of(&format!("phones[{index}]"), phone, LENGTH)).collect()
    }

    /// The account that the request names, if it names one.
    pub fn account_id(&self) -> Result<Option<AccountId>> {
        Ok(self.optional_integer("account_id")?.map(AccountId))
    }

    /// The template that the request names, and its language: `en` if it names none.
    pub fn template(&self) -> Result<(&str, &str)> {
        let name = self.text("template_name", 1..=512)?;
        if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
            return Err(must("template_name", "be made of small letters a to z, digits and _"));
        }
        let language = self.optional_text("language", 1..=20)?.unwrap_or("en");
        if !is_language_code(language) {
            return Err(must("language", "be a code such as en, en_US or zh_CN"));
        }
        Ok((name, language))
    }

    /// A moment, if it is there: a date and a time with an offset, as in RFC 3339.
    pub fn optional_moment(&self, name: &str) -> Result<Option<Timestamp>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let moment = value.as_str().and_then(|text| text.parse().ok());
        moment.map(Some).ok_or_else(|| must(name, "be a time with its offset, for example 2026-11-29T09:00:00+05:30"))
    }

    /// An object, if it is there.
    pub fn optional_object(&self, name: &str) -> Result<Option<&Map<String, Value>>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| must(name, "be an object"))
    }

    /// The wamid of the message that is answered, if one is. Meta gives no length; all that are seen are far shorter.
    pub fn reply_to(&self) -> Result<Option<String>> {
        Ok(self.optional_text("reply_to", 1..=255)?.map(str::to_owned))
    }
}

/// A value as a whole number: also one that is written as `7.0`, as programs do whose numbers are all of one kind.
pub fn whole_number(value: &Value) -> Option<i64> {
    /// Up to here a float stands for one whole number only.
    const LARGEST: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < LARGEST)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole, and fits")]
        let whole = float as i64;
        Some(whole)
    })
}

/// Two or three small letters, and what Meta puts behind them for a region or a script (Meta: "Supported languages").
fn is_language_code(code: &str) -> bool {
    let (language, variant) =
        code.split_once('_').map_or((code, None), |(language, variant)| (language, Some(variant)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && variant.is_none_or(|variant| {
            (2..=4).contains(&variant.len()) && variant.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
}

/// A value as a text of `length` characters.
fn text_of<'a>(name: &str, value: &'a Value, length: RangeInclusive<usize>) -> Result<&'a str> {
    let text = value.as_str().ok_or_else(|| must(name, "be a text"))?;
    let (shortest, longest) = (*length.start(), *length.end());
    match text.chars().count() {
        count if length.contains(&count) => Ok(text),
        0 => Err(must(name, "not be empty")),
        count => Err(must(name, &format!("have {shortest} to {longest} characters, and has {count}"))),
    }
}

/// The field `name` is missing.
fn required(name: &str) -> Error {
    Error::invalid_field(name, format!("{name} is required"))
}

/// The field `name` must be otherwise than it is.
fn must(name: &str, how: &str) -> Error {
    Error::invalid_field(name, format!("{name} must {how}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "so that a test can write the value in place")]
    fn fields(value: Value) -> Fields {
        Fields::from(value.as_object().unwrap().clone())
    }

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.public().field.as_deref(), Some("f"));
        error.public().message.clone()
    }

    #[test]
    fn a_missing_field_and_null_are_the_same() {
        for body in [json!({}), json!({"f": null})] {
            assert_eq!(message(fields(body.clone()).text("f", 1..=9)), "f is required");
            assert_eq!(fields(body.clone()).optional_text("f", 1..=9).unwrap(), None);
            assert_eq!(fields(body.clone()).optional_integer("f").unwrap(), None);
            assert_eq!(fields(body).optional_boolean("f").unwrap(), None);
        }
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        for (value, number) in [(json!(7), Some(7)), (json!(-7.0), Some(-7)), (json!(7.5), None), (json!(1e16), None)] {
            assert_eq!(whole_number(&value), number, "{value}");
        }
        assert_eq!(whole_number(&json!(i64::MAX)), Some(i64::MAX));
        assert_eq!(whole_number(&json!(u64::MAX)), None);
    }

    #[test]
    fn a_text_is_measured_in_characters() {
        let read = |text: &str| message(fields(json!({"f": text})).text("f", 2..=3));
        assert_eq!(fields(json!({"f": "äöü"})).text("f", 2..=3).unwrap(), "äöü");
        assert_eq!(read("äöüß"), "f must have 2 to 3 characters, and has 4");
        assert_eq!(read("ä"), "f must have 2 to 3 characters, and has 1");
        assert_eq!(read(""), "f must not be empty");
    }

    #[test]
    fn a_value_of_another_type_is_refused_by_name() {
        for odd in [json!(1), json!([]), json!({}), json!(true)] {
            assert_eq!(message(fields(json!({"f": odd})).text("f", 1..=9)), "f must be a text");
        }
        for odd in [json!("1"), json!(1.5), json!([]), json!(1e30), json!(true)] {
            assert_eq!(message(fields(json!({"f": odd})).optional_integer("f")), "f must be a whole number");
        }
        for odd in [json!("true"), json!(1)] {
            assert_eq!(message(fields(json!({"f": odd})).optional_boolean("f")), "f must be true or false");
        }
        let phone = fields(json!({"f": 919_876_543_210_u64}));
        assert!(message(phone.phone_number("f", &CountryCode::default())).starts_with("f must be a text"));
    }

    #[test]
    fn a_number_may_be_a_text_and_must_be_within_its_range() {
        for good in [json!(28.6), json!("28.6"), json!(" 28.6 ")] {
            assert!((fields(json!({"f": good})).number("f", -90.0..=90.0).unwrap() - 28.6).abs() < 1e-9);
        }
        for bad in [json!(90.1), json!("-91"), json!("inf"), json!("NaN"), json!(1e300)] {
            assert_eq!(message(fields(json!({"f": bad})).number("f", -90.0..=90.0)), "f must be between -90 and 90");
        }
        for odd in [json!("x"), json!(""), json!([1]), json!(true)] {
            assert_eq!(message(fields(json!({"f": odd})).number("f", -90.0..=90.0)), "f must be a number");
        }
    }

    #[test]
    fn a_moment_has_a_date_a_time_and_an_offset() {
        for (written, utc) in [
            ("2026-11-29T09:00:00Z", "2026-11-29T09:00:00Z"),
            ("2026-11-29T09:00:00+05:30", "2026-11-29T03:30:00Z"),
            ("2026-11-29 09:00:00.5-08:00", "2026-11-29T17:00:00.5Z"),
        ] {
            assert_eq!(fields(json!({"f": written})).optional_moment("f").unwrap().unwrap().to_string(), utc);
        }
        for odd in [
            json!("2026-11-29"),
            json!("2026-11-29T09:00:00"),
            json!("tomorrow"),
            json!(""),
            json!(1_767_323_045),
            json!([]),
        ] {
            assert!(message(fields(json!({"f": odd})).optional_moment("f")).starts_with("f must be a time"), "{odd}");
        }
        assert_eq!(fields(json!({"f": null})).optional_moment("f").unwrap(), None);
        assert_eq!(message(fields(json!({"f": []})).optional_object("f")), "f must be an object");
    }

    #[test]
    fn contacts_are_one_phone_or_a_list_of_phones_as_they_are_written() {
        let read = |body: Value| {
            let fields = fields(body);
            let contacts = fields.contacts(3).map(|phones| phones.iter().map(|&phone| phone.to_owned()).collect());
            contacts.map_err(|error| (error.public().field.clone().unwrap(), error.public().message.clone()))
        };
        let told = |field: &str, message: &str| Err::<Vec<String>, _>((field.to_owned(), message.to_owned()));
        assert_eq!(read(json!({"phone": " +91 (98) "})), Ok(vec![" +91 (98) ".to_owned()]));
        assert_eq!(read(json!({"phones": ["a", "b"], "phone": null})).unwrap(), ["a", "b"]);
        for nobody in [json!({}), json!({"phone": null, "phones": null}), json!({"phone": ""}), json!({"phone": " "})] {
            assert_eq!(read(nobody), told("phone", "Phone required"));
        }
        assert_eq!(read(json!({"phone": 1})), told("phone", "phone must be a text"));
        assert_eq!(read(json!({"phone": "a", "phones": ["b"]})).unwrap_err().0, "phones");
        for odd in [json!([]), json!(["a", "b", "c", "d"]), json!("a"), json!({}), json!(1)] {
            assert_eq!(read(json!({"phones": odd})), told("phones", "phones must be a list of 1 to 3 texts"));
        }
        assert_eq!(read(json!({"phones": ["a", ""]})), told("phones[1]", "phones[1] must not be empty"));
        assert_eq!(read(json!({"phones": ["a", null]})), told("phones[1]", "phones[1] must be a text"));
        assert_eq!(read(json!({"phones": ["x".repeat(151)]})).unwrap_err().0, "phones[0]");
    }

    proptest! {
        #[test]
        fn reading_any_value_as_anything_never_panics(text in "\\PC{0,40}", number in any::<f64>(), integer in any::<i64>()) {
            for value in [json!(text), json!(number), json!(integer), json!([text]), json!({"a": number})] {
                let fields = fields(json!({"f": value}));
                let _ = fields.text("f", 1..=4096);
                let _ = fields.number("f", -180.0..=180.0);
                let _ = fields.optional_integer("f");
                let _ = fields.optional_boolean("f");
                let _ = fields.phone_number("f", &CountryCode::default());
                let _ = fields.contacts(1000);
            }
        }
    }
}
