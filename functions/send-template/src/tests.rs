//! The guarantees of this endpoint.

use domain::AccountId;
use serde_json::{Value, json};
use storage::{Chat, Conversations, OptOutBy};
use testbed::{Sender, not_texts};

use super::*;

async fn sender() -> Sender<SendTemplate> {
    let body = json!({"phone": "+919876543210", "template_name": "welcome"});
    Sender::start(|bed| SendTemplate { keys: bed.keys.clone(), outbox: bed.outbox.clone() }, body).await
}

testbed::every_send!(sender());

/// What goes to Meta for the sender's body, with this under `template`.
fn message(template: &Value) -> Value {
    json!({"messaging_product": "whatsapp", "to": "919876543210", "type": "template", "template": template})
}

#[tokio::test]
async fn a_template_goes_to_meta_exactly_as_the_reference_sends_it() {
    let sender = sender().await;
    let expected = message(&json!({
        "name": "welcome",
        "language": {"code": "en"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "Hi"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Rahul"}]},
        ],
    }));
    let body = sender.with(json!({"body_params": ["Rahul"], "header_params": ["Hi"], "language": "en"}));
    assert_eq!(sender.sends(&body).await, expected);
}

#[tokio::test]
async fn components_are_left_out_when_there_is_nothing_to_fill_in() {
    let sender = sender().await;
    let expected = message(&json!({"name": "welcome", "language": {"code": "en"}}));
    for nothing in [
        json!({}),
        json!({"language": null, "body_params": null, "header_params": null, "buttons": null, "components": null}),
        json!({"body_params": [], "header_params": [], "buttons": []}),
        json!({"body_params": {}, "header_params": {}, "account_id": null, "reply_to": null}),
        json!({"components": []}),
    ] {
        assert_eq!(sender.sends(&sender.with(nothing)).await, expected);
    }
}

#[tokio::test]
async fn a_template_is_named_by_1_to_512_small_letters_digits_and_underscores() {
    let sender = sender().await;
    sender.requires("template_name").await;
    sender.refuses_each("template_name", not_texts()).await;
    let odd = ["", " ", "Welcome", "wel-come", "wel come", "wélcome", "welcome\n", &"a".repeat(513)];
    sender.refuses_each("template_name", odd.map(Value::from)).await;
    for name in ["a", "_", "order_update_2", &"a".repeat(512)] {
        assert_eq!(sender.sends(&sender.with(json!({"template_name": name}))).await["template"]["name"], name);
    }
}

#[tokio::test]
async fn a_language_is_a_code_as_meta_lists_them() {
    let sender = sender().await;
    sender.refuses_each("language", not_texts()).await;
    let odd = ["", "e", "EN", "english", "en-US", "en_", "_US", "en_U", "en_US_x", "en_12", "en ", "é", "e\n"];
    sender.refuses_each("language", odd.map(Value::from)).await;
    sender.refuses_each("language", [json!("e".repeat(21))]).await;
    for code in ["en", "fil", "en_US", "zh_CN", "prs_AF"] {
        let sent = sender.sends(&sender.with(json!({"language": code}))).await;
        assert_eq!(sent["template"]["language"], json!({"code": code}));
    }
}

