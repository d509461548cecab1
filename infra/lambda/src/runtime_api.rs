//! The Lambda Runtime API (AWS Lambda: "Using the Lambda runtime API for custom runtimes").

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot, watch};
use tokio::task::AbortHandle;

/// What a function posted about an invocation, as it stands: its answer, or an error.
pub type Outcome = Result<String, String>;

/// A running Runtime API for one process. Dropping it stops it.
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    queue: mpsc::UnboundedSender<Invocation>,
    invocations: Arc<Invocations>,
    serving: AbortHandle,
}

#[derive(Debug)]
struct Invocations {
    waiting: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    under_way: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    asked: watch::Sender<bool>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: String,
    deadline_epoch_ms: i64,
    outcome: oneshot::Sender<Outcome>,
}

impl RuntimeApi {
    /// Starts one on any free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let (queue, waiting) = mpsc::unbounded_channel();
        let invocations = Arc::new(Invocations {
            waiting: AsyncMutex::new(waiting),
            under_way: Mutex::default(),
            asked: watch::Sender::new(false),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(StatusCode::ACCEPTED))
            // An answer may have 6 MB (AWS: "Lambda quotas").
            .layer(DefaultBodyLimit::max(6 * 1024 * 1024))
            .with_state(Arc::clone(&invocations));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { address, queue, invocations, serving })
    }

    /// As Lambda writes it into `AWS_LAMBDA_RUNTIME_API`: without `http://`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function asks for its first event.
    pub async fn asked(&self) {
        // An error is a closed channel, and this end is open.
        let _ = self.invocations.asked.subscribe().wait_for(|asked| *asked).await;
    }

    /// Puts an event into the queue. Gives where the outcome will be, which ends without one when this does.
    pub fn invoke(&self, id: &str, event: &str, deadline_epoch_ms: i64) -> oneshot::Receiver<Outcome> {
        let (outcome, receiver) = oneshot::channel();
        let invocation = Invocation { id: id.to_owned(), event: event.to_owned(), deadline_epoch_ms, outcome };
        // An error drops the sender: whoever waits for the outcome is told.
        let _ = self.queue.send(invocation);
        receiver
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Invocations {
    fn under_way(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Outcome>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, id: &str, outcome: Outcome) -> Response {
        match self.under_way().remove(id) {
            Some(waiting) => {
                // An error is somebody who no longer waits.
                let _ = waiting.send(outcome);
                (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
            }
            None => (StatusCode::BAD_REQUEST, r#"{"errorType":"InvalidRequestID"}"#).into_response(),
        }
    }
}

async fn next(State(invocations): State<Arc<Invocations>>) -> Response {
    invocations.asked.send_replace(true);
    let Some(invocation) = invocations.waiting.lock().await.recv().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Invocation { id, event, deadline_epoch_ms, outcome } = invocation;
    invocations.under_way().insert(id.clone(), outcome);
    let headers = [
        ("Content-Type", "application/json".to_owned()),
        ("Lambda-Runtime-Aws-Request-Id", id),
        ("Lambda-Runtime-Deadline-Ms", deadline_epoch_ms.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:any".to_owned()),
        (
            "Lambda-Runtime-Trace-Id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1".to_owned(),
        ),
    ];
    (headers, event).into_response()
}

async fn response(state: State<Arc<Invocations>>, Path(id): Path<String>, body: String) -> Response {
    state.finish(&id, Ok(body))
}

async fn error(state: State<Arc<Invocations>>, Path(id): Path<String>, body: String) -> Response {
    state.finish(&id, Err(body))
}
