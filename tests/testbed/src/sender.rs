//! An endpoint that sends, and what a test can ask of it.

use api::Endpoint;
use serde_json::{Value, json};

use crate::{Answer, Testbed};

/// An endpoint that sends, on a testbed of its own.
#[derive(Debug)]
pub struct Sender<E> {
    /// Where it runs.
    pub testbed: Testbed,
    /// The endpoint.
    pub endpoint: E,
    /// A body that it takes.
    pub body: Value,
}

impl<E: Endpoint> Sender<E> {
    /// Starts a testbed with an endpoint on it. `body` is one that it takes.
    pub async fn start(endpoint: impl FnOnce(&Testbed) -> E, body: Value) -> Self {
        let testbed = Testbed::start().await;
        Self { endpoint: endpoint(&testbed), testbed, body }
    }

    /// The body with some fields added or changed.
    pub fn with(&self, fields: Value) -> Value {
        let mut body = self.body.clone();
        if let (Value::Object(members), Value::Object(fields)) = (&mut body, fields) {
            members.extend(fields);
        }
        body
    }

    /// Posts a body with a key that may do everything.
    pub async fn post(&self, body: &Value) -> Answer {
        self.testbed.post(body).send_to(&self.endpoint).await
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
