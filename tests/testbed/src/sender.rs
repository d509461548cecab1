//! An endpoint, and what a test can ask of it; most of all of one that sends.

use api::Endpoint;
use domain::Scope;
use serde_json::{Value, json};

use crate::{Answer, TestRequest, Testbed};

/// An endpoint on a testbed of its own.
#[derive(Debug)]
pub struct Sender<E> {
    /// Where it runs.
    pub testbed: Testbed,
    /// The endpoint.
    pub endpoint: E,
    /// The scope that it asks for.
    pub scope: Scope,
    /// A body that it takes; of an endpoint that takes none, the parameters of its query.
    pub body: Value,
    /// How it answers that body: 200 and nothing else, unless it makes something or does it once only.
    pub statuses: &'static [u64],
}

impl<E: Endpoint> Sender<E> {
    /// Starts a testbed with an endpoint on it that sends. `body` is one that it takes.
    pub async fn start(endpoint: impl FnOnce(&Testbed) -> E, body: Value) -> Self {
        Self::start_for(Scope::MessagesSend, endpoint, body).await
    }

    /// Starts a testbed with an endpoint on it that asks for another scope.
    pub async fn start_for(scope: Scope, endpoint: impl FnOnce(&Testbed) -> E, body: Value) -> Self {
        let testbed = Testbed::start().await;
        Self { endpoint: endpoint(&testbed), testbed, scope, body, statuses: &[200] }
    }

    /// Fails the test unless this is how the endpoint answers its body.
    pub fn succeeds(&self, answer: &Answer) {
        assert!(self.statuses.contains(&answer.status), "{} {}", answer.status, answer.body);
    }

    /// The one method that the endpoint answers.
    pub fn method() -> &'static str {
        E::ROUTE.methods.first().expect("the endpoint answers a method")
    }

    /// A request by its method, without a key: with a body, or with the body's members as parameters of the query where
    /// the endpoint takes none.
    pub fn request(body: &Value) -> TestRequest {
        if Self::method() != "GET" {
            return TestRequest::post(body).method(Self::method());
        }
        let parameters = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        parameters.fold(TestRequest::get(), |request, (name, value)| {
            request.query(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
    }

    /// The body with some fields added or changed.
    pub fn with(&self, fields: Value) -> Value {
        let mut body = self.body.clone();
        if let (Value::Object(members), Value::Object(fields)) = (&mut body, fields) {
            members.extend(fields);
        }
        body
    }

    /// The same with a key that may do everything.
    pub fn with_key(&self, body: &Value) -> TestRequest {
        Self::request(body).header("X-API-Key", self.testbed.api_key.reveal())
    }

    /// Asks with a key that may do everything.
    pub async fn post(&self, body: &Value) -> Answer {
        self.with_key(body).send_to(&self.endpoint).await
    }

    /// Meta takes what becomes of this body: the answer is its own, and nothing else. Gives what was sent.
    pub async fn sends(&self, body: &Value) -> Value {
        let before = self.testbed.sent_to_meta().len();
        let answer = self.post(body).await;
        let mut sent = self.testbed.sent_to_meta().split_off(before);
        assert_eq!((answer.status, sent.len()), (200, 1), "{body} is answered with {}", answer.body);
        let sent = sent.remove(0);
        let to = sent["to"].as_str().unwrap_or_default();
        let on_phone = self.testbed.simulator.phone(to).pop().expect("what Meta takes is on the phone");
        let mut message = json!({"id": on_phone.id});
        if on_phone.kind == "template" {
            // Meta says this of templates only.
            message["message_status"] = json!("accepted");
        }
        let contact = json!({"input": to, "wa_id": on_phone.phone});
        let result = json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]});
        assert_eq!(answer.body, json!({"status": "sent", "result": result}));
        sent
    }

    /// A body is refused for what stands at `path`: the error begins with it, and nothing is sent or stored.
    pub async fn refuses(&self, body: &Value, path: &str) {
        let answer = self.post(body).await;
        let told = (answer.status, &answer.body["code"], &answer.body["field"]);
        assert_eq!(told, (400, &json!("invalid_field"), &json!(path)), "{body} is answered with {}", answer.body);
        assert!(answer.error().starts_with(&format!("{path} ")), "{path} is not the subject of: {}", answer.error());
        self.testbed.assert_untouched(&body.to_string()).await;
    }

    /// A field is refused, by its name, with each of these values.
    pub async fn refuses_each(&self, field: &str, values: impl IntoIterator<Item = Value>) {
        for value in values {
            self.refuses(&self.with(json!({field: value})), field).await;
        }
    }

    /// A body is refused when this field is missing or `null`.
    pub async fn requires(&self, field: &str) {
        let mut without = self.body.clone();
        let removed = without.as_object_mut().and_then(|members| members.remove(field));
        assert!(removed.is_some(), "{field} is not in the valid body");
        self.refuses(&without, field).await;
        self.refuses(&self.with(json!({field: null})), field).await;
    }
}

/// Values of every type but text and `null`.
pub fn not_texts() -> [Value; 6] {
    [json!(1), json!(1.5), json!(true), json!([]), json!(["text"]), json!({"text": "text"})]
}
