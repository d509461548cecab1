//! Every function as a process of its own, the program that is deployed: `--lambda`.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::Clock;
use embedded_lambda::{Failure, Program, Watch};
use embedded_sqs::REGION;
use futures::future::try_join_all;
use serde_json::{Value, json};
use template::Template;

use crate::functions::{Answer, Function, Run, Task};
use crate::queues::{self, Consumer, Outcome};
use crate::stack::StackError;

/// Running functions, by their names.
pub(crate) struct Processes<'a>(HashMap<&'a str, Arc<embedded_lambda::Function>>);

impl<'a> Processes<'a> {
    /// Starts a first process of every function of a template. An empty `folder` is that of this program. Their events come from
    /// here, or by way of cargo-lambda's emulator.
    pub(crate) async fn start(
        template: &'a Template,
        folder: &Path,
        through_cargo_lambda: bool,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, StackError> {
        let watch = if through_cargo_lambda { Some(watch().await?) } else { None };
        let folder = if folder.as_os_str().is_empty() { own_folder()? } else { folder.to_owned() };
        let starts = template.functions.iter().map(async |function| {
            let name = function.name.as_str();
            let watch = watch.clone().map(|watch| (watch, name.to_owned()));
            let program = Program { path: program(&folder, name)?, variables: environment(name, variables), watch };
            let started = embedded_lambda::Function::start(program).await;
            started.map(|started| (name, Arc::new(started))).map_err(|error| StackError(error.to_string()))
        });
        Ok(Self(try_join_all(starts).await?.into_iter().collect()))
    }

    /// Each as one that requests go to.
    pub(crate) fn functions(&self) -> HashMap<&'a str, Function> {
        let function = |process: Arc<embedded_lambda::Function>| -> Function {
            Arc::new(move |event: String, id: String, time_left: Duration| -> Answer {
                let process = Arc::clone(&process);
                // Nothing is what API Gateway makes a 502 of.
                Box::pin(async move { invoke(&process, &id, &event, time_left).await.unwrap_or_default() })
            })
        };
        self.each(function)
    }

    /// Each as one that a schedule starts.
    pub(crate) fn scheduled(&self) -> HashMap<&'a str, Task> {
        let task = |process: Arc<embedded_lambda::Function>| -> Task {
            Arc::new(move |id: String, time_left: Duration| -> Run {
                let process = Arc::clone(&process);
                // A failure is in the log, and ends nothing.
                Box::pin(async move { drop(invoke(&process, &id, &scheduled_event(&id), time_left).await) })
            })
        };
        self.each(task)
    }

    /// Each as one that takes messages from a queue.
    pub(crate) fn consumers(&self) -> HashMap<&'a str, Consumer> {
        let consumer = |process: Arc<embedded_lambda::Function>| -> Consumer {
            Arc::new(move |event: String, id: String, time_left: Duration| -> queues::Run {
                let process = Arc::clone(&process);
                Box::pin(async move {
                    let answer = invoke(&process, &id, &event, time_left).await;
                    answer.map_or(Outcome::Failed, Outcome::Answered)
                })
            })
        };
        self.each(consumer)
    }

    /// All of them, to be stopped.
    pub(crate) fn all(&self) -> Vec<Arc<embedded_lambda::Function>> {
        self.0.values().cloned().collect()
    }

    fn each<T>(&self, wrap: impl Fn(Arc<embedded_lambda::Function>) -> T) -> HashMap<&'a str, T> {
        self.0.iter().map(|(name, process)| (*name, wrap(Arc::clone(process)))).collect()
    }
}

/// What a function answers. `None`: it failed, as the log says.
async fn invoke(function: &embedded_lambda::Function, id: &str, event: &str, time_left: Duration) -> Option<Value> {
    let answer = function.invoke(id, event, time_left).await;
    let answer = answer.and_then(|answer| serde_json::from_str(&answer).map_err(|_| Failure::Reported(answer)));
    answer.inspect_err(|failure| tracing::error!(request_id = id, %failure, "an invocation failed")).ok()
}

/// What `EventBridge` sends (AWS: "Scheduled event").
fn scheduled_event(id: &str) -> String {
    json!({
        "version": "0",
        "id": id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": Clock::system().now(),
        "region": REGION,
        "resources": [],
        "detail": {},
    })
    .to_string()
}

async fn watch() -> Result<Arc<Watch>, StackError> {
    let started = Watch::start().await.map(Arc::new);
    started.map_err(|error| StackError(format!("LAMBDA_WATCH: cargo-lambda can't be started: {error}")))
}

fn own_folder() -> Result<PathBuf, StackError> {
    let program = env::current_exe().map_err(|error| StackError(format!("LAMBDA: name the folder: {error}")))?;
    Ok(program.parent().unwrap_or(&program).to_owned())
}

/// As cargo builds it, or as cargo-lambda does.
fn program(folder: &Path, name: &str) -> Result<PathBuf, StackError> {
    let places = [folder.join(name), folder.join(name).join("bootstrap")];
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        let folder = folder.display();
        StackError(format!("LAMBDA: {folder} has no program {name}: cargo build --workspace makes all of them"))
    })
}

/// What Lambda sets by itself (AWS Lambda: "Defined runtime environment variables"), and `variables`.
fn environment(name: &str, variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let log_group = format!("/{name}");
    let lambda = [
        ("_HANDLER", "bootstrap"),
        // So that the guard can tell whose calls they are.
        ("AWS_ACCESS_KEY_ID", name),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", REGION),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
        ("TZ", ":UTC"),
    ];
    let lambda = lambda.map(|(name, value)| (name.to_owned(), value.to_owned()));
    lambda.into_iter().chain(variables.clone()).collect()
}
