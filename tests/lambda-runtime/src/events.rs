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

/// What can't be read as an event at all, apart from what is cut off.
pub const NO_JSON: [&str; 7] = ["", " ", "{", "nonsense", "\"\u{1}\"", "\u{feff}{}", "[1,]"];

/// What the recorded events hold in the places that differ from function to function.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// The path, without its last slash.
    pub path: String,
    /// What lets the client in: an API key or, to a page, the id of a session.
    pub key: String,
    /// The body.
    pub body: String,
    /// What else a recorded event holds, by JSON pointers, under the event's name.
    pub always: Value,
}

/// An event, and what becomes of it.
#[derive(Debug)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// The event.
    pub event: String,
    /// The status of the answer.
    pub status: u64,
    /// API Gateway's id of the request, unless the event has another or none.
    pub request_id: String,
}

impl Events {
    /// Events of requests that Meta gets.
    pub(crate) fn good(&self) -> Vec<Case> {
        self.cases(GOOD)
    }

    /// Events that are odd, most of which get no further than the edge. The status is that of a function that sends.
    pub fn odd(&self) -> Vec<Case> {
        self.cases(ODD)
    }

    /// A recorded event, with what `set` holds by JSON pointers in it.
    pub fn event(&self, name: &str, set: &Value) -> String {
        self.fill(&self.text(name, set), "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
    }

    /// The events of a list such as those in the folder `events`.
    pub fn cases(&self, list: &str) -> Vec<Case> {
        let list: Vec<Value> = serde_json::from_str(list).expect("a list of events is one");
        let case = |(number, case): (usize, Value)| {
            let request_id = format!("request-{number}");
            let text = match case["text"].as_str() {
                Some(text) => text.to_owned(),
                None => self.text(case["event"].as_str().unwrap_or_default(), &case["set"]),
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
            .replace("{{60 KB}}", &"x".repeat(60 * 1024))
            .replace("{{64 KB}}", &"x".repeat(64 * 1024))
            .replace("{{1 MB}}", &"x".repeat(1024 * 1024))
    }

    fn text(&self, name: &str, set: &Value) -> String {
        let (_, event) = RECORDED.iter().find(|(recorded, _)| *recorded == name).expect("the event is recorded");
        let mut event: Value = serde_json::from_str(event).expect("a recorded event is JSON");
        for (pointer, value) in [&self.always[name], set].into_iter().filter_map(Value::as_object).flatten() {
            let (parent, member) = pointer.rsplit_once('/').expect("a JSON pointer has a slash");
            let parent = event.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.expect("the pointer is into an object").insert(member.to_owned(), value.clone());
        }
        event.to_string()
    }
}
