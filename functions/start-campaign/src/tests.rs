//! The guarantees of this endpoint.

use std::time::Duration;

use campaigns::Draft;
use domain::{AccountId, CampaignId};
use meta_simulator::{Fault, Simulator};
use serde_json::{Value, json};
use storage::{Chat, Conversations, OptOutBy};
use testbed::campaigns::{QUEUE, people, phone};
use testbed::{Answer, Sender, Testbed};
use whatsapp::{NewTemplate, WhatsApp};

use super::*;

async fn sender() -> Sender<StartCampaign> {
    let endpoint = |bed: &Testbed| StartCampaign { keys: bed.keys.clone(), starter: bed.starter.clone() };
    let mut sender = Sender::start_for(Scope::CampaignsWrite, endpoint, json!({})).await;
    sender.testbed.begin_with_campaigns().await;
    sender.statuses = &[200, 409];
    sender
}

testbed::every_campaign!(sender());

const ID: CampaignId = CampaignId(1);

async fn start(sender: &Sender<StartCampaign>, id: CampaignId) -> Answer {
    sender.with_key(&json!({})).in_path(&id.to_string()).send_to(&sender.endpoint).await
}

async fn dry_run(sender: &Sender<StartCampaign>, id: CampaignId) -> Value {
    let request = sender.with_key(&json!({})).in_path(&id.to_string()).query("dry_run", "true");
    let answer = request.send_to(&sender.endpoint).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_campaign_that_is_started_runs_and_is_sent() {
    let sender = sender().await;
    let answer = start(&sender, ID).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("running")), "{}", answer.body);
    assert_eq!(answer.body["started_at"], "2026-01-02T03:04:05.678Z");
    sender.testbed.work().await;
    let sent = sender.testbed.sent_to_meta();
    let component = json!({"type": "body", "parameters": [
        {"type": "text", "parameter_name": "date", "text": "Monday"},
        {"type": "text", "parameter_name": "first_name", "text": "Ann 1"},
    ]});
    let expected = json!({
        "messaging_product": "whatsapp", "to": phone(1), "type": "template",
        "template": {"name": "appointment", "language": {"code": "en"}, "components": [component]},
    });
    assert!(sent.contains(&expected), "{sent:?}");
    assert_eq!(sender.testbed.details(ID).await["status"], "completed");
}

#[tokio::test]
async fn one_that_was_started_is_not_started_again() {
    let sender = sender().await;
    assert_eq!(start(&sender, ID).await.status, 200);
    let again = start(&sender, ID).await;
    assert_eq!((again.status, &again.body["code"]), (409, &json!("wrong_status")), "{}", again.body);
    assert!(again.error().contains("running"), "{}", again.body);
    assert_eq!(sender.testbed.queues.messages(QUEUE).len(), 1);
}

#[tokio::test]
async fn one_without_recipients_is_not_started() {
    let sender = sender().await;
    let id = sender.testbed.campaign(1, json!([])).await;
    let answer = start(&sender, id).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("no_recipients")), "{}", answer.body);
    assert_eq!(sender.testbed.details(id).await["status"], "draft");
}

#[tokio::test]
async fn one_whose_template_is_not_approved_is_not_started() {
    let sender = sender().await;
    let settings =
        meta_simulator::Settings { status_delay: Duration::from_hours(1), ..meta_simulator::Settings::default() };
    let slow = Simulator::bind(settings).await.unwrap();
    let meta = WhatsApp::new(&slow.graph_api_url()).unwrap();
    let body = json!({"type": "BODY", "text": "We are open again."});
    let template = NewTemplate::new("open_again", "en", "MARKETING", vec![body]);
    let business = meta.business(meta_simulator::WABA_ID, &meta_simulator::ACCESS_TOKEN.into());
    business.create_template(&template).await.unwrap();
    let draft = Draft { template_name: "open_again".to_owned(), parameter_mappings: None, ..Testbed::draft(1) };
    let id = sender.testbed.campaign_as(draft, people(0..1)).await;
    let starter = sender.testbed.starter_with(&slow);
    let sender = Sender { endpoint: StartCampaign { keys: sender.testbed.keys.clone(), starter }, ..sender };
    let answer = start(&sender, id).await;
    assert_eq!((answer.status, &answer.body["code"]), (409, &json!("template_not_approved")), "{}", answer.body);
    let told = dry_run(&sender, id).await;
    assert_eq!((&told["would_start"], &told["warnings"][0]["code"]), (&json!(false), &json!("template_not_approved")));
}

