//! The real program, as Lambda runs it.

use lambda_runtime_stand_in::{Environment, Events, Function};
use serde_json::{Value, json};
use testbed::Testbed;

#[tokio::test]
async fn the_program_answers_both_kinds_of_events_with_the_page() {
    let testbed = Testbed::start().await;
    let function = Function::start(env!("CARGO_BIN_EXE_read-docs"), &Environment::new("read-docs", &testbed)).await;
    let events = Events { path: "/whatsapp/api/docs".to_owned(), ..Events::default() };
    for (api, method) in [("rest-api", "/httpMethod"), ("http-api", "/requestContext/http/method")] {
        let answer: Value = function.invoke(&events.event(api, &json!({method: "GET"}))).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{api}");
        assert!(answer["body"].as_str().unwrap().starts_with("<!doctype html>"), "{api}");
    }
}
