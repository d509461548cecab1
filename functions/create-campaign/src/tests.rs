//! The guarantees of this endpoint.

use std::time::Duration;

use domain::CampaignId;
use meta_simulator::Fault;
use serde_json::{Value, json};
use testbed::campaigns::people;
use testbed::{Answer, Sender, TestRequest, Testbed, not_texts};

use super::*;

async fn sender() -> Sender<CreateCampaign> {
    let endpoint = |bed: &Testbed| CreateCampaign { keys: bed.keys.clone(), planner: bed.planner.clone() };
    let mut sender = Sender::start_for(Scope::CampaignsWrite, endpoint, body()).await;
    sender.testbed.begin_with_campaigns().await;
    sender.statuses = &[201];
    sender
}

testbed::every_endpoint!(sender());
testbed::every_body!(sender());
testbed::each_guarantee! { sender();
    an_idempotency_key_that_is_none_is_a_400
}

fn body() -> Value {
    json!({
        "name": "Spring", "template_name": "appointment", "parameter_mappings": {"first_name": "name", "date": "day"},
        "recipients": [{"phone": "9876543210", "name": "Ann", "day": "Monday"}],
    })
}

/// A request with a CSV file and the other fields in the query.
fn csv(sender: &Sender<CreateCampaign>, file: &str, fields: &[(&str, &str)]) -> TestRequest {
    let request = sender.with_key(&Value::Null).raw_body(file).header("Content-Type", "text/csv; charset=utf-8");
    fields.iter().fold(request, |request, (name, value)| request.query(name, value))
}

