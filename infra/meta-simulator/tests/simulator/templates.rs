use meta_simulator::Settings;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Meta, eventually, message, templates_path};

const TO: &str = "919876543210";

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

#[expect(clippy::needless_pass_by_value, reason = "shorter at every caller")]
fn template(name: &str, language: &str, components: Value) -> Value {
    message(TO, "template", json!({ "name": name, "language": { "code": language }, "components": components }))
}

#[tokio::test]
async fn a_known_template_is_filled_in_on_the_phone() {
    let meta = Meta::start().await;
    let components = json!([
        { "type": "header", "parameters": [text("Rahul")] },
        { "type": "body", "parameters": [text("#123"), text("Friday")] },
    ]);
    let (status, body) = meta.send(&template("order_update", "en", components)).await;
    assert_eq!((status, &body["messages"][0]["message_status"]), (200, &json!("accepted")));
    assert_eq!(meta.simulator.phone(TO)[0].text, "News for Rahul\nYour order #123 will arrive on Friday.");
}

#[tokio::test]
async fn a_known_template_with_wrong_parameters_is_refused() {
    let meta = Meta::start().await;
    let body = |parameters: Value| json!([{ "type": "body", "parameters": parameters }]);
    let named = |name: &str| json!({ "type": "text", "parameter_name": name, "text": "x" });
    let button = |kind: &str, index: u8, parameter: Value| json!({ "type": "button", "sub_type": kind, "index": index, "parameters": [parameter] });
    let offer = |buttons: &[Value]| {
        let mut components = vec![json!({ "type": "body", "parameters": [text("20%")] })];
        components.extend_from_slice(buttons);
        json!(components)
    };
    let (link, code) =
        (button("url", 0, text("x")), button("copy_code", 2, json!({ "type": "coupon_code", "coupon_code": "A" })));
    let cases = [
        (132_000, "order_update", body(json!([text("only one")]))),
        (132_012, "appointment", body(json!([text("x"), text("y")]))),
        (132_012, "appointment", body(json!([named("first_name"), named("other")]))),
        (132_012, "order_update", json!([{ "type": "header", "parameters": [named("x")] }])),
        (132_012, "ticket", json!([{ "type": "header", "parameters": [text("x")] }])),
        (132_000, "spring_offer", offer(&[])),
        (132_012, "spring_offer", offer(&[button("quick_reply", 0, text("x")), code.clone()])),
        (132_000, "spring_offer", offer(&[link.clone(), code.clone(), button("url", 9, text("x"))])),
        (132_018, "order_update", body(json!([text("a\nb"), text("c")]))),
        (132_018, "order_update", body(json!([text("a\tb"), text("c")]))),
        (132_018, "order_update", body(json!([text("a     b"), text("c")]))),
        (132_012, "appointment", body(json!([{ "type": "image", "image": { "id": "1" } }, named("date")]))),
        (132_000, "appointment", body(json!([named("date")]))),
        (131_009, "order_update", json!([{ "type": "body" }, { "type": "body" }])),
        (132_000, "ticket", json!([{ "type": "body", "parameters": [text("x")] }])),
    ];
    for (expected, name, components) in cases {
        let (status, answer) = meta.send(&template(name, "en", components.clone())).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(expected)), "{name} {components}: {answer}");
    }
    let right = template("appointment", "en", body(json!([named("date"), named("first_name")])));
    assert_eq!(meta.send(&right).await.0, 200);
    assert_eq!(meta.send(&template("spring_offer", "en", offer(&[link, code]))).await.0, 200);
}

#[tokio::test]
async fn an_unknown_template_is_accepted_unless_only_known_ones_are() {
    let unknown = template("black_friday", "en", json!([{ "type": "body", "parameters": [text("x")] }]));
    let meta = Meta::start().await;
    assert_eq!(meta.send(&unknown).await.0, 200);
    let meta = Meta::bind(Settings { any_template: false, ..Settings::default() }).await;
    let (status, body) = meta.send(&unknown).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!(132_001)));
    assert_eq!(meta.send(&template("hello_world", "en", json!([]))).await.0, 404, "known, but not in this language");
    assert_eq!(meta.send(&template("Not A Name", "en", json!([]))).await.1["error"]["code"], 131_009);
}

