//! What holds for the real program of every function that sends, each as one function.
//! [`every_function!`](crate::every_function) makes a test of each.

use std::time::Duration;

use meta_simulator::Fault;
use serde_json::{Value, json};
use testbed::{SECOND_PHONE_NUMBER_ID, Testbed};

use crate::events::{Case, Events, NO_JSON};
use crate::{Environment, Function, FunctionError, Relay, SecretsManager, patiently};

/// Makes a test of every guarantee. `$subject` is a [`Subject`].
#[macro_export]
macro_rules! every_function {
    ($subject:expr) => {
        $crate::every_function! { $subject;
            every_form_of_a_request_gets_metas_answer
            another_method_is_a_405_and_no_key_a_401
            no_event_stops_the_function
            an_event_that_is_no_json_is_an_error_and_stops_nothing
            every_request_is_one_line_of_the_log_and_no_line_holds_a_secret
            a_function_without_its_settings_says_which_is_missing_and_does_not_start
            the_accounts_come_from_secrets_manager
            a_secret_that_is_missing_or_broken_is_told_without_what_it_holds
            a_deployment_may_refuse_keys_in_the_query
            without_time_left_nothing_is_sent_and_a_deadline_long_past_is_none
            a_message_of_a_killed_function_is_never_sent_twice
            thawed_after_it_lost_every_connection_it_sends_each_message_once
        }
    };
    ($subject:expr; $($guarantee:ident)+) => {
        $(
            #[tokio::test]
            async fn $guarantee() {
                $crate::guarantees::$guarantee($subject).await;
            }
        )+
    };
}

/// A function that sends, as these tests know it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its one name.
    pub name: &'static str,
    /// Its real program.
    pub binary: &'static str,
    /// A body that it takes. Every text in it that must not be logged holds the word `canary`, but for the phone number.
    pub body: Value,
    /// What Meta gets for it.
    pub sent: Value,
}

/// A function on a testbed of its own.
struct Running {
    testbed: Testbed,
    subject: Subject,
    events: Events,
    function: Function,
}

/// A function's answer.
struct Answer {
    status: u64,
    headers: Value,
    body: Value,
}

impl Subject {
    async fn start(self) -> Running {
        self.start_with(|environment| environment).await
    }

    /// Starts it in an environment that `change` gives.
    async fn start_with(self, change: impl FnOnce(Environment) -> Environment) -> Running {
        let testbed = Testbed::start().await;
        let environment = change(Environment::new(self.name, &testbed));
        let function = Function::start(self.binary, &environment).await;
        let path = format!("/whatsapp/api/{}", self.name);
        let key = testbed.api_key.reveal().to_owned();
        let events = Events { path, key, body: self.body.to_string(), ..Events::default() };
        Running { testbed, subject: self, events, function }
    }
}

impl Running {
    /// What the function answers to an event that must have an answer.
    async fn answer(&self, event: &str) -> Answer {
        self.function.invoke(event).await.map(Answer::from).expect("the function answers")
    }

