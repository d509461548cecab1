//! What comes back: statuses, customers' messages and events, from the simulated phones to what a client app reads.

use std::time::Duration;

use local::Stack;
use meta_simulator::{CustomerMessage, Fault, Weather};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{answer, client, nothing_was_asked_of_meta, post, stack};

const PHONE: &str = "919876543210";
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

fn get(stack: &Stack, path: &str) -> RequestBuilder {
    let request = client().request(Method::GET, format!("{}/whatsapp/api/{path}", stack.api_url()));
    request.header("X-API-Key", stack.api_key().reveal())
}

async fn read(stack: &Stack, path: &str) -> Value {
    let (status, body) = answer(get(stack, path)).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Asks again and again until the answer is as it should be: webhooks come when they come.
async fn until(stack: &Stack, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut interval = tokio::time::interval(Duration::from_millis(20));
    let asked = async {
        loop {
            interval.tick().await;
            let (status, body) = answer(get(stack, path)).await;
            if status == 200 && is_so(&body) {
                return body;
            }
        }
    };
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    let late = if answered.is_err() { answer(get(stack, path)).await } else { Default::default() };
    assert!(answered.is_ok(), "{path} still says {late:?}");
    answered.unwrap()
}

/// Sends a text, and gives the id that the answer tells in its header.
async fn sends(stack: &Stack, text: &str) -> String {
    let body = json!({"phone": PHONE, "message": text});
    let response = post(stack, "/whatsapp/api/send-message/", &body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.headers()["message-id"].to_str().unwrap().to_owned()
}

fn statuses(message: &Value) -> Vec<&str> {
    let timeline = message["timeline"].as_array().unwrap();
    timeline.iter().map(|step| step["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_is_seen_to_be_sent_delivered_and_read() {
    let stack = stack().await;
    let id = sends(&stack, "Hello!").await;
    let message = until(&stack, &format!("messages/{id}/"), |message| message["status"] == "read").await;
    assert_eq!(statuses(&message), ["accepted", "sent", "delivered", "read"]);
    assert_eq!(
        (&message["direction"], &message["body"], &message["failure"]),
        (&json!("outbound"), &json!("Hello!"), &Value::Null)
    );
    // A wamid may have slashes in it.
    let wamid = message["wamid"].as_str().unwrap().replace('/', "%2F");
    assert_eq!(read(&stack, &format!("messages/{wamid}")).await, message);
    stack.stop().await;
}

#[tokio::test]
async fn in_a_storm_of_late_doubled_shuffled_and_batched_webhooks_every_message_is_read_and_counted_once() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    simulator.set_weather(Weather::stormy());
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(sends(&stack, &format!("number {n}")).await);
        simulator.customer_sends(PHONE, CustomerMessage::text("Thanks")).unwrap();
    }
    for id in ids {
        let message = until(&stack, &format!("messages/{id}/"), |message| statuses(message).len() == 4).await;
        assert_eq!(
            (statuses(&message), &message["status"]),
            (vec!["accepted", "sent", "delivered", "read"], &json!("read"))
        );
    }
    let chats = until(&stack, "chats/", |chats| chats["conversations"][0]["unread_count"] == 5).await;
    assert_eq!(chats["conversations"].as_array().unwrap().len(), 1);
    // Whatever is doubled comes after the first.
    until(&stack, &format!("chats/{PHONE}/messages/"), |page| page["messages"].as_array().unwrap().len() == 10).await;
    stack.stop().await;
}

#[tokio::test]
async fn a_message_of_which_nobody_knows_whether_it_was_sent_is_settled_by_its_status() {
    let stack = stack().await;
    stack.simulator().unwrap().fail_next(Fault::AcceptedThenReset, 1);
    let body = json!({"phone": PHONE, "message": "Perhaps"});
    let request = || post(&stack, "/whatsapp/api/send-message/", &body).header("Idempotency-Key", "order-1");
    let (status, unknown) = answer(request()).await;
    assert_eq!((status, &unknown["may_have_been_sent"]), (504, &json!(true)), "{unknown}");
    let id = unknown["message_id"].as_str().unwrap();
    let message = until(&stack, &format!("messages/{id}/"), |message| message["status"] == "read").await;
    // The same request now gets what Meta would have said.
    let (status, settled) = answer(request()).await;
    assert_eq!((status, &settled["result"]["messages"][0]["id"]), (200, &message["wamid"]), "{settled}");
    assert_eq!(stack.simulator().unwrap().posts_to(PHONE), 1);
    stack.stop().await;
}

#[tokio::test]
async fn a_message_that_fails_later_says_why_and_what_to_do() {
    let stack = stack().await;
    let body = json!({"phone": "+15552131026", "message": "Hello!"});
    let response = post(&stack, "/whatsapp/api/send-message/", &body).send().await.unwrap();
    let id = response.headers()["message-id"].to_str().unwrap().to_owned();
    let message = until(&stack, &format!("messages/{id}/"), |message| message["status"] == "failed").await;
    assert_eq!(message["failure"]["code"], 131_026, "{message}");
    for words in ["reason", "what_to_do"] {
        assert!(message["failure"][words].as_str().unwrap().len() > 20, "{message}");
    }
    stack.stop().await;
}

#[tokio::test]
async fn what_a_customer_writes_is_read_in_the_chat_and_marked_as_read_at_both_ends() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    for message in [
        CustomerMessage::text("Hi"),
        CustomerMessage::image(Some("Look")),
        CustomerMessage::location(37.5, -122.0, Some("Philz"), None),
        CustomerMessage::button("Yes", "yes"),
    ] {
        simulator.customer_sends(PHONE, message).unwrap();
    }
    let chats = until(&stack, "chats/?unread=true", |chats| chats["conversations"][0]["unread_count"] == 4).await;
    let chat = &chats["conversations"][0];
    assert_eq!((&chat["phone_number"], &chat["label"]), (&json!(PHONE), &Value::Null));
    assert!(chat["id"].is_u64() && chat["last_message_at"].as_str().unwrap().contains(".000Z"), "{chat}");
    // Written as a client would write it.
    let page = read(&stack, &format!("chats/%2B{PHONE}/messages/?limit=10")).await;
    let mut bodies: Vec<_> =
        page["messages"].as_array().unwrap().iter().map(|message| message["body"].as_str().unwrap()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["Hi", "Look", "Philz", "Yes"]);
    assert_eq!(page["conversation"]["name"], format!("Customer {PHONE}"));

    let (status, marked) =
        answer(post(&stack, &format!("/whatsapp/api/chats/{PHONE}/read/"), &json!({"tell_whatsapp": true}))).await;
    assert_eq!((status, &marked["told_whatsapp"]), (200, &json!(true)), "{marked}");
    let told = simulator.requests().pop().unwrap().json.unwrap();
    assert_eq!(told["status"], "read");
    assert_eq!(read(&stack, "chats/").await["conversations"][0]["unread_count"], 0);
    assert_eq!(read(&stack, "chats/?unread=true").await["conversations"], json!([]));
    stack.stop().await;
}

#[tokio::test]
async fn a_customer_who_says_stop_gets_no_templates_until_they_say_start() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    let template = json!({"phone": PHONE, "template_name": "hello_world", "language": "en_US"});
    let send = async |body: &Value| answer(post(&stack, "/whatsapp/api/send-template/", body)).await;
    simulator.customer_sends(PHONE, CustomerMessage::text("Stop")).unwrap();
    until(&stack, &format!("chats/{PHONE}/messages/"), |page| page["conversation"]["opted_out"]["by"] == "word").await;
    let (status, refused) = send(&template).await;
    assert_eq!((status, &refused["code"]), (400, &json!("opted_out")), "{refused}");
    assert_eq!(simulator.posts_to(PHONE), 0);
    let mut needed = template.clone();
    needed["despite_opt_out"] = json!(true);
    assert_eq!(send(&needed).await.0, 200);
    assert_eq!(
        answer(post(&stack, "/whatsapp/api/send-message/", &json!({"phone": PHONE, "message": "As you wish"}))).await.0,
        200
    );
    // Times are told in seconds, and of two wishes in one second the one to stop counts.
    let later = (domain::Clock::system().now().as_second() + 5).to_string();
    let start = CustomerMessage::text("START").with("timestamp", json!(later));
    simulator.customer_sends(PHONE, start).unwrap();
    until(&stack, &format!("chats/{PHONE}/messages/"), |page| page["conversation"]["opted_out"].is_null()).await;
    assert_eq!(send(&template).await.0, 200);
    stack.stop().await;
}