#[tokio::test]
async fn templates_are_created_approved_listed_in_pages_and_deleted() {
    let meta = Meta::start().await;
    let path = templates_path();
    let new = json!({ "name": "my_news", "language": "en", "category": "MARKETING",
                      "components": [{ "type": "body", "text": "News: {{1}}" }] });
    let (status, created) = meta.call(Method::POST, &path, Some(&new)).await;
    assert_eq!((status, &created["status"], &created["category"]), (200, &json!("PENDING"), &json!("MARKETING")));
    let id = created["id"].as_str().unwrap();
    eventually("approved", async || meta.call(Method::GET, &format!("/{id}"), None).await.1["status"] == "APPROVED")
        .await;
    assert_eq!(meta.call(Method::POST, &path, Some(&new)).await.0, 400, "a second one of that name and language");

    let (mut names, mut next) = (Vec::new(), format!("{path}?limit=4"));
    loop {
        let (_, page) = meta.call(Method::GET, &next, None).await;
        names.extend(page["data"].as_array().unwrap().iter().map(|template| template["name"].to_string()));
        let Some(url) = page["paging"]["next"].as_str() else { break };
        next = url.strip_prefix(&meta.simulator.graph_api_url()).unwrap().to_owned();
    }
    assert_eq!(names.len(), 6);
    let (_, one) = meta.call(Method::GET, &format!("{path}?name=my_news&status=APPROVED"), None).await;
    assert_eq!(one["data"].as_array().unwrap().len(), 1);

    let deleted = meta.call(Method::DELETE, &format!("{path}?name=my_news"), None).await;
    assert_eq!(deleted, (200, json!({ "success": true })));
    assert_eq!(meta.call(Method::DELETE, &format!("{path}?name=my_news"), None).await.0, 400);
}

#[tokio::test]
async fn a_buttons_parameter_fits_its_button() {
    let meta = Meta::start().await;
    let new = json!({ "name": "buttons", "language": "en", "category": "UTILITY", "components": [
        { "type": "BODY", "text": "Well?" },
        { "type": "BUTTONS", "buttons": [
            { "type": "QUICK_REPLY", "text": "Yes" }, { "type": "QUICK_REPLY", "text": "No" },
            { "type": "URL", "text": "Home", "url": "https://example.com" },
            { "type": "PHONE_NUMBER", "text": "Call", "phone_number": "+15557654321" },
        ] },
    ] });
    let (_, created) = meta.call(Method::POST, &templates_path(), Some(&new)).await;
    let id = created["id"].as_str().unwrap();
    eventually("approved", async || meta.call(Method::GET, &format!("/{id}"), None).await.1["status"] == "APPROVED")
        .await;
    let button = |kind: &str, index: u8, parameters: Value| json!({ "type": "button", "sub_type": kind, "index": index, "parameters": parameters });
    let payload = |payload: &str| json!([{ "type": "payload", "payload": payload }]);
    let wrong = [
        (132_000, json!([button("quick_reply", 4, payload("x"))])),
        (132_012, json!([button("quick_reply", 2, payload("x"))])),
        (132_012, json!([button("quick_reply", 0, json!([text("x")]))])),
        (132_000, json!([button("quick_reply", 0, json!([payload("x")[0], payload("y")[0]]))])),
        (131_009, json!([button("quick_reply", 0, payload("x")), button("quick_reply", 0, payload("y"))])),
        (131_009, json!([button("quick_reply", 10, payload("x"))])),
        (132_000, json!([button("url", 2, json!([text("x")]))])),
    ];
    for (code, components) in wrong {
        let (_, answer) = meta.send(&template("buttons", "en", components.clone())).await;
        assert_eq!(answer["error"]["code"], code, "{components}: {answer}");
    }
    assert_eq!(meta.send(&template("buttons", "en", json!([]))).await.0, 200);
    assert_eq!(meta.send(&template("buttons", "en", json!([button("quick_reply", 1, payload("NO"))]))).await.0, 200);

    let choices = &meta.simulator.phone(TO)[1].choices;
    let labels: Vec<&str> = choices.iter().map(|choice| choice.label.as_str()).collect();
    assert_eq!(labels, ["Yes", "No", "Home", "Call"]);
    let answers: Vec<_> = choices.iter().map(|choice| choice.answer.clone()).collect();
    let answer = |text: &str, payload: &str| Some(json!({ "type": "button", "text": text, "payload": payload }));
    assert_eq!(answers, [answer("Yes", "Yes"), answer("No", "NO"), None, None]);
}

#[tokio::test]
async fn a_value_that_looks_like_a_variable_stays_as_it_is() {
    let meta = Meta::start().await;
    let components = json!([
        { "type": "header", "parameters": [text("Rahul")] },
        { "type": "body", "parameters": [text("{{2}}"), text("Friday")] },
    ]);
    assert_eq!(meta.send(&template("order_update", "en", components)).await.0, 200);
    assert_eq!(meta.simulator.phone(TO)[0].text, "News for Rahul\nYour order {{2}} will arrive on Friday.");
}
