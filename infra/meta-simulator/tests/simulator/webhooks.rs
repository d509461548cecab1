use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use meta_simulator::{APP_SECRET, DeliveryStatus, Settings, WABA_ID};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use crate::{Meta, eventually, text_to};

const TO: &str = "919876543210";

type Received = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

/// A webhook receiver that keeps what came, and refuses the first few.
struct Receiver {
    address: SocketAddr,
    received: Received,
}

impl Receiver {
    async fn start(refuse: usize) -> Self {
        let received = Received::default();
        let kept = Arc::clone(&received);
        let handler = async move |headers: HeaderMap, body: bytes::Bytes| {
            let mut kept = kept.lock().unwrap();
            kept.push((headers, body.to_vec()));
            if kept.len() > refuse { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/hook", post(handler));
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

    fn url(&self) -> Url {
        Url::parse(&format!("http://{}/hook", self.address)).unwrap()
    }

    fn values(&self) -> Vec<Value> {
        let received = self.received.lock().unwrap();
        received.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    }

    async fn wait_for(&self, count: usize) {
        eventually("the webhooks", async || self.received.lock().unwrap().len() >= count).await;
    }
}

async fn meta_with(receiver: &Receiver) -> Meta {
    Meta::bind(Settings { webhook_url: Some(receiver.url()), ..Settings::default() }).await
}

#[tokio::test]
async fn an_accepted_message_is_reported_as_sent_delivered_and_read_with_its_callback_data() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let mut message = text_to(TO);
    message["biz_opaque_callback_data"] = json!("order-17");
    let (_, body) = meta.send(&message).await;
    receiver.wait_for(3).await;
    for (value, expected) in receiver.values().iter().zip(["sent", "delivered", "read"]) {
        assert_eq!(
            (&value["object"], &value["entry"][0]["id"]),
            (&json!("whatsapp_business_account"), &json!(WABA_ID))
        );
        let change = &value["entry"][0]["changes"][0];
        assert_eq!(change["field"], "messages");
        let status = &change["value"]["statuses"][0];
        assert_eq!(status["status"], expected);
        assert_eq!(status["id"], body["messages"][0]["id"]);
        assert_eq!(status["recipient_id"], TO);
        assert_eq!(status["biz_opaque_callback_data"], "order-17");
        assert!(status["timestamp"].as_str().unwrap().parse::<u64>().is_ok());
    }
}

#[tokio::test]
async fn every_webhook_is_signed_over_its_raw_bytes() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.customer_writes(TO, "Grüße / 😀");
    receiver.wait_for(1).await;
    let (headers, body) = receiver.received.lock().unwrap()[0].clone();
    let mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).unwrap().chain_update(&body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(headers["x-hub-signature-256"], expected);
    assert!(body.is_ascii(), "escaped as Meta does");
    let value = &receiver.values()[0]["entry"][0]["changes"][0]["value"];
    assert_eq!(value["messages"][0]["text"]["body"], "Grüße / 😀");
    assert_eq!((&value["messages"][0]["from"], &value["contacts"][0]["wa_id"]), (&json!(TO), &json!(TO)));
}

#[tokio::test]
async fn a_number_of_the_later_range_is_accepted_and_then_reported_as_failed() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let (status, _) = meta.send(&text_to("15552131026")).await;
    assert_eq!(status, 200);
    receiver.wait_for(1).await;
    let status = &receiver.values()[0]["entry"][0]["changes"][0]["value"]["statuses"][0];
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_026)));
    let phone = meta.simulator.phone("15552131026");
    assert_eq!((phone[0].status, phone[0].error), (DeliveryStatus::Failed, Some(131_026)));
}

#[tokio::test]
async fn a_refused_webhook_comes_again() {
    let receiver = Receiver::start(2).await;
    let meta = meta_with(&receiver).await;
    meta.simulator.customer_writes(TO, "Hi");
    receiver.wait_for(3).await;
    let webhooks = receiver.received.lock().unwrap();
    assert!(webhooks.iter().all(|(_, body)| *body == webhooks[0].1));
}

#[tokio::test]
async fn the_webhook_can_be_connected_later() {
    let receiver = Receiver::start(0).await;
    let meta = Meta::start().await;
    meta.simulator.set_webhook_url(Some(receiver.url()));
    meta.simulator.customer_writes(TO, "Hi");
    receiver.wait_for(1).await;
}