async fn made(sender: &Sender<CreateCampaign>, body: &Value) -> Value {
    let answer = sender.post(body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_campaign_is_made_with_its_recipients_and_sends_nothing() {
    let sender = sender().await;
    let told = made(&sender, &sender.body).await;
    assert_eq!((&told["id"], &told["status"], &told["total_count"]), (&json!(3), &json!("draft"), &json!(1)));
    let upload = json!({"added_count": 1, "double_count": 0, "wrong_count": 0, "double_rows": [], "wrong_rows": []});
    assert_eq!(told["upload"], upload);
    let details = sender.testbed.details(CampaignId(3)).await;
    let same = |name: &str| assert_eq!(details[name], told[name], "{name}");
    details.as_object().unwrap().keys().for_each(|name| same(name));
    sender.testbed.tend().await;
    assert!(sender.testbed.sent_to_meta().is_empty());
}

#[tokio::test]
async fn a_field_that_is_missing_or_of_another_type_is_refused_by_its_name() {
    let sender = sender().await;
    sender.requires("name").await;
    sender.requires("template_name").await;
    for field in ["name", "template_name", "language", "scheduled_at"] {
        sender.refuses_each(field, not_texts()).await;
    }
    sender.refuses_each("name", [json!(""), json!("x".repeat(256))]).await;
    sender.refuses_each("template_name", [json!(""), json!("Spring"), json!("a-b"), json!("x".repeat(513))]).await;
    sender.refuses_each("language", [json!(""), json!("english"), json!("EN")]).await;
    sender.refuses_each("despite_opt_out", [json!("true"), json!(1), json!([])]).await;
    sender.refuses_each("parameter_mappings", [json!("1"), json!([]), json!(1)]).await;
    sender.refuses_each("recipients", [json!("919876543210"), json!({}), json!(1)]).await;
    sender.refuses_each("account_id", [json!("1"), json!(1.5), json!(true)]).await;
    sender.refuses_each("scheduled_at", [json!("tomorrow"), json!("2026-01-02"), json!("2026-01-02T03:04:05")]).await;
}

#[tokio::test]
async fn mappings_that_do_not_fit_the_template_make_nothing() {
    let sender = sender().await;
    for (mappings, field) in [
        (json!({"first_name": "name"}), "parameter_mappings"),
        (json!({"first_name": "name", "date": "day", "more": "x"}), "parameter_mappings"),
        (json!({"1": "name"}), "parameter_mappings"),
        (json!({"footer.1": "name"}), "parameter_mappings.footer.1"),
        (json!({"1": ""}), "parameter_mappings.1"),
        (json!({"1": {"value": ""}}), "parameter_mappings.1"),
    ] {
        let answer = sender.post(&sender.with(json!({"parameter_mappings": mappings}))).await;
        let told = (answer.status, &answer.body["field"]);
        assert_eq!(told, (400, &json!(field)), "{mappings}: {}", answer.body);
    }
    sender.testbed.simulator.reset();
    sender.testbed.assert_untouched("mappings that do not fit").await;
}

#[tokio::test]
async fn rows_that_are_wrong_are_named_and_keep_no_other_out() {
    let sender = sender().await;
    let recipients = json!([
        {"phone": "+919876543210", "name": "Ann", "day": "Monday"},
        {"phone": "12", "name": "Bob", "day": "Monday"},
        {"phone": "098765 43211", "name": "", "day": "Monday"},
        {"phone": "(987) 654-3210", "name": "Ann", "day": "Tuesday"},
        {"phone": "+16505551234", "name": "Cy", "day": ["x"]},
        7,
        {"phone": "+16505551235", "name": "Di", "day": 5},
    ]);
    let told = made(&sender, &sender.with(json!({"recipients": recipients}))).await;
    let rows = |name: &str| -> Vec<(u64, String)> {
        let rows = told["upload"][name].as_array().unwrap().iter();
        rows.map(|row| (row["row"].as_u64().unwrap(), row["code"].as_str().unwrap().to_owned())).collect()
    };
    let wrong = [(2, "phone"), (3, "missing_value"), (5, "invalid_value"), (6, "recipient")];
    assert_eq!(rows("wrong_rows"), wrong.map(|(row, code)| (row, code.to_owned())), "{told}");
    assert_eq!(rows("double_rows"), [(4, "double".to_owned())]);
    assert_eq!((&told["total_count"], &told["wrong_count"], &told["double_count"]), (&json!(2), &json!(4), &json!(1)));
}

#[tokio::test]
async fn a_key_makes_one_campaign_and_gets_the_same_answer_again() {
    let sender = sender().await;
    let recipients = json!([{"phone": "+919876543210", "name": "Ann", "day": "1"}, {"phone": "x"}, "+919876543210"]);
    let body = sender.with(json!({"recipients": recipients}));
    let under = async |key: &str, body: &Value| -> Answer {
        sender.with_key(body).header("Idempotency-Key", key).send_to(&sender.endpoint).await
    };
    let first = under("k", &body).await;
    assert_eq!((first.status, first.headers.get("Idempotent-Replayed")), (201, None), "{}", first.body);
    sender.testbed.clock.advance(Duration::from_mins(1));
    // Whatever became of it since then.
    sender.testbed.run(CampaignId(3)).await;
    for _ in 0..2 {
        let again = under("k", &body).await;
        assert_eq!((again.status, &again.headers["Idempotent-Replayed"]), (201, &json!("true")));
        assert_eq!(again.body, first.body);
    }
    for other in [sender.with(json!({"name": "Other"})), sender.body.clone()] {
        let answer = under("k", &other).await;
        assert_eq!((answer.status, &answer.body["code"]), (422, &json!("idempotency_key_reused")), "{}", answer.body);
    }
    let side_by_side = futures::future::join_all((0..5).map(|_| under("together", &body))).await;
    let ids: Vec<_> = side_by_side.iter().map(|answer| (answer.status, answer.body["id"].clone())).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.0 == 201), "{ids:?}");
    assert_ne!(under("another", &body).await.body["id"], first.body["id"]);
}

