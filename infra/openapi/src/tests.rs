//! The document is whole, true and what is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().unwrap().iter()
}

/// Every operation: its path, its method and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let of_path = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let operations: Vec<_> =
            members(item).map(|(method, it)| (path.clone(), method.to_uppercase(), it.clone())).collect();
        operations
    };
    members(&document["paths"]).flat_map(of_path).collect()
}

/// Every example, with the schema that it is one of.
fn examples(document: &Value) -> Vec<(String, Value, Value)> {
    let mut found = Vec::new();
    for (path, method, operation) in operations(document) {
        let contents = |place: String, of: &Value| -> Vec<(String, Value)> {
            let content = of.get("content").into_iter().flat_map(members);
            content
                .map(|(media_type, content)| (format!("{method} {path} {place} {media_type}"), content.clone()))
                .collect()
        };
        let mut all = contents("body".to_owned(), &operation["requestBody"]);
        all.extend(members(&operation["responses"]).flat_map(|(status, answer)| contents(status.clone(), answer)));
        for (place, content) in all {
            let named = content.get("examples").into_iter().flat_map(members);
            let mut values: Vec<_> = named.map(|(name, example)| (name.clone(), example["value"].clone())).collect();
            values.extend(content.get("example").map(|value| ("example".to_owned(), value.clone())));
            assert!(!values.is_empty(), "{place} has no example");
            found.extend(
                values.into_iter().map(|(name, value)| (format!("{place} {name}"), content["schema"].clone(), value)),
            );
        }
    }
    found
}

#[test]
fn what_is_committed_is_what_the_code_says() {
    let document = document().unwrap();
    let committed = |path: &str| std::fs::read_to_string(root().join("functions").join(path)).unwrap();
    let json = serde_json::to_string_pretty(&document).unwrap() + "\n";
    for (path, made) in [("get-openapi/openapi.json", json), ("read-docs/docs.html", page(&document).unwrap())] {
        assert!(committed(path) == made, "{path} is no longer what the code says: run `cargo run -p openapi`");
    }
}

#[test]
fn every_endpoint_is_described() {
    // These speak to Meta and to browsers, and the last two serve what is made here.
    const OTHERS: [&str; 4] = ["receive-webhook", "key-page", "get-openapi", "read-docs"];
    let in_template = template::Template::ours().unwrap().functions.into_iter();
    let in_template = in_template.filter(|function| !function.routes.is_empty()).map(|function| function.name);
    let in_template: BTreeSet<_> = in_template.filter(|name| !OTHERS.contains(&name.as_str())).collect();
    let described = operations(&document().unwrap()).into_iter();
    let described: BTreeSet<_> =
        described.map(|(_, _, operation)| operation["operationId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(described, in_template);
}

#[test]
fn every_operation_says_what_any_request_may_meet() {
    for (path, method, operation) in operations(&document().unwrap()) {
        let statuses: BTreeSet<_> = members(&operation["responses"]).map(|(status, _)| status.as_str()).collect();
        for status in ["400", "401", "403", "405", "429", "500", "503"] {
            assert!(statuses.contains(status), "{method} {path} is silent about {status}");
        }
        assert_eq!(statuses.contains("413"), operation.get("requestBody").is_some(), "{method} {path}");
        assert!(statuses.contains("200") || statuses.contains("201"), "{method} {path}");
    }
}

/// Words that stand as codes in the source, but never in an answer of the API.
const ELSEWHERE: &[&str] = &[
    // Of the key page, and the registry and the provider behind it.
    "conflict",
    "key_not_found",
    "made_already",
    "not_from_this_page",
    "sign_in_provider",
    // Of Meta's calls.
    "unreadable",
    "webhook_not_set_up",
    "wrong_verify_token",
    // Of what a schedule or a queue starts.
    "invalid_job",
    "not_refreshed",
    "not_tended",
];

/// The codes of errors in the source: what stands in `.code("…")`, and in the table of Meta's refusals.
fn codes_in_the_source() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let mut folders = vec![root().join("shared"), root().join("functions")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                // What stands for itself, and tests, have codes of their own.
                let others = ["tests", "whatsapp", "key-page", "target"];
                if !others.contains(&path.file_name().unwrap().to_str().unwrap()) {
                    folders.push(path);
                }
                continue;
            }
            let is_code = path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs");
            if !is_code {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let is_table = path.ends_with("meta-errors/src/lib.rs");
            let starts: &[&str] = if is_table {
                &[
                    "(CALLER, \"",
                    "(OPERATOR, \"",
                    "Kind::Unavailable, \"",
                    "Kind::Throttled, \"",
                    "Kind::UpstreamFailed, \"",
                    "Kind::UpstreamUnavailable, \"",
                ]
            } else {
                &[".code(\""]
            };
            for start in starts {
                let found = text.split(start).skip(1).filter_map(|rest| rest.split_once('"')).map(|(code, _)| code);
                codes.extend(found.map(str::to_owned));
            }
        }
    }
    codes
}

