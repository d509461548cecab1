//! cargo-lambda's own emulator of Lambda: `cargo lambda watch --only-lambda-apis`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use axum::body::{self, Body};
use axum::http::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

use crate::runtime_api::Outcome;

/// How long it may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer (AWS: "Lambda quotas").
const ANSWER_LIMIT: usize = 6 * 1024 * 1024;

/// A running emulator. Dropping it kills it.
#[derive(Debug)]
pub struct Watch {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
    _child: Child,
}

impl Watch {
    /// Starts one on a free port of this machine, and waits until it listens.
    pub async fn start() -> io::Result<Self> {
        // Free at this moment: it takes no port 0.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?;
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let child = Command::new("cargo")
            .args(["lambda", "watch", "--only-lambda-apis", "--disable-cors", "-A", &host, "-P", &port])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let listens = async {
            let mut again = interval(Duration::from_millis(20));
            while TcpStream::connect(address).await.is_err() {
                again.tick().await;
            }
        };
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "cargo lambda watch does not listen");
        timeout(START_TIMEOUT, listens).await.map_err(late)?;
        Ok(Self { address, client: Client::builder(TokioExecutor::new()).build_http(), _child: child })
    }

    /// Where the function of this name asks for its events: the value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self, function: &str) -> String {
        format!("http://{}/.rt/{function}", self.address)
    }

    /// Hands over an event, and gives what the function answers. `None`: nothing came.
    pub(crate) async fn invoke(&self, function: &str, event: &str) -> Option<Outcome> {
        let url = format!("http://{}/2015-03-31/functions/{function}/invocations", self.address);
        let request = Request::post(url).header("Content-Type", "application/json");
        let answer = self.client.request(request.body(Body::from(event.to_owned())).ok()?).await.ok()?;
        let (parts, content) = answer.into_parts();
        let content = body::to_bytes(Body::new(content), ANSWER_LIMIT).await.ok()?;
        let text = String::from_utf8_lossy(&content).into_owned();
        let is_error = parts.status != StatusCode::OK || parts.headers.contains_key("x-amz-function-error");
        Some(if is_error { Err(text) } else { Ok(text) })
    }
}
