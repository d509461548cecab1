//! What each function's role in template.yaml grants is what the function does, and nothing more.

use std::collections::BTreeSet;
use std::process::Command;

use template::{Function, Template};

/// A function's name, an action, and what it is done to.
type Call = (String, String, String);

/// What Lambda does in a function's place, to hand it the messages of its queue (AWS: "Configuring a queue to use with Lambda").
const BY_LAMBDA: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

fn granted(functions: &[Function]) -> BTreeSet<Call> {
    let of_function = |function: &Function| {
        let sources: Vec<_> = function.sources.iter().map(|source| source.queue.clone()).collect();
        let name = function.name.clone();
        let own = function.grants.clone().into_iter().filter(move |grant| {
            let by_lambda = BY_LAMBDA.contains(&grant.action.as_str()) && sources.contains(&grant.resource);
            !grant.action.starts_with("logs:") && !by_lambda
        });
        own.map(move |grant| (name.clone(), grant.action, grant.resource))
    };
    functions.iter().flat_map(of_function).collect()
}

/// Runs all the other flows with functions as processes, and compares. That takes `LAMBDA`, the folder of the programs; without
/// it there is nothing to compare.
#[test]
fn every_call_that_is_granted_is_made_and_none_is_made_that_is_not() {
    if std::env::var_os("LAMBDA").is_none() {
        println!("skipped: set LAMBDA to the folder of the functions' programs");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("calls");
    let flows = Command::new(std::env::current_exe().unwrap())
        .args(["--skip", "policies::"])
        .env("RECORD_CALLS", &told)
        .output()
        .unwrap();
    assert!(flows.status.success(), "{}", String::from_utf8_lossy(&flows.stdout));
    let told = std::fs::read_to_string(told).unwrap();
    let made: BTreeSet<Call> = told
        .lines()
        .map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap())
        })
        .collect();
    let granted = granted(&Template::ours().unwrap().functions);
    let told = |calls: &mut dyn Iterator<Item = &Call>| -> String {
        calls.flat_map(|(function, action, on)| ["\n ", function, action, on]).collect::<Vec<_>>().join(" ")
    };
    let never_made = told(&mut granted.difference(&made));
    let not_granted = told(&mut made.difference(&granted));
    assert!(
        never_made.is_empty() && not_granted.is_empty(),
        "granted and never made:{never_made}\nmade and not granted:{not_granted}"
    );
}
