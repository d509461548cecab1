//! Reads template.yaml, the one place that names functions, their routes and the tables.
//!
//! The local stack routes by it and makes its tables from it, so that what runs here is what is deployed.

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
    let mut paths = Vec::new();
    for event in events.into_iter().flat_map(|events| events.values()) {
        if text(event, "Type") != Some("Api") {
            continue;
        }
        let route = event.get("Properties").ok_or("has an Api event with no Properties")?;
        let path = text(route, "Path").ok_or("has an Api event with no Path")?;
        // The function answers a wrong method itself, with a JSON body.
        if text(route, "Method") != Some("any") {
            return Err(format!("routes {path} by another Method than any"));
        }
        paths.push(path.to_owned());
    }
    Ok(Function { name: name.to_owned(), paths })
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
}
