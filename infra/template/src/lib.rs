//! Reads template.yaml, the one place that names functions, their routes, their schedules and the tables.
//!
//! The local stack routes by it, makes its tables from it and keeps its schedules, so that what runs here is what is
//! deployed.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use serde_norway::Value;

/// What template.yaml says of the parts that also run on one machine.
#[derive(Clone, Debug)]
pub struct Template {
    /// The Lambda functions, in the order of the file.
    pub functions: Vec<Function>,
    /// The DynamoDB tables, in the order of the file.
    pub tables: Vec<Table>,
}

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its one name: folder, package, binary.
    pub name: String,
    /// The paths that API Gateway sends to it, whatever the method, without a trailing slash.
    pub paths: Vec<String>,
    /// How long it is from one start to the next, for every schedule that starts it.
    pub schedules: Vec<Duration>,
}

/// A DynamoDB table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name behind the stack's name and the hyphen.
    pub name: String,
    /// `AttributeDefinitions`, `KeySchema` and so on: what `CreateTable` takes, but for the name.
    pub definition: Map<String, Json>,
    /// The attribute by which DynamoDB removes rows by itself.
    pub time_to_live: Option<String>,
}

/// Why a template can't be read. Names the resource.
#[derive(Debug, thiserror::Error)]
#[error("template.yaml: {0}")]
pub struct TemplateError(String);

/// The table names of a deployment begin with the stack's name.
const TABLE_NAME_PREFIX: &str = "${AWS::StackName}-";

impl Template {
    /// The template of this repository, as it was when this was built.
    pub fn ours() -> Result<Self, TemplateError> {
        Self::parse(include_str!("../../../template.yaml"))
    }

    /// Reads a template's text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let file: Value = serde_norway::from_str(text).map_err(|error| TemplateError(error.to_string()))?;
        let resources = file
            .get("Resources")
            .and_then(Value::as_mapping)
            .ok_or_else(|| TemplateError("there are no Resources".to_owned()))?;
        let mut template = Self { functions: Vec::new(), tables: Vec::new() };
        for (id, resource) in resources {
            let read = match resource.get("Type").and_then(Value::as_str) {
                Some("AWS::Serverless::Function") => {
                    function(resource).map(|function| template.functions.push(function))
                }
                Some("AWS::DynamoDB::Table") => table(resource).map(|table| template.tables.push(table)),
                _ => Ok(()),
            };
            read.map_err(|problem| TemplateError(format!("{}: {problem}", id.as_str().unwrap_or_default())))?;
        }
        Ok(template)
    }
}

fn function(resource: &Value) -> Result<Function, String> {
    let properties = resource.get("Properties").ok_or("has no Properties")?;
    let code = text(properties, "CodeUri").ok_or("has no CodeUri")?;
    let name = code
        .strip_prefix("target/lambda/")
        .map(|name| name.trim_end_matches('/'))
        .ok_or("has a CodeUri other than target/lambda/NAME/")?;
    let events = properties.get("Events").and_then(Value::as_mapping);
    let (mut paths, mut schedules) = (Vec::new(), Vec::new());
    for event in events.into_iter().flat_map(|events| events.values()) {
        match text(event, "Type") {
            Some("Api") => paths.push(path(event)?),
            Some("Schedule") => schedules.push(schedule(event)?),
            _ => {}
        }
    }
    Ok(Function { name: name.to_owned(), paths, schedules })
}

fn path(event: &Value) -> Result<String, String> {
    let route = event.get("Properties").ok_or("has an Api event with no Properties")?;
    let path = text(route, "Path").ok_or("has an Api event with no Path")?;
    // The function answers a wrong method itself, with a JSON body.
    if text(route, "Method") != Some("any") {
        return Err(format!("routes {path} by another Method than any"));
    }
    Ok(path.to_owned())
}

fn schedule(event: &Value) -> Result<Duration, String> {
    let schedule = event.get("Properties").and_then(|properties| text(properties, "Schedule"));
    let schedule = schedule.ok_or("has a Schedule event with no Schedule")?;
    rate(schedule)
        .ok_or_else(|| format!("has the schedule {schedule}, and only rate(N minutes|hours|days) is understood"))
}

