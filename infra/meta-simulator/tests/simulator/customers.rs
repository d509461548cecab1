use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meta_simulator::{ACCESS_TOKEN, CustomerMessage, DISPLAY_PHONE_NUMBER, NotSent, WABA_ID};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::receiver::{Receiver, meta_with};
use crate::{Meta, message, text_to};

const TO: &str = "919876543210";
const USER_ID: &str = "US.13491208655302741918";

/// The `value` of the webhook for what a customer sends.
async fn sent_by(number: &str, message: CustomerMessage) -> Value {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let id = meta.simulator.customer_sends(number, message).unwrap();
    receiver.wait_for(1).await;
    let value = receiver.values().remove(0);
    assert_eq!(value["messages"][0]["id"], json!(id));
    value
}

#[tokio::test]
async fn each_type_comes_in_metas_shape() {
    let items = json!([{ "product_retailer_id": "di9", "quantity": 1, "item_price": 9.5, "currency": "INR" }]);
    let response = json!({ "flow_token": "t", "choice": "b" });
    let cases = [
        ("text", CustomerMessage::text("Hi"), json!({ "body": "Hi" })),
        (
            "location",
            CustomerMessage::location(28.6, 77.2, Some("Gate"), Some("Rajpath")),
            json!({ "latitude": 28.6, "longitude": 77.2, "name": "Gate", "address": "Rajpath" }),
        ),
        ("location", CustomerMessage::location(28.6, 77.2, None, None), json!({ "latitude": 28.6, "longitude": 77.2 })),
        (
            "contacts",
            CustomerMessage::contact("Ann", "+16505551234"),
            json!([{ "name": { "formatted_name": "Ann", "first_name": "Ann" },
                     "phones": [{ "phone": "+16505551234", "type": "CELL" }] }]),
        ),
        (
            "reaction",
            CustomerMessage::reaction("wamid.x", Some("👍")),
            json!({ "message_id": "wamid.x", "emoji": "👍" }),
        ),
        ("reaction", CustomerMessage::reaction("wamid.x", None), json!({ "message_id": "wamid.x" })),
        ("button", CustomerMessage::button("Stop", "STOP"), json!({ "payload": "STOP", "text": "Stop" })),
        (
            "interactive",
            CustomerMessage::button_reply("y", "Yes"),
            json!({ "type": "button_reply", "button_reply": { "id": "y", "title": "Yes" } }),
        ),
        (
            "interactive",
            CustomerMessage::list_reply("1", "One", Some("The first")),
            json!({ "type": "list_reply", "list_reply": { "id": "1", "title": "One", "description": "The first" } }),
        ),
        (
            "interactive",
            CustomerMessage::flow_reply(&response),
            json!({ "type": "nfm_reply",
                    "nfm_reply": { "name": "flow", "body": "Sent", "response_json": response.to_string() } }),
        ),
        (
            "order",
            CustomerMessage::order("7", items.clone()),
            json!({ "catalog_id": "7", "text": "", "product_items": items }),
        ),
        (
            "edit",
            CustomerMessage::edit("wamid.x", "Hello"),
            json!({ "original_message_id": "wamid.x", "message": { "type": "text", "text": { "body": "Hello" } } }),
        ),
        ("revoke", CustomerMessage::revoke("wamid.x"), json!({ "original_message_id": "wamid.x" })),
        ("hologram", CustomerMessage::raw("hologram", json!({ "depth": 3 })), json!({ "depth": 3 })),
    ];
    for (kind, message, content) in cases {
        let value = sent_by(TO, message).await;
        let message = &value["messages"][0];
        assert_eq!((&message["type"], &message[kind], &message["from"]), (&json!(kind), &content, &json!(TO)));
        assert!(message["timestamp"].as_str().unwrap().parse::<u64>().is_ok(), "a text of seconds");
        // A tap is always an answer to something.
        assert_eq!(message.get("context").is_some(), matches!(kind, "button" | "interactive"), "{kind}");
        let profile = json!({ "name": format!("Customer {TO}") });
        assert_eq!(value["contacts"], json!([{ "profile": profile, "wa_id": TO, "user_id": "US.1349012345678919" }]));
    }
}

#[tokio::test]
async fn a_changed_number_comes_without_contacts() {
    let value = sent_by(TO, CustomerMessage::number_changed("919876500000")).await;
    assert!(value.get("contacts").is_none());
    let system = &value["messages"][0]["system"];
    assert_eq!((&system["type"], &system["wa_id"]), (&json!("user_changed_number"), &json!("919876500000")));
}

#[tokio::test]
async fn what_meta_does_not_hand_on_comes_with_error_131051() {
    let value = sent_by(TO, CustomerMessage::unsupported()).await;
    let message = &value["messages"][0];
    assert_eq!((&message["type"], &message["errors"][0]["code"]), (&json!("unsupported"), &json!(131_051)));
}

#[tokio::test]
async fn whatever_json_can_be_sent_raw() {
    let referral = json!({ "source_type": "ad", "ctwa_clid": "x" });
    let raw = CustomerMessage::raw("text", json!({ "body": "Hi" }));
    let value = sent_by(TO, raw.with("referral", referral.clone()).with("id", json!("wamid.mine"))).await;
    let message = &value["messages"][0];
    assert_eq!((&message["referral"], &message["id"]), (&referral, &json!("wamid.mine")));
}

