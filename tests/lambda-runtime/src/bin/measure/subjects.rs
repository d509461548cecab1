//! The functions, and events for each that it answers as it mostly does.

use admin::{Admin, Browser, PasswordProof, Verdict};
use domain::{CampaignId, Clock, Member};
use hmac::{Hmac, KeyInit, Mac};
use lambda_runtime_stand_in::Events;
use serde_json::{Value, json};
use sha2::Sha256;
use storage::{Chunks, Mark};
use testbed::Testbed;
use testbed::campaigns::{QUEUE, people};

const PHONE: &str = "+919876543210";
const APP_SECRET: &str = "the app secret";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// One account, whose number takes as many messages as a campaign has.
pub(crate) fn accounts() -> Value {
    json!([{
        "id": 1,
        "phone_number_id": meta_simulator::PHONE_NUMBER_ID,
        "waba_id": meta_simulator::WABA_ID,
        "access_token": meta_simulator::ACCESS_TOKEN,
        "app_secret": APP_SECRET,
        "messages_per_second": 1000,
    }])
}

/// So many events for a function, in the order in which they are to come.
pub(crate) async fn events(name: &str, bed: &Testbed, count: usize) -> Vec<String> {
    // Something to read.
    for number in 0..25 {
        let phone = testbed::campaigns::phone(number);
        bed.receive(1, &phone, &format!("wamid.{number}"), "When do you open?").await;
        bed.receive(1, PHONE.trim_start_matches('+'), &format!("wamid.A{number}"), "When do you open?").await;
    }
    bed.campaign(1, people(0..25)).await;
    let request = |method: &str, path: &str, body: Value| vec![rest_api(bed, method, path, &body); count];
    let api = |path: &str| format!("/whatsapp/api/{path}");
    let each_campaign = |ids: Vec<i64>, step: &str| {
        let event = |id| rest_api(bed, "POST", &format!("/whatsapp/api/campaigns/{id}/{step}"), &Value::Null);
        ids.into_iter().map(event).collect()
    };
    match name {
        "send-message" => request("POST", &api(name), json!({"phone": PHONE, "message": "Hello!"})),
        "send-template" => {
            let body = json!({"phone": PHONE, "template_name": "order_update", "header_params": ["you"], "body_params": ["7", "Monday"]});
            request("POST", &api(name), body)
        }
        "send-location" => request("POST", &api(name), json!({"phone": PHONE, "latitude": 28.6, "longitude": 77.2})),
        "receive-webhook" => (0..count).map(|number| webhook(number..number + 1)).collect(),
        "get-message" => request("GET", &api("messages/wamid.A7"), Value::Null),
        "list-chats" => request("GET", &api("chats"), Value::Null),
        "list-messages" => request("GET", &api("chats/%2B919876543210/messages"), Value::Null),
        "read-chat" => request("POST", &api("chats/%2B919876543210/read"), json!({"tell_whatsapp": true})),
        "list-events" => request("GET", &api("events"), Value::Null),
        "block-contact" => request("POST", &api("block"), json!({"phone": PHONE})),
        "unblock-contact" => request("DELETE", &api("unblock"), json!({"phone": PHONE})),
        "list-blocked" => request("GET", &api("blocked"), Value::Null),
        "refresh-blocked" | "tend-campaigns" => vec![Events::default().event("schedule", &Value::Null); count],
        "create-campaign" => {
            let body = json!({"name": "Offer", "template_name": "appointment", "parameter_mappings": {"first_name": "name", "date": {"value": "Monday"}}, "recipients": people(0..10)});
            request("POST", &api("campaigns"), body)
        }
        "add-recipients" => {
            let body = |number| json!({"recipients": people(number * 10 + 1000..number * 10 + 1010)});
            let path = api("campaigns/1/recipients");
            (0..number(count)).map(|number| rest_api(bed, "POST", &path, &body(number))).collect()
        }
        "list-campaigns" => request("GET", &api("campaigns"), Value::Null),
        "get-campaign" => request("GET", &api("campaigns/1"), Value::Null),
        "list-recipients" => request("GET", &api("campaigns/1/recipients"), Value::Null),
        "start-campaign" => each_campaign(drafts(bed, count).await, "start"),
        "pause-campaign" => each_campaign(started(bed, count).await, "pause"),
        "resume-campaign" => each_campaign(paused(bed, count).await, "resume"),
        "cancel-campaign" => each_campaign(drafts(bed, count).await, "cancel"),
        "retry-failed" => {
            let mut ids = Vec::new();
            for _ in 0..count {
                ids.push(failed(bed, 10).await.0);
            }
            each_campaign(ids, "retry-failed")
        }
        "send-campaign" => jobs(bed, count).await,
        "key-page" => vec![page(bed).await; count],
        "get-openapi" => request("GET", &api("openapi.json"), Value::Null),
        "read-docs" => request("GET", &api("docs"), Value::Null),
        _ => panic!("no events for {name}"),
    }
}

/// A request with the testbed's API key.
pub(crate) fn rest_api(bed: &Testbed, method: &str, path: &str, body: &Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let events = Events { path: path.to_owned(), key: bed.api_key.reveal().to_owned(), body, ..Events::default() };
    events.event("rest-api", &json!({"/httpMethod": method, "/requestContext/httpMethod": method}))
}

