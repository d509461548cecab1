//! What happens seldom: repeated requests, dry runs, things done elsewhere, and what schedules start.

use local::Stack;
use meta_simulator::{ACCESS_TOKEN, PHONE_NUMBER_ID};
use reqwest::Method;
use serde_json::{Value, json};

use crate::campaigns::nobody_is_at_a_chunk;
use crate::{answer, client, get, ok, post, stack};

const CAMPAIGNS: &str = "/whatsapp/api/campaigns/";
const PHONE: &str = "919876543210";

/// A call of Meta by another program with the same account.
async fn elsewhere(stack: &Stack, method: Method, path: &str, body: &Value) -> Value {
    let url = format!("{}/{PHONE_NUMBER_ID}/{path}", stack.simulator().unwrap().graph_api_url());
    client().request(method, url).bearer_auth(ACCESS_TOKEN).json(body).send().await.unwrap().json().await.unwrap()
}

/// Lets the caretaker come again and again, until a campaign's status is this.
async fn tended_until(stack: &Stack, campaign: &str, status: &str) -> Value {
    loop {
        assert!(stack.run_scheduled("tend-campaigns").await);
        let told = ok(get(stack, campaign)).await;
        if told.get("status").is_some_and(|told| *told == status) {
            return told;
        }
    }
}

#[tokio::test]
async fn a_send_is_tried_dry_repeated_under_its_key_and_done_once() {
    let stack = stack().await;
    for (path, body) in [
        ("send-message", json!({"phone": PHONE, "message": "Hello!"})),
        ("send-location", json!({"phone": PHONE, "latitude": 28.6, "longitude": 77.2})),
        ("send-template", json!({"phone": PHONE, "template_name": "hello", "body_params": ["Rahul"]})),
    ] {
        let path = format!("/whatsapp/api/{path}/");
        let before = stack.simulator().unwrap().posts_to(PHONE);
        let keyed = |path: &str| post(&stack, path, &body).header("Idempotency-Key", path);
        assert_eq!(ok(keyed(&format!("{path}?dry_run=true"))).await["would_send"], true);
        let first = ok(keyed(&path)).await;
        assert_eq!(ok(keyed(&path)).await, first);
        assert_eq!(stack.simulator().unwrap().posts_to(PHONE), before + 1);
        // Eight at a time are debited from the number's rate.
        for _ in 0..8 {
            ok(post(&stack, &path, &body)).await;
        }
    }
    stack.stop().await;
}

#[tokio::test]
async fn a_campaign_is_made_once_filled_and_cancelled() {
    let stack = stack().await;
    let body = json!({"name": "x", "template_name": "offer", "recipients": [{"phone": PHONE, "params": ["9"]}]});
    let request = || post(&stack, CAMPAIGNS, &body).header("Idempotency-Key", "campaign");
    let made = ok(request()).await;
    assert_eq!(ok(request()).await, made);
    let campaign = format!("{CAMPAIGNS}{}/", made["id"]);
    let more = json!({"recipients": [{"phone": PHONE, "params": ["9"]}, {"phone": "919876543211", "params": ["9"]}]});
    let added = ok(post(&stack, &format!("{campaign}recipients/"), &more)).await;
    assert_eq!((&added["added_count"], &added["double_count"]), (&json!(1), &json!(1)));
    assert_eq!(ok(post(&stack, &format!("{campaign}cancel/"), &json!({}))).await["status"], "cancelled");
    stack.stop().await;
}

#[tokio::test]
async fn a_campaign_starts_at_its_time_and_those_who_failed_are_tried_again() {
    let stack = stack().await;
    // The simulated Meta refuses the second.
    let people = json!([{"phone": PHONE, "params": ["9"]}, {"phone": "15550131026", "params": ["9"]}]);
    let soon = (domain::Clock::system().now() + std::time::Duration::from_secs(1)).to_string();
    let body = json!({"name": "x", "template_name": "offer", "recipients": people, "scheduled_at": soon});
    let made = ok(post(&stack, CAMPAIGNS, &body)).await;
    assert_eq!(made["status"], "scheduled");
    let campaign = format!("{CAMPAIGNS}{}/", made["id"]);
    let told = tended_until(&stack, &campaign, "completed").await;
    assert_eq!((&told["sent_count"], &told["failed_count"]), (&json!(1), &json!(1)), "{told}");
    nobody_is_at_a_chunk(&stack).await;
    let again = ok(post(&stack, &format!("{campaign}retry-failed/"), &json!({"codes": [131_026]}))).await;
    assert_eq!((&again["status"], &again["retried_count"]), (&json!("running"), &json!(1)));
    let told = tended_until(&stack, &campaign, "completed").await;
    assert_eq!((&told["sent_count"], &told["failed_count"]), (&json!(1), &json!(1)), "{told}");
    stack.stop().await;
}