#[tokio::test]
async fn a_customer_with_only_a_user_id_tells_no_number() {
    let value = sent_by(USER_ID, CustomerMessage::text("Hi")).await;
    let (message, contact) = (&value["messages"][0], &value["contacts"][0]);
    assert_eq!((&message["from_user_id"], &contact["user_id"]), (&json!(USER_ID), &json!(USER_ID)));
    assert!(message.get("from").is_none() && contact.get("wa_id").is_none());
    assert!(contact["profile"]["username"].is_string());
}

#[tokio::test]
async fn a_quoted_message_is_named_with_who_wrote_it() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let (_, body) = meta.send(&text_to(TO)).await;
    let theirs = body["messages"][0]["id"].as_str().unwrap();
    let own = meta.simulator.customer_writes(TO, "One more").unwrap();
    for (quoted, from) in [(theirs, DISPLAY_PHONE_NUMBER), (&own, TO)] {
        let answer = meta.simulator.customer_sends(TO, CustomerMessage::text("Yes").quoting(quoted)).unwrap();
        let came = || {
            let values = receiver.values();
            let mut messages = values.iter().filter_map(|value| value["messages"].as_array()).flatten();
            messages.find(|message| message["id"] == json!(answer)).cloned()
        };
        crate::eventually("the answer", async || came().is_some()).await;
        assert_eq!(came().unwrap()["context"], json!({ "from": from, "id": quoted }));
    }
}

#[tokio::test]
async fn a_received_file_can_be_fetched_and_is_what_it_says() {
    let cases = [
        ("image", CustomerMessage::image(Some("Look!")), "image/jpeg", 0, &b"\xff\xd8\xff"[..]),
        ("video", CustomerMessage::video(None), "video/mp4", 4, b"ftyp"),
        ("audio", CustomerMessage::voice(), "audio/ogg; codecs=opus", 0, b"OggS"),
        ("document", CustomerMessage::document("plan.pdf", None), "application/pdf", 0, b"%PDF-"),
        ("sticker", CustomerMessage::sticker(), "image/webp", 8, b"WEBP"),
    ];
    for (kind, sent, mime_type, place, mark) in cases {
        let receiver = Receiver::start(0).await;
        let meta = meta_with(&receiver).await;
        meta.simulator.customer_sends(TO, sent).unwrap();
        let file = receiver.first_message().await[kind].take();
        assert_eq!(file["mime_type"], mime_type);
        let (status, found) = meta.call(Method::GET, &format!("/{}", file["id"].as_str().unwrap()), None).await;
        assert_eq!((status, &found["mime_type"]), (200, &file["mime_type"]));
        let download = meta.client.get(found["url"].as_str().unwrap()).bearer_auth(ACCESS_TOKEN).send().await.unwrap();
        let bytes = download.bytes().await.unwrap();
        assert!(bytes[place..].starts_with(mark), "{kind}");
        assert_eq!(file["sha256"], STANDARD.encode(Sha256::digest(&bytes)));
        let further = match kind {
            "image" => ("caption", json!("Look!")),
            "audio" => ("voice", json!(true)),
            "document" => ("filename", json!("plan.pdf")),
            "sticker" => ("animated", json!(false)),
            _ => ("caption", Value::Null),
        };
        assert_eq!(file[further.0], further.1);
    }
}

#[tokio::test]
async fn nobody_writes_from_what_is_no_number() {
    let meta = Meta::start().await;
    for nobody in ["", "nobody", "12345", "us.1349", "US.", "USA.1349", "US.13_49"] {
        assert_eq!(meta.simulator.customer_sends(nobody, CustomerMessage::voice()), Err(NotSent::NoSuchCustomer));
    }
}

#[tokio::test]
async fn who_stopped_marketing_gets_none_until_it_is_resumed() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let marketing = json!({ "name": "spring_offer", "language": { "code": "en" }, "components": [
        { "type": "body", "parameters": [{ "type": "text", "text": "20%" }] },
        { "type": "button", "sub_type": "url", "index": 0, "parameters": [{ "type": "text", "text": "x" }] },
        { "type": "button", "sub_type": "copy_code", "index": 2,
          "parameters": [{ "type": "coupon_code", "coupon_code": "A" }] },
    ] });
    let marketing = message(TO, "template", marketing);
    let utility = message(TO, "template", json!({ "name": "hello_world", "language": { "code": "en_US" } }));
    let path = format!("/phones/{TO}/preferences");
    assert_eq!(meta.control(Method::POST, &path, Some(&json!({ "value": "stop" }))).await.0, 200);
    receiver.wait_for(1).await;
    let call = receiver.calls().remove(0);
    assert_eq!(
        (&call["entry"][0]["id"], &call["entry"][0]["changes"][0]["field"]),
        (&json!(WABA_ID), &json!("user_preferences"))
    );
    let value = &receiver.values()[0];
    let preference = &value["user_preferences"][0];
    assert_eq!((&preference["wa_id"], &value["contacts"][0]["wa_id"]), (&json!(TO), &json!(TO)));
    assert_eq!((&preference["category"], &preference["value"]), (&json!("marketing_messages"), &json!("stop")));
    assert!(preference["timestamp"].is_i64(), "here a number");

    assert_eq!(meta.send(&marketing).await.1["error"]["code"], 131_050);
    assert_eq!(meta.send(&utility).await.0, 200);
    assert_eq!(meta.send(&text_to(TO)).await.0, 200);
    meta.simulator.customer_wants_marketing(TO, true).unwrap();
    assert_eq!(meta.send(&marketing).await.0, 200);
    for wrong in [json!({}), json!({ "value": "maybe" }), json!({ "value": 1 })] {
        assert_eq!(meta.control(Method::POST, &path, Some(&wrong)).await.0, 400);
    }
}
