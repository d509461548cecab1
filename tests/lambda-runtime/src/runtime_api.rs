//! The Lambda Runtime API (AWS Lambda: "Using the Lambda runtime API for custom runtimes").

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::AbortHandle;

/// What a function posted about an invocation, as it stands: its answer, or an error.
pub(crate) type Outcome = Result<String, String>;

/// A running Runtime API for one process. Dropping it stops it.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    invocations: Arc<Invocations>,
    serving: AbortHandle,
}

struct Invocations {
    queue: mpsc::UnboundedSender<Invocation>,
    waiting: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    under_way: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    count: AtomicU64,
    asked: watch::Sender<bool>,
}

struct Invocation {
    event: String,
    deadline_epoch_ms: i64,
    outcome: oneshot::Sender<Outcome>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        let invocations = Arc::new(Invocations {
            queue,
            waiting: Mutex::new(waiting),
            under_way: Mutex::default(),
            count: AtomicU64::default(),
            asked: watch::Sender::new(false),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(StatusCode::ACCEPTED))
            .with_state(Arc::clone(&invocations));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { address, invocations, serving }
    }

    /// As Lambda writes it into `AWS_LAMBDA_RUNTIME_API`: without `http://`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits until the function asks for its first event.
    pub(crate) async fn asked(&self) {
        // An error is a closed channel, and this end is open.
        let _ = self.invocations.asked.subscribe().wait_for(|asked| *asked).await;
    }

    /// Puts an event into the queue. Gives where the outcome will be.
    pub(crate) fn invoke(&self, event: &str, deadline_epoch_ms: i64) -> oneshot::Receiver<Outcome> {
        let (outcome, receiver) = oneshot::channel();
        let invocation = Invocation { event: event.to_owned(), deadline_epoch_ms, outcome };
        assert!(self.invocations.queue.send(invocation).is_ok(), "the receiving end is kept beside this one");
        receiver
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn next(State(invocations): State<Arc<Invocations>>) -> Response {
    invocations.asked.send_replace(true);
    let next = invocations.waiting.lock().await.recv().await;
    let Invocation { event, deadline_epoch_ms, outcome } = next.expect("the sending end is kept beside this one");
    let number = invocations.count.fetch_add(1, Ordering::Relaxed);
    let id = format!("8476a536-e9f4-11e8-9739-{number:012}");
    invocations.under_way.lock().await.insert(id.clone(), outcome);
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
    finish(&state, &id, Ok(body)).await
}

async fn error(state: State<Arc<Invocations>>, Path(id): Path<String>, body: String) -> Response {
    finish(&state, &id, Err(body)).await
}

async fn finish(invocations: &Invocations, id: &str, outcome: Outcome) -> Response {
    match invocations.under_way.lock().await.remove(id) {
        Some(waiting) => {
            // An error is a test that no longer waits.
            let _ = waiting.send(outcome);
            (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
        }
        None => (StatusCode::BAD_REQUEST, r#"{"errorType":"InvalidRequestID"}"#).into_response(),
    }
}
