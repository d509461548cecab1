use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use meta_simulator::{ACCESS_TOKEN, DeliveryStatus, Fault, PHONE_NUMBER_ID, Settings};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Meta, eventually, message, text_to};

const TO: &str = "919876543210";

/// Sends a message over a bare socket and reads until the connection ends: what the caller really sees.
async fn on_the_wire(address: SocketAddr, to: &str) -> (Vec<u8>, Option<io::ErrorKind>) {
    let body = text_to(to).to_string();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /v25.0/{PHONE_NUMBER_ID}/messages HTTP/1.1\r\nhost: meta\r\nauthorization: Bearer {ACCESS_TOKEN}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = Vec::new();
    let seen = async {
        socket.write_all(request.as_bytes()).await?;
        socket.read_to_end(&mut answer).await
    };
    let error = seen.await.err().map(|error| error.kind());
    (answer, error)
}

#[tokio::test]
async fn a_number_in_the_failing_range_answers_with_metas_error_of_that_code() {
    let meta = Meta::start().await;
    for (to, status, code) in [
        ("15550131047", 400, 131_047),
        ("+1 (555) 013-0429", 400, 130_429),
        ("15550000190", 401, 190),
        ("15550131016", 500, 131_016),
        ("15550000002", 503, 2),
        ("15550132001", 404, 132_001),
        ("15550999999", 400, 999_999),
    ] {
        let (seen, body) = meta.send(&text_to(to)).await;
        assert_eq!((seen, &body["error"]["code"]), (status, &json!(code)), "{to}: {body}");
        assert_eq!(meta.simulator.posts_to(to), 1);
        assert!(meta.simulator.phone(to).is_empty());
    }
    let (_, body) = meta.send(&message("15550131047", "text", json!({}))).await;
    assert_eq!(body["error"]["code"], 131_008, "what is wrong with the request comes first");
}

#[tokio::test]
async fn a_reset_is_a_real_reset_and_a_close_is_a_real_close() {
    let meta = Meta::start().await;
    assert_eq!(
        on_the_wire(meta.simulator.address(), "15551000002").await,
        (vec![], Some(io::ErrorKind::ConnectionReset))
    );
    assert_eq!(on_the_wire(meta.simulator.address(), "15551000001").await, (vec![], None));
    assert!(meta.simulator.phone("15551000002").is_empty());
    assert_eq!(
        on_the_wire(meta.simulator.address(), "15551000015").await,
        (vec![], Some(io::ErrorKind::ConnectionReset))
    );
    assert_eq!(meta.simulator.phone("15551000015").len(), 1, "accepted, then reset");
    eventually("the statuses of the message whose answer was lost", async || {
        meta.simulator.phone("15551000015")[0].status == DeliveryStatus::Read
    })
    .await;
    assert_eq!(meta.simulator.requests().len(), 3);
}

