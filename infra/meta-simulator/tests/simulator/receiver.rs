//! A webhook's owner, who keeps what comes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use meta_simulator::{Account, Settings, VERIFY_TOKEN};
use serde_json::Value;
use sha2::Sha256;
use url::Url;

use crate::{Meta, eventually};

type Received = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

/// A webhook receiver that keeps what came, and refuses the first few.
pub(crate) struct Receiver {
    address: SocketAddr,
    pub(crate) received: Received,
}

impl Receiver {
    pub(crate) async fn start(refuse: usize) -> Self {
        let received = Received::default();
        let kept = Arc::clone(&received);
        let handler = async move |headers: HeaderMap, body: bytes::Bytes| {
            let mut kept = kept.lock().unwrap();
            kept.push((headers, body.to_vec()));
            if kept.len() > refuse { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/hook", get(verify).post(handler));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = hyper_util::service::TowerToHyperService::new(app.clone());
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(hyper_util::rt::TokioIo::new(stream), service));
            }
        });
        Self { address, received }
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("http://{}/hook", self.address)).unwrap()
    }

    /// The whole calls, as JSON.
    pub(crate) fn calls(&self) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        received.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }

    pub(crate) async fn wait_for(&self, count: usize) {
        eventually("the webhooks", async || self.received.lock().unwrap().len() >= count).await;
    }

    /// Every `value` of every call, one after the other.
    pub(crate) fn values(&self) -> Vec<Value> {
        let mut values = Vec::new();
        for call in self.calls() {
            for entry in call["entry"].as_array().unwrap() {
                values.extend(entry["changes"].as_array().unwrap().iter().map(|change| change["value"].clone()));
            }
        }
        values
    }

    /// The statuses in the order in which they came.
    pub(crate) fn statuses(&self) -> Vec<String> {
        let values = self.values();
        let statuses = values.iter().filter_map(|value| value["statuses"].as_array()).flatten();
        statuses.map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }

    /// The only message of the only call so far.
    pub(crate) async fn first_message(&self) -> Value {
        self.wait_for(1).await;
        self.values()[0]["messages"][0].clone()
    }
}

/// What Meta puts into `x-hub-signature-256`.
pub(crate) fn signature(app_secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).unwrap().chain_update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

async fn verify(Query(asked): Query<HashMap<String, String>>) -> (StatusCode, String) {
    match (asked["hub.mode"].as_str(), asked["hub.verify_token"].as_str()) {
        ("subscribe", VERIFY_TOKEN) => (StatusCode::OK, asked["hub.challenge"].clone()),
        // An owner who answers, but wrongly.
        ("subscribe", "talkative") => (StatusCode::OK, format!("\"{}\"", asked["hub.challenge"])),
        _ => (StatusCode::FORBIDDEN, String::new()),
    }
}

pub(crate) async fn meta_with(receiver: &Receiver) -> Meta {
    Meta::bind(Settings { webhook_url: Some(receiver.url()), ..Settings::default() }).await
}

/// A second business with an app of its own.
pub(crate) fn other_account() -> Account {
    Account {
        access_token: "other-token".to_owned(),
        phone_number_id: "222".to_owned(),
        waba_id: "333".to_owned(),
        app_secret: "other-secret".to_owned(),
        display_phone_number: "15557650000".to_owned(),
        ..Account::built_in()
    }
}
