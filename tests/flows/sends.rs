//! The three sends, from a client app's request to the simulated phone.

use meta_simulator::Fault;
use serde_json::{Value, json};

use crate::{answer, client, post, stack};

const SENDS: [(&str, &str); 3] = [
    ("/whatsapp/api/send-message", r#"{"phone": "+919876543210", "message": "Hello!"}"#),
    ("/whatsapp/api/send-location", r#"{"phone": "9876543210", "latitude": "28.6", "longitude": 77.2}"#),
    ("/whatsapp/api/send-template", r#"{"phone": "98765 43210", "template_name": "hello", "body_params": ["Rahul"]}"#),
];

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn each_send_reaches_the_phone_with_and_without_the_slash_and_with_the_key_in_the_query() {
    let stack = stack().await;
    for (path, text) in SENDS {
        let with_slash = post(&stack, &format!("{path}/"), &body(text));
        let without_slash = post(&stack, path, &body(text));
        let url = format!("{}{path}/?api_key={}", stack.api_url(), stack.api_key().reveal());
        let with_query_key = client().post(url).body(text);
        for request in [with_slash, without_slash, with_query_key] {
            let (status, answer) = answer(request).await;
            assert_eq!((status, &answer["status"]), (200, &json!("sent")), "{answer}");
            assert_eq!(answer["result"]["contacts"][0]["input"], "919876543210");
        }
    }
    assert_eq!(stack.simulator().unwrap().phone("919876543210").len(), 9);
    stack.stop().await;
}

#[tokio::test]
async fn a_body_that_is_no_text_at_all_is_a_400() {
    let stack = stack().await;
    let request = post(&stack, SENDS[0].0, &Value::Null).body(vec![0xff, 0xfe, 0x00]);
    assert_eq!(answer(request).await.0, 400);
}

#[tokio::test]
async fn another_path_is_a_404_and_another_method_a_405() {
    let stack = stack().await;
    assert_eq!(answer(post(&stack, "/whatsapp/api/send-nothing/", &json!({}))).await.0, 404);
    let request = client().get(format!("{}{}/", stack.api_url(), SENDS[0].0)).send().await.unwrap();
    assert_eq!((request.status().as_u16(), &request.headers()["allow"]), (405, &"POST".parse().unwrap()));
}

#[tokio::test]
async fn a_client_that_hangs_up_stops_nothing() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    simulator.fail_always(Fault::Delay(200));
    let request = || {
        let send = post(&stack, SENDS[0].0, &body(SENDS[0].1));
        send.header("Idempotency-Key", "hangs-up")
    };
    let impatient = request().timeout(std::time::Duration::from_millis(100)).send().await;
    assert!(impatient.unwrap_err().is_timeout());
    // Until the first request is done, the key is in flight; then its answer is given again.
    loop {
        let (status, answer) = answer(request()).await;
        if status == 200 {
            break;
        }
        assert_eq!(status, 409, "{answer}");
    }
    assert_eq!(simulator.posts_to("919876543210"), 1);
}
