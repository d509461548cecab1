//! What holds for the real program of every function with one method, whether it sends or not, each as one function.
//! [`every_program!`](crate::every_program) makes a test of each, and
//! [`every_program_without_meta!`](crate::every_program_without_meta) of those of a function that never calls Meta.

use serde_json::{Value, json};
use testbed::Testbed;

use crate::events::{Case, Events, NO_JSON};
use crate::{Environment, Function, FunctionError, Relay};

/// Makes a test of every guarantee. `$program` is a [`Program`].
#[macro_export]
macro_rules! every_program {
    ($program:expr) => {
        $crate::every_program! { $program;
            every_form_of_a_request_is_answered
            another_method_is_a_405_and_no_key_a_401
            no_event_stops_the_program
            every_request_is_one_line_of_the_log_and_no_line_holds_a_secret
            thawed_after_it_lost_every_connection_it_answers_as_ever
            a_program_without_its_settings_says_which_is_missing_and_does_not_start
        }
    };
    ($program:expr; $($guarantee:ident)+) => {
        $(
            #[tokio::test]
            async fn $guarantee() {
                $crate::programs::$guarantee($program).await;
            }
        )+
    };
}

/// Makes a test of every guarantee of a program that never calls Meta. `$program` is a [`Program`].
#[macro_export]
macro_rules! every_program_without_meta {
    ($program:expr) => {
        $crate::every_program! { $program;
            every_form_of_a_request_is_answered
            another_method_is_a_405_and_no_key_a_401
            no_event_stops_the_program
            every_request_is_one_line_of_the_log_and_no_line_holds_a_secret
            thawed_after_it_lost_every_connection_it_answers_as_ever
            a_program_that_never_calls_meta_needs_no_settings_of_it
        }
    };
}

/// A function's program, as these tests know it.
#[derive(Clone, Debug)]
pub struct Program {
    /// The function's one name.
    pub name: &'static str,
    /// Its real program.
    pub binary: &'static str,
    /// The one method that it answers.
    pub method: &'static str,
    /// Its path, without the last slash.
    pub path: &'static str,
    /// A body that it takes; empty where it takes none. Every text in it that must not be logged holds the word `canary`
    /// or is a phone number of [`PHONE`].
    pub body: String,
    /// How it answers that body: 200 and nothing else, unless it makes something or does it once only.
    pub statuses: &'static [u64],
    /// The settings that it needs besides those that everybody does.
    pub also_needs: &'static [&'static str],
}

/// The phone number that bodies hold.
pub const PHONE: &str = "+919876543210";

/// With something to read: a message from [`PHONE`] with the wamid [`WAMID`](testbed::WAMID), and the campaign 1.
async fn testbed() -> Testbed {
    let testbed = Testbed::start().await;
    testbed.begin_with_a_chat().await;
    testbed.begin_with_campaigns().await;
    testbed
}

impl Program {
    async fn start(&self, testbed: &Testbed, change: impl FnOnce(Environment) -> Environment) -> Function {
        Function::start(self.binary, &change(Environment::new(self.name, testbed))).await
    }

    fn events(&self, testbed: &Testbed) -> Events {
        Events {
            path: self.path.to_owned(),
            key: testbed.api_key.reveal().to_owned(),
            body: self.body.clone(),
            always: json!({
                "rest-api": {"/httpMethod": self.method},
                "http-api": {"/requestContext/http/method": self.method},
            }),
        }
    }
}

/// The status and the body of an answer.
async fn answer(function: &Function, event: &str) -> (u64, Value) {
    let answer = function.invoke(event).await.expect("the function answers");
    let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
    (answer["statusCode"].as_u64().expect("an answer has a status"), body.expect("the body of an answer is JSON"))
}

fn assert_discreet(function: &Function, events: &Events) {
    let (_, phone_without_country) = PHONE.split_at(3);
    let log = function.log();
    for secret in ["canary", meta_simulator::ACCESS_TOKEN, &events.key, phone_without_country] {
        assert!(log.iter().all(|line| !line.contains(secret)), "{secret} in {log:#?}");
    }
}

/// Both kinds of APIs, both forms of the path, a body in base64, the key in the header or in the query.
pub async fn every_form_of_a_request_is_answered(program: Program) {
    let testbed = testbed().await;
    let function = program.start(&testbed, |environment| environment).await;
    for Case { name, event, .. } in program.events(&testbed).good() {
        let (status, body) = answer(&function, &event).await;
        assert!(program.statuses.contains(&status), "{name}: {status} {body}");
    }
}

/// In both formats of events.
pub async fn another_method_is_a_405_and_no_key_a_401(program: Program) {
    let testbed = testbed().await;
    let function = program.start(&testbed, |environment| environment).await;
    let events = program.events(&testbed);
    for (api, method, no_headers) in [
        ("rest-api", "/httpMethod", json!({"/headers": {}, "/multiValueHeaders": {}})),
        ("http-api", "/requestContext/http/method", json!({"/headers": {}})),
    ] {
        for other in ["GET", "POST", "PUT", "DELETE", "HEAD"].into_iter().filter(|other| *other != program.method) {
            let (status, body) = answer(&function, &events.event(api, &json!({method: other}))).await;
            assert_eq!(status, 405, "{api} {other}: {body}");
        }
        let unauthorized = answer(&function, &events.event(api, &no_headers)).await;
        assert_eq!(unauthorized, (401, json!({"error": "Unauthorized"})), "{api}");
    }
    // But for the connection that was opened ahead.
    assert!(testbed.simulator.requests().iter().all(|request| request.method == "HEAD"));
}

