//! The way to a server: it counts connections and calls, keeps them, and closes connections as a server does that has waited
//! long enough.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::patiently;

/// A way to a server on this machine, or to answers that one gave. Dropping it closes it.
pub struct Relay {
    address: SocketAddr,
    path: String,
    state: Arc<State>,
    accepting: AbortHandle,
}

/// A call that went through, and its answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// The header `X-Amz-Target`; without one, the method.
    pub operation: String,
    /// The path, with the query.
    pub path: String,
    /// The body of the request.
    pub request: Bytes,
    /// The status of the answer.
    pub status: StatusCode,
    content_type: Option<HeaderValue>,
    answer: Bytes,
}

/// Where answers come from.
enum Source {
    Server(SocketAddr),
    /// These, one after the other, and over again.
    Recorded(Vec<Call>, AtomicUsize),
}

struct State {
    source: Source,
    calls: Mutex<Vec<Call>>,
    /// All connections that there ever were.
    accepted: AtomicUsize,
    open: watch::Sender<usize>,
    /// GETs that are not answered yet.
    asking: watch::Sender<usize>,
    /// How often all connections were closed.
    closed: watch::Sender<usize>,
}

impl Relay {
    /// A way to the server at `url`, an address of this machine, perhaps with a path.
    pub async fn to(url: &str) -> Self {
        let url: axum::http::Uri = url.parse().expect("a URL is one");
        let server = url.authority().and_then(|authority| authority.as_str().parse().ok());
        let path = url.path().trim_end_matches('/').to_owned();
        Self::start(Source::Server(server.expect("the server is on this machine")), path).await
    }

    /// A way to answers that were given before, which come again in their order, and over and over again.
    pub async fn repeating(calls: Vec<Call>) -> Self {
        Self::start(Source::Recorded(calls, AtomicUsize::new(0)), String::new()).await
    }

    async fn start(source: Source, path: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let state = Arc::new(State {
            source,
            calls: Mutex::default(),
            accepted: AtomicUsize::new(0),
            open: watch::Sender::new(0),
            asking: watch::Sender::new(0),
            closed: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Self { address, path, state, accepting }
    }

    /// Where it stands: host and port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Its URL, with the path of the server's.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// How many connections it was asked for, ever.
    pub fn connections(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// The calls since this was asked for the last time.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.calls.lock().expect("nobody panics holding it"))
    }

    /// Waits until there is a GET that is not answered yet.
    pub async fn asked(&self) {
        let mut asking = self.state.asking.subscribe();
        // An error is a closed channel, and this end is open.
        let _ = patiently("somebody asks", asking.wait_for(|calls| *calls > 0)).await;
    }

    /// Closes every connection, each once the call on it is answered, if there is one. Waits until all are.
    pub async fn close_connections(&self) {
        self.state.closed.send_modify(|times| *times += 1);
        let mut open = self.state.open.subscribe();
        let all_closed = patiently("every connection is closed", open.wait_for(|open| *open == 0));
        // An error is a closed channel, and this end is open.
        let _ = all_closed.await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // They end with this.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.accepted.fetch_add(1, Ordering::SeqCst);
        state.open.send_modify(|open| *open += 1);
        let (state, closed) = (Arc::clone(&state), state.closed.subscribe());
        connections.spawn(async move {
            // An error is a connection that the other side broke off.
            let _ = serve(stream, &state, closed).await;
            state.open.send_modify(|open| *open -= 1);
        });
    }
}

async fn serve(stream: TcpStream, state: &State, mut closed: watch::Receiver<usize>) -> hyper::Result<()> {
    let _ = stream.set_nodelay(true);
    let upstream = &AsyncMutex::new(None);
    let service = service_fn(|request: Request<Incoming>| async {
        let _asking = (request.method() == Method::GET).then(|| Asking::begin(&state.asking));
        Ok::<_, Infallible>(answer(state, upstream, request).await)
    });
    let connection = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = &mut connection => return ended,
        _ = closed.changed() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

/// Counts a GET until it is answered, or nobody waits for that any more.
struct Asking<'a>(&'a watch::Sender<usize>);

impl<'a> Asking<'a> {
    fn begin(calls: &'a watch::Sender<usize>) -> Self {
        calls.send_modify(|calls| *calls += 1);
        Self(calls)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls -= 1);
    }
}

/// A connection to the server, for one from the client.
type Upstream = AsyncMutex<Option<client::conn::http1::SendRequest<Full<Bytes>>>>;

async fn answer(state: &State, upstream: &Upstream, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return unavailable();
    };
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.unwrap_or(head.method.as_str()).to_owned();
    let path = head.uri.to_string();
    let (response, answer) = match &state.source {
        Source::Server(server) => {
            let Ok(answered) = forward(*server, upstream, Request::from_parts(head, Full::new(body.clone()))).await
            else {
                return unavailable();
            };
            answered
        }
        Source::Recorded(calls, next) => {
            let call = calls.get(next.fetch_add(1, Ordering::SeqCst) % calls.len().max(1));
            let Some(call) = call else { return unavailable() };
            let mut response = Response::new(());
            *response.status_mut() = call.status;
            if let Some(content_type) = &call.content_type {
                response.headers_mut().insert(CONTENT_TYPE, content_type.clone());
            }
            (response, call.answer.clone())
        }
    };
    state.calls.lock().expect("nobody panics holding it").push(Call {
        operation,
        path,
        request: body,
        status: response.status(),
        content_type: response.headers().get(CONTENT_TYPE).cloned(),
        answer: answer.clone(),
    });
    response.map(|()| Full::new(answer))
}

async fn forward(
    server: SocketAddr,
    upstream: &Upstream,
    mut request: Request<Full<Bytes>>,
) -> Result<(Response<()>, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let mut upstream = upstream.lock().await;
    if upstream.as_ref().is_none_or(client::conn::http1::SendRequest::is_closed) {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        *upstream = Some(sender);
    }
    let sender = upstream.as_mut().ok_or("there is a connection")?;
    request.headers_mut().insert(HOST, server.to_string().parse()?);
    let (head, body) = sender.send_request(request).await?.into_parts();
    Ok((Response::from_parts(head, ()), body.collect().await?.to_bytes()))
}

fn unavailable() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
