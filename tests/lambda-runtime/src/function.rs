//! A function's real program, running.

use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::Clock;
use embedded_lambda::{Outcome, RuntimeApi};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::AbortHandle;

use crate::{Environment, Relay, patiently};

/// A function, running as a process of its own. Dropping it kills the process.
pub struct Function {
    process_id: Option<u32>,
    api: RuntimeApi,
    way_to_api: Relay,
    timeout: Duration,
    invocations: AtomicU64,
    lines: Lines,
    killed: Arc<Notify>,
    ended: watch::Receiver<Option<ExitStatus>>,
    watching: AbortHandle,
}

/// Why an event got no answer.
#[derive(Debug)]
pub enum FunctionError {
    /// The function reported an error in place of an answer.
    Reported(Value),
    /// The process ended.
    Ended(ExitStatus),
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Function {
    /// Starts a program, and waits until it asks for its first event or ends.
    pub async fn start(binary: &str, environment: &Environment) -> Self {
        Self::start_under(&[], binary, environment).await
    }

    /// Starts a program under another one, which gets these arguments and the program: `["valgrind", "--tool=callgrind"]`.
    pub async fn start_under(other: &[&str], binary: &str, environment: &Environment) -> Self {
        let api = RuntimeApi::start().await.expect("a port is free");
        let way_to_api = Relay::to(&format!("http://{}", api.address())).await;
        let mut words = other.iter().copied().chain([binary]);
        let child = Command::new(words.next().expect("there is a program"))
            .args(words)
            .env_clear()
            .envs(environment.variables())
            .env("AWS_LAMBDA_RUNTIME_API", way_to_api.address())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program can be run");
        let process_id = child.id();
        let (lines, killed) = (Lines::default(), Arc::new(Notify::new()));
        let (end, ended) = watch::channel(None);
        let watching = watch_over(child, Arc::clone(&lines), Arc::clone(&killed), end);
        let watching = tokio::spawn(watching).abort_handle();
        let (timeout, invocations) = (environment.timeout(), AtomicU64::default());
        let function = Self { process_id, api, way_to_api, timeout, invocations, lines, killed, ended, watching };
        let started = async {
            tokio::select! {
                () = function.api.asked() => {}
                _ = function.exit_status() => {}
            }
        };
        patiently("the function asks for an event, or ends", started).await;
        function
    }

    /// Hands over an event, and waits for the answer.
    pub async fn invoke(&self, event: &str) -> Result<Value, FunctionError> {
        self.invoke_within(event, self.timeout).await
    }

    /// Hands over an event that must be answered within `time_left`.
    pub async fn invoke_within(&self, event: &str, time_left: Duration) -> Result<Value, FunctionError> {
        let deadline = Clock::system().now().saturating_add(time_left).expect("a moment near the present");
        self.invoke_by(event, deadline.as_millisecond()).await
    }

    /// Hands over an event with the header `Lambda-Runtime-Deadline-Ms` as it is given here.
    pub async fn invoke_by(&self, event: &str, deadline_epoch_ms: i64) -> Result<Value, FunctionError> {
        self.answer(self.hand_over(event, deadline_epoch_ms)).await
    }

    /// Freezes the process while it waits for an event, as Lambda does, and thaws it when there is one. Meanwhile the other
    /// ends of all its connections close them: those to the servers behind `ways`, and the one on which it got the event.
    pub async fn invoke_thawed(&self, event: &str, ways: &[&Relay]) -> Result<Value, FunctionError> {
        // While it still posts an answer it is not frozen on AWS, either.
        self.way_to_api.asked().await;
        self.signal("STOP").await;
        let deadline = Clock::system().now().saturating_add(self.timeout).expect("a moment near the present");
        let outcome = self.hand_over(event, deadline.as_millisecond());
        for way in ways.iter().copied().chain([&self.way_to_api]) {
            way.close_connections().await;
        }
        self.signal("CONT").await;
        self.answer(outcome).await
    }

    fn hand_over(&self, event: &str, deadline_epoch_ms: i64) -> oneshot::Receiver<Outcome> {
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", self.invocations.fetch_add(1, Ordering::Relaxed));
        self.api.invoke(&id, event, deadline_epoch_ms)
    }

    async fn answer(&self, outcome: oneshot::Receiver<Outcome>) -> Result<Value, FunctionError> {
        let outcome = async {
            tokio::select! {
                biased;
                Ok(outcome) = outcome => Ok(outcome),
                status = self.exit_status() => Err(FunctionError::Ended(status)),
            }
        };
        let json = |text: String| serde_json::from_str(&text).expect("what a function posts is JSON");
        match patiently("the function answers", outcome).await? {
            Ok(answer) => Ok(json(answer)),
            Err(error) => Err(FunctionError::Reported(json(error))),
        }
    }

    /// How many connections to the Runtime API the process has opened so far.
    pub fn connections_to_runtime_api(&self) -> usize {
        self.way_to_api.connections()
    }

    /// Sends the process a signal, such as `TERM`.
    pub async fn signal(&self, signal: &str) {
        let id = self.process_id.expect("the process is there").to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "no signal {signal}");
    }

    /// The id of the process, unless it ended before it could be told.
    pub fn process_id(&self) -> Option<u32> {
        self.process_id
    }

    /// Whether the process is still there.
    pub fn is_running(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Every line that it wrote so far, to standard output or standard error.
    pub fn log(&self) -> Vec<String> {
        self.lines.lock().expect("no reader panicked").clone()
    }

    /// Waits until the process ends by itself. Then the log is complete.
    pub async fn ended(&self) -> ExitStatus {
        patiently("the function ends", self.exit_status()).await
    }

    /// Kills the process, as Lambda does when it hangs. Then the log is complete.
    pub async fn kill(&self) -> ExitStatus {
        self.killed.notify_one();
        self.ended().await
    }

    /// It did not start, and a line of the log says so that begins with the setting.
    pub async fn assert_refused(&self, setting: &str) {
        assert!(!self.ended().await.success(), "{setting}");
        let log = self.log();
        let told = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|line| {
            line["message"] == "the function can't start"
                && line["error"].as_str().is_some_and(|error| error.starts_with(&format!("{setting} ")))
        });
        assert!(told, "nothing about {setting} in {log:#?}");
    }

    async fn exit_status(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        let status = ended.wait_for(Option::is_some).await.map(|status| *status);
        status.ok().flatten().expect("somebody watches over the process while this lives")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It takes the child with it.
        self.watching.abort();
    }
}

/// Collects what a process writes, until it has ended.
async fn watch_over(mut child: Child, lines: Lines, killed: Arc<Notify>, end: watch::Sender<Option<ExitStatus>>) {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let status = async {
        tokio::select! {
            status = child.wait() => return status,
            () = killed.notified() => {}
        }
        child.start_kill()?;
        child.wait().await
    };
    let (status, (), ()) = tokio::join!(status, collect(stdout, &lines), collect(stderr, &lines));
    end.send_replace(Some(status.expect("a child can be waited for")));
}

async fn collect(output: Option<impl AsyncRead + Unpin>, lines: &Lines) {
    let output = output.expect("the output is a pipe");
    let mut output = BufReader::new(output).split(b'\n');
    while let Some(line) = output.next_segment().await.expect("a pipe can be read") {
        lines.lock().expect("no reader panicked").push(String::from_utf8_lossy(&line).into_owned());
    }
}
