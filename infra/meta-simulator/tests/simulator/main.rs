//! The simulator's guarantees, over real sockets on the loopback.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "the whole crate is tests")]

mod account;
mod arrivals;
mod block_users;
mod control;
mod counts;
mod customers;
mod faults;
mod limits;
mod media;
mod messages;
mod page;
mod receiver;
mod scale;
mod templates;
mod weather;
mod webhooks;
mod window;

use std::sync::Arc;
use std::time::{Duration, Instant};

use meta_simulator::{ACCESS_TOKEN, PHONE_NUMBER_ID, Settings, Simulator, WABA_ID};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

/// A simulator with a client that never repeats a request by itself.
struct Meta {
    simulator: Simulator,
    client: Client,
}

impl Meta {
    async fn start() -> Self {
        Self::bind(Settings::default()).await
    }

    async fn bind(settings: Settings) -> Self {
        Self { simulator: Simulator::bind(settings).await.unwrap(), client: client() }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}{path}", self.simulator.graph_api_url());
        let mut request = self.client.request(method, url).bearer_auth(ACCESS_TOKEN);
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request.send().await.unwrap()).await
    }

    async fn try_send(&self, message: &Value) -> reqwest::Result<Response> {
        let url = format!("{}/{PHONE_NUMBER_ID}/messages", self.simulator.graph_api_url());
        self.client.post(url).bearer_auth(ACCESS_TOKEN).json(message).send().await
    }

    async fn send(&self, message: &Value) -> (u16, Value) {
        read(self.try_send(message).await.unwrap()).await
    }

    /// A call to the control API.
    async fn control(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}control{path}", self.simulator.page_url());
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request.send().await.unwrap()).await
    }
}

fn client() -> Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()
        .unwrap()
}

async fn read(response: Response) -> (u16, Value) {
    (response.status().as_u16(), response.json().await.unwrap())
}

fn text_to(to: &str) -> Value {
    message(to, "text", json!({ "body": "Hello!" }))
}

#[expect(clippy::needless_pass_by_value, reason = "shorter at every caller")]
fn message(to: &str, kind: &str, content: Value) -> Value {
    json!({ "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": kind, kind: content })
}

fn templates_path() -> String {
    format!("/{WABA_ID}/message_templates")
}

fn number_path(edge: &str) -> String {
    format!("/{PHONE_NUMBER_ID}/{edge}")
}

/// Waits for a condition; a guarantee that takes longer than this is broken.
async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < Duration::from_secs(20), "never came: {what}");
        tokio::task::yield_now().await;
    }
}
