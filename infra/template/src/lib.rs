//! Reads template.yaml, the one place that names functions, their routes, their schedules, the tables and the queues.
//!
//! The local stack routes by it, makes its tables and queues from it, keeps its schedules and hands on what is in the
//! queues, so that what runs here is what is deployed.

mod grants;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use serde_norway::{Mapping, Value};

pub use grants::Grant;

/// What template.yaml says of the parts that also run on one machine.
#[derive(Clone, Debug)]
pub struct Template {
    /// The Lambda functions, in the order of the file.
    pub functions: Vec<Function>,
    /// The DynamoDB tables, in the order of the file.
    pub tables: Vec<Table>,
    /// The SQS queues, in the order of the file.
    pub queues: Vec<Queue>,
}

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its one name: folder, package, binary.
    pub name: String,
    /// How long it may work on an event.
    pub timeout: Duration,
    /// What API Gateway sends to it.
    pub routes: Vec<Route>,
    /// How long it is from one start to the next, for every schedule that starts it.
    pub schedules: Vec<Duration>,
    /// The queues whose messages Lambda hands to it.
    pub sources: Vec<Source>,
    /// The calls that its role allows.
    pub grants: BTreeSet<Grant>,
}

/// What API Gateway sends to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path, without a trailing slash.
    pub path: String,
    /// The method in upper case; `None` for every method that has no route of its own at this path.
    pub method: Option<String>,
}

/// A queue whose messages Lambda hands to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The queue's name, as in [`Queue::name`].
    pub queue: String,
    /// How many messages an event has at most.
    pub batch_size: usize,
    /// How many events the function is handed at the same time, at most.
    pub most_at_once: Option<u32>,
    /// Whether the function tells which messages of an event failed. Otherwise all of them fail, or none.
    pub reports_failures: bool,
}

/// An SQS queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its logical id.
    pub id: String,
    /// Its name behind the stack's name and the hyphen.
    pub name: String,
    /// How long a message that was received stays hidden from others.
    pub visibility_timeout: Duration,
    /// How long a new message can't be received.
    pub delay: Duration,
    /// How long a receive waits for a message, unless it says itself.
    pub receive_wait: Duration,
    /// Where messages go that were received too often.
    pub dead_letters: Option<DeadLetters>,
}

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The name of the queue for them, as in [`Queue::name`].
    pub queue: String,
    /// How often a message is received before it goes there.
    pub max_receive_count: u32,
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

/// The names of a deployment's tables and queues begin with the stack's name.
const NAME_PREFIX: &str = "${AWS::StackName}-";

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
        let globals = file.get("Globals").and_then(|globals| globals.get("Function"));
        let timeout_s = globals.map_or(Ok(None), |globals| number(globals, "Timeout", FUNCTION_TIMEOUT_S));
        let timeout_s = timeout_s.map_err(|problem| TemplateError(format!("Globals: Function {problem}")))?;
        let timeout_s = timeout_s.unwrap_or(FUNCTION_TIMEOUT_UNSAID_S);
        let mut template = Self { functions: Vec::new(), tables: Vec::new(), queues: Vec::new() };
        for (id, resource) in resources {
            let id = id.as_str().unwrap_or_default();
            let read = match kind(resource) {
                Some("AWS::Serverless::Function") => {
                    function(resource, timeout_s, resources).map(|function| template.functions.push(function))
                }
                Some("AWS::DynamoDB::Table") => table(resource).map(|table| template.tables.push(table)),
                Some(QUEUE) => queue(id, resource, resources).map(|queue| template.queues.push(queue)),
                _ => Ok(()),
            };
            read.map_err(|problem| TemplateError(format!("{id}: {problem}")))?;
        }
        Ok(template)
    }
}

const QUEUE: &str = "AWS::SQS::Queue";

/// AWS Lambda: "Configure Lambda function timeout".
const FUNCTION_TIMEOUT_S: RangeInclusive<u64> = 1..=900;
const FUNCTION_TIMEOUT_UNSAID_S: u64 = 3;

fn function(resource: &Value, timeout_s: u64, resources: &Mapping) -> Result<Function, String> {
    let properties = properties(resource)?;
    let code = text(properties, "CodeUri").ok_or("has no CodeUri")?;
    let name = code
        .strip_prefix("target/lambda/")
        .map(|name| name.trim_end_matches('/'))
        .ok_or("has a CodeUri other than target/lambda/NAME/")?;
    let timeout = Duration::from_secs(number(properties, "Timeout", FUNCTION_TIMEOUT_S)?.unwrap_or(timeout_s));
    let events = properties.get("Events").and_then(Value::as_mapping);
    let mut function = Function {
        name: name.to_owned(),
        timeout,
        routes: Vec::new(),
        schedules: Vec::new(),
        sources: Vec::new(),
        grants: grants::of(resource, resources)?,
    };
    for event in events.into_iter().flat_map(|events| events.values()) {
        match text(event, "Type") {
            Some("Api") => function.routes.push(route(event)?),
            Some("Schedule") => function.schedules.push(schedule(event)?),
            Some("SQS") => function.sources.push(source(event, timeout, resources)?),
            _ => {}
        }
    }
    Ok(function)
}

