//! The recorded events of the folder `events`, made to fit a function.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const RECORDED: [(&str, &str); 8] = [
    ("rest-api", include_str!("../events/rest-api.json")),
    ("http-api", include_str!("../events/http-api.json")),
    ("load-balancer", include_str!("../events/load-balancer.json")),
    ("web-socket", include_str!("../events/web-socket.json")),
    ("authorizer", include_str!("../events/authorizer.json")),
    ("s3", include_str!("../events/s3.json")),
    ("sqs", include_str!("../events/sqs.json")),
    ("schedule", include_str!("../events/schedule.json")),
];
const GOOD: &str = include_str!("../events/good.json");
const ODD: &str = include_str!("../events/odd.json");

/// What the recorded events hold in the places that differ from function to function.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: String,
}

/// An event, and what becomes of it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) event: String,
    pub(crate) status: u64,
    pub(crate) request_id: String,
}

impl Events {
    /// Events of requests that Meta gets.
    pub(crate) fn good(&self) -> Vec<Case> {
        self.cases(GOOD)
    }

    /// Events that are odd, most of which get no further than the edge.
    pub(crate) fn odd(&self) -> Vec<Case> {
        self.cases(ODD)
    }

    /// A recorded event, with what `set` holds by JSON pointers in it.
    pub(crate) fn event(&self, name: &str, set: &Value) -> String {
        self.fill(&text(name, set), "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
    }

    fn cases(&self, list: &str) -> Vec<Case> {
        let list: Vec<Value> = serde_json::from_str(list).expect("a list of events is one");
        let case = |(number, case): (usize, Value)| {
            let request_id = format!("request-{number}");
            let text = match case["text"].as_str() {
                Some(text) => text.to_owned(),
                None => text(case["event"].as_str().unwrap_or_default(), &case["set"]),
            };
            Case {
                name: case["name"].as_str().expect("every case has a name").to_owned(),
                event: self.fill(&text, &request_id),
                status: case["status"].as_u64().unwrap_or(200),
                request_id,
            }
        };
        list.into_iter().enumerate().map(case).collect()
    }

    /// Puts in what the places in double braces stand for: what would be too long to write down, or no JSON.
    fn fill(&self, text: &str, request_id: &str) -> String {
        let body = json!(self.body).to_string();
        let brackets = format!("{}{}", "[".repeat(200), "]".repeat(200));
        text.replace("{{path}}", &self.path)
            .replace("{{key}}", &self.key)
            .replace("{{request id}}", request_id)
            .replace("{{body}}", body.trim_matches('"'))
            .replace("{{body in base64}}", &STANDARD.encode(&self.body))
            .replace("\"{{200 deep}}\"", &brackets)
            .replace("{{200 brackets}}", &brackets)
            .replace("{{half a pair}}", "\\ud800")
            .replace("{{64 KB}}", &"x".repeat(64 * 1024))
            .replace("{{1 MB}}", &"x".repeat(1024 * 1024))
    }
}

fn text(name: &str, set: &Value) -> String {
    let (_, event) = RECORDED.iter().find(|(recorded, _)| *recorded == name).expect("the event is recorded");
    let mut event: Value = serde_json::from_str(event).expect("a recorded event is JSON");
    for (pointer, value) in set.as_object().into_iter().flatten() {
        let (parent, member) = pointer.rsplit_once('/').expect("a JSON pointer has a slash");
        let parent = event.pointer_mut(parent).and_then(Value::as_object_mut).expect("the pointer is into an object");
        parent.insert(member.to_owned(), value.clone());
    }
    event.to_string()
}
