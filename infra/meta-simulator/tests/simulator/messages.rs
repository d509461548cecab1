use std::collections::HashSet;

use meta_simulator::{DISPLAY_PHONE_NUMBER, DeliveryStatus, PHONE_NUMBER_ID};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Meta, eventually, message, read, text_to};

const TO: &str = "919876543210";

#[tokio::test]
async fn a_message_is_accepted_with_a_unique_id_and_reaches_the_phone() {
    let meta = Meta::start().await;
    let mut ids = HashSet::new();
    for _ in 0..20 {
        let (status, body) = meta.send(&text_to("+91 98765-43210")).await;
        assert_eq!(status, 200);
        assert_eq!(body["contacts"], json!([{ "input": "+91 98765-43210", "wa_id": TO }]));
        assert_eq!(body["messaging_product"], "whatsapp");
        let id = body["messages"][0]["id"].as_str().unwrap().to_owned();
        assert!(id.starts_with("wamid.") && id.len() < 255);
        assert!(ids.insert(id));
    }
    let phone = meta.simulator.phone(TO);
    assert_eq!(phone.len(), 20);
    assert_eq!((phone[0].kind.as_str(), phone[0].text.as_str()), ("text", "Hello!"));
    assert_eq!(meta.simulator.posts_to(TO), 20);
    eventually("all read", async || {
        meta.simulator.phone(TO).iter().all(|message| message.status == DeliveryStatus::Read)
    })
    .await;
}

#[tokio::test]
async fn brazilian_and_mexican_numbers_answer_with_their_own_wa_id() {
    let meta = Meta::start().await;
    for (input, wa_id) in [("+5531987654321", "553187654321"), ("525512345678", "5215512345678")] {
        let (_, body) = meta.send(&text_to(input)).await;
        assert_eq!(body["contacts"], json!([{ "input": input, "wa_id": wa_id }]));
        assert_eq!(meta.simulator.phone(input).len(), 1);
        assert_eq!(meta.simulator.phone(wa_id).len(), 1);
    }
}

#[tokio::test]
async fn every_type_is_accepted_when_it_is_well_formed() {
    let meta = Meta::start().await;
    let link = "https://example.com/a.jpg";
    let cta = json!({ "name": "cta_url", "parameters": { "display_text": "Open", "url": link } });
    let flow = json!({ "name": "flow", "parameters":
        { "flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", "flow_token": "t" } });
    let list =
        json!({ "button": "Pick", "sections": [{ "rows": [{ "id": "1", "title": "One", "description": "d" }] }] });
    let buttons = json!({ "buttons": [{ "type": "reply", "reply": { "id": "y", "title": "Yes" } }] });
    let products = json!({ "catalog_id": "1", "sections": [{ "product_items": [{ "product_retailer_id": "2" }] }] });
    let interactive = |kind: &str, action: &Value| {
        json!({ "type": kind, "header": { "type": "text", "text": "H" }, "body": { "text": "B" },
                "footer": { "text": "F" }, "action": action })
    };
    let good = [
        ("text", json!({ "body": "x".repeat(4096), "preview_url": true })),
        ("text", json!({ "body": "😀".repeat(4096) })),
        ("image", json!({ "link": link, "caption": "c" })),
        ("video", json!({ "id": "123" })),
        ("audio", json!({ "id": "123", "voice": true })),
        ("document", json!({ "link": link, "filename": "a.pdf", "caption": "c" })),
        ("sticker", json!({ "id": "123" })),
        ("location", json!({ "latitude": 28.6, "longitude": 77.2, "name": "", "address": "" })),
        ("location", json!({ "latitude": "-28.6", "longitude": "77.2" })),
        (
            "contacts",
            json!([{ "name": { "formatted_name": "Ann B", "first_name": "Ann" }, "phones": [{ "phone": "1" }] }]),
        ),
        ("reaction", json!({ "message_id": "wamid.x", "emoji": "👍" })),
        ("reaction", json!({ "message_id": "wamid.x", "emoji": "" })),
        ("interactive", interactive("button", &buttons)),
        ("interactive", interactive("list", &list)),
        ("interactive", interactive("cta_url", &cta)),
        ("interactive", interactive("flow", &flow)),
        ("interactive", interactive("product_list", &products)),
        ("interactive", json!({ "type": "product", "action": { "catalog_id": "1", "product_retailer_id": "2" } })),
        ("interactive", interactive("location_request_message", &json!({ "name": "send_location" }))),
    ];
    let count = good.len();
    for (kind, content) in good {
        let (status, body) = meta.send(&message(TO, kind, content.clone())).await;
        assert_eq!(status, 200, "{kind} {content}: {body}");
    }
    assert_eq!(meta.simulator.phone(TO).len(), count);
}