/// The time between two starts (AWS: "Rate expressions": one minute, hour or day in the singular, and more of them in the
/// plural).
fn rate(schedule: &str) -> Option<Duration> {
    const MINUTE_S: u64 = 60;
    let (count, unit) = schedule.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let is_number = count.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = count.parse().ok().filter(|count| is_number && *count > 0)?;
    let unit_s = match (unit, count) {
        ("minute", 1) | ("minutes", 2..) => MINUTE_S,
        ("hour", 1) | ("hours", 2..) => 60 * MINUTE_S,
        ("day", 1) | ("days", 2..) => 24 * 60 * MINUTE_S,
        _ => return None,
    };
    count.checked_mul(unit_s).map(Duration::from_secs)
}

fn table(resource: &Value) -> Result<Table, String> {
    let properties = resource.get("Properties").ok_or("has no Properties")?;
    let name = properties
        .get("TableName")
        .and_then(|name| untagged(name).as_str())
        .and_then(|name| name.strip_prefix(TABLE_NAME_PREFIX))
        .ok_or_else(|| format!("has a TableName that does not begin with {TABLE_NAME_PREFIX}"))?;
    let mut definition = Map::new();
    for property in ["AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"] {
        if let Some(value) = properties.get(property) {
            definition.insert(property.to_owned(), serde_json::to_value(value).map_err(|error| error.to_string())?);
        }
    }
    let time_to_live = properties.get("TimeToLiveSpecification").and_then(|ttl| text(ttl, "AttributeName"));
    Ok(Table { name: name.to_owned(), definition, time_to_live: time_to_live.map(str::to_owned) })
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member)?.as_str()
}

/// The value behind a short form such as `!Sub`.
fn untagged(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) => &tagged.value,
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_template_names_functions_with_paths_and_tables_with_keys() {
        let template = Template::ours().unwrap();
        let send_message = template.functions.iter().find(|function| function.name == "send-message").unwrap();
        assert_eq!(send_message.paths, ["/whatsapp/api/send-message"]);
        let messages = template.tables.iter().find(|table| table.name == "Messages").unwrap();
        assert!(messages.definition.contains_key("KeySchema"));
    }

    #[test]
    fn a_template_that_could_not_run_here_is_refused_with_the_resource_named() {
        let problem =
            |resource: &str| Template::parse(&format!("Resources:\n  Thing:\n{resource}")).unwrap_err().to_string();
        let elsewhere = problem("    Type: AWS::Serverless::Function\n    Properties: {CodeUri: elsewhere/}");
        assert!(elsewhere.contains("Thing: has a CodeUri other than"), "{elsewhere}");
        let unnamed = problem("    Type: AWS::DynamoDB::Table\n    Properties: {TableName: fixed}");
        assert!(unnamed.contains("Thing: has a TableName that does not begin"), "{unnamed}");
    }

    fn scheduled(schedule: &str) -> Result<Template, TemplateError> {
        let events = format!("{{Hourly: {{Type: Schedule, Properties: {{{schedule}}}}}}}");
        let properties = format!("{{CodeUri: target/lambda/thing/, Events: {events}}}");
        Template::parse(&format!(
            "Resources:\n  Thing:\n    Type: AWS::Serverless::Function\n    Properties: {properties}"
        ))
    }

    #[test]
    fn a_schedule_is_the_time_between_two_starts() {
        for (schedule, seconds) in [
            ("rate(1 minute)", 60),
            ("rate(15 minutes)", 15 * 60),
            ("rate(1 hour)", 3600),
            ("rate(2 hours)", 2 * 3600),
            ("rate(1 day)", 24 * 3600),
            ("rate(7 days)", 7 * 24 * 3600),
        ] {
            let function = scheduled(&format!("Schedule: {schedule}")).unwrap().functions.remove(0);
            assert_eq!(
                (function.schedules, function.paths),
                (vec![Duration::from_secs(seconds)], vec![]),
                "{schedule}"
            );
        }
    }

    #[test]
    fn a_schedule_that_is_not_understood_is_refused_with_the_resource_named() {
        for odd in [
            "cron(0 * * * ? *)",
            "rate(1 hours)",
            "rate(2 hour)",
            "rate(0 hours)",
            "rate(+2 hours)",
            "rate(-2 hours)",
            "rate(2.5 hours)",
            "rate(2  hours)",
            "rate(2 weeks)",
            "rate(99999999999999999999 days)",
            "rate(9999999999999999999 days)",
            "rate(2 hours",
            "2 hours",
        ] {
            let problem = scheduled(&format!("Schedule: {odd}")).unwrap_err().to_string();
            assert!(problem.contains(&format!("Thing: has the schedule {odd}, and only")), "{problem}");
        }
        let none = scheduled("Name: x").unwrap_err().to_string();
        assert!(none.contains("Thing: has a Schedule event with no Schedule"), "{none}");
    }
}