#[tokio::test]
async fn a_connection_is_closed_before_reading_only_when_armed() {
    let meta = Meta::start().await;
    meta.send(&text_to(TO)).await;
    meta.simulator.fail_next(Fault::CloseBeforeReading, 1);
    let (answer, _) = on_the_wire(meta.simulator.address(), TO).await;
    assert!(answer.is_empty());
    assert_eq!(meta.simulator.posts_to(TO), 1, "the closed one was never read");
    let (answer, _) = on_the_wire(meta.simulator.address(), TO).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn an_unanswered_request_stays_open_until_the_caller_or_the_simulator_ends() {
    for (to, received) in [("15551000003", 0), ("15551000016", 1)] {
        let meta = Meta::start().await;
        let waiting = on_the_wire(meta.simulator.address(), to);
        let mut waiting = std::pin::pin!(waiting);
        tokio::select! {
            _ = &mut waiting => panic!("{to} was answered"),
            () = eventually("the request", async || meta.simulator.posts_to(to) == 1) => {}
        }
        eventually("the message", async || meta.simulator.phone(to).len() == received).await;
        drop(meta);
        let (answer, _) = waiting.await;
        assert!(answer.is_empty());
    }
}

#[tokio::test]
async fn a_truncated_answer_announces_more_than_it_sends() {
    let meta = Meta::start().await;
    let response = meta.try_send(&text_to("15551000005")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    assert_eq!(meta.simulator.phone("15551000005").len(), 1);
}

#[tokio::test]
async fn every_other_fault_answers_as_the_table_says() {
    let meta = Meta::start().await;
    for (number, status, kind, starts, received) in [
        (6, 500, "text/html", "<!DOCTYPE html>", 0),
        (7, 429, "text/html", "<!DOCTYPE html>", 0),
        (8, 502, "text/html", "<!DOCTYPE html>", 0),
        (9, 200, "application/json", "{\"messaging_product\"", 1),
        (10, 200, "application/json", "{\"messaging_product\":\"whatsapp\"}", 1),
        (11, 307, "", "", 0),
        (12, 200, "application/json", "   ", 1),
        (13, 429, "application/json", "{\"error\"", 0),
        (14, 500, "application/json", "{\"error\"", 0),
        (17, 500, "text/html", "<!DOCTYPE html>", 1),
    ] {
        let to = format!("155510000{number:02}");
        let response = meta.try_send(&text_to(&to)).await.unwrap();
        assert_eq!(response.status(), status, "{to}");
        let headers = response.headers().clone();
        let seen = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
        assert!(seen.starts_with(kind), "{to}: {seen}");
        let body = response.text().await.unwrap();
        assert!(body.starts_with(starts), "{to}: {body}");
        assert_eq!(meta.simulator.phone(&to).len(), received, "{to}");
        match number {
            9 => assert!(serde_json::from_str::<serde_json::Value>(&body).is_err()),
            11 => assert_eq!(headers["location"], format!("/v25.0/{PHONE_NUMBER_ID}/messages")),
            12 => assert!(body.len() > 1_000_000 && body.contains("wamid.")),
            13 => assert_eq!(headers["retry-after"], "3"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn armed_faults_come_in_order_then_the_lasting_one_until_cleared() {
    let meta = Meta::start().await;
    meta.simulator.fail_always(Fault::HtmlServerError);
    meta.simulator.fail_next(Fault::Error(131_056), 2);
    meta.simulator.fail_next(Fault::BadGateway, 1);
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(meta.try_send(&text_to(TO)).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [400, 400, 502, 500, 500]);
    assert_eq!((meta.simulator.posts_to(TO), meta.simulator.phone(TO).len()), (5, 0));
    meta.simulator.clear_faults();
    assert_eq!(meta.send(&text_to(TO)).await.0, 200);
}

#[tokio::test]
async fn every_so_many_th_message_fails_of_those_that_would_be_looked_at() {
    let meta = Meta::start().await;
    meta.simulator.fail_some(Fault::BadGateway, 3);
    let status = async |to: &str| meta.try_send(&text_to(to)).await.unwrap().status().as_u16();
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(status(TO).await);
    }
    assert_eq!(statuses, [200, 200, 502, 200, 200, 502, 200]);
    // None of these counts: no token, no number of this token's, no message, and what another fault takes.
    let url = format!("{}/{PHONE_NUMBER_ID}/messages", meta.simulator.graph_api_url());
    assert_eq!(meta.client.post(url).json(&text_to(TO)).send().await.unwrap().status(), 403);
    let url = format!("{}/222/messages", meta.simulator.graph_api_url());
    let to_nobody = meta.client.post(url).bearer_auth(ACCESS_TOKEN).json(&text_to(TO));
    assert_eq!(to_nobody.send().await.unwrap().status(), 400);
    assert_eq!(meta.call(reqwest::Method::GET, &format!("/{PHONE_NUMBER_ID}"), None).await.0, 200);
    meta.simulator.fail_next(Fault::HtmlTooMany, 1);
    assert_eq!((status(TO).await, status("15551000006").await), (429, 500));
    assert_eq!((status(TO).await, status(TO).await), (200, 502));
    assert_eq!(meta.simulator.accepted_by_phone()[TO], 6, "those that failed took no effect");
    meta.simulator.clear_faults();
    for _ in 0..6 {
        assert_eq!(status(TO).await, 200);
    }
}

#[tokio::test]
async fn a_message_takes_effect_halfway_through_the_answer_delay() {
    let answer_delay = Duration::from_millis(200);
    let meta = Meta::bind(Settings { answer_delay, ..Settings::default() }).await;
    let (start, asked_at) = (Instant::now(), now());
    assert_eq!(meta.send(&text_to(TO)).await.0, 200);
    let (taken, answered_at) = (start.elapsed(), now());
    let accepted_at = meta.simulator.phone(TO)[0].at;
    assert!(taken >= answer_delay, "{taken:?}");
    assert!(accepted_at.duration_since(asked_at).unsigned_abs() >= answer_delay / 2, "{asked_at} {accepted_at}");
    assert!(answered_at.duration_since(accepted_at).unsigned_abs() >= answer_delay / 2, "{accepted_at} {answered_at}");
}

#[expect(clippy::disallowed_methods, reason = "the simulator dates messages by the real clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[tokio::test]
async fn a_delayed_answer_is_right_but_late() {
    let meta = Meta::start().await;
    meta.simulator.fail_next(Fault::Delay(150), 1);
    let start = Instant::now();
    assert_eq!(meta.send(&text_to(TO)).await.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_reset_reaches_an_http_client_as_a_reset() {
    let meta = Meta::start().await;
    meta.simulator.fail_next(Fault::ResetAfterRequest, 1);
    let error = meta.try_send(&text_to(TO)).await.unwrap_err();
    let mut causes = std::iter::successors(error.source(), |error| (*error).source());
    let reset = causes.any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
    });
    assert!(reset, "{error:?}");
}

#[tokio::test]
async fn a_dropped_simulator_closes_its_port() {
    let meta = Meta::start().await;
    assert_eq!(meta.send(&text_to(TO)).await.0, 200);
    let address = meta.simulator.address();
    drop(meta.simulator);
    eventually("the port is closed", async || TcpStream::connect(address).await.is_err()).await;
}
