//! A browser as far as the page can tell: it keeps cookies, brings tokens back and says where its requests come from.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use api::Invocation;
use serde_json::{Value, json};

use crate::KeyPage;

pub(crate) const ROOT: &str = "/whatsapp/settings/api-keys";
const HOST: &str = "gateway.example.com";

/// Words that only the code, the log or the template may hold.
const INTERNAL_WORDS: [&str; 8] =
    ["src/", ".rs:", "panicked", "arn:aws", "ConditionalCheck", "dynamo", "127.0.0.1", "test-ApiKeys"];

#[derive(Clone)]
pub(crate) struct Client<'a> {
    pub(crate) page: &'a KeyPage,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The token that forms bring back: taken from the last page that had one.
    pub(crate) csrf: String,
}

/// A request that may be odd in any way.
#[derive(Clone)]
pub(crate) struct Odd {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) body: String,
}

impl<'a> Client<'a> {
    pub(crate) fn new(page: &'a KeyPage) -> Self {
        Self { page, cookies: BTreeMap::new(), csrf: String::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.odd("GET", path, None);
        self.send(&request).await
    }

    /// Sends a form with the token of this session.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.form(path, fields);
        self.send(&request).await
    }

    /// The form that [`post`](Self::post) sends, to be made odd.
    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Odd {
        let mut body = form_urlencoded::Serializer::new(String::new());
        if !self.csrf.is_empty() {
            body.append_pair("csrf", &self.csrf);
        }
        body.extend_pairs(fields);
        self.odd("POST", path, Some(body.finish()))
    }

    fn odd(&self, method: &str, path: &str, body: Option<String>) -> Odd {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = BTreeMap::from([
            ("Host".to_owned(), HOST.to_owned()),
            ("Sec-Fetch-Site".to_owned(), "same-origin".to_owned()),
            ("X-Forwarded-Proto".to_owned(), "https".to_owned()),
        ]);
        if !cookies.is_empty() {
            headers.insert("Cookie".to_owned(), cookies.join("; "));
        }
        if body.is_some() {
            headers.insert("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            headers.insert("Origin".to_owned(), "null".to_owned());
        }
        Odd { method: method.to_owned(), path: path.to_owned(), headers, body }
    }

    /// Sends a request as it is, and keeps the cookies and the token of the answer.
    pub(crate) async fn send(&mut self, request: &Odd) -> Answer {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let slash = if path.is_empty() || path.contains('.') { "" } else { "/" };
        let path = format!("{ROOT}/{path}{slash}");
        let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let event = json!({
            "resource": "/whatsapp/settings/api-keys/{proxy+}",
            "httpMethod": request.method,
            "path": path,
            "headers": request.headers,
            "queryStringParameters": query,
            "requestContext": {"path": path, "identity": {"sourceIp": "203.0.113.9"}},
            "body": request.body,
            "isBase64Encoded": false,
        });
        let answer = respond(self.page, &event.to_string()).await;
        for cookie in &answer.set_cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        if let Some((_, rest)) = answer.body.split_once("name=\"csrf\" value=\"") {
            rest.split_once('"').unwrap().0.clone_into(&mut self.csrf);
        }
        answer
    }
}

/// Hands an event to the page. Whatever the answer, it gives nothing from inside away.
pub(crate) async fn respond(page: &KeyPage, event: &str) -> Answer {
    let invocation =
        Invocation { id: "test", deadline: Instant::now() + Duration::from_secs(28), query_key_allowed: true };
    let response = serde_json::to_value(api::respond(page, event, invocation).await).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cookies = [&response["multiValueHeaders"]["Set-Cookie"], &response["cookies"]];
    let answer = Answer {
        status: response["statusCode"].as_u64().unwrap(),
        headers: response["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        set_cookies: cookies.into_iter().filter_map(Value::as_array).flatten().map(text).collect(),
        body: text(&response["body"]),
    };
    for word in INTERNAL_WORDS {
        assert!(!response.to_string().contains(word), "{word} in {}", answer.main());
    }
    answer
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn location(&self) -> &str {
        self.header("Location")
    }

    /// The content of the page, without what surrounds it.
    pub(crate) fn main(&self) -> &str {
        self.body.split_once("<main").map_or(self.body.as_str(), |(_, main)| main)
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.main().contains(text)
    }
}
