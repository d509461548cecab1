//! How a campaign's template is filled in: which value goes where.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Error, Result, template_value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rows::{Problem, RawRow};
use crate::shape::Shape;
use crate::target::{ButtonValue, Target, Variable};

const FIELD: &str = "parameter_mappings";
/// A rendered template has at most so many characters (Meta: "Error codes", 132005).
const LONGEST_VALUE: usize = 1024;
/// The values of one recipient have at most so many characters: more than any template takes, and a row of the table holds
/// those of many.
const LONGEST_VALUES: usize = 8 * 1024;
/// More places than any template has.
const MOST_PLACES: usize = 100;
const LONGEST_FIELD_NAME: usize = 100;
/// Meta: "Template messages".
const LONGEST_CODE: usize = 20;
/// More spaces in a row are refused by Meta, as are line breaks and tabs (Meta: "Error codes", 132018).
const MOST_SPACES: &str = "     ";

/// Which value goes where. Not known yet where neither the client nor Meta says it: then the first recipient does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Form {
    slots: Option<Vec<Slot>>,
}

/// A place of the template, and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    target: Target,
    #[serde(flatten)]
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// A field of the recipient.
    Field(String),
    /// The same for all.
    Value(String),
}

impl Form {
    /// What the client's mappings say, or else what the template asks for.
    pub(crate) fn new(mappings: Option<&Map<String, Value>>, shape: Option<&Shape>) -> Result<Self> {
        let slots = match (mappings, shape) {
            (None, None) => return Ok(Self::default()),
            (None, Some(shape)) => shape.required.iter().cloned().map(Slot::of_its_own_name).collect(),
            (Some(mappings), _) => mappings.iter().map(|(name, from)| slot(name, from)).collect::<Result<_>>()?,
        };
        let form = Self { slots: Some(slots) };
        form.check()?;
        if let (Some(_), Some(shape)) = (mappings, shape) {
            form.fits(shape)?;
        }
        Ok(form)
    }

    pub(crate) fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(Error::internal)
    }

    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }

    /// As clients write and read it: the field of each place, or the value that is the same for all.
    pub(crate) fn mappings(&self) -> Map<String, Value> {
        let from = |slot: &Slot| match &slot.source {
            Source::Field(name) => Value::from(name.as_str()),
            Source::Value(value) => serde_json::json!({"value": value}),
        };
        self.slots.iter().flatten().map(|slot| (slot.target.to_string(), from(slot))).collect()
    }

    /// Takes the places from the first row that has values, where they are not known yet.
    pub(crate) fn learn(&mut self, rows: &[RawRow]) {
        if self.slots.is_some() {
            return;
        }
        let places = |row: &RawRow| row.parameters().filter_map(|name| name.parse().ok()).collect::<Vec<Target>>();
        let places = rows.iter().map(places).find(|places| !places.is_empty());
        self.slots = places.map(|places| places.into_iter().take(MOST_PLACES).map(Slot::of_its_own_name).collect());
    }

    /// The values of a recipient, in the order of the places.
    pub(crate) fn values(&self, row: &RawRow) -> Result<Vec<String>, Problem> {
        let slots = self.slots.as_deref().unwrap_or_default();
        let mut values = Vec::new();
        for slot in slots {
            let Source::Field(field) = &slot.source else { continue };
            values.push(value(slot, field, row.field(field))?);
        }
        if values.iter().map(|value| value.chars().count()).sum::<usize>() > LONGEST_VALUES {
            let problem = format!("has values that must have at most {LONGEST_VALUES} characters together");
            return Err(Problem::new("invalid_value", problem));
        }
        // A value that goes nowhere is most likely meant to go somewhere; but for names, which other things have, too.
        let known: BTreeSet<_> = slots.iter().filter_map(Slot::source_field).collect();
        let goes_nowhere = |name: &&str| !known.contains(name) && Target::is_no_mere_name(name);
        if let Some(surplus) = row.parameters().find(goes_nowhere) {
            let problem = format!("has the parameter {surplus:?}, for which the template has no place");
            return Err(Problem::new("surplus_value", problem));
        }
        Ok(values)
    }

    /// Meta's components for a recipient with these values.
    pub(crate) fn components(&self, values: &[String]) -> Vec<Value> {
        let mut values = values.iter();
        let filled = self.slots.iter().flatten().filter_map(|slot| match &slot.source {
            Source::Value(value) => Some((&slot.target, value.as_str())),
            Source::Field(_) => values.next().map(|value| (&slot.target, value.as_str())),
        });
        Target::components(filled.collect::<Vec<_>>())
    }

    /// The fields of a recipient that are asked for, in the order of the places.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().flatten().filter_map(Slot::source_field)
    }

    /// The values of a recipient by their places, as clients read them.
    pub(crate) fn parameters(&self, values: &[String]) -> BTreeMap<String, String> {
        let fields = self.slots.iter().flatten().filter(|slot| matches!(slot.source, Source::Field(_)));
        fields.zip(values).map(|(slot, value)| (slot.target.to_string(), value.clone())).collect()
    }

    /// Whether the places could be a template's at all.
    fn check(&self) -> Result<()> {
        if self.slots.iter().flatten().count() > MOST_PLACES {
            return Err(problem(&format!("must have at most {MOST_PLACES} members")));
        }
        let targets: BTreeSet<_> = self.slots.iter().flatten().map(|slot| &slot.target).collect();
        let body = targets.iter().filter_map(|target| match target {
            Target::Body(variable) => Some(variable),
            _ => None,
        });
        let (mut numbers, mut names) = (Vec::new(), 0);
        for variable in body {
            match variable {
                Variable::Number(number) => numbers.push(*number),
                Variable::Name(_) => names += 1,
            }
        }
        if names > 0 && !numbers.is_empty() {
            return Err(problem("has numbers and names for the body's variables: a template has either"));
        }
        match (1..).zip(&numbers).find(|(expected, number)| expected != *number) {
            Some((missing, _)) => Err(problem(&format!("lacks the body's variable {missing}"))),
            None => Ok(()),
        }
    }

    /// Whether every place is one of the template's, and none is left empty.
    fn fits(&self, shape: &Shape) -> Result<()> {
        let targets: BTreeSet<_> = self.slots.iter().flatten().map(|slot| &slot.target).collect();
        if let Some(missing) = shape.required.iter().find(|target| !targets.contains(target)) {
            return Err(problem(&format!(
                "lacks {}: write it as {missing:?}",
                missing.in_words(),
                missing = missing.to_string()
            )));
        }
        let surplus =
            targets.into_iter().find(|target| !shape.required.contains(target) && !shape.optional.contains(target));
        match surplus {
            Some(surplus) => Err(problem(&format!("has {}, which the template has not", surplus.in_words()))),
            None => Ok(()),
        }
    }
}

