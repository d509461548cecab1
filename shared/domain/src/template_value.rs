//! A value for a template's variable, as clients write it and as Meta takes it: a text.

use serde_json::Value;

/// The longest text of a parameter in Meta's schema. What counts is the rendered message, which Meta checks.
const LONGEST: usize = 32_768;
/// Up to here every whole number has a floating point form of its own.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Why a value is none for a template's variable. Says what it must be; does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateValueError {
    /// A number that JSON's readers round.
    #[error("must be written as a text: the number is too long to be kept exactly")]
    Rounded,
    /// A list, an object or `null`.
    #[error("must be a text or a number")]
    NoText,
    /// An empty text.
    #[error("must not be empty")]
    Empty,
    /// More than Meta takes.
    #[error("must have at most {LONGEST} characters")]
    TooLong,
}

/// The text of a value. Numbers are written out, and booleans as the reference does.
pub fn template_value(value: &Value) -> Result<String, TemplateValueError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number)
            if number.is_f64() && number.as_f64().is_none_or(|float| float.abs() >= LARGEST_EXACT) =>
        {
            return Err(TemplateValueError::Rounded);
        }
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(TemplateValueError::NoText),
    };
    match text.chars().count() {
        0 => Err(TemplateValueError::Empty),
        1..=LONGEST => Ok(text),
        _ => Err(TemplateValueError::TooLong),
    }
}
