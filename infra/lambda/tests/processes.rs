//! Functions as processes, with a program that needs nothing but bash.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use embedded_lambda::{Failure, Function, Program, StartError};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

fn program(path: &str) -> Program {
    Program { path: path.into(), variables: BTreeMap::from([("COLOR".to_owned(), "green".to_owned())]), watch: None }
}

async fn echo() -> Function {
    Function::start(program(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/echo.sh"))).await.unwrap()
}

/// The id of the process that answers.
async fn answer(function: &Function) -> String {
    function.invoke("id", "who", PATIENCE).await.unwrap()
}

fn is_there(process_id: &str) -> bool {
    Path::new("/proc").join(process_id).exists()
}

#[tokio::test]
async fn one_process_answers_events_that_come_one_after_the_other() {
    let function = echo().await;
    assert_eq!(answer(&function).await, answer(&function).await);
}

#[tokio::test]
async fn events_that_come_at_the_same_time_have_a_process_each_up_to_ten() {
    let function = echo().await;
    let answers = futures::future::join_all((0..50).map(|_| answer(&function))).await;
    let processes: HashSet<_> = answers.into_iter().collect();
    assert!((2..=10).contains(&processes.len()), "{processes:?}");
}

#[tokio::test]
async fn a_function_that_dies_fails_its_event_and_no_other() {
    let function = echo().await;
    let before = answer(&function).await;
    assert!(matches!(function.invoke("id", "die", PATIENCE).await, Err(Failure::Ended)));
    assert_ne!(answer(&function).await, before);
}

#[tokio::test]
async fn a_process_that_died_while_it_waited_costs_no_event() {
    let function = echo().await;
    let process_id = answer(&function).await;
    assert!(Command::new("/bin/kill").args(["-9", &process_id]).status().unwrap().success());
    // Dead, and nobody has asked for its status yet.
    let status = format!("/proc/{process_id}/status");
    while !fs::read_to_string(&status).unwrap().contains("State:\tZ") {
        tokio::task::yield_now().await;
    }
    assert_ne!(answer(&function).await, process_id);
}

#[tokio::test]
async fn a_function_that_hangs_is_killed_when_its_time_is_over() {
    let function = echo().await;
    let process_id = answer(&function).await;
    let hung = function.invoke("id", "hang", Duration::from_millis(50)).await;
    assert!(matches!(hung, Err(Failure::TimedOut)), "{hung:?}");
    while is_there(&process_id) {
        tokio::task::yield_now().await;
    }
    assert_ne!(answer(&function).await, process_id);
}

#[tokio::test]
async fn an_error_that_is_reported_is_told_and_ends_no_process() {
    let function = echo().await;
    let before = answer(&function).await;
    assert!(matches!(function.invoke("id", "fail", PATIENCE).await, Err(Failure::Reported(error)) if error == "no"));
    assert_eq!(answer(&function).await, before);
}

#[tokio::test]
async fn a_function_sees_the_variables_that_it_is_given_and_no_others() {
    let seen = echo().await.invoke("id", "variables", PATIENCE).await.unwrap();
    let seen: HashSet<_> = seen.split_whitespace().collect();
    // The last three are bash's own.
    assert_eq!(seen, HashSet::from(["AWS_LAMBDA_RUNTIME_API", "COLOR", "OLDPWD", "PWD", "SHLVL"]));
}

#[tokio::test]
async fn a_function_that_can_not_start_says_so() {
    assert!(matches!(Function::start(program("/nowhere")).await, Err(StartError::Program(..))));
    assert!(matches!(Function::start(program("/bin/true")).await, Err(StartError::Ended(_))));
}

#[tokio::test]
async fn no_process_outlives_its_function() {
    let function = echo().await;
    let process_id = answer(&function).await;
    assert!(is_there(&process_id));
    drop(function);
    while is_there(&process_id) {
        tokio::task::yield_now().await;
    }
}
