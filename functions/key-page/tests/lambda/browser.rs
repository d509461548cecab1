//! A browser, and API Gateway between it and the real program.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime_stand_in::{Events, Function, FunctionError};
use serde_json::{Map, Value, json};

const PATH: &str = "/whatsapp/settings/api-keys";
const SESSION: &str = "__Host-whatsapp-session";
const DEVICE: &str = "__Host-whatsapp-device";
/// It comes back by a link of another site.
const HANDSHAKE: &str = "__Host-whatsapp-handshake";

/// The headers of every answer. What they have to say is a matter of the page's own tests.
const HEADERS: [&str; 11] = [
    "Cache-Control",
    "Content-Security-Policy",
    "Content-Type",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-Robots-Tag",
];

/// The two kinds of APIs, whose events and answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gateway {
    Rest,
    Http,
}

/// A browser that keeps cookies and brings tokens back.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    pub(crate) function: &'a Function,
    pub(crate) gateway: Gateway,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) body: String,
}

impl Gateway {
    pub(crate) const BOTH: [Self; 2] = [Self::Rest, Self::Http];

    /// What the recorded event is called.
    fn event(self) -> &'static str {
        match self {
            Self::Rest => "rest-api",
            Self::Http => "http-api",
        }
    }

    /// Where the page stands: a REST API has its stage in the path.
    pub(crate) fn root(self) -> String {
        let stage = if self == Self::Rest { "/prod" } else { "" };
        format!("{stage}{PATH}")
    }

    /// Where cookies stand in an answer, and where this kind of API would not look for them.
    fn cookies(self, answer: &Value) -> (&Value, &Value) {
        let (rest, http) = (&answer["multiValueHeaders"]["Set-Cookie"], &answer["cookies"]);
        if self == Self::Rest { (rest, http) } else { (http, rest) }
    }
}

