//! A campaign from its file of recipients to their phones, and what a client app sees of it on the way.

use std::time::Duration;

use local::Stack;
use serde_json::{Value, json};

use crate::{answer, client, get, ok, post, stack};

const CAMPAIGNS: &str = "/whatsapp/api/campaigns/";

/// Asks again and again, until something is true.
async fn until(stack: &Stack, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let told = ok(get(stack, path)).await;
        if is_so(&told) {
            return told;
        }
    }
}

/// Waits until no chunk is worked on, so that whoever is asked to let a campaign go on is who does: a worker that finds that it
/// goes on again hands out the next chunks itself.
pub(crate) async fn nobody_is_at_a_chunk(stack: &Stack) {
    while !stack.is_idle("SendCampaign") {
        // The functions need the machine, too.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_file_of_people_becomes_one_message_on_each_phone() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    let rows: Vec<_> = (0..230).map(|number| format!("9198765{number:05};Ann {number};Monday\r\n")).collect();
    let file = format!("\u{feff}phone;name;day\r\n{}\r\n12;Bo;\r\n98765 00007;Ann;Friday\r\n", rows.concat());
    let mappings = r#"{"first_name": "name", "date": "day"}"#;
    let fields = [("name", "Reminder"), ("template_name", "appointment"), ("parameter_mappings", mappings)];
    let request = client().post(format!("{}{CAMPAIGNS}", stack.api_url())).query(&fields);
    let request = request.header("X-API-Key", stack.api_key().reveal()).header("Content-Type", "text/csv").body(file);
    let made = ok(request).await;
    assert_eq!((&made["total_count"], &made["upload"]["wrong_rows"][0]["row"]), (&json!(230), &json!(233)));
    let campaign = format!("{CAMPAIGNS}{}/", made["id"]);

    let told = ok(post(&stack, &format!("{campaign}start/?dry_run=true"), &json!({}))).await;
    assert_eq!((&told["would_start"], &told["would_send_count"]), (&json!(true), &json!(230)), "{told}");
    let started = ok(post(&stack, &format!("{campaign}start/"), &json!({}))).await;
    assert_eq!(started["status"], "running");
    let (status, again) = answer(post(&stack, &format!("{campaign}start"), &json!({}))).await;
    assert_eq!((status, &again["code"]), (409, &json!("wrong_status")));

    let told = until(&stack, &campaign, |told| told["read_count"] == 230).await;
    assert_eq!(
        (&told["sent_count"], &told["failed_count"], &told["unknown_count"]),
        (&json!(230), &json!(0), &json!(0))
    );
    let accepted = simulator.accepted_by_phone();
    assert!(accepted.len() == 230 && accepted.values().all(|count| *count == 1));
    assert_eq!(simulator.phone("919876500007")[0].text, "Dear Ann 7, we expect you on Monday.");
    let page = ok(get(&stack, &format!("{campaign}recipients/?status=read&limit=100"))).await;
    assert_eq!(page["recipients"].as_array().unwrap().len(), 100);
    assert!(page["next_cursor"].is_string());
    let listed = ok(get(&stack, CAMPAIGNS)).await;
    assert_eq!(
        (&listed["campaigns"][0]["name"], &listed["campaigns"][0]["total_count"]),
        (&json!("Reminder"), &json!(230))
    );
    stack.stop().await;
}

#[tokio::test]
async fn a_campaign_that_is_paused_goes_on_where_it_was_and_never_sends_more_than_the_number_may() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    // Twice the number's rate: here the second that counts is another one, and programs start meanwhile.
    simulator.set_messages_per_second(Some(150));
    let people: Vec<_> =
        (0..300).map(|number| json!({"phone": format!("9198765{number:05}"), "params": ["9"]})).collect();
    let made = ok(post(&stack, CAMPAIGNS, &json!({"name": "x", "template_name": "offer", "recipients": people}))).await;
    let campaign = format!("{CAMPAIGNS}{}/", made["id"]);
    ok(post(&stack, &format!("{campaign}start/"), &json!({}))).await;
    until(&stack, &campaign, |told| told["sent_count"].as_i64().is_some_and(|sent| sent > 0)).await;
    let paused = ok(post(&stack, &format!("{campaign}pause/"), &json!({}))).await;
    assert_eq!(paused["status"], "paused");
    // Those under way at that moment are at most a group of each chunk.
    let held = until(&stack, &campaign, |told| told["sent_count"] == simulator.accepted_by_phone().len()).await;
    assert!(held["pending_count"].as_i64().unwrap() > 150, "{held}");
    nobody_is_at_a_chunk(&stack).await;
    ok(post(&stack, &format!("{campaign}resume/"), &json!({}))).await;
    until(&stack, &campaign, |told| told["read_count"] == 300).await;
    let accepted = simulator.accepted_by_phone();
    assert!(accepted.len() == 300 && accepted.values().all(|count| *count == 1));
    assert_eq!(simulator.posts_by_phone(), accepted, "some were refused");
    stack.stop().await;
}