#[tokio::test]
async fn every_way_to_fill_in_a_template_becomes_metas_components() {
    let sender = sender().await;
    let text = |text: &str| json!({"type": "text", "text": text});
    let named = |name: &str, text: &str| json!({"type": "text", "parameter_name": name, "text": text});
    let button = |kind: &str, index: &str, parameter: Value| {
        let parameters = [parameter];
        json!({"type": "button", "sub_type": kind, "index": index, "parameters": parameters})
    };
    let image = json!({"type": "image", "image": {"link": "https://example.com/a.png"}});
    let document = json!({"type": "document", "document": {"id": "1234", "filename": "ticket.pdf"}});
    let place = json!({"type": "location", "location": {"latitude": 1, "longitude": 2, "name": "", "address": ""}});
    let price = json!({"type": "currency", "currency": {"fallback_value": "1 €", "code": "EUR", "amount_1000": 1}});
    let ready = json!([{"type": "BODY", "parameters": [text("a"), price]}]);
    let flow = |action: Value| json!({"type": "action", "action": action});
    let longest = "a".repeat(32_768);
    for (given, components) in [
        (
            json!({"body_params": ["a", 1, -2.5, 9_007_199_254_740_993_i64, true, false]}),
            json!([{"type": "body", "parameters":
                [text("a"), text("1"), text("-2.5"), text("9007199254740993"), text("True"), text("False")]}]),
        ),
        (json!({"body_params": [longest]}), json!([{"type": "body", "parameters": [text(&longest)]}])),
        (
            json!({"body_params": {"first_name": "Ann", "total": 12}, "header_params": {"shop": "Fig"}}),
            json!([
                {"type": "header", "parameters": [named("shop", "Fig")]},
                {"type": "body", "parameters": [named("first_name", "Ann"), named("total", "12")]},
            ]),
        ),
        (json!({"header_params": [image]}), json!([{"type": "header", "parameters": [image]}])),
        (json!({"header_params": [document]}), json!([{"type": "header", "parameters": [document]}])),
        (json!({"header_params": [place]}), json!([{"type": "header", "parameters": [place]}])),
        (
            json!({"body_params": ["a"], "buttons": [
                {"type": "url", "index": 0, "text": "spring"},
                {"type": "quick_reply", "index": "1", "payload": "STOP"},
                {"type": "copy_code", "index": 2, "coupon_code": "SAVE20"},
                {"type": "flow", "index": 3, "flow_token": "t", "flow_action_data": {"a": 1}},
                {"type": "flow", "index": 9, "flow_token": "t", "flow_action_data": null},
                {"sub_type": "url", "index": 4, "payload": 7},
            ]}),
            json!([
                {"type": "body", "parameters": [text("a")]},
                button("url", "0", text("spring")),
                button("quick_reply", "1", json!({"type": "payload", "payload": "STOP"})),
                button("copy_code", "2", json!({"type": "coupon_code", "coupon_code": "SAVE20"})),
                button("flow", "3", flow(json!({"flow_token": "t", "flow_action_data": {"a": 1}}))),
                button("flow", "9", flow(json!({"flow_token": "t"}))),
                button("url", "4", text("7")),
            ]),
        ),
        (json!({"components": ready}), ready.clone()),
    ] {
        let expected = message(&json!({"name": "welcome", "language": {"code": "en"}, "components": components}));
        assert_eq!(sender.sends(&sender.with(given)).await, expected);
    }
}

#[tokio::test]
async fn a_value_that_meta_could_not_take_is_a_400_that_names_its_place() {
    let sender = sender().await;
    for field in ["body_params", "header_params"] {
        sender.refuses_each(field, [json!("Rahul"), json!(1), json!(true)]).await;
        for odd in [json!(null), json!(["a"]), json!(""), json!("a".repeat(32_769)), json!(1e30)] {
            sender.refuses(&sender.with(json!({field: ["a", odd]})), &format!("{field}[1]")).await;
            sender.refuses(&sender.with(json!({field: {"name": odd}})), &format!("{field}.name")).await;
        }
    }
    for (header, path) in [
        (json!({}), "type"),
        (json!({"type": 1}), "type"),
        (json!({"type": "sticker", "sticker": {}}), "type"),
        (json!({"type": "image"}), "image"),
        (json!({"type": "video", "video": "https://example.com"}), "video"),
        (json!({"type": "image", "image": {"link": ""}}), "image"),
        (json!({"type": "document", "document": {"id": 1}}), "document"),
        (json!({"type": "document", "document": {"id": "1", "link": "https://example.com"}}), "document"),
        (json!({"type": "location", "location": []}), "location"),
    ] {
        sender.refuses(&sender.with(json!({"header_params": [header]})), &format!("header_params[0].{path}")).await;
    }
    sender.refuses(&sender.with(json!({"body_params": [{"type": "image"}]})), "body_params[0]").await;
}