    /// The function takes an ordinary request, and Meta gets it.
    async fn works(&self) {
        let before = self.testbed.sent_to_meta().len();
        let answer = self.answer(&self.events.event("rest-api", &Value::Null)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(self.testbed.sent_to_meta().split_off(before), std::slice::from_ref(&self.subject.sent));
    }

    fn phone(&self) -> &str {
        self.subject.sent["to"].as_str().expect("what is sent has a recipient")
    }

    /// Meta got no message, and none is stored.
    async fn assert_nothing_sent(&self) {
        assert_eq!(self.testbed.sent_to_meta(), [] as [Value; 0]);
        assert_eq!(self.testbed.stored_messages().await, 0);
    }

    /// No line holds what nobody may read there.
    fn assert_discreet(&self, log: &[String]) {
        let (_, phone_without_country) = self.phone().split_at(2);
        for secret in ["canary", meta_simulator::ACCESS_TOKEN, &self.events.key, phone_without_country] {
            assert!(log.iter().all(|line| !line.contains(secret)), "{secret} in {log:#?}");
        }
    }

    /// The function did not start, and a line says so that begins with the setting.
    async fn assert_refused(&self, setting: &str) {
        self.function.assert_refused(setting).await;
        self.assert_discreet(&self.function.log());
    }
}

impl From<Value> for Answer {
    fn from(answer: Value) -> Self {
        let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
        Self {
            status: answer["statusCode"].as_u64().expect("an answer has a status"),
            headers: answer["headers"].clone(),
            body: body.expect("the body of an answer is JSON"),
        }
    }
}

/// Both kinds of APIs, both forms of the path, a body in base64, the key in the header or in the query.
pub async fn every_form_of_a_request_gets_metas_answer(subject: Subject) {
    let running = subject.start().await;
    for Case { name, event, .. } in running.events.good() {
        let before = running.testbed.sent_to_meta().len();
        let answer = running.answer(&event).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("sent")), "{name}: {}", answer.body);
        assert_eq!(answer.headers["Content-Type"], "application/json", "{name}");
        let sent = running.testbed.sent_to_meta().split_off(before);
        assert_eq!(sent, std::slice::from_ref(&running.subject.sent), "{name}");
        let on_phone = running.testbed.simulator.phone(running.phone()).pop().expect("what Meta takes is on the phone");
        assert_eq!(answer.body["result"]["messages"][0]["id"], on_phone.id, "{name}");
    }
}

/// In both formats of events.
pub async fn another_method_is_a_405_and_no_key_a_401(subject: Subject) {
    let running = subject.start().await;
    for (api, method, headers) in [
        ("rest-api", "/httpMethod", ["/headers", "/multiValueHeaders"].as_slice()),
        ("http-api", "/requestContext/http/method", &["/headers"]),
    ] {
        for other in ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"] {
            let answer = running.answer(&running.events.event(api, &json!({method: other}))).await;
            assert_eq!((answer.status, &answer.headers["Allow"]), (405, &json!("POST")), "{api} {other}");
        }
        let no_headers: serde_json::Map<_, _> = headers.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
        let answer = running.answer(&running.events.event(api, &no_headers.into())).await;
        assert_eq!((answer.status, answer.body), (401, json!({"error": "Unauthorized"})), "{api}");
    }
    running.assert_nothing_sent().await;
}

/// Whatever comes, one process answers it, and the next request as well.
pub async fn no_event_stops_the_function(subject: Subject) {
    let running = subject.start().await;
    let odd = running.events.odd();
    for Case { name, event, status, .. } in &odd {
        let answer = running.answer(event).await;
        assert_eq!(answer.status, *status, "{name}: {}", answer.body);
    }
    let taken = odd.iter().filter(|case| case.status == 200);
    assert_eq!(running.testbed.sent_to_meta().len(), taken.count());
    assert!(running.function.is_running());
    running.works().await;
}

/// Lambda passes JSON only. What is none anyhow can't be answered, and is not logged either.
pub async fn an_event_that_is_no_json_is_an_error_and_stops_nothing(subject: Subject) {
    let running = subject.start().await;
    let cut = running.events.event("rest-api", &Value::Null);
    let cut = cut.strip_suffix('}').expect("an event is an object");
    for event in NO_JSON.into_iter().chain([cut]) {
        let error = running.function.invoke(event).await.expect_err("there is no answer");
        assert!(matches!(error, FunctionError::Reported(_)), "{event:?}: {error:?}");
    }
    running.works().await;
    running.function.kill().await;
    running.assert_discreet(&running.function.log());
}