impl Slot {
    /// Its value stands in a field that is called like the place.
    fn of_its_own_name(target: Target) -> Self {
        Self { source: Source::Field(target.to_string()), target }
    }

    fn source_field(&self) -> Option<&str> {
        match &self.source {
            Source::Field(field) => Some(field),
            Source::Value(_) => None,
        }
    }
}

/// A mapping as a client writes it: `"1": "name"`, or `"1": {"value": "the same for all"}`.
fn slot(name: &str, from: &Value) -> Result<Slot> {
    let path = format!("{FIELD}.{name}");
    let must = |how: &str| Error::invalid_field(path.as_str(), format!("{path} {how}"));
    let target: Target = name.parse().map_err(|error| must(&format!("{error}")))?;
    let source = match from {
        Value::String(field) if field.chars().count() > LONGEST_FIELD_NAME => {
            return Err(must(&format!("must have at most {LONGEST_FIELD_NAME} characters")));
        }
        Value::String(field) if !field.trim().is_empty() => Source::Field(field.trim().to_owned()),
        Value::Object(fixed) => {
            let fixed = fixed.get("value").ok_or_else(|| must("must have the member value"))?;
            let fixed = template_value(fixed).map_err(|error| must(&error.to_string()))?;
            fits_in(&target, &fixed).map_err(|how| must(&format!("must {how}")))?;
            Source::Value(fixed)
        }
        _ => return Err(must("must be the name of a field, or {\"value\": \"the same for all\"}")),
    };
    Ok(Slot { target, source })
}

/// A recipient's value for a place.
fn value(slot: &Slot, field: &str, value: Option<&Value>) -> Result<String, Problem> {
    let place = slot.target.in_words();
    let missing = || {
        let problem = format!("lacks a value for {place}: the field {field:?} is missing or empty");
        Problem::new("missing_value", problem)
    };
    let text = match value {
        None | Some(Value::Null) => return Err(missing()),
        Some(value) => template_value(value),
    };
    let text = match text {
        Err(domain::TemplateValueError::Empty) => return Err(missing()),
        Err(error) => return Err(Problem::new("invalid_value", format!("has a value for {place} that {error}"))),
        Ok(text) if text.trim().is_empty() => return Err(missing()),
        Ok(text) => text,
    };
    match fits_in(&slot.target, &text) {
        Ok(()) => Ok(text),
        Err(how) => Err(Problem::new("invalid_value", format!("has a value for {place} that must {how}"))),
    }
}

/// Whether Meta could take a text in a place at all.
fn fits_in(target: &Target, text: &str) -> Result<(), &'static str> {
    if text.chars().count() > LONGEST_VALUE {
        return Err("have at most 1024 characters");
    }
    if text.contains(['\n', '\r', '\t']) || text.contains(MOST_SPACES) {
        return Err("have no line breaks, no tabs and at most 4 spaces in a row");
    }
    match target {
        Target::HeaderMedia(_) => {
            let is_id = text.bytes().all(|byte| byte.is_ascii_digit());
            let is_link = text.starts_with("https://") || text.starts_with("http://");
            if !is_id && (!is_link || text.contains(' ')) {
                return Err("be a link, or the id of an uploaded file");
            }
        }
        Target::Button(_, ButtonValue::CouponCode) if text.chars().count() > LONGEST_CODE => {
            return Err("have at most 20 characters");
        }
        Target::Button(_, ButtonValue::Url) if text.contains(' ') => return Err("have no spaces"),
        _ => {}
    }
    Ok(())
}

fn problem(how: &str) -> Error {
    Error::invalid_field(FIELD, format!("{FIELD} {how}"))
}

#[cfg(test)]
mod tests;