#[tokio::test]
async fn a_message_after_the_24_hours_is_refused_in_plain_words_that_name_templates() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    simulator.customer_writes(PHONE, "Hi").unwrap();
    until(&stack, "chats/", |chats| chats["conversations"][0]["unread_count"] == 1).await;
    simulator.age_window(PHONE);
    let (status, refused) =
        answer(post(&stack, "/whatsapp/api/send-message/", &json!({"phone": PHONE, "message": "Late"}))).await;
    assert_eq!((status, &refused["code"]), (400, &json!("window_closed")), "{refused}");
    let words = refused["error"].as_str().unwrap();
    assert!(words.contains("24 hours") && words.contains("hello_world"), "{words}");
    stack.stop().await;
}

#[tokio::test]
async fn events_of_templates_and_the_account_are_listed_and_given_whole() {
    let stack = stack().await;
    let value =
        json!({"event": "APPROVED", "message_template_id": 1_689_556_908_129_835_i64, "message_template_name": "x"});
    stack.simulator().unwrap().send_webhook("message_template_status_update", value.clone());
    let listed =
        until(&stack, "events/?kind=message_template_status_update", |page| page["events"][0].is_object()).await;
    let event = &listed["events"][0];
    assert_eq!(event["content"]["value"], value, "{listed}");
    let id = event["id"].as_str().unwrap();
    let whole = get(&stack, &format!("events/?id={id}")).send().await.unwrap();
    assert!(whole.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let whole: Value = serde_json::from_str(&whole.text().await.unwrap()).unwrap();
    assert_eq!(whole["value"]["message_template_id"], 1_689_556_908_129_835_i64);
    stack.stop().await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_sends_nothing() {
    let stack = stack().await;
    let path = "/whatsapp/api/send-message/?dry_run=true";
    let (status, told) = answer(post(&stack, path, &json!({"phone": "98765 43210", "message": "Hello!"}))).await;
    assert_eq!(
        (status, &told["status"], &told["would_send"], &told["to"]),
        (200, &json!("dry_run"), &json!(true), &json!(PHONE)),
        "{told}"
    );
    assert!(nothing_was_asked_of_meta(&stack));
    assert_eq!(read(&stack, "chats/").await["conversations"], json!([]));
    stack.stop().await;
}