#[tokio::test]
async fn a_malformed_message_is_refused_with_its_code_and_reaches_no_phone() {
    let meta = Meta::start().await;
    let button = |id: &str, title: &str| json!({ "type": "reply", "reply": { "id": id, "title": title } });
    let buttons =
        |buttons: &[Value]| json!({ "type": "button", "body": { "text": "B" }, "action": { "buttons": buttons } });
    let rows = |count: usize| {
        let rows: Vec<Value> = (0..count).map(|row| json!({ "id": row.to_string(), "title": "t" })).collect();
        json!({ "type": "list", "body": { "text": "B" }, "action": { "button": "b", "sections": [{ "rows": rows }] } })
    };
    let bad = [
        (131_008, message(TO, "text", json!({}))),
        (131_008, message(TO, "text", json!({ "body": "" }))),
        (131_009, message(TO, "text", json!({ "body": 5 }))),
        (100, message(TO, "text", json!({ "body": "x".repeat(4097) }))),
        (131_008, json!({ "to": TO, "type": "text", "text": { "body": "x" } })),
        (100, json!({ "messaging_product": "sms", "to": TO, "type": "text", "text": { "body": "x" } })),
        (131_008, json!({ "messaging_product": "whatsapp", "type": "text", "text": { "body": "x" } })),
        (131_008, json!({ "messaging_product": "whatsapp", "to": TO, "type": "text" })),
        (131_051, message(TO, "hologram", json!({}))),
        (131_009, message("not a number", "text", json!({ "body": "x" }))),
        (131_021, text_to(DISPLAY_PHONE_NUMBER)),
        (131_008, message(TO, "image", json!({ "caption": "c" }))),
        (131_009, message(TO, "image", json!({ "id": "1", "link": "https://example.com" }))),
        (100, message(TO, "image", json!({ "link": "ftp://example.com" }))),
        (100, message(TO, "image", json!({ "id": "1", "caption": "x".repeat(1025) }))),
        (131_009, message(TO, "location", json!({ "latitude": 91, "longitude": 0 }))),
        (131_009, message(TO, "location", json!({ "latitude": "north", "longitude": 0 }))),
        (131_008, message(TO, "location", json!({ "latitude": 1 }))),
        (131_009, message(TO, "contacts", json!([]))),
        (131_008, message(TO, "contacts", json!([{ "name": { "formatted_name": "Ann" } }]))),
        (131_008, message(TO, "reaction", json!({ "emoji": "👍" }))),
        (131_009, message(TO, "interactive", json!({ "type": "x", "body": { "text": "B" }, "action": {} }))),
        (131_008, message(TO, "interactive", buttons(&[])["action"].take())),
        (131_009, message(TO, "interactive", buttons(&[]))),
        (131_009, message(TO, "interactive", buttons(&[button("1", "a"), button("1", "b")]))),
        (100, message(TO, "interactive", buttons(&[button("1", &"x".repeat(21))]))),
        (131_009, message(TO, "interactive", rows(11))),
    ];
    for (code, body) in bad {
        let (status, answer) = meta.send(&body).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(code)), "{body}: {answer}");
        assert_eq!(answer["error"]["type"], "OAuthException");
    }
    assert!(meta.simulator.phone(TO).is_empty());
}

