//! Whole flows over HTTP, through the local stack: what a client app sees.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

mod block_list;
mod campaigns;
mod inbox;
mod key_page;
mod moving;
mod policies;
mod seldom;
mod sends;

use clap::Parser;
use local::{Settings, Stack};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A stack of its own for one flow, on free ports and with no data from before.
async fn stack() -> Stack {
    stack_with(&[]).await
}

/// The same, with more on its command line.
async fn stack_with(settings: &[&str]) -> Stack {
    let nowhere = [
        ["local", "--port=0"].as_slice(),
        &["--dynamodb-port=0", "--simulator-port=0", "--local-data-dir=:memory:", "--status-delay-ms=0"],
    ]
    .concat();
    Stack::start(Settings::parse_from(nowhere.iter().chain(settings))).await.unwrap()
}

fn client() -> Client {
    // An error is another test of this process that was faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// A POST with the stack's API key.
fn post(stack: &Stack, path: &str, body: &Value) -> RequestBuilder {
    let url = format!("{}{path}", stack.api_url());
    client().post(url).header("X-API-Key", stack.api_key().reveal()).json(body)
}

/// A GET with the stack's API key.
fn get(stack: &Stack, path: &str) -> RequestBuilder {
    client().get(format!("{}{path}", stack.api_url())).header("X-API-Key", stack.api_key().reveal())
}

/// Nor told: functions open their connection when they start, with a request that says nothing.
fn nothing_was_asked_of_meta(stack: &Stack) -> bool {
    stack.simulator().unwrap().requests().iter().all(|request| request.method == Method::HEAD)
}

/// The status and the JSON body of an answer.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The body of an answer that says that it went well.
async fn ok(request: RequestBuilder) -> Value {
    let (status, answer) = answer(request).await;
    assert!((200..300).contains(&status), "{status} {answer}");
    answer
}
