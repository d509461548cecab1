//! The largest event that a function may get: what its memory and its timeout in template.yaml have to be enough for.

use std::time::Duration;

use admin::Admin;
use domain::Clock;
use lambda_runtime_stand_in::Events;
use serde_json::{Value, json};
use testbed::Testbed;
use testbed::campaigns::{QUEUE, people, phone};

use crate::subjects::{self, rest_api};

/// As many recipients as a request may name.
const RECIPIENTS: u32 = 10_000;
/// As many contacts as one may block.
const CONTACTS: u32 = 1000;
/// As many rows as a page may have.
const ROWS: u32 = 100;
/// As many changes as Meta puts into a webhook (Meta: "Webhooks").
const CHANGES: usize = 1000;
/// As many jobs as an event has, according to template.yaml.
const JOBS: usize = 10;
/// As long as a text may be (Meta: "Text messages").
const CHARACTERS: usize = 4096;

const PHONE: &str = "919876543210";

/// The largest event for a function, and what is large in it. `None`: it is no larger than any other.
pub(crate) async fn event(name: &str, bed: &Testbed) -> Option<(&'static str, String)> {
    let api = |method: &str, path: &str, body: Value| rest_api(bed, method, &format!("/whatsapp/api/{path}"), &body);
    let text = "é".repeat(CHARACTERS);
    Some(match name {
        "receive-webhook" => ("1000 texts and 1000 statuses", subjects::webhook(0..CHANGES)),
        "list-chats" | "list-events" => {
            for number in 0..ROWS {
                bed.receive(1, &phone(number), &format!("wamid.{number}"), &text).await;
            }
            let path = name.trim_start_matches("list-");
            ("a page of 100", page(&api("GET", path, Value::Null)))
        }
        "list-messages" => {
            for number in 0..ROWS {
                bed.receive(1, PHONE, &format!("wamid.{number}"), &text).await;
            }
            ("a page of 100 long texts", page(&api("GET", &format!("chats/{PHONE}/messages"), Value::Null)))
        }
        "block-contact" => ("1000 contacts", api("POST", "block", json!({"phones": phones(CONTACTS)}))),
        "unblock-contact" => {
            block(bed).await;
            ("1000 contacts", api("DELETE", "unblock", json!({"phones": phones(CONTACTS)})))
        }
        "list-blocked" => {
            block(bed).await;
            ("a page of 100", page(&api("GET", "blocked", Value::Null)))
        }
        "refresh-blocked" => {
            block(bed).await;
            ("1000 are blocked", Events::default().event("schedule", &Value::Null))
        }
        "create-campaign" => {
            let body = json!({"name": "Offer", "template_name": "appointment", "parameter_mappings": {"first_name": "name", "date": {"value": "Monday"}}, "recipients": people(0..RECIPIENTS)});
            ("10,000 recipients", api("POST", "campaigns", body))
        }
        "add-recipients" => {
            let id = bed.campaign(1, people(RECIPIENTS..RECIPIENTS + 1)).await;
            let body = json!({"recipients": people(0..RECIPIENTS)});
            ("10,000 recipients", api("POST", &format!("campaigns/{id}/recipients"), body))
        }
        "list-recipients" => {
            let id = bed.campaign(1, people(0..ROWS)).await;
            ("a page of 100", page(&api("GET", &format!("campaigns/{id}/recipients"), Value::Null)))
        }
        "list-campaigns" => {
            subjects::drafts(bed, ROWS as usize).await;
            ("a page of 100", page(&api("GET", "campaigns", Value::Null)))
        }
        "start-campaign" => {
            let id = bed.campaign(1, people(0..RECIPIENTS)).await;
            ("10,000 recipients", api("POST", &format!("campaigns/{id}/start"), Value::Null))
        }
        "retry-failed" => {
            let id = subjects::failed(bed, RECIPIENTS).await;
            ("10,000 failed", api("POST", &format!("campaigns/{id}/retry-failed"), Value::Null))
        }
        "send-campaign" => ("10 jobs of 100 recipients each", batch(bed).await),
        "tend-campaigns" => {
            subjects::started(bed, ROWS as usize).await;
            ("100 campaigns under way", Events::default().event("schedule", &Value::Null))
        }
        "key-page" => ("signing in", sign_in(bed).await),
        _ => return None,
    })
}

/// With the largest page that a list has.
fn page(event: &str) -> String {
    let mut event: Value = serde_json::from_str(event).expect("it is JSON");
    event["queryStringParameters"] = json!({"limit": ROWS.to_string()});
    event["multiValueQueryStringParameters"] = json!({"limit": [ROWS.to_string()]});
    event.to_string()
}

fn phones(count: u32) -> Vec<String> {
    (0..count).map(|number| format!("+{}", phone(number))).collect()
}

/// Blocks as many as one request may.
async fn block(bed: &Testbed) {
    let phones = phones(CONTACTS);
    let phones: Vec<_> = phones.iter().map(String::as_str).collect();
    let time_left = Duration::from_mins(2);
    let wish = block_list::Wish { account_id: None, phones: &phones, is_list: true, reason: None, time_left };
    bed.block_list.block(&bed.caller().await, &wish).await.expect("contacts are blocked");
}

/// The first jobs of campaigns of a whole chunk each.
async fn batch(bed: &Testbed) -> String {
    for _ in 0..JOBS {
        let id = bed.campaign(1, people(0..100)).await;
        bed.starter.start(&bed.caller().await, id).await.expect("a campaign is started");
    }
    let mut event: Value = serde_json::from_str(&Events::default().event("sqs", &Value::Null)).expect("it is JSON");
    let record = event["Records"][0].take();
    let record = |(number, job): (usize, String)| {
        let mut record = record.clone();
        record["messageId"] = format!("job-{number}").into();
        record["body"] = job.into();
        record
    };
    event["Records"] = bed.queues.messages(QUEUE).into_iter().take(JOBS).enumerate().map(record).collect();
    event.to_string()
}

/// The form that signs somebody in: hashing the password is what takes memory.
async fn sign_in(bed: &Testbed) -> String {
    let admin = Admin::new(&bed.database, None, Clock::system());
    admin.set_password_locally(&subjects::PASSWORD.into()).await.expect("a password is set");
    let path = "/whatsapp/settings/api-keys/sign-in".to_owned();
    let body = format!("password={}", subjects::PASSWORD.replace(' ', "+"));
    let headers = [
        ("Host", "gateway.example.com"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Origin", "null"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let lists: Value = headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    let headers: Value = headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let events = Events { path, body, ..Events::default() };
    events.event("rest-api", &json!({"/headers": headers, "/multiValueHeaders": lists}))
}