fn route(event: &Value) -> Result<Route, String> {
    let route = event.get("Properties").ok_or("has an Api event with no Properties")?;
    let path = text(route, "Path").ok_or("has an Api event with no Path")?;
    let method = match text(route, "Method") {
        Some("any") => None,
        Some(method @ ("get" | "post" | "put" | "patch" | "delete")) => Some(method.to_ascii_uppercase()),
        _ => return Err(format!("routes {path} by another Method than any, get, post, put, patch or delete")),
    };
    Ok(Route { path: path.to_owned(), method })
}

fn source(event: &Value, timeout: Duration, resources: &Mapping) -> Result<Source, String> {
    let source = event.get("Properties").ok_or("has an SQS event with no Properties")?;
    let queue = queue_of(source.get("Queue"), resources)
        .and_then(|(id, resource)| queue(id, resource, resources))
        .map_err(|problem| format!("has an SQS event whose Queue {problem}"))?;
    // AWS refuses that when the stack is deployed: others would get a message that the function still works on.
    if queue.visibility_timeout < timeout {
        return Err(format!("has a longer Timeout than the VisibilityTimeout of {}", queue.id));
    }
    let scaling = source.get("ScalingConfig");
    let most_at_once = scaling.map_or(Ok(None), |scaling| number(scaling, "MaximumConcurrency", 2..=1000))?;
    let response_types = source.get("FunctionResponseTypes").and_then(Value::as_sequence);
    Ok(Source {
        queue: queue.name,
        batch_size: number(source, "BatchSize", 1..=10_000)?.unwrap_or(10),
        most_at_once,
        reports_failures: response_types
            .is_some_and(|types| types.iter().any(|one| one.as_str() == Some("ReportBatchItemFailures"))),
    })
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
    let properties = properties(resource)?;
    let name = name(properties, "TableName")?;
    let mut definition = Map::new();
    for property in ["AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"] {
        if let Some(value) = properties.get(property) {
            definition.insert(property.to_owned(), serde_json::to_value(value).map_err(|error| error.to_string())?);
        }
    }
    let time_to_live = properties.get("TimeToLiveSpecification").and_then(|ttl| text(ttl, "AttributeName"));
    Ok(Table { name, definition, time_to_live: time_to_live.map(str::to_owned) })
}

/// The ranges and defaults are those of AWS (AWS: "`AWS::SQS::Queue`").
fn queue(id: &str, resource: &Value, resources: &Mapping) -> Result<Queue, String> {
    let properties = properties(resource)?;
    let seconds = |member, range, unsaid| -> Result<Duration, String> {
        Ok(Duration::from_secs(number(properties, member, range)?.unwrap_or(unsaid)))
    };
    Ok(Queue {
        id: id.to_owned(),
        name: name(properties, "QueueName")?,
        visibility_timeout: seconds("VisibilityTimeout", 0..=43_200, 30)?,
        delay: seconds("DelaySeconds", 0..=900, 0)?,
        receive_wait: seconds("ReceiveMessageWaitTimeSeconds", 0..=20, 0)?,
        dead_letters: properties.get("RedrivePolicy").map(|policy| dead_letters(policy, resources)).transpose()?,
    })
}

fn dead_letters(policy: &Value, resources: &Mapping) -> Result<DeadLetters, String> {
    let queue = queue_of(policy.get("deadLetterTargetArn"), resources)
        .and_then(|(_, resource)| name(properties(resource)?, "QueueName"))
        .map_err(|problem| format!("has a RedrivePolicy whose deadLetterTargetArn {problem}"))?;
    let max_receive_count = number(policy, "maxReceiveCount", 1..=1000)?;
    let max_receive_count = max_receive_count.ok_or("has a RedrivePolicy with no maxReceiveCount")?;
    Ok(DeadLetters { queue, max_receive_count })
}

/// The queue whose ARN is meant, by its logical id.
fn queue_of<'a>(arn: Option<&'a Value>, resources: &'a Mapping) -> Result<(&'a str, &'a Value), String> {
    let id = match arn {
        Some(Value::Tagged(tagged)) if tagged.tag == "!GetAtt" => {
            tagged.value.as_str().and_then(|attribute| attribute.strip_suffix(".Arn"))
        }
        _ => None,
    };
    let id = id.ok_or("is not of the form !GetAtt QUEUE.Arn")?;
    let queue = resources.get(id).filter(|resource| kind(resource) == Some(QUEUE));
    queue.map(|queue| (id, queue)).ok_or_else(|| format!("is {id}, and there is no such queue"))
}

