//! Who may import whom.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What each crate may import of this workspace, apart from what only its tests use. A new crate takes its place here.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("whatsapp", &[]),
    ("oidc", &[]),
    ("storage", &["domain"]),
    ("auth", &["domain", "storage"]),
    ("meta-errors", &["domain", "whatsapp"]),
    ("outbox", &["auth", "domain", "meta-errors", "storage", "whatsapp"]),
    ("block-list", &["auth", "domain", "meta-errors", "storage", "whatsapp"]),
    ("campaigns", &["auth", "domain", "meta-errors", "outbox", "storage", "whatsapp"]),
    ("chats", &["auth", "domain", "meta-errors", "storage", "whatsapp"]),
    ("admin", &["domain", "oidc", "storage"]),
    ("api", &["domain"]),
    ("add-recipients", CAMPAIGNS),
    ("block-contact", &["api", "auth", "block-list", "domain"]),
    ("cancel-campaign", CAMPAIGNS),
    ("create-campaign", CAMPAIGNS),
    ("get-campaign", CAMPAIGNS),
    ("get-message", READING),
    ("get-openapi", &["api", "domain"]),
    ("inbox", &["domain", "storage"]),
    ("key-page", &["admin", "api", "auth", "domain", "oidc", "storage"]),
    ("list-blocked", &["api", "auth", "block-list", "domain", "storage", "whatsapp"]),
    ("list-campaigns", CAMPAIGNS),
    ("list-chats", READING),
    ("list-events", READING),
    ("list-messages", READING),
    ("list-recipients", CAMPAIGNS),
    ("pause-campaign", CAMPAIGNS),
    ("read-chat", READING),
    ("read-docs", &["api", "domain"]),
    ("receive-webhook", &["api", "domain", "inbox", "storage"]),
    ("refresh-blocked", &["api", "block-list", "domain", "whatsapp"]),
    ("resume-campaign", CAMPAIGNS),
    ("retry-failed", CAMPAIGNS),
    ("send-campaign", &["api", "block-list", "campaigns", "domain", "inbox", "storage", "whatsapp"]),
    ("send-location", SHARED),
    ("send-message", SHARED),
    ("send-template", SHARED),
    ("start-campaign", &["api", "auth", "campaigns", "domain", "storage", "whatsapp"]),
    ("tend-campaigns", &["api", "campaigns", "domain", "storage"]),
    ("unblock-contact", &["api", "auth", "block-list", "domain"]),
    ("template", &[]),
    ("embedded-dynamodb", &["template"]),
    ("embedded-lambda", &["domain"]),
    ("embedded-secrets-manager", &["domain"]),
    ("embedded-sqs", &["template"]),
    ("meta-simulator", &[]),
    (
        "local",
        &[
            "add-recipients",
            "api",
            "auth",
            "block-contact",
            "block-list",
            "campaigns",
            "cancel-campaign",
            "chats",
            "create-campaign",
            "domain",
            "embedded-dynamodb",
            "embedded-lambda",
            "embedded-secrets-manager",
            "embedded-sqs",
            "get-campaign",
            "get-message",
            "get-openapi",
            "inbox",
            "key-page",
            "list-blocked",
            "list-campaigns",
            "list-chats",
            "list-events",
            "list-messages",
            "list-recipients",
            "meta-simulator",
            "outbox",
            "pause-campaign",
            "read-chat",
            "read-docs",
            "receive-webhook",
            "refresh-blocked",
            "resume-campaign",
            "retry-failed",
            "send-campaign",
            "send-location",
            "send-message",
            "send-template",
            "start-campaign",
            "storage",
            "template",
            "tend-campaigns",
            "unblock-contact",
            "whatsapp",
        ],
    ),
    (
        "openapi",
        &[
            "add-recipients",
            "api",
            "block-contact",
            "block-list",
            "campaigns",
            "cancel-campaign",
            "chats",
            "create-campaign",
            "domain",
            "get-campaign",
            "get-message",
            "list-blocked",
            "list-campaigns",
            "list-chats",
            "list-events",
            "list-messages",
            "list-recipients",
            "outbox",
            "pause-campaign",
            "read-chat",
            "resume-campaign",
            "retry-failed",
            "send-location",
            "send-message",
            "send-template",
            "start-campaign",
            "template",
            "unblock-contact",
        ],
    ),
    ("keys", &["auth", "domain", "embedded-dynamodb", "storage"]),
    ("importer", &["auth", "campaigns", "domain", "keys", "storage"]),
    (
        "testbed",
        &[
            "api",
            "auth",
            "block-list",
            "campaigns",
            "chats",
            "domain",
            "embedded-dynamodb",
            "embedded-sqs",
            "meta-simulator",
            "outbox",
            "storage",
            "whatsapp",
        ],
    ),
    ("bare-function", &[]),
    (
        "lambda-runtime-stand-in",
        &[
            "admin",
            "block-list",
            "domain",
            "embedded-lambda",
            "embedded-secrets-manager",
            "meta-simulator",
            "storage",
            "template",
            "testbed",
        ],
    ),
    ("tests", &[]),
];

const SHARED: &[&str] = &["api", "auth", "domain", "outbox", "storage", "whatsapp"];

/// An endpoint that reads; the tables themselves only for its tests.
const READING: &[&str] = &["api", "auth", "chats", "domain", "storage"];

/// An endpoint of campaigns; the tables themselves only for its tests.
const CAMPAIGNS: &[&str] = &["api", "auth", "campaigns", "domain", "storage"];

/// What only tests use, and everybody's tests may.
const FOR_TESTS: &[&str] =
    &["embedded-dynamodb", "embedded-lambda", "embedded-sqs", "lambda-runtime-stand-in", "meta-simulator", "testbed"];

/// The crates that may speak to AWS. `local` hands on what is in the queues, as Lambda does on AWS; `bare-function` is what
/// the others are measured by.
const SPEAK_TO_AWS: &[&str] = &["admin", "auth", "bare-function", "local", "storage"];

struct Package {
    name: String,
    imports: Vec<(String, Use)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Use {
    Code,
    Tests,
}

fn packages() -> Vec<Package> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(super::root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let read = |package: &Value| Package {
        name: text(&package["name"]),
        imports: package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|import| {
                let used_by = if import["kind"] == "dev" { Use::Tests } else { Use::Code };
                (text(&import["name"]), used_by)
            })
            .collect(),
    };
    metadata["packages"].as_array().unwrap().iter().map(read).collect()
}

#[test]
fn every_crate_imports_only_what_it_may() {
    let may_import: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    for package in packages() {
        let allowed = may_import.get(package.name.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("{} has no line in MAY_IMPORT", package.name));
        for (import, used_by) in package.imports {
            let ours = may_import.contains_key(import.as_str());
            let for_tests = used_by == Use::Tests && (FOR_TESTS.contains(&import.as_str()) || package.name == "tests");
            assert!(!ours || for_tests || allowed.contains(&import.as_str()), "{} imports {import}", package.name);
        }
    }
}

#[test]
fn only_the_crates_that_keep_or_hand_on_things_speak_to_aws() {
    for package in packages().into_iter().filter(|package| !SPEAK_TO_AWS.contains(&package.name.as_str())) {
        let mut code = package.imports.iter().filter(|(_, used_by)| *used_by == Use::Code);
        assert!(!code.any(|(import, _)| import.starts_with("aws-")), "{} speaks to AWS", package.name);
    }
}
