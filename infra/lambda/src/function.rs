//! A function and the processes that run it.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Clock;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::runtime_api::{Outcome, RuntimeApi};
use crate::watch::Watch;

/// At most so many processes run one function at a time. A further event waits for one of them.
const MOST_PROCESSES: usize = 10;
/// How long a program may take until it asks for its first event (AWS Lambda: "Lambda execution environment lifecycle").
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A function's program, and the environment variables that it gets: nothing else is inherited.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its environment, but for `AWS_LAMBDA_RUNTIME_API`.
    pub variables: BTreeMap<String, String>,
    /// Where it asks for its events, if not here: under this name.
    pub watch: Option<(Arc<Watch>, String)>,
}

/// A function. Dropping it kills its processes.
#[derive(Debug)]
pub struct Function {
    program: Program,
    idle: Mutex<Vec<Process>>,
    permits: Semaphore,
}

/// Why a function did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program can't be run.
    #[error("{0} can't be run: {1}")]
    Program(PathBuf, #[source] io::Error),
    /// There is no port for its events.
    #[error("no port for the events of {0}: {1}")]
    Port(PathBuf, #[source] io::Error),
    /// It ended before it asked for an event; its last lines say why.
    #[error("{0} ended before it asked for an event: see the log")]
    Ended(PathBuf),
    /// It never asked for an event.
    #[error("{0} did not ask for an event within 10 seconds")]
    Silent(PathBuf),
}

/// Why an event got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The function reported this in place of an answer.
    #[error("the function reported an error: {0}")]
    Reported(String),
    /// The process ended.
    #[error("the function's process ended")]
    Ended,
    /// It took longer than it may, and was killed.
    #[error("the function took longer than it may")]
    TimedOut,
    /// No process could be started for it.
    #[error(transparent)]
    NotStarted(#[from] StartError),
}

/// A process that waits for events. Dropping it kills it.
#[derive(Debug)]
struct Process {
    child: Child,
    events: Events,
}

/// Where a process gets its events.
#[derive(Debug)]
enum Events {
    /// From here, for itself alone.
    Here(RuntimeApi),
    /// From cargo-lambda, which gives them to whoever asks by the function's name.
    Elsewhere(Arc<Watch>, String),
}

impl Function {
    /// Starts a first process of the program, and waits until it asks for an event.
    pub async fn start(program: Program) -> Result<Self, StartError> {
        let first = Process::start(&program).await?;
        Ok(Self { program, idle: Mutex::new(vec![first]), permits: Semaphore::new(MOST_PROCESSES) })
    }

    /// Hands an event to a process, and gives what it answers. `id` is the invocation's.
    pub async fn invoke(&self, id: &str, event: &str, time_left: Duration) -> Result<String, Failure> {
        // An error is a closed semaphore, and nobody closes it.
        let _permit = self.permits.acquire().await;
        let idle = self.idle().pop();
        let mut process = match idle.and_then(Process::if_alive) {
            Some(process) => process,
            None => Process::start(&self.program).await?,
        };
        let outcome = process.invoke(id, event, time_left).await?;
        self.idle().push(process);
        outcome.map_err(Failure::Reported)
    }

    /// Kills the processes that wait for events.
    pub fn stop(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    async fn start(program: &Program) -> Result<Self, StartError> {
        let path = || program.path.clone();
        let events = match &program.watch {
            Some((watch, name)) => Events::Elsewhere(Arc::clone(watch), name.clone()),
            None => Events::Here(RuntimeApi::start().await.map_err(|error| StartError::Port(path(), error))?),
        };
        let mut child = Command::new(&program.path)
            .env_clear()
            .envs(&program.variables)
            .env("AWS_LAMBDA_RUNTIME_API", events.address())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| StartError::Program(path(), error))?;
        let asked = timeout(INIT_TIMEOUT, async {
            tokio::select! {
                () = events.asked() => true,
                _ = child.wait() => false,
            }
        });
        match asked.await {
            Ok(true) => Ok(Self { child, events }),
            Ok(false) => Err(StartError::Ended(path())),
            Err(_) => Err(StartError::Silent(path())),
        }
    }

    /// It may have ended while it waited for an event.
    fn if_alive(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    async fn invoke(&mut self, id: &str, event: &str, time_left: Duration) -> Result<Outcome, Failure> {
        let outcome = self.events.invoke(id, event, time_left);
        let answered = async {
            tokio::select! {
                biased;
                outcome = outcome => outcome.ok_or(Failure::Ended),
                _ = self.child.wait() => Err(Failure::Ended),
            }
        };
        timeout(time_left, answered).await.unwrap_or(Err(Failure::TimedOut))
    }
}

impl Events {
    fn address(&self) -> String {
        match self {
            Self::Here(api) => api.address(),
            Self::Elsewhere(watch, name) => watch.address(name),
        }
    }

    /// Waits until the process asks for its first event. Nobody tells when it does so elsewhere; there an event waits for it.
    async fn asked(&self) {
        if let Self::Here(api) = self {
            api.asked().await;
        }
    }

    /// What becomes of an event. `None`: nobody will ever know.
    async fn invoke(&self, id: &str, event: &str, time_left: Duration) -> Option<Outcome> {
        match self {
            Self::Here(api) => {
                let now = Clock::system().now();
                let deadline = now.saturating_add(time_left).unwrap_or(now);
                api.invoke(id, event, deadline.as_millisecond()).await.ok()
            }
            Self::Elsewhere(watch, name) => watch.invoke(name, event).await,
        }
    }
}