fn kind(resource: &Value) -> Option<&str> {
    text(resource, "Type")
}

fn properties(resource: &Value) -> Result<&Value, String> {
    resource.get("Properties").ok_or_else(|| "has no Properties".to_owned())
}

/// A name behind the stack's.
fn name(properties: &Value, member: &str) -> Result<String, String> {
    let name = properties.get(member).and_then(|name| untagged(name).as_str());
    let name = name.and_then(|name| name.strip_prefix(NAME_PREFIX));
    name.map(str::to_owned).ok_or_else(|| format!("has a {member} that does not begin with {NAME_PREFIX}"))
}

/// A whole number, if one is given.
fn number<T: TryFrom<u64>>(value: &Value, member: &str, range: RangeInclusive<u64>) -> Result<Option<T>, String> {
    let Some(value) = value.get(member) else { return Ok(None) };
    let number = value.as_u64().filter(|number| range.contains(number)).and_then(|number| number.try_into().ok());
    let wrong = || format!("has a {member} that is no number from {} to {}", range.start(), range.end());
    number.map(Some).ok_or_else(wrong)
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
        assert_eq!(send_message.routes, [Route { path: "/whatsapp/api/send-message".to_owned(), method: None }]);
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
        let unnamed = problem("    Type: AWS::SQS::Queue\n    Properties: {QueueName: fixed}");
        assert!(unnamed.contains("Thing: has a QueueName that does not begin"), "{unnamed}");
    }

    /// A template with the function Thing: its further properties, and what else there is.
    fn with_function(properties: &str, rest: &str) -> Result<Template, TemplateError> {
        let properties = format!("{{CodeUri: target/lambda/thing/, {properties}}}");
        let function = format!("{{Type: AWS::Serverless::Function, Properties: {properties}}}");
        Template::parse(&format!("Resources:\n  Thing: {function}\n{rest}"))
    }

    fn with_event(kind: &str, properties: &str, rest: &str) -> Result<Template, TemplateError> {
        with_function(&format!("Events: {{Event: {{Type: {kind}, Properties: {{{properties}}}}}}}"), rest)
    }

    fn scheduled(schedule: &str) -> Result<Template, TemplateError> {
        with_event("Schedule", schedule, "")
    }

    #[test]
    fn a_route_is_for_one_method_or_for_any() {
        for (written, method) in [
            ("any", None),
            ("get", Some("GET")),
            ("post", Some("POST")),
            ("put", Some("PUT")),
            ("patch", Some("PATCH")),
            ("delete", Some("DELETE")),
        ] {
            let template = with_event("Api", &format!("Path: /x, Method: {written}"), "").unwrap();
            let route = Route { path: "/x".to_owned(), method: method.map(str::to_owned) };
            assert_eq!(template.functions[0].routes, [route]);
        }
        for odd in ["Path: /x, Method: GET", "Path: /x, Method: '*'", "Path: /x", "Path: /x, Method: !Ref Way"] {
            let problem = with_event("Api", odd, "").unwrap_err().to_string();
            assert!(problem.contains("Thing: routes /x by another Method than any, get,"), "{problem}");
        }
    }

    #[test]
    fn a_functions_timeout_is_its_own_else_that_of_all_else_lambdas() {
        let timeout = |properties: &str, globals: &str| {
            with_function(properties, globals).map(|template| template.functions[0].timeout.as_secs())
        };
        let globals = "Globals: {Function: {Timeout: 28}}";
        assert_eq!(timeout("Timeout: 900", globals).unwrap(), 900);
        assert_eq!(timeout("", globals).unwrap(), 28);
        assert_eq!(timeout("", "Globals: {Function: {}}").unwrap(), 3);
        assert_eq!(timeout("", "").unwrap(), 3);
        for odd in ["Timeout: 0", "Timeout: 901", "Timeout: 2.5", "Timeout: -1", "Timeout: soon", "Timeout: !Ref T"] {
            let problem = timeout(odd, globals).unwrap_err().to_string();
            assert!(problem.contains("Thing: has a Timeout that is no number from 1 to 900"), "{problem}");
        }
        let problem = timeout("", "Globals: {Function: {Timeout: soon}}").unwrap_err().to_string();
        assert!(problem.contains("Globals: Function has a Timeout that is no number"), "{problem}");
    }

    const QUEUES: &str = r#"
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-Todo"
      VisibilityTimeout: 180
      DelaySeconds: 5
      ReceiveMessageWaitTimeSeconds: 20
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 4}
  Dead:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-TodoFailed"