#[tokio::test]
async fn a_button_that_lacks_what_its_type_takes_is_a_400_that_names_its_place() {
    let sender = sender().await;
    sender.refuses_each("buttons", [json!("url"), json!({}), json!(vec![json!({}); 11])]).await;
    for odd in [json!(null), json!("url"), json!([])] {
        sender.refuses(&sender.with(json!({"buttons": [odd]})), "buttons[0]").await;
    }
    for (button, member) in [
        (json!({"index": 0}), "type"),
        (json!({"type": 1, "index": 0}), "type"),
        (json!({"type": "phone_number", "index": 0}), "type"),
        (json!({"type": "url", "index": 0}), "text"),
        (json!({"type": "url", "index": 0, "text": {}}), "text"),
        (json!({"type": "url", "index": 0, "text": ""}), "text"),
        (json!({"type": "quick_reply", "index": 0, "text": "a"}), "payload"),
        (json!({"type": "copy_code", "index": 0, "coupon_code": null}), "coupon_code"),
        (json!({"type": "flow", "index": 0}), "flow_token"),
        (json!({"type": "flow", "index": 0, "flow_token": "t", "flow_action_data": "a"}), "flow_action_data"),
        (json!({"type": "url", "text": "a"}), "index"),
        (json!({"type": "url", "text": "a", "index": 10}), "index"),
        (json!({"type": "url", "text": "a", "index": -1}), "index"),
        (json!({"type": "url", "text": "a", "index": 1.5}), "index"),
        (json!({"type": "url", "text": "a", "index": "first"}), "index"),
    ] {
        let second = json!([{"type": "url", "text": "a", "index": 0}, button]);
        sender.refuses(&sender.with(json!({"buttons": second})), &format!("buttons[1].{member}")).await;
    }
}

#[tokio::test]
async fn ready_made_components_stand_alone_and_each_has_a_type() {
    let sender = sender().await;
    sender.refuses_each("components", [json!("body"), json!({"type": "body"}), json!(1)]).await;
    for odd in [json!(null), json!("body"), json!([]), json!({}), json!({"type": 1})] {
        sender.refuses(&sender.with(json!({"components": [{"type": "body"}, odd]})), "components[1]").await;
    }
    for short_form in ["header_params", "body_params", "buttons"] {
        sender.refuses(&sender.with(json!({"components": [], short_form: []})), "components").await;
    }
}

#[tokio::test]
async fn a_contact_who_opted_out_gets_a_template_only_despite_that() {
    let sender = sender().await;
    let odd = [json!("true"), json!(""), json!(0), json!(1), json!([]), json!({})];
    sender.refuses_each("despite_opt_out", odd).await;
    let contact = Chat::with_number(AccountId(1), "919876543210").unwrap();
    let (conversations, now) = (Conversations::new(&sender.testbed.database), sender.testbed.clock.now());
    conversations.preferred(&contact, false, OptOutBy::Word, now).await.unwrap();
    sender.testbed.begin().await;
    for not_despite in [json!({}), json!({"despite_opt_out": null}), json!({"despite_opt_out": false})] {
        let answer = sender.post(&sender.with(not_despite)).await;
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("opted_out")), "{}", answer.body);
        assert_eq!((answer.body.get("field"), &answer.body["retryable"]), (None, &json!(false)));
        assert!(answer.error().contains("\"despite_opt_out\": true"), "{}", answer.body);
    }
    sender.testbed.assert_untouched("a template to a contact who opted out").await;
    sender.sends(&sender.with(json!({"despite_opt_out": true}))).await;
}
