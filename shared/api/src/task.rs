//! Functions that a schedule starts: nobody asks, and nobody is answered.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use domain::{Clock, Error, Result};
use futures::FutureExt;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::de::IgnoredAny;
use tracing::Instrument;

use crate::serve::{StartError, panic_text, printable, started, time_left};

/// What template.yaml gives such a function, at least.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Something to be done from time to time. Its fields are what it depends on.
pub trait Task: Send + Sync {
    /// The function's one name: the same as in template.yaml.
    const NAME: &'static str;

    /// Does it. After `time_left` the function is stopped.
    fn run(&self, time_left: Duration) -> impl Future<Output = Result<()>> + Send;
}

/// Runs a task on Lambda at every event, whatever it holds, until its environment is torn down. `start` builds it. A failure
/// of the run is one of the invocation, so that Lambda repeats it and counts it among the function's errors.
pub async fn serve_task<T: Task>(start: impl Future<Output = Result<T, StartError>>) -> Result<(), StartError> {
    let task = started(start).await?;
    let (task, clock) = (&task, &Clock::system());
    let handler = service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        let time_left = time_left(event.context.deadline, clock, TIMEOUT);
        run_task(task, &event.context.request_id, time_left).await.map_err(|error| told(&error))
    });
    Runtime::new(handler).run().await
}

/// Runs a task once, and logs one line about it. `id` is the invocation's. A panic is an error like any other.
pub async fn run_task<T: Task>(task: &T, id: &str, time_left: Duration) -> Result<()> {
    let begun = Instant::now();
    async {
        // On the heap, as an endpoint's state is.
        let outcome = AssertUnwindSafe(Box::pin(task.run(time_left))).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|panic| Err(Error::internal(panic_text(panic.as_ref()))));
        log_run(&outcome, begun.elapsed());
        outcome
    }
    .instrument(tracing::info_span!("run", task = T::NAME, request_id = printable(id)))
    .await
}

/// The one line about a run, with the whole chain behind a failure.
fn log_run(outcome: &Result<()>, elapsed: Duration) {
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(()) => tracing::info!(outcome = "Done", elapsed_ms, "ran"),
        Err(error) => {
            let (code, cause) = (error.public().code.as_deref(), error.source_chain());
            tracing::error!(outcome = ?error.kind(), elapsed_ms, code, cause, "ran");
        }
    }
}

/// The failure as Lambda gets it: what anybody may read.
pub(crate) fn told(error: &Error) -> Diagnostic {
    let public = error.public();
    let code = public.code.as_deref().unwrap_or_default().to_owned();
    Diagnostic { error_type: code, error_message: public.message.clone() }
}

#[cfg(test)]
mod tests {
    use domain::Kind;

    use super::*;

    struct Fails;

    impl Task for Fails {
        const NAME: &'static str = "fails";

        async fn run(&self, time_left: Duration) -> Result<()> {
            assert!(!time_left.is_zero(), "no time at all");
            Err(Error::new(Kind::Throttled, "Too many").code("rate_limited").caused_by("the inside"))
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_that_tells_its_text_to_the_log_alone() {
        let error = run_task(&Fails, "id", Duration::ZERO).await.unwrap_err();
        assert_eq!((error.kind(), error.source_chain().as_deref()), (Kind::Internal, Some("panicked: no time at all")));
        let expected = Diagnostic { error_type: "internal".to_owned(), error_message: "Internal error".to_owned() };
        assert_eq!(told(&error), expected);
    }

    #[tokio::test]
    async fn lambda_gets_the_public_side_of_a_failure() {
        let error = run_task(&Fails, "id", Duration::from_secs(1)).await.unwrap_err();
        let expected = Diagnostic { error_type: "rate_limited".to_owned(), error_message: "Too many".to_owned() };
        assert_eq!(told(&error), expected);
    }
}
