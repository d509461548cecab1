use meta_simulator::Fault;
use reqwest::Response;
use serde_json::Value;

use crate::{Meta, text_to};

const TO: &str = "919876543210";

/// Reads a stream of server-sent events.
pub(crate) struct Events {
    response: Response,
    rest: String,
}

impl Events {
    pub(crate) async fn open(meta: &Meta, last_id: Option<&str>) -> Self {
        Self::open_at(meta, "events", last_id).await
    }

    pub(crate) async fn open_at(meta: &Meta, path: &str, last_id: Option<&str>) -> Self {
        let mut request = meta.client.get(format!("{}{path}", meta.simulator.page_url()));
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        Self { response: request.send().await.unwrap(), rest: String::new() }
    }

    /// The next event's name, id and data.
    pub(crate) async fn next(&mut self) -> (String, String, Value) {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let rest = rest.to_owned();
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
                };
                let read = (field("event:"), field("id:"), serde_json::from_str(&field("data:")));
                self.rest = rest;
                if let (name, id, Ok(data)) = read {
                    return (name, id, data);
                }
            } else {
                let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
                self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn the_page_and_its_files_come_with_a_strict_policy_and_no_inline_code() {
    let meta = Meta::start().await;
    for (path, kind) in
        [("", "text/html"), ("page.css", "text/css"), ("page.js", "text/javascript"), ("icon.svg", "image/")]
    {
        let response = meta.client.get(format!("{}{path}", meta.simulator.page_url())).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind));
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
    let script = include_str!("../../src/page/page.js");
    for dangerous in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!script.contains(dangerous), "{dangerous}");
    }
}

#[tokio::test]
async fn an_open_page_gets_each_message_and_each_status_as_it_happens() {
    let meta = Meta::start().await;
    let mut events = Events::open(&meta, None).await;
    let (name, _, data) = events.next().await;
    assert_eq!((name.as_str(), data["messages"].as_array().unwrap().len()), ("snapshot", 0));
    meta.send(&text_to(TO)).await;
    for status in ["accepted", "sent", "delivered", "read"] {
        let (name, _, data) = events.next().await;
        assert_eq!((name.as_str(), data["status"].as_str()), ("message", Some(status)));
        assert_eq!((data["phone"].as_str(), data["text"].as_str()), (Some(TO), Some("Hello!")));
    }
    meta.simulator.fail_next(Fault::Error(131_047), 1);
    meta.send(&text_to(TO)).await;
    let (name, _, data) = events.next().await;
    assert_eq!((name.as_str(), data["text"].as_str()), ("notice", Some("POST messages to +919876543210: fault error")));
    let (_, _, data) = events.next().await;
    assert!(data["text"].as_str().unwrap().contains("answered with 131047"));
}

#[tokio::test]
async fn a_page_that_connects_again_gets_exactly_what_it_missed() {
    let meta = Meta::start().await;
    let mut events = Events::open(&meta, None).await;
    let (_, id, _) = events.next().await;
    drop(events);
    meta.simulator.customer_writes(TO, "one");
    meta.simulator.customer_writes(TO, "two");
    let mut events = Events::open(&meta, Some(&id)).await;
    let (name, id, data) = events.next().await;
    assert_eq!((name.as_str(), data["text"].as_str()), ("message", Some("one")));
    assert_eq!(events.next().await.2["text"], "two");
    let mut again = Events::open(&meta, Some(&id)).await;
    assert_eq!(again.next().await.2["text"], "two", "nothing twice");
    let mut stranger = Events::open(&meta, Some("1-2")).await;
    assert_eq!(stranger.next().await.0, "snapshot", "an id of another run means nothing here");
}