"#;

    #[test]
    fn a_queue_has_its_name_times_and_the_name_of_the_queue_for_its_dead_letters() {
        let queues = Template::parse(&format!("Resources:{QUEUES}")).unwrap().queues;
        let dead_letters = DeadLetters { queue: "TodoFailed".to_owned(), max_receive_count: 4 };
        let work = Queue {
            id: "Work".to_owned(),
            name: "Todo".to_owned(),
            visibility_timeout: Duration::from_mins(3),
            delay: Duration::from_secs(5),
            receive_wait: Duration::from_secs(20),
            dead_letters: Some(dead_letters),
        };
        let dead = Queue {
            id: "Dead".to_owned(),
            name: "TodoFailed".to_owned(),
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            receive_wait: Duration::ZERO,
            dead_letters: None,
        };
        assert_eq!(queues, [work, dead]);
    }

    #[test]
    fn a_queue_that_aws_would_not_make_is_refused_with_the_resource_named() {
        let problem = |properties: &str| {
            let name = r#"QueueName: !Sub "${AWS::StackName}-Odd""#;
            let odd = format!("  Odd: {{Type: AWS::SQS::Queue, Properties: {{{name}, {properties}}}}}");
            Template::parse(&format!("Resources:{QUEUES}{odd}")).unwrap_err().to_string()
        };
        for (properties, expected) in [
            ("VisibilityTimeout: 43201", "Odd: has a VisibilityTimeout that is no number from 0 to 43200"),
            ("VisibilityTimeout: -1", "Odd: has a VisibilityTimeout that is no number"),
            ("DelaySeconds: 901", "Odd: has a DelaySeconds that is no number from 0 to 900"),
            ("ReceiveMessageWaitTimeSeconds: 21", "Odd: has a ReceiveMessageWaitTimeSeconds that is no number"),
            ("RedrivePolicy: {maxReceiveCount: 4}", "Odd: has a RedrivePolicy whose deadLetterTargetArn is not of the"),
            ("RedrivePolicy: {deadLetterTargetArn: Dead, maxReceiveCount: 4}", "deadLetterTargetArn is not of the"),
            ("RedrivePolicy: {deadLetterTargetArn: !Ref Dead.Arn, maxReceiveCount: 4}", "is not of the form !GetAtt"),
            ("RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.QueueName}", "is not of the form !GetAtt"),
            ("RedrivePolicy: {deadLetterTargetArn: !GetAtt None.Arn}", "is None, and there is no such queue"),
            ("RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}", "Odd: has a RedrivePolicy with no maxReceiveC"),
            ("RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 0}", "no number from 1 to 1000"),
        ] {
            let problem = problem(properties);
            assert!(problem.contains(expected), "{problem}");
        }
    }

    #[test]
    fn a_source_is_a_queue_with_how_its_messages_are_handed_on() {
        let source = |properties: &str| {
            let template = with_event("SQS", &format!("Queue: !GetAtt Work.Arn{properties}"), QUEUES).unwrap();
            template.functions[0].sources.clone()
        };
        let unsaid = Source { queue: "Todo".to_owned(), batch_size: 10, most_at_once: None, reports_failures: false };
        assert_eq!(source(""), std::slice::from_ref(&unsaid));
        let said = Source { batch_size: 1, most_at_once: Some(2), reports_failures: true, ..unsaid };
        assert_eq!(
            source(
                ", BatchSize: 1, ScalingConfig: {MaximumConcurrency: 2}, FunctionResponseTypes: [ReportBatchItemFailures]"
            ),
            [said]
        );
    }

    #[test]
    fn a_source_that_aws_would_not_make_is_refused_with_the_resource_named() {
        for (properties, expected) in [
            ("BatchSize: 1", "Thing: has an SQS event whose Queue is not of the form !GetAtt QUEUE.Arn"),
            ("Queue: !GetAtt Thing.Arn", "Thing: has an SQS event whose Queue is Thing, and there is no such queue"),
            ("Queue: !GetAtt Work.Arn, BatchSize: 0", "Thing: has a BatchSize that is no number from 1 to 10000"),
            ("Queue: !GetAtt Work.Arn, ScalingConfig: {MaximumConcurrency: 1}", "no number from 2 to 1000"),
        ] {
            let problem = with_event("SQS", properties, QUEUES).unwrap_err().to_string();
            assert!(problem.contains(expected), "{problem}");
        }
        let event = "{Type: SQS, Properties: {Queue: !GetAtt Work.Arn}}";
        let problem = with_function(&format!("Timeout: 181, Events: {{Event: {event}}}"), QUEUES).unwrap_err();
        let problem = problem.to_string();
        assert!(problem.contains("Thing: has a longer Timeout than the VisibilityTimeout of Work"), "{problem}");
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
                (function.schedules, function.routes),
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