/// However much the environment asks to be logged.
pub async fn every_request_is_one_line_of_the_log_and_no_line_holds_a_secret(subject: Subject) {
    assert!(subject.body.to_string().contains("canary"), "the body holds nothing that could be found in the log");
    let all = |environment: Environment| environment.with("RUST_LOG", "trace").with("AWS_LAMBDA_LOG_LEVEL", "TRACE");
    let running = subject.start_with(all).await;
    let (good, odd) = (running.events.good(), running.events.odd());
    for Case { event, .. } in good.iter().chain(&odd) {
        running.answer(event).await;
    }
    running.testbed.simulator.fail_next(Fault::Error(131_026), 1);
    running.answer(&running.events.event("http-api", &Value::Null)).await;
    running.testbed.simulator.fail_next(Fault::HtmlServerError, 1);
    running.answer(&running.events.event("http-api", &Value::Null)).await;
    running.function.kill().await;

    let log = running.function.log();
    running.assert_discreet(&log);
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let statuses: Vec<_> = lines.iter().map(|line| line["status"].as_u64().unwrap_or_default()).collect();
    let answered = good.iter().chain(&odd).map(|case| case.status).chain([400, 504]);
    assert_eq!(statuses, answered.collect::<Vec<_>>());
    for line in &lines {
        let request_id = line["span"]["request_id"].as_str().unwrap_or_default();
        assert!(line["span"]["route"] == running.subject.name && line["elapsed_ms"].is_u64(), "{line}");
        assert!((1..=64).contains(&request_id.len()), "{line}");
        // Whoever did not get past the key has none.
        let is_known = !matches!(line["status"].as_u64(), Some(400 | 401 | 405));
        assert!(!is_known || line["span"]["key_id"].is_string(), "{line}");
    }
    for (line, case) in lines.iter().zip(good) {
        assert_eq!(line["span"]["request_id"], case.request_id);
    }
}

/// One line of JSON names the setting, and holds no other.
pub async fn a_function_without_its_settings_says_which_is_missing_and_does_not_start(subject: Subject) {
    for (missing, told) in [
        ("TABLE_PREFIX", "TABLE_PREFIX"),
        ("GRAPH_API_URL", "GRAPH_API_URL"),
        ("AWS_REGION", "AWS_REGION"),
        ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"),
        ("WHATSAPP_ACCOUNTS", "WHATSAPP_ACCOUNTS_SECRET"),
    ] {
        subject.clone().start_with(|environment| environment.without(missing)).await.assert_refused(told).await;
    }
    for (setting, broken) in [
        ("GRAPH_API_URL", "graph.facebook.com"),
        ("DEFAULT_COUNTRY_CODE", "India"),
        ("WHATSAPP_ACCOUNTS", r#"[{"id":1,"access_token":"canary"}"#),
        ("WHATSAPP_ACCOUNTS", "canary"),
        ("WHATSAPP_ACCOUNTS", "[]"),
    ] {
        subject.clone().start_with(|environment| environment.with(setting, broken)).await.assert_refused(setting).await;
    }
}

/// As template.yaml has it: read once, with the function's own credentials.
pub async fn the_accounts_come_from_secrets_manager(subject: Subject) {
    let account = json!({
        "id": 7,
        "phone_number_id": SECOND_PHONE_NUMBER_ID,
        "waba_id": meta_simulator::WABA_ID,
        "access_token": meta_simulator::ACCESS_TOKEN,
    });
    let secrets = SecretsManager::start(&[(SECRET, &json!([account]).to_string())]).await.expect("a port is free");
    let running = subject.start_with(|environment| from_secret(environment, &secrets)).await;
    running.works().await;
    running.works().await;
    let sent_from = running.testbed.simulator.requests().pop().expect("Meta was called").path;
    assert_eq!(sent_from, format!("/v25.0/{SECOND_PHONE_NUMBER_ID}/messages"));
    let session_tokens = secrets.asked_with("x-amz-security-token");
    assert!(matches!(session_tokens.as_slice(), [token] if token.starts_with("canary/session")), "{session_tokens:?}");
}

/// Nothing of a secret is in the log.
pub async fn a_secret_that_is_missing_or_broken_is_told_without_what_it_holds(subject: Subject) {
    for (name, holds) in [("another", "[]"), (SECRET, "canary"), (SECRET, r#"[{"access_token":"canary"}]"#)] {
        let secrets = SecretsManager::start(&[(name, holds)]).await.expect("a port is free");
        let running = subject.clone().start_with(|environment| from_secret(environment, &secrets)).await;
        running.assert_refused("WHATSAPP_ACCOUNTS_SECRET").await;
    }
}

/// The parameter `AllowQueryApiKey` of template.yaml.
pub async fn a_deployment_may_refuse_keys_in_the_query(subject: Subject) {
    let running = subject.start_with(|environment| environment.with("ALLOW_QUERY_API_KEY", "false")).await;
    let in_query = json!({"/headers": {}, "/rawQueryString": "api_key={{key}}"});
    assert_eq!(running.answer(&running.events.event("http-api", &in_query)).await.status, 401);
    running.works().await;
}

/// Local emulators of Lambda give a deadline in 1970.
pub async fn without_time_left_nothing_is_sent_and_a_deadline_long_past_is_none(subject: Subject) {
    let running = subject.start().await;
    let event = running.events.event("rest-api", &Value::Null);
    let late = running.function.invoke_within(&event, Duration::from_secs(5)).await;
    let late = late.map(Answer::from).expect("the function answers");
    assert_eq!((late.status, &late.body["code"]), (503, &json!("too_little_time")), "{}", late.body);
    running.assert_nothing_sent().await;
    let answer = running.function.invoke_by(&event, 600_000).await;
    assert_eq!(answer.map(Answer::from).expect("the function answers").status, 200);
}

/// What Meta has may have been sent: the row says so, and no process sends it again.
pub async fn a_message_of_a_killed_function_is_never_sent_twice(subject: Subject) {
    let mut running = subject.start().await;
    let simulator = &running.testbed.simulator;
    simulator.fail_always(Fault::NeverAnswer);
    let event = running.events.event("http-api", &json!({"/headers/idempotency-key": "order-1"}));
    let killed = async {
        until("Meta has the message", || simulator.posts_to(running.phone()) == 1).await;
        running.function.kill().await
    };
    let (answer, status) = tokio::join!(running.function.invoke(&event), killed);
    assert!(!status.success() && matches!(answer, Err(FunctionError::Ended(_))), "{answer:?}");
    assert_eq!(states(&running.testbed).await, ["sending"]);

    simulator.clear_faults();
    let environment = Environment::new(running.subject.name, &running.testbed);
    running.function = Function::start(running.subject.binary, &environment).await;
    let answer = running.answer(&event).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("in_flight")), "{}", answer.body);
    assert_eq!(running.testbed.simulator.posts_to(running.phone()), 1);
    assert_eq!(states(&running.testbed).await, ["sending"]);
}

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:accounts-AbCdEf";