#[test]
fn every_error_of_the_code_stands_there_with_an_example() {
    let examples = examples(&document().unwrap());
    let described: BTreeSet<_> =
        examples.iter().filter_map(|(_, _, value)| Some(value.get("code")?.as_str()?.to_owned())).collect();
    let in_source = codes_in_the_source();
    assert!(in_source.len() > 40, "the source was not read: {in_source:?}");
    let missing: Vec<_> =
        in_source.iter().filter(|code| !described.contains(*code) && !ELSEWHERE.contains(&code.as_str())).collect();
    assert!(missing.is_empty(), "no operation says when these happen: {missing:?}");
    let made_up: Vec<_> =
        described.iter().filter(|code| !in_source.contains(*code) && code.as_str() != "method_not_allowed").collect();
    assert!(made_up.is_empty(), "nothing in the source has these codes: {made_up:?}");
}

#[test]
fn every_example_is_one_of_its_schema() {
    let document = document().unwrap();
    let mut checked = 0;
    for (place, schema, value) in examples(&document) {
        let whole = json!({"allOf": [schema], "components": document["components"]});
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        let problems: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{place}: {problems:?}");
        checked += 1;
    }
    assert!(checked > 200, "{checked}");
}

/// Members of answers that are left out where they have nothing to say. All others are always there, some as `null`.
const LEFT_OUT: [&str; 16] = [
    "BlockedPage.next_cursor",
    "CampaignPage.next_cursor",
    "ChatPage.next_cursor",
    "Error.code",
    "Error.field",
    "Error.may_have_been_sent",
    "Error.message_id",
    "Error.meta",
    "Error.missing_scope",
    "Error.retryable",
    "Event.problem",
    "EventPage.next_cursor",
    "MessageEvent.code",
    "MessagePage.next_cursor",
    "Recipient.reason",
    "RecipientPage.next_cursor",
];

/// Adds the names of the schemas that something refers to, and of those that they refer to.
fn add_names(document: &Value, of: &Value, names: &mut BTreeSet<String>) {
    if let Some(name) = of["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/schemas/"))
        && names.insert(name.to_owned())
    {
        add_names(document, &document["components"]["schemas"][name], names);
    }
    let parts = of.as_object().into_iter().flat_map(|members| members.values());
    for part in parts.chain(of.as_array().into_iter().flatten()) {
        add_names(document, part, names);
    }
}

#[test]
fn every_member_of_an_answer_that_is_always_there_is_said_to_be() {
    let document = document().unwrap();
    let mut names = BTreeSet::new();
    for (_, _, operation) in operations(&document) {
        add_names(&document, &operation["responses"], &mut names);
    }
    let mut left_out = BTreeSet::new();
    for name in names {
        let schema = &document["components"]["schemas"][&name];
        let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
        let all = schema.get("properties").into_iter().flat_map(members).map(|(member, _)| member);
        let optional = all.filter(|member| !required.contains(&&json!(member)));
        left_out.extend(optional.map(|member| format!("{name}.{member}")));
    }
    assert_eq!(left_out, LEFT_OUT.map(str::to_owned).into());
}

#[test]
fn no_two_schemas_share_a_name() {
    let mut known = BTreeMap::<String, Value>::new();
    for described in operations_of_all_groups() {
        for (name, schema) in described.schemas {
            let before = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*before, schema, "{name}");
        }
    }
}