/// Whatever comes, one process answers it, and the next request as well.
pub async fn no_event_stops_the_program(program: Program) {
    let testbed = testbed().await;
    let function = program.start(&testbed, |environment| environment).await;
    let events = program.events(&testbed);
    for Case { name, event, .. } in events.odd() {
        let (status, body) = answer(&function, &event).await;
        assert!(status < 500, "{name}: {status} {body}");
    }
    for event in NO_JSON {
        assert!(matches!(function.invoke(event).await, Err(FunctionError::Reported(_))), "{event:?}");
    }
    assert!(function.is_running());
    assert!(program.statuses.contains(&answer(&function, &events.event("rest-api", &Value::Null)).await.0));
}

/// However much the environment asks to be logged.
pub async fn every_request_is_one_line_of_the_log_and_no_line_holds_a_secret(program: Program) {
    let testbed = testbed().await;
    let all = |environment: Environment| environment.with("RUST_LOG", "trace").with("AWS_LAMBDA_LOG_LEVEL", "TRACE");
    let function = program.start(&testbed, all).await;
    let events = program.events(&testbed);
    let mut answered = Vec::new();
    for Case { event, .. } in events.good().into_iter().chain(events.odd()) {
        answered.push(answer(&function, &event).await.0);
    }
    testbed.simulator.fail_always(meta_simulator::Fault::HtmlServerError);
    answered.push(answer(&function, &events.event("http-api", &Value::Null)).await.0);
    function.kill().await;
    assert_discreet(&function, &events);
    let log = function.log();
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let logged: Vec<_> = lines.iter().map(|line| line["status"].as_u64().unwrap_or_default()).collect();
    assert_eq!(logged, answered);
    for line in lines {
        assert!(line["span"]["route"] == program.name && line["elapsed_ms"].is_u64(), "{line}");
        assert!(line["status"] != 200 || line["span"]["key_id"].is_string(), "{line}");
    }
}

/// As Lambda freezes it between two events, for longer than anybody keeps a connection.
pub async fn thawed_after_it_lost_every_connection_it_answers_as_ever(program: Program) {
    let testbed = testbed().await;
    let (dynamodb, sqs) = (Relay::to(testbed.engine.url()).await, Relay::to(testbed.queues.url()).await);
    let meta = Relay::to(&testbed.simulator.graph_api_url()).await;
    let elsewhere = |environment: Environment| {
        let environment = environment.with("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url());
        environment.with("AWS_ENDPOINT_URL_SQS", &sqs.url()).with("GRAPH_API_URL", &meta.url())
    };
    let function = program.start(&testbed, elsewhere).await;
    let event = program.events(&testbed).event("rest-api", &Value::Null);
    for number in 0..10 {
        let answer = function.invoke_thawed(&event, &[&dynamodb, &sqs, &meta]).await.expect("the function answers");
        let status = answer["statusCode"].as_u64().expect("an answer has a status");
        assert!(program.statuses.contains(&status), "{number}: {answer}");
    }
}

/// One line of JSON names the setting, and holds no other.
pub async fn a_program_without_its_settings_says_which_is_missing_and_does_not_start(program: Program) {
    let testbed = testbed().await;
    refuses_to_start(&program, &testbed, &["TABLE_PREFIX", "GRAPH_API_URL", "AWS_REGION", "WHATSAPP_ACCOUNTS"]).await;
    refuses_to_start(&program, &testbed, program.also_needs).await;
    for (setting, broken) in [("GRAPH_API_URL", "graph.facebook.com"), ("WHATSAPP_ACCOUNTS", "canary")] {
        let function = program.start(&testbed, |environment| environment.with(setting, broken)).await;
        function.assert_refused(setting).await;
        assert_discreet(&function, &program.events(&testbed));
    }
}

/// What a program does not use it does not ask for.
pub async fn a_program_that_never_calls_meta_needs_no_settings_of_it(program: Program) {
    let testbed = testbed().await;
    refuses_to_start(&program, &testbed, &["TABLE_PREFIX", "AWS_REGION", "WHATSAPP_ACCOUNTS"]).await;
    refuses_to_start(&program, &testbed, program.also_needs).await;
    let function = program.start(&testbed, |environment| environment.without("GRAPH_API_URL")).await;
    let events = program.events(&testbed);
    assert!(program.statuses.contains(&answer(&function, &events.event("rest-api", &Value::Null)).await.0));
    assert!(testbed.simulator.requests().is_empty());
}

/// Without any of these.
async fn refuses_to_start(program: &Program, testbed: &Testbed, settings: &[&str]) {
    for setting in settings {
        let function = program.start(testbed, |environment| environment.without(setting)).await;
        // WHATSAPP_ACCOUNTS stands in for it.
        let told = if *setting == "WHATSAPP_ACCOUNTS" { "WHATSAPP_ACCOUNTS_SECRET" } else { setting };
        function.assert_refused(told).await;
        assert_discreet(&function, &program.events(testbed));
    }
}
