//! A Meta that says what it is told to say.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A server that answers a request with each of its answers, one after the other.
pub(crate) struct Meta {
    url: String,
    asked: mpsc::UnboundedReceiver<Value>,
}

impl Meta {
    /// Starts it. An answer is a status and a body.
    pub(crate) async fn that_says(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v25.0", listener.local_addr().unwrap());
        let answers: Vec<_> = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let (bodies, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for (status, body) in answers {
                let (mut connection, _) = listener.accept().await.unwrap();
                // An error is a test that asks for no bodies any more.
                let _ = bodies.send(read(&mut connection).await);
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }

    /// The base of its Graph API.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The body of the next request that it got; `null` of one without.
    pub(crate) async fn asked(&mut self) -> Value {
        self.asked.recv().await.expect("Meta was asked")
    }
}

/// Reads a whole request, and gives its body.
async fn read(connection: &mut TcpStream) -> Value {
    let mut connection = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.unwrap();
    serde_json::from_slice(&body).unwrap_or_default()
}