#[tokio::test]
async fn while_meta_fails_it_is_started_all_the_same() {
    let sender = sender().await;
    sender.testbed.simulator.fail_next(Fault::HtmlServerError, 1);
    assert_eq!(start(&sender, ID).await.status, 200);
}

/// Nobody would know what to do, and within the minute it goes on by itself.
#[tokio::test]
async fn while_the_queue_is_out_it_is_started_and_goes_on_within_the_minute() {
    let Sender { mut testbed, endpoint, .. } = sender().await;
    let other = embedded_sqs::Engine::in_memory().await.unwrap();
    std::mem::replace(&mut testbed.queues, other).stop().await;
    let request = testbed.post(&json!({}));
    let answer = request.send_to(&endpoint).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("running")), "{}", answer.body);
    assert!(testbed.sent_to_meta().is_empty());
}

#[tokio::test]
async fn a_dry_run_tells_what_would_become_of_it_and_changes_nothing() {
    let sender = sender().await;
    let bed = &sender.testbed;
    let people = json!([
        {"phone": phone(0), "name": "Ann"}, {"phone": phone(1), "name": "Bo"}, {"phone": phone(2), "name": "Cy"},
        {"phone": phone(1), "name": "Bo"}, {"phone": "x", "name": "Di"}, {"phone": phone(4)},
    ]);
    let id = bed.campaign(1, people).await;
    let chat = Chat::with_number(AccountId(1), &phone(0)).unwrap();
    Conversations::new(&bed.database).preferred(&chat, false, OptOutBy::Word, bed.clock.now()).await.unwrap();
    bed.begin().await;
    let told = dry_run(&sender, id).await;
    let counts = ["would_send_count", "total_count", "checked_count", "left_out_count", "double_count", "wrong_count"];
    assert_eq!(counts.map(|name| told[name].clone()), [2, 3, 3, 1, 1, 2], "{told}");
    let left_out = json!([{"phone": phone(0), "name": "Ann", "upload": 1, "row": 1, "reason": "opted_out"}]);
    assert_eq!((&told["would_start"], &told["left_out"]), (&json!(true), &left_out));
    assert_eq!((&told["double_rows"][0]["row"], &told["wrong_rows"][1]["row"]), (&json!(4), &json!(6)));
    assert_eq!((&told["estimated_seconds"], &told["warnings"]), (&json!(1), &json!([])));
    let template = json!({"name": "appointment", "language": "en", "status": "APPROVED", "category": "UTILITY"});
    assert_eq!(told["template"], template);
    bed.simulator.reset();
    bed.assert_untouched("a dry run").await;
    let request = sender.with_key(&json!({})).query("dry_run", "1");
    let odd = request.send_to(&sender.endpoint).await;
    assert_eq!((odd.status, &odd.body["field"]), (400, &json!("dry_run")), "{}", odd.body);
}

#[tokio::test]
async fn a_dry_run_of_one_that_cannot_be_started_says_why() {
    let sender = sender().await;
    let empty = sender.testbed.campaign(1, json!([])).await;
    let told = dry_run(&sender, empty).await;
    assert_eq!((&told["would_start"], &told["warnings"][0]["code"]), (&json!(false), &json!("no_recipients")));
    sender.testbed.run(ID).await;
    let told = dry_run(&sender, ID).await;
    assert_eq!((&told["would_start"], &told["warnings"][0]["code"]), (&json!(false), &json!("wrong_status")));
    let large = sender.testbed.campaign(1, people(0..2_000)).await;
    let hurried = sender.with_key(&json!({})).in_path(&large.to_string()).query("dry_run", "true");
    let hurried = hurried.time_left(Duration::from_secs(5)).send_to(&sender.endpoint).await;
    assert_eq!((hurried.status, &hurried.body["checked_count"]), (200, &json!(0)), "{}", hurried.body);
    assert_eq!(hurried.body["warnings"][0]["code"], "not_all_checked");
}