#[tokio::test]
async fn a_campaign_that_meta_throttles_is_put_back_and_comes_through() {
    let stack = stack().await;
    stack.simulator().unwrap().set_messages_per_second(Some(20));
    let people: Vec<_> =
        (0..40).map(|number| json!({"phone": format!("9198765{number:05}"), "params": ["9"]})).collect();
    let made = ok(post(&stack, CAMPAIGNS, &json!({"name": "x", "template_name": "offer", "recipients": people}))).await;
    let campaign = format!("{CAMPAIGNS}{}/", made["id"]);
    ok(post(&stack, &format!("{campaign}start/"), &json!({}))).await;
    let told = tended_until(&stack, &campaign, "completed").await;
    assert_eq!((&told["sent_count"], &told["failed_count"]), (&json!(40), &json!(0)), "{told}");
    let accepted = stack.simulator().unwrap().accepted_by_phone();
    assert!(accepted.len() == 40 && accepted.values().all(|count| *count == 1));
    stack.stop().await;
}

#[tokio::test]
async fn a_campaign_of_more_uploads_than_are_under_way_at_a_time_goes_on_from_one_to_the_next() {
    let stack = stack().await;
    let person = |number: u32| json!([{"phone": format!("91987654{number:04}"), "params": ["9"]}]);
    let body = json!({"name": "x", "template_name": "offer", "recipients": person(0)});
    let made = ok(post(&stack, CAMPAIGNS, &body)).await;
    let campaign = format!("{CAMPAIGNS}{}/", made["id"]);
    for number in 1..8 {
        ok(post(&stack, &format!("{campaign}recipients/"), &json!({"recipients": person(number)}))).await;
    }
    ok(post(&stack, &format!("{campaign}start/"), &json!({}))).await;
    while ok(get(&stack, &campaign)).await["read_count"] != 8 {}
    stack.stop().await;
}

#[tokio::test]
async fn who_is_blocked_elsewhere_is_listed_after_a_refresh_asked_for_or_not() {
    let stack = stack().await;
    let of = |phone: &str| json!({"messaging_product": "whatsapp", "block_users": [{"user": phone}]});
    let listed = async |query: &str| {
        let page = ok(get(&stack, &format!("/whatsapp/api/blocked/{query}"))).await;
        page["blocked_users"].as_array().unwrap().len()
    };
    elsewhere(&stack, Method::POST, "block_users", &of(PHONE)).await;
    assert_eq!((listed("").await, listed("?refresh=true").await), (0, 1));
    elsewhere(&stack, Method::DELETE, "block_users", &of(PHONE)).await;
    elsewhere(&stack, Method::POST, "block_users", &of("919876543211")).await;
    elsewhere(&stack, Method::POST, "block_users", &of("919876543212")).await;
    assert!(stack.run_scheduled("refresh-blocked").await);
    assert_eq!(listed("").await, 2);
    stack.stop().await;
}

#[tokio::test]
async fn what_another_program_sent_is_known_by_its_statuses_and_events_are_listed_of_every_kind() {
    let stack = stack().await;
    let text =
        json!({"messaging_product": "whatsapp", "to": PHONE, "type": "text", "text": {"body": "from elsewhere"}});
    let sent = elsewhere(&stack, Method::POST, "messages", &text).await;
    let path = format!("/whatsapp/api/messages/{}/", sent["messages"][0]["id"].as_str().unwrap().replace('/', "%2F"));
    while answer(get(&stack, &path)).await.1["status"] != "read" {}
    stack.simulator().unwrap().send_webhook("account_update", json!({"event": "VERIFIED_ACCOUNT"}));
    while ok(get(&stack, "/whatsapp/api/events/")).await["events"].as_array().unwrap().is_empty() {}
    stack.stop().await;
}

#[tokio::test]
async fn the_document_and_its_page_are_there_for_everybody() {
    let stack = stack().await;
    let document = ok(client().get(format!("{}/whatsapp/api/openapi.json", stack.api_url()))).await;
    assert_eq!(document["openapi"], "3.1.0");
    let page = client().get(format!("{}/whatsapp/api/docs/", stack.api_url())).send().await.unwrap();
    assert!(page.status() == 200 && page.text().await.unwrap().contains("/whatsapp/api/send-message/"));
    stack.stop().await;
}
