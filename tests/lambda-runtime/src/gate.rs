//! The way to DynamoDB, which a test can close at a certain point, and on which answers can get lost.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::patiently;

/// A way to a server on this machine, for a function that is to be killed while it waits there. Dropping it closes it.
pub struct Gate {
    url: String,
    state: Arc<watch::Sender<State>>,
    losses: Arc<Losses>,
    passing: AbortHandle,
}

/// Every so-many-eth answer gets lost, if any.
#[derive(Default)]
struct Losses {
    one_in: AtomicUsize,
    answers: AtomicUsize,
}

impl Losses {
    fn is_next(&self) -> bool {
        let number = self.answers.fetch_add(1, Ordering::SeqCst);
        match self.one_in.load(Ordering::SeqCst) {
            0 => false,
            one_in => number % one_in == one_in - 1,
        }
    }
}

/// What a closed gate holds back, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The request: the server never hears of it.
    Request,
    /// The answer: the server has done what it was asked.
    Answer,
}

#[derive(Clone, Copy)]
enum State {
    Open,
    /// Closed to requests that hold this text, once so many of them were answered.
    Closed(Held, &'static str, usize),
    /// Something stands before it.
    Reached,
}

impl Gate {
    /// An open way to the server at `url`.
    pub async fn to(url: &str) -> Self {
        let address = url.strip_prefix("http://").and_then(|address| address.parse().ok());
        let address = address.expect("the URL is an address on this machine");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let state = Arc::new(watch::Sender::new(State::Open));
        let losses = Arc::<Losses>::default();
        let passing = tokio::spawn(accept(listener, address, Arc::clone(&state), Arc::clone(&losses))).abort_handle();
        Self { url, state, losses, passing }
    }

    /// From now on one answer in so many is lost on the way: the server has done what it was asked, and the connection ends.
    pub fn lose_one_in(&self, answers: usize) {
        self.losses.one_in.store(answers, Ordering::SeqCst);
    }

    /// Where it stands: the value of `AWS_ENDPOINT_URL_DYNAMODB`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Holds back what belongs to the first request that holds `text`, such as the name of an operation.
    pub fn close(&self, held: Held, text: &'static str) {
        self.close_behind(0, held, text);
    }

    /// Lets so many requests pass that hold `text`, with their answers, and holds back what belongs to the next.
    pub fn close_behind(&self, passing: usize, held: Held, text: &'static str) {
        self.state.send_replace(State::Closed(held, text, passing));
    }

    /// Lets everything pass again.
    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }

    /// Waits until something stands before the closed gate.
    pub async fn reached(&self) {
        let mut state = self.state.subscribe();
        let reached = patiently("something comes to the gate", state.wait_for(|state| matches!(state, State::Reached)));
        // An error is a closed channel, and this end is open.
        let _ = reached.await;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    state: Arc<watch::Sender<State>>,
    losses: Arc<Losses>,
) -> io::Result<()> {
    // They end with this.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await?;
        connections.spawn(pass(client, server, Arc::clone(&state), Arc::clone(&losses)));
    }
}

/// Passes on what comes on one connection, on which there is one request at a time.
async fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    state: Arc<watch::Sender<State>>,
    losses: Arc<Losses>,
) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    let (mut from_client, mut from_server) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut request = Vec::new();
    loop {
        let (chunk, to, direction) = tokio::select! {
            length = client.read(&mut from_client) => (from_client.get(..length?), &mut server, Held::Request),
            length = server.read(&mut from_server) => (from_server.get(..length?), &mut client, Held::Answer),
        };
        let chunk = chunk.unwrap_or_default();
        if chunk.is_empty() {
            return Ok(());
        }
        if direction == Held::Request {
            request.extend_from_slice(chunk);
        }
        let mut is_held = false;
        state.send_if_modified(|state| {
            let State::Closed(held, text, passing) = state else { return false };
            if !request.windows(text.len()).any(|window| window == text.as_bytes()) {
                return false;
            }
            is_held = *passing == 0 && *held == direction;
            if is_held {
                *state = State::Reached;
            } else if direction == Held::Answer {
                *passing = passing.saturating_sub(1);
            }
            is_held
        });
        if is_held {
            return std::future::pending().await;
        }
        if direction == Held::Answer {
            // The first part of an answer.
            if !request.is_empty() && losses.is_next() {
                return Ok(());
            }
            request.clear();
        }
        to.write_all(chunk).await?;
    }
}