#[tokio::test]
async fn callback_data_is_kept_up_to_512_characters() {
    let meta = Meta::start().await;
    let mut body = text_to(TO);
    body["biz_opaque_callback_data"] = json!("x".repeat(512));
    assert_eq!(meta.send(&body).await.0, 200);
    assert_eq!(meta.simulator.phone(TO)[0].biz_opaque_callback_data.as_ref().unwrap().len(), 512);
    body["biz_opaque_callback_data"] = json!("x".repeat(513));
    assert_eq!(meta.send(&body).await.1["error"]["code"], 100);
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_a_quoted_message_is_kept() {
    let meta = Meta::start().await;
    let mut body = text_to(TO);
    body["unheard_of"] = json!(true);
    body["context"] = json!({ "message_id": "wamid.before" });
    assert_eq!(meta.send(&body).await.0, 200);
    assert_eq!(meta.simulator.phone(TO)[0].reply_to.as_deref(), Some("wamid.before"));
}

#[tokio::test]
async fn a_body_that_is_not_json_or_does_not_say_so_is_refused() {
    let meta = Meta::start().await;
    let url = format!("{}/{PHONE_NUMBER_ID}/messages", meta.simulator.graph_api_url());
    let post = |kind: &'static str, body: String| {
        let request = meta.client.post(&url).bearer_auth(meta_simulator::ACCESS_TOKEN);
        request.header("content-type", kind).body(body).send()
    };
    let (_, body) = read(post("application/json", "{\"messaging".to_owned()).await.unwrap()).await;
    assert_eq!(body["error"]["code"], 100);
    let form = "application/x-www-form-urlencoded";
    let (_, body) = read(post(form, text_to(TO).to_string()).await.unwrap()).await;
    assert_eq!(body["error"]["code"], 131_008);
}

#[tokio::test]
async fn a_customers_message_can_be_marked_as_read() {
    let meta = Meta::start().await;
    let id = meta.simulator.customer_writes(TO, "Hi").unwrap();
    assert!(meta.simulator.phone(TO).is_empty(), "the phone received nothing yet");
    let mark = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id,
                       "typing_indicator": { "type": "text" } });
    assert_eq!(meta.send(&mark).await, (200, json!({ "success": true })));
    let mark = json!({ "messaging_product": "whatsapp", "status": "read" });
    assert_eq!(meta.send(&mark).await.1["error"]["code"], 131_008);
    assert_eq!(meta.simulator.posts_to(TO), 0);
}

#[tokio::test]
async fn an_interactive_message_offers_what_can_be_tapped() {
    let meta = Meta::start().await;
    let reply = json!({ "type": "reply", "reply": { "id": "y", "title": "Yes" } });
    let row = json!({ "id": "1", "title": "One", "description": "The first" });
    let flow = json!({ "flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", "flow_token": "t" });
    let link = json!({ "display_text": "Open", "url": "https://example.com" });
    let cases = [
        (
            "button",
            json!({ "buttons": [reply] }),
            "Yes",
            Some(json!({ "type": "button_reply", "id": "y", "title": "Yes" })),
        ),
        (
            "list",
            json!({ "button": "Pick", "sections": [{ "rows": [row] }] }),
            "One",
            Some(json!({ "type": "list_reply", "id": "1", "title": "One", "description": "The first" })),
        ),
        (
            "flow",
            json!({ "name": "flow", "parameters": flow }),
            "Go",
            Some(json!({ "type": "nfm_reply", "response": { "flow_token": "t" } })),
        ),
        ("cta_url", json!({ "name": "cta_url", "parameters": link }), "Open", None),
    ];
    for (kind, action, label, answer) in cases {
        let content = json!({ "type": kind, "body": { "text": "B" }, "action": action });
        assert_eq!(meta.send(&message(TO, "interactive", content)).await.0, 200);
        let choice = meta.simulator.phone(TO).pop().unwrap().choices.remove(0);
        assert_eq!((choice.label.as_str(), &choice.answer), (label, &answer));
        if let Some(answer) = answer {
            let path = format!("/phones/{TO}/messages");
            assert_eq!(meta.control(Method::POST, &path, Some(&answer)).await.0, 200, "it can be sent as it is");
        }
    }
}