/// Texts that came, and that another one was read as often.
pub(crate) fn webhook(numbers: std::ops::Range<usize>) -> String {
    let change = |number: usize| {
        let second = 1_767_323_045 + number;
        let metadata =
            json!({"phone_number_id": meta_simulator::PHONE_NUMBER_ID, "display_phone_number": "15550783881"});
        let message = json!({"from": "16505551234", "id": format!("wamid.I{number}"), "timestamp": second.to_string(), "type": "text", "text": {"body": "When do you open?"}});
        let status =
            json!({"id": "wamid.S", "status": "read", "timestamp": second.to_string(), "recipient_id": "16505551234"});
        let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "contacts": [{"profile": {"name": "Ann"}, "wa_id": "16505551234"}], "messages": [message], "statuses": [status]});
        json!({"field": "messages", "value": value})
    };
    let changes: Vec<_> = numbers.map(change).collect();
    let entry = json!({"id": meta_simulator::WABA_ID, "time": 1_767_323_045, "changes": changes});
    let body = json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string();
    let mac = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("any key will do").chain_update(&body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let events = Events { path: "/whatsapp/webhook".to_owned(), body, ..Events::default() };
    events.event(
        "rest-api",
        &json!({"/headers/X-Hub-Signature-256": signature, "/multiValueHeaders/X-Hub-Signature-256": [signature]}),
    )
}

/// The first page, for somebody who is signed in.
async fn page(bed: &Testbed) -> String {
    let admin = Admin::new(&bed.database, None, Clock::system());
    admin.set_password_locally(&PASSWORD.into()).await.expect("a password is set");
    let proof = PasswordProof { password: PASSWORD.into(), one_time_code: None };
    let browser = Browser { session: None, device: None, address: None };
    let Ok(Verdict::Proven(signed_in)) = admin.sign_in(&proof, browser).await else { panic!("the password is right") };
    let cookie = format!("__Host-whatsapp-session={}", signed_in.session.reveal());
    let events = Events { path: "/whatsapp/settings/api-keys".to_owned(), ..Events::default() };
    let headers = json!({"Host": "gateway.example.com", "Sec-Fetch-Site": "same-origin", "Cookie": cookie});
    let lists = json!({"Host": ["gateway.example.com"], "Sec-Fetch-Site": ["same-origin"], "Cookie": [cookie]});
    let set = json!({"/httpMethod": "GET", "/headers": headers, "/multiValueHeaders": lists, "/body": null});
    events.event("rest-api", &set)
}

/// Campaigns of ten people each that were not started.
pub(crate) async fn drafts(bed: &Testbed, count: usize) -> Vec<i64> {
    let mut ids = Vec::new();
    for _ in 0..count {
        // The same each time: the simulator fails some numbers, for tests, and a throttle would hold up the others.
        ids.push(bed.campaign(1, people(0..10)).await.0);
    }
    ids
}

pub(crate) async fn started(bed: &Testbed, count: usize) -> Vec<i64> {
    let ids = drafts(bed, count).await;
    for id in &ids {
        bed.starter.start(&bed.caller().await, CampaignId(*id)).await.expect("a campaign is started");
    }
    ids
}

async fn paused(bed: &Testbed, count: usize) -> Vec<i64> {
    let ids = started(bed, count).await;
    for id in &ids {
        bed.brakes.pause(&bed.caller().await, CampaignId(*id)).await.expect("a campaign is paused");
    }
    ids
}

/// A campaign of which everybody failed, for what passes by itself.
pub(crate) async fn failed(bed: &Testbed, recipients: u32) -> CampaignId {
    let id = bed.campaign(1, people(0..recipients)).await;
    bed.starter.start(&bed.caller().await, id).await.expect("a campaign is started");
    let chunks = Chunks::new(&bed.database);
    for chunk in chunks.get(id, 0..recipients.div_ceil(Member::MOST)).await.expect("chunks can be read") {
        let marks: Vec<_> = chunk.members().map(|member| (Mark::Failed("131016".to_owned()), member)).collect();
        chunks.note(id, chunk.number, &marks, bed.clock.now()).await.expect("a chunk is noted");
    }
    bed.tend().await;
    id
}

/// The chunks of campaigns that were started, one an event.
async fn jobs(bed: &Testbed, count: usize) -> Vec<String> {
    started(bed, count).await;
    let recorded: Value = serde_json::from_str(&Events::default().event("sqs", &Value::Null)).expect("it is JSON");
    let event = |job: String| {
        let mut event = recorded.clone();
        event["Records"][0]["body"] = job.into();
        event.to_string()
    };
    bed.queues.messages(QUEUE).into_iter().map(event).collect()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("there are few")
}

#[cfg(test)]
mod tests {
    use template::Template;

    use super::*;

    #[tokio::test]
    async fn there_are_events_for_every_function() {
        for function in Template::ours().unwrap().functions {
            let bed = Testbed::start().await;
            assert_eq!(events(&function.name, &bed, 2).await.len(), 2, "{}", function.name);
        }
    }
}