#[tokio::test]
async fn a_file_with_the_fields_in_the_query_makes_the_same_campaign() {
    let sender = sender().await;
    let file = "\u{feff}Name;Mobile;Day\r\n\r\n\"Ann; \"\"A\"\"\";9876543210;Monday\r\nBob;12;\r\n";
    let mappings = r#"{"first_name": "name", "date": "day"}"#;
    let fields = [("name", "Spring"), ("template_name", "appointment"), ("parameter_mappings", mappings)];
    let answer = csv(&sender, file, &fields).query("account_id", "2").query("despite_opt_out", "true");
    let answer = answer.query("scheduled_at", "2026-01-03T09:00:00+05:30").send_to(&sender.endpoint).await;
    assert_eq!((answer.status, &answer.body["status"]), (201, &json!("scheduled")), "{}", answer.body);
    assert_eq!(answer.body["scheduled_at"], "2026-01-03T03:30:00.000Z");
    assert_eq!((&answer.body["account_id"], &answer.body["despite_opt_out"]), (&json!(2), &json!(true)));
    assert_eq!((&answer.body["total_count"], &answer.body["upload"]["wrong_rows"][0]["row"]), (&json!(1), &json!(4)));
    for (name, odd) in
        [("parameter_mappings", "{"), ("parameter_mappings", "[]"), ("account_id", "x"), ("despite_opt_out", "yes")]
    {
        let answer = csv(&sender, file, &fields).query(name, odd).send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["field"]), (400, &json!(name)), "{odd}: {}", answer.body);
    }
    for (broken, told) in [("", "is empty"), ("a;b\n1;2\n", "phone"), ("phone\n\"1\n2\n", "quotation mark")] {
        let answer = csv(&sender, broken, &fields).send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("invalid_csv")), "{broken:?}: {}", answer.body);
        assert!(answer.error().contains(told), "{}", answer.body);
    }
}

#[tokio::test]
async fn ten_thousand_recipients_come_in_one_call_and_not_one_more() {
    let sender = sender().await;
    let told =
        made(&sender, &sender.with(json!({"recipients": people(0..10_000), "parameter_mappings": mappings()}))).await;
    assert_eq!(told["total_count"], 10_000);
    let answer = sender.post(&sender.with(json!({"recipients": people(0..10_001)}))).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("too_many_recipients")), "{}", answer.body);
    let lines: Vec<_> = (0..100_000).map(|number| format!("+9198{number:08}\n")).collect();
    let file = format!("phone\n{}", lines.concat());
    let answer = csv(&sender, &file, &[("name", "x"), ("template_name", "hello_world")]);
    let answer = answer.send_to(&sender.endpoint).await;
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!("too_many_recipients")), "{}", answer.body);
    assert!(answer.error().contains("100000") && answer.error().contains("/recipients/"), "{}", answer.body);
}

fn mappings() -> Value {
    json!({"first_name": "name", "date": {"value": "Monday"}})
}

#[tokio::test]
async fn a_time_that_is_past_or_too_far_ahead_is_refused() {
    let sender = sender().await;
    sender.refuses_each("scheduled_at", ["2026-01-02T03:04:05.677Z", "2027-02-02T00:00:00Z"].map(Value::from)).await;
    let told = made(&sender, &sender.with(json!({"scheduled_at": "2026-01-02T03:04:05.678Z"}))).await;
    assert_eq!(told["status"], "scheduled");
}

/// What it does not say is not checked here, but when it is sent.
#[tokio::test]
async fn while_meta_fails_a_campaign_is_made_all_the_same() {
    let sender = sender().await;
    for fault in [Fault::Error(190), Fault::HtmlServerError, Fault::ResetAfterRequest, Fault::GarbledOk] {
        let what = format!("{fault:?}");
        sender.testbed.simulator.fail_always(fault);
        let told = made(&sender, &sender.with(json!({"parameter_mappings": {"1": "name"}}))).await;
        assert_eq!((&told["total_count"], &told["parameter_mappings"]), (&json!(1), &json!({"1": "name"})), "{what}");
    }
}

#[tokio::test]
async fn without_time_to_write_all_of_it_nothing_is_made() {
    let sender = sender().await;
    for seconds in [0, 9] {
        let request = sender.with_key(&sender.body).time_left(Duration::from_secs(seconds));
        let answer = request.send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["code"]), (503, &json!("too_little_time")), "{}", answer.body);
    }
    sender.testbed.assert_untouched("a request that came too late").await;
}