fn from_secret(environment: Environment, secrets: &SecretsManager) -> Environment {
    let environment = environment.without("WHATSAPP_ACCOUNTS").with("WHATSAPP_ACCOUNTS_SECRET", SECRET);
    environment.with("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets.url())
}

/// The states of all messages.
async fn states(testbed: &Testbed) -> Vec<String> {
    let scan = testbed.database.client().scan().table_name(testbed.database.table("Messages"));
    let rows = scan.send().await.expect("the table can be read");
    let states = rows.items().iter().filter_map(|row| row.get("state")?.as_s().ok().cloned());
    states.collect()
}

/// Waits for what nobody tells: asks again and again.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    let holds = async {
        while !condition() {
            interval.tick().await;
        }
    };
    patiently(what, holds).await;
}

/// As Lambda freezes it between two events, for longer than anybody keeps a connection.
pub async fn thawed_after_it_lost_every_connection_it_sends_each_message_once(subject: Subject) {
    const EVENTS: usize = 30;
    let testbed = Testbed::start().await;
    let (dynamodb, meta) = (Relay::to(testbed.engine.url()).await, Relay::to(&testbed.simulator.graph_api_url()).await);
    let environment = Environment::new(subject.name, &testbed);
    let environment = environment.with("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url());
    let environment = environment.with("GRAPH_API_URL", &meta.url());
    let function = Function::start(subject.binary, &environment).await;
    let path = format!("/whatsapp/api/{}", subject.name);
    let key = testbed.api_key.reveal().to_owned();
    let events = Events { path, key, body: subject.body.to_string(), ..Events::default() };
    for number in 0..EVENTS {
        let event = events.event("rest-api", &Value::Null);
        let answer = Answer::from(function.invoke_thawed(&event, &[&dynamodb, &meta]).await.expect("it answers"));
        assert_eq!(answer.status, 200, "{number}: {}", answer.body);
    }
    assert_eq!(testbed.sent_to_meta(), vec![subject.sent; EVENTS]);
}
