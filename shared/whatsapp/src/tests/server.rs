//! An HTTP server of a few lines that does what it is told, down to the byte.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// What the server does with a connection, or with the requests on it.
#[derive(Clone)]
pub(super) enum Does {
    /// Answers the n-th request with the n-th of these, and all later ones with the last.
    Answer(Vec<Vec<u8>>),
    /// Answers a request with this, then closes the connection without having announced it.
    AnswerAndClose(Vec<u8>),
    /// Closes the connection as soon as it is open.
    CloseUnread,
    /// Writes this without reading anything.
    SpeakFirst(Vec<u8>),
    /// Never writes anything, and never reads either.
    StaySilent,
    /// Reads the request, then ends its side (FIN).
    ReadAndClose,
    /// Reads the request, then breaks the connection (RST).
    ReadAndReset,
    /// Reads the request and says nothing.
    ReadAndWait,
    /// Reads the request, promises a long body and gives it byte by byte.
    Dribble,
}

/// A request as it was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// Which connection it came on, from 0.
    pub(super) connection: usize,
    /// Such as `POST /v25.0/1/messages HTTP/1.1`.
    pub(super) line: String,
    /// All headers, in lower case.
    pub(super) headers: String,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(super) struct Server {
    address: String,
    seen: UnboundedReceiver<Seen>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn that(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, seen) = unbounded_channel();
        let task = tokio::spawn(async move {
            let mut answers = match &does {
                Does::Answer(answers) => answers.clone(),
                _ => Vec::new(),
            };
            answers.reverse();
            // One connection at a time would deadlock on a client that opens a second one: each has its task.
            let answers = std::sync::Arc::new(std::sync::Mutex::new(answers));
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connection, does.clone(), answers.clone(), sender.clone()));
            }
        });
        Self { address, seen, task }
    }

    pub(super) async fn answering(status: u16, body: &str) -> Self {
        Self::that(Does::Answer(vec![http(status, "", body)])).await
    }

    pub(super) async fn answering_each(bodies: &[&str]) -> Self {
        Self::that(Does::Answer(bodies.iter().map(|body| http(200, "", body)).collect())).await
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/v25.0", self.address)
    }

    pub(super) fn https_url(&self) -> String {
        format!("https://{}/v25.0", self.address)
    }

    /// The next request; waits for it, since a client may have given up before the server has read it.
    pub(super) async fn next(&mut self) -> Seen {
        tokio::time::timeout(Duration::from_secs(10), self.seen.recv()).await.expect("no request came").unwrap()
    }

    /// The only request.
    pub(super) async fn only(&mut self) -> Seen {
        let seen = self.next().await;
        self.none();
        seen
    }

    /// No (further) request has come.
    pub(super) fn none(&mut self) {
        assert!(self.seen.try_recv().is_err(), "one request too many");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole response. `headers` end each with `\r\n`.
pub(super) fn http(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

type Answers = std::sync::Arc<std::sync::Mutex<Vec<Vec<u8>>>>;

async fn serve(mut stream: TcpStream, connection: usize, does: Does, answers: Answers, sender: UnboundedSender<Seen>) {
    match &does {
        Does::CloseUnread => return,
        Does::SpeakFirst(bytes) => {
            let _ = stream.write_all(bytes).await;
            return;
        }
        Does::StaySilent => std::future::pending().await,
        _ => {}
    }
    while let Some(request) = read_request(&mut stream, connection).await {
        let has_body = !request.line.starts_with("HEAD");
        let _ = sender.send(request);
        match &does {
            Does::Answer(_) if has_body => {
                let answer = {
                    let mut answers = answers.lock().unwrap();
                    if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() }
                };
                if stream.write_all(&answer).await.is_err() {
                    return;
                }
                // What promises more than it holds is cut short.
                let answer = String::from_utf8_lossy(&answer);
                let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
                if length(&head.to_lowercase()) != body.len() {
                    return;
                }
            }
            Does::Answer(_) => {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 9\r\n\r\n").await.unwrap();
            }
            Does::AnswerAndClose(answer) => {
                stream.write_all(answer).await.unwrap();
                return;
            }
            Does::ReadAndReset => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Does::ReadAndWait => std::future::pending().await,
            Does::Dribble => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await.unwrap();
                let mut pace = tokio::time::interval(Duration::from_millis(1));
                while stream.write_all(b" ").await.is_ok() {
                    pace.tick().await;
                }
                return;
            }
            Does::ReadAndClose | Does::CloseUnread | Does::SpeakFirst(_) | Does::StaySilent => return,
        }
    }
}

async fn read_request(stream: &mut TcpStream, connection: usize) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(head + 4);
    let head = String::from_utf8(bytes).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let headers = headers.to_lowercase();
    while body.len() < length(&headers) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { connection, line: line.to_owned(), headers, body })
}

fn length(headers: &str) -> usize {
    let line = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.map_or(0, |length| length.trim().parse().unwrap())
}