impl<'a> Browser<'a> {
    pub(crate) fn new(function: &'a Function, gateway: Gateway) -> Self {
        Self { function, gateway, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// One that is signed in and has a token to bring back.
    pub(crate) async fn signed_in(function: &'a Function, gateway: Gateway, password: &str) -> Self {
        let mut browser = Self::new(function, gateway);
        let answer = browser.post("sign-in", &[("password", password)]).await;
        assert_eq!((answer.status, answer.location()), (303, format!("{}/", gateway.root()).as_str()), "{answer:?}");
        assert_eq!(browser.get("").await.status, 200);
        browser
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Sends a form with the token of this session.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = self.form(fields);
        self.send("POST", path, Some(&form)).await
    }

    /// The body that [`post`](Self::post) sends.
    pub(crate) fn form(&self, fields: &[(&str, &str)]) -> String {
        let token = [("csrf", self.csrf.as_str())];
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(token.into_iter().filter(|(_, token)| !token.is_empty())).extend_pairs(fields).finish()
    }

    /// Sends a request, and keeps the cookies and the token of the answer.
    pub(crate) async fn send(&mut self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let answer = self.try_to_send(method, path, body).await.unwrap();
        for cookie in &answer.set_cookies {
            let (pair, attributes) = cookie.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let same_site = if name == HANDSHAKE { "SameSite=Lax" } else { "SameSite=Strict" };
            assert!(["HttpOnly", "Secure", same_site, "Path=/"].iter().all(|word| attributes.contains(word)));
            if value.is_empty() {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        if answer.body.contains("name=\"csrf\"") {
            self.csrf = answer.field("csrf");
        }
        answer
    }

    /// Sends a request to a program that may not live to answer it.
    pub(crate) async fn try_to_send(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<Answer, FunctionError> {
        let event = Events::default().event(self.gateway.event(), &self.request(method, path, body));
        let answer = self.function.invoke(&event).await?;
        let (_, misplaced) = self.gateway.cookies(&answer);
        assert_eq!(misplaced, &Value::Null);
        Ok(answer.into())
    }

    /// Events of a request that this browser might send, for both kinds of APIs.
    pub(crate) fn events(&self, method: &str, path: &str, body: &str) -> Events {
        let of = |gateway: Gateway| Browser { gateway, ..self.clone() }.request(method, path, Some(body));
        Events {
            path: format!("{PATH}/{path}"),
            key: self.session().to_owned(),
            body: body.to_owned(),
            always: Gateway::BOTH.into_iter().map(|gateway| (gateway.event().to_owned(), of(gateway))).collect(),
        }
    }

    pub(crate) fn session(&self) -> &str {
        &self.cookies[SESSION]
    }

    pub(crate) fn device(&self) -> &str {
        &self.cookies[DEVICE]
    }

    /// What a request makes of the recorded event, by JSON pointers in it.
    fn request(&self, method: &str, path: &str, body: Option<&str>) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let slash = if path.is_empty() || path.contains('.') { "" } else { "/" };
        let path = format!("{PATH}/{path}{slash}");
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = vec![("Host", "gateway.example.com"), ("Sec-Fetch-Site", "same-origin")];
        headers.extend(body.map(|_| ("Content-Type", "application/x-www-form-urlencoded")));
        headers.extend(body.map(|_| ("Origin", "null")));
        match self.gateway {
            Gateway::Rest => {
                let cookie = cookies.join("; ");
                headers.extend(Some(("Cookie", cookie.as_str())).filter(|_| !cookies.is_empty()));
                let list = |(name, value): (&str, &str)| (name.to_owned(), json!([value]));
                let query = form_urlencoded::parse(query.as_bytes());
                let query: Map<_, _> = query.map(|(name, value)| (name.into_owned(), json!([value]))).collect();
                json!({
                    "/httpMethod": method,
                    "/path": path,
                    "/requestContext/path": format!("/prod{path}"),
                    "/headers": headers.iter().copied().collect::<BTreeMap<_, _>>(),
                    "/multiValueHeaders": headers.into_iter().map(list).collect::<Map<_, _>>(),
                    "/multiValueQueryStringParameters": query,
                    "/body": body,
                })
            }
            Gateway::Http => {
                let small = |(name, value): (&str, &str)| (name.to_ascii_lowercase(), value.into());
                json!({
                    "/requestContext/http/method": method,
                    "/rawPath": path,
                    "/requestContext/http/path": path,
                    "/rawQueryString": query,
                    "/headers": headers.into_iter().map(small).collect::<Map<_, Value>>(),
                    "/cookies": cookies,
                    "/body": body.map(|body| STANDARD.encode(body)),
                    "/isBase64Encoded": body.is_some(),
                })
            }
        }
    }
}

/// Whatever the answer, it carries all the headers.
impl From<Value> for Answer {
    fn from(answer: Value) -> Self {
        let headers: BTreeMap<String, String> = serde_json::from_value(answer["headers"].clone()).unwrap();
        for name in HEADERS {
            assert!(headers.contains_key(name), "no {name} in {answer}");
        }
        let (rest, http) = Gateway::Rest.cookies(&answer);
        let set_cookies = rest.as_array().or(http.as_array()).cloned().unwrap_or_default();
        Self {
            status: answer["statusCode"].as_u64().unwrap(),
            headers,
            set_cookies: set_cookies.iter().map(|cookie| cookie.as_str().unwrap().to_owned()).collect(),
            body: answer["body"].as_str().unwrap().to_owned(),
        }
    }
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers.get("Location").map_or("", String::as_str)
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// The value of a field of a form.
    pub(crate) fn field(&self, name: &str) -> String {
        self.value_after(&format!("name=\"{name}\""))
    }

    /// The key that a page shows once.
    pub(crate) fn shown_key(&self) -> String {
        self.value_after("id=\"key\"")
    }

    fn value_after(&self, text: &str) -> String {
        let (_, rest) = self.body.split_once(text).unwrap_or_else(|| panic!("no {text} in {}", self.body));
        let (_, value) = rest.split_once("value=\"").unwrap();
        value.split('"').next().unwrap().to_owned()
    }
}
