use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::page::Events;
use crate::{Meta, eventually, message, text_to};

const TO: &str = "919876543210";

fn template(to: &str, name: &str, language: &str) -> Value {
    message(to, "template", json!({ "name": name, "language": { "code": language } }))
}

async fn summary(meta: &Meta) -> Value {
    meta.control(Method::GET, "/arrivals", None).await.1
}

#[tokio::test]
async fn the_page_and_its_files_come_with_a_strict_policy_and_no_inline_code() {
    let meta = Meta::start().await;
    assert_eq!(meta.simulator.arrivals_url(), format!("{}arrivals", meta.simulator.page_url()));
    for (path, kind) in [
        ("arrivals", "text/html"),
        ("arrivals.css", "text/css"),
        ("arrivals.js", "text/javascript"),
        ("elements.js", "text/javascript"),
    ] {
        let response = meta.client.get(format!("{}{path}", meta.simulator.page_url())).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind));
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
    for script in [include_str!("../../src/page/arrivals.js"), include_str!("../../src/page/elements.js")] {
        for dangerous in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!script.contains(dangerous), "{dangerous}");
        }
    }
    let (phones, arrivals) = (include_str!("../../src/page/index.html"), include_str!("../../src/page/arrivals.html"));
    assert!(
        phones.contains(r#"<a href="/arrivals">"#) && arrivals.contains(r#"<a href="/">"#),
        "each leads to the other"
    );
}

#[tokio::test]
async fn what_arrives_is_summed_up_by_status_template_and_phone() {
    let meta = Meta::start().await;
    let nothing = summary(&meta).await;
    assert_eq!((&nothing["accepted"], &nothing["newest"]), (&json!(0), &json!([])));
    assert_eq!(nothing["most_from_one_template"], Value::Null);
    for to in ["919876500001", "919876500002", "15552131026"] {
        meta.send(&template(to, "hello_world", "en_US")).await;
    }
    meta.send(&template("919876500001", "black_friday", "hi")).await;
    meta.send(&text_to("919876500003")).await;
    meta.send(&text_to("15550131047")).await;
    meta.simulator.customer_writes("919876500004", "Hi");
    eventually("every status", async || meta.simulator.webhooks_pending() == 0).await;

    let all = summary(&meta).await;
    let reached = ["accepted", "sent", "delivered", "read", "failed", "phones"].map(|name| all[name].as_u64().unwrap());
    assert_eq!(reached, [5, 4, 4, 4, 1, 4], "what was refused has not arrived, nor has what a customer wrote");
    let seconds = all["seconds"].as_array().unwrap();
    assert_eq!((seconds.len(), seconds.iter().filter_map(Value::as_u64).sum::<u64>()), (60, 5));
    let templates = all["templates"].as_array().unwrap();
    let told: Vec<_> = templates.iter().map(|one| (&one["name"], &one["language"], &one["count"])).collect();
    assert_eq!(
        told,
        [(&json!("black_friday"), &json!("hi"), &json!(1)), (&json!("hello_world"), &json!("en_US"), &json!(3)),]
    );
    assert!(templates[1]["first"].as_str().unwrap() < templates[1]["last"].as_str().unwrap());
    let newest = json!([
        { "number": "919876500003", "status": "read" },
        { "number": "919876500001", "status": "read" },
        { "number": "15552131026", "status": "failed" },
        { "number": "919876500002", "status": "read" },
    ]);
    assert_eq!(all["newest"], newest);
    assert_eq!(
        (&all["most_from_one_template"]["count"], &all["most_from_one_template"]["phones_with_more"]),
        (&json!(1), &json!(0))
    );
}

#[tokio::test]
async fn whoever_got_a_template_twice_is_named() {
    let meta = Meta::start().await;
    for to in [TO, "919876500001", TO] {
        meta.send(&template(to, "hello_world", "en_US")).await;
    }
    let most = json!({
        "count": 2, "phone": TO, "name": "hello_world", "language": "en_US", "phones_with_more": 1, "exact": true,
    });
    assert_eq!(summary(&meta).await["most_from_one_template"], most);
}

#[tokio::test]
async fn an_open_page_gets_a_summary_a_few_times_a_second_however_much_arrives() {
    let meta = Meta::start().await;
    let start = Instant::now();
    let mut events = Events::open_at(&meta, "arrivals/events", None).await;
    let (name, _, account) = events.next().await;
    assert_eq!((name.as_str(), &account["number"]), ("account", &json!(meta_simulator::PHONE_NUMBER_ID)));
    let (name, _, first) = events.next().await;
    assert_eq!((name.as_str(), &first["accepted"]), ("arrivals", &json!(0)));
    let mut summaries = 1;
    for number in 0..300 {
        meta.send(&template(&format!("919876500{number:03}"), "hello_world", "en_US")).await;
    }
    loop {
        let (_, _, summary) = events.next().await;
        summaries += 1;
        if (&summary["accepted"], &summary["read"]) == (&json!(300), &json!(300)) {
            break;
        }
    }
    let most = start.elapsed().as_millis() / Duration::from_millis(250).as_millis() + 1;
    assert!(summaries <= most, "{summaries} summaries in {:?}", start.elapsed());
    meta.simulator.reset();
    assert_eq!(events.next().await.2["accepted"], 0, "a reset is seen, too");
}
