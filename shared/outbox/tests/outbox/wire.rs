//! HTTP/1.1 by hand, so that it can break where it never does by itself: a proxy in front of DynamoDB, and a Meta that
//! says one thing only.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What the proxy does to a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// It is applied, and the connection ends without its answer.
    LoseAnswer,
    /// It is not applied, and the connection ends.
    HangUp,
    /// It is not applied, and the answer is a failure of DynamoDB's servers.
    ServerError,
    /// It is not applied, and the answer is that there were too many calls.
    Throttle,
    /// It is not applied, and there is never an answer.
    Silence,
    /// It waits until [`Proxy::release`], and is then applied and answered.
    Hold,
}

/// Breaks calls to DynamoDB by their operation and table.
pub(crate) struct Proxy {
    url: String,
    state: Arc<State>,
    accepting: AbortHandle,
}

struct State {
    engine: String,
    rules: Mutex<Vec<Rule>>,
    held: Mutex<usize>,
    released: watch::Sender<bool>,
}

/// An empty text stands for any.
struct Rule {
    operation: &'static str,
    table: &'static str,
    fault: Fault,
    times: usize,
}

impl Proxy {
    pub(crate) async fn start(engine_url: &str) -> Self {
        let state = Arc::new(State {
            engine: engine_url.strip_prefix("http://").unwrap().to_owned(),
            rules: Mutex::default(),
            held: Mutex::default(),
            released: watch::Sender::new(false),
        });
        let shared = Arc::clone(&state);
        let (url, accepting) = listen(move |stream| pass_on(stream, Arc::clone(&shared))).await;
        Self { url, state, accepting }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The next so many calls of this operation on this table fail so. An empty text stands for any.
    pub(crate) fn fail(&self, operation: &'static str, table: &'static str, fault: Fault, times: usize) {
        self.state.rules.lock().unwrap().push(Rule { operation, table, fault, times });
    }

    /// All of them fail so, until [`heal`](Self::heal).
    pub(crate) fn fail_always(&self, operation: &'static str, table: &'static str, fault: Fault) {
        self.fail(operation, table, fault, usize::MAX);
    }

    /// Forgets every fault.
    pub(crate) fn heal(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// How many faults that were armed a number of times have not come yet.
    pub(crate) fn left(&self) -> usize {
        self.state.rules.lock().unwrap().iter().map(|rule| rule.times).sum()
    }

    /// Whether a call waits, or was let go on and is not applied yet.
    pub(crate) fn holds(&self) -> bool {
        *self.state.held.lock().unwrap() > 0
    }

    /// Lets every held call go on, and those to come.
    pub(crate) fn release(&self) {
        self.state.released.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl State {
    fn take(&self, request: &HttpMessage) -> Option<Fault> {
        let operation = request.header("x-amz-target")?.rsplit('.').next()?;
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let in_batch = || body["RequestItems"].as_object()?.keys().next().map(String::as_str);
        let table = body["TableName"].as_str().or_else(in_batch)?.rsplit('-').next()?;
        let is_for = |rule: &&mut Rule| {
            rule.times > 0
                && [(rule.operation, operation), (rule.table, table)].iter().all(|(a, b)| a.is_empty() || a == b)
        };
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(is_for)?;
        rule.times -= 1;
        Some(rule.fault)
    }
}

async fn pass_on(mut client: TcpStream, state: Arc<State>) -> Option<()> {
    loop {
        let request = HttpMessage::read(&mut client).await?;
        let answer = match state.take(&request) {
            Some(Fault::HangUp) => return None,
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::ServerError) => refusal(500, "InternalServerError"),
            Some(Fault::Throttle) => refusal(400, "ThrottlingException"),
            Some(Fault::LoseAnswer) => {
                request.ask(&state.engine).await?;
                return None;
            }
            Some(Fault::Hold) => {
                *state.held.lock().unwrap() += 1;
                state.released.subscribe().wait_for(|released| *released).await.ok()?;
                let answer = request.ask(&state.engine).await;
                *state.held.lock().unwrap() -= 1;
                answer?
            }
            None => request.ask(&state.engine).await?,
        };
        client.write_all(&answer).await.ok()?;
    }
}

fn refusal(status: u16, kind: &str) -> Vec<u8> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","message":"by the test"}}"#);
    answer(status, "Content-Type: application/x-amz-json-1.0\r\n", &body)
}

/// A Meta that answers every request with this; gives back its Graph URL.
pub(crate) async fn meta_that_says(status: u16, headers: &str, body: &str) -> String {
    let answer = answer(status, headers, body);
    let say = move |mut client: TcpStream| {
        let answer = answer.clone();
        async move {
            while HttpMessage::read(&mut client).await.is_some() {
                client.write_all(&answer).await.ok()?;
            }
            Some(())
        }
    };
    let (url, _) = listen(say).await;
    format!("{url}/v25.0")
}

fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Said\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Serves each connection in a task of its own, until the test's runtime ends.
async fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> (String, AbortHandle)
where
    F: Future<Output = Option<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepting = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(serve(stream));
        }
    });
    (url, accepting.abort_handle())
}

/// A request or an answer whose body has a length.
struct HttpMessage {
    head: String,
    body: Vec<u8>,
}

impl HttpMessage {
    /// `None`: the connection ended.
    async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let mut message = Self { head: String::from_utf8(head).unwrap(), body: Vec::new() };
        let length = message.header("content-length").map_or(0, |length| length.parse().unwrap());
        message.body = vec![0; length];
        stream.read_exact(&mut message.body).await.ok()?;
        Some(message)
    }

    fn header(&self, wanted: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    }

    /// Passes the request on, and gives back the answer's bytes.
    async fn ask(&self, server: &str) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(server).await.ok()?;
        stream.set_nodelay(true).ok()?;
        stream.write_all(&[self.head.as_bytes(), &self.body].concat()).await.ok()?;
        let answer = Self::read(&mut stream).await?;
        Some([answer.head.into_bytes(), answer.body].concat())
    }
}
