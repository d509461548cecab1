use meta_simulator::{ACCESS_TOKEN, PHONE_NUMBER_ID};
use reqwest::Method;
use serde_json::json;

use crate::receiver::{Receiver, meta_with};
use crate::{Meta, eventually, text_to};

const TO: &str = "919876543210";

#[tokio::test]
async fn faults_are_armed_told_and_cleared_over_http() {
    let meta = Meta::start().await;
    let arm = json!({ "fault": "error", "code": 131_056, "times": 2 });
    let (status, body) = meta.control(Method::POST, "/faults", Some(&arm)).await;
    assert_eq!((status, &body["next"][0]), (200, &arm));
    assert_eq!(meta.send(&text_to(TO)).await.1["error"]["code"], 131_056);
    assert_eq!(meta.control(Method::GET, "/faults", None).await.1["next"][0]["times"], 1);
    meta.control(Method::DELETE, "/faults", None).await;
    assert_eq!(meta.send(&text_to(TO)).await.0, 200);
    let (_, body) =
        meta.control(Method::POST, "/faults", Some(&json!({ "fault": "bad_gateway", "always": true }))).await;
    assert_eq!(body["always"], json!({ "fault": "bad_gateway" }));
    for wrong in [
        json!({ "fault": "earthquake" }),
        json!({ "fault": "error" }),
        json!({ "fault": "delay" }),
        json!({ "fault": "close_before_reading", "always": true }),
        json!({ "fault": "close_before_reading", "every": 2 }),
        json!({ "fault": "bad_gateway", "every": 0 }),
        json!({ "fault": "bad_gateway", "every": 2, "times": 1 }),
        json!({ "fault": "bad_gateway", "every": 2, "always": true }),
    ] {
        assert_eq!(meta.control(Method::POST, "/faults", Some(&wrong)).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_share_of_the_messages_fails_as_armed_over_http() {
    let meta = Meta::start().await;
    let arm = json!({ "fault": "error", "code": 131_016, "every": 2 });
    let (status, body) = meta.control(Method::POST, "/faults", Some(&arm)).await;
    assert_eq!((status, &body["some"]), (200, &json!([arm])));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(meta.send(&text_to(TO)).await.0);
    }
    assert_eq!(statuses, [200, 500, 200, 500]);
    assert_eq!(meta.control(Method::DELETE, "/faults", None).await.1["some"], json!([]));
}

#[tokio::test]
async fn requests_and_phones_are_told_without_the_token_and_forgotten_after_a_reset() {
    let meta = Meta::start().await;
    meta.send(&text_to(TO)).await;
    let (_, body) = meta.control(Method::GET, "/requests", None).await;
    assert_eq!(body["requests"][0]["path"], format!("/v25.0/{PHONE_NUMBER_ID}/messages"));
    assert_eq!(body["requests"][0]["json"], text_to(TO));
    assert!(!body.to_string().contains(ACCESS_TOKEN));
    let (_, body) = meta.control(Method::GET, "/phones", None).await;
    assert_eq!(
        (&body["phones"][0]["number"], &body["phones"][0]["messages"][0]["text"]),
        (&json!(TO), &json!("Hello!"))
    );
    meta.control(Method::POST, "/reset", None).await;
    assert_eq!(meta.control(Method::GET, "/phones", None).await.1, json!({ "phones": [] }));
    assert_eq!(meta.control(Method::GET, "/requests", None).await.1, json!({ "requests": [] }));
    assert!(meta.simulator.requests().is_empty());
}

#[tokio::test]
async fn a_person_can_answer_as_the_customer() {
    let meta = Meta::start().await;
    let path = format!("/phones/{TO}/messages");
    let (status, body) = meta.control(Method::POST, &path, Some(&json!({ "text": "Hi" }))).await;
    assert_eq!((status, &body["webhook"]), (200, &json!(false)));
    let (_, body) = meta.control(Method::GET, "/phones", None).await;
    assert_eq!(body["phones"][0]["messages"][0]["from_customer"], true);
    for (path, text) in [(path.as_str(), ""), ("/phones/nobody/messages", "Hi")] {
        assert_eq!(meta.control(Method::POST, path, Some(&json!({ "text": text }))).await.0, 400);
    }
}

#[tokio::test]
async fn another_web_page_may_not_steer_the_simulator() {
    let meta = Meta::start().await;
    let url = format!("{}control/reset", meta.simulator.page_url());
    let response = meta.client.post(url).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(response.status(), 403);
    let url = format!("{}control/phones/{TO}/messages", meta.simulator.page_url());
    let text = meta.client.post(url).header("content-type", "text/plain").body(r#"{"text":"Hi"}"#);
    assert_eq!(text.send().await.unwrap().status(), 415, "which a browser would send without asking");
}

#[tokio::test]
async fn a_person_can_answer_in_every_type() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let path = format!("/phones/{TO}/messages");
    let answers = [
        (json!({ "type": "text", "text": "Hi", "reply_to": "wamid.x" }), "text", "/context/id", json!("wamid.x")),
        (json!({ "type": "image", "caption": "Look" }), "image", "/image/caption", json!("Look")),
        (json!({ "type": "video" }), "video", "/video/mime_type", json!("video/mp4")),
        (json!({ "type": "audio" }), "audio", "/audio/voice", json!(true)),
        (json!({ "type": "document" }), "document", "/document/filename", json!("document.pdf")),
        (json!({ "type": "sticker" }), "sticker", "/sticker/animated", json!(false)),
        (json!({ "type": "location", "latitude": 1, "longitude": 2.5 }), "location", "/location/longitude", json!(2.5)),
        (
            json!({ "type": "contacts", "name": "Ann", "phone": "1" }),
            "contacts",
            "/contacts/0/phones/0/phone",
            json!("1"),
        ),
        (json!({ "type": "reaction", "message_id": "w", "emoji": "👍" }), "reaction", "/reaction/emoji", json!("👍")),
        (json!({ "type": "button", "text": "Stop" }), "button", "/button/payload", json!("Stop")),
        (
            json!({ "type": "button_reply", "id": "y", "title": "Yes" }),
            "interactive",
            "/interactive/button_reply/id",
            json!("y"),
        ),
        (
            json!({ "type": "list_reply", "id": "1", "title": "One" }),
            "interactive",
            "/interactive/list_reply/title",
            json!("One"),
        ),
        (
            json!({ "type": "nfm_reply", "response": {} }),
            "interactive",
            "/interactive/nfm_reply/response_json",
            json!("{}"),
        ),
        (json!({ "type": "order", "catalog_id": "7", "product_items": [] }), "order", "/order/catalog_id", json!("7")),
        (json!({ "type": "system", "wa_id": "1" }), "system", "/system/wa_id", json!("1")),
        (json!({ "type": "unsupported" }), "unsupported", "/errors/0/code", json!(131_051)),
        (json!({ "type": "edit", "message_id": "w", "text": "B" }), "edit", "/edit/message/text/body", json!("B")),
        (json!({ "type": "revoke", "message_id": "w" }), "revoke", "/revoke/original_message_id", json!("w")),
        (json!({ "type": "raw", "message": { "type": "x", "x": 1 } }), "x", "/x", json!(1)),
    ];
    for (answer, kind, place, expected) in answers {
        let (status, body) = meta.control(Method::POST, &path, Some(&answer)).await;
        assert_eq!((status, &body["webhook"]), (200, &json!(true)), "{answer}: {body}");
        let came = || {
            let values = receiver.values();
            values.iter().map(|value| value["messages"][0].clone()).find(|message| message["id"] == body["id"])
        };
        eventually("the answer", async || came().is_some()).await;
        let message = came().unwrap();
        assert_eq!((&message["type"], message.pointer(place)), (&json!(kind), Some(&expected)), "{answer}");
    }
}

#[tokio::test]
async fn a_wrong_answer_is_refused_with_the_name_of_the_field() {
    let meta = Meta::start().await;
    let path = format!("/phones/{TO}/messages");
    let wrong = [
        (json!({ "text": "Hi", "emoji": "x" }), "emoji"),
        (json!({ "type": "text" }), "text"),
        (json!({ "text": "x".repeat(4097) }), "text"),
        (json!({ "type": "hologram" }), "hologram"),
        (json!({ "type": 5 }), "type"),
        (json!({ "type": "image", "caption": 5 }), "caption"),
        (json!({ "type": "location", "latitude": 91, "longitude": 0 }), "latitude"),
        (json!({ "type": "location", "latitude": 1 }), "longitude"),
        (json!({ "type": "location", "latitude": 1, "longitude": "far" }), "longitude"),
        (json!({ "type": "reaction", "emoji": "x" }), "message_id"),
        (json!({ "type": "button", "payload": "x" }), "text"),
        (json!({ "type": "raw", "message": {} }), "type"),
        (json!({ "text": "Hi", "phone_number_id": "444" }), "phone_number_id"),
        (json!([]), "object"),
    ];
    for (answer, field) in wrong {
        let (status, body) = meta.control(Method::POST, &path, Some(&answer)).await;
        assert_eq!(status, 400, "{answer}");
        assert!(body["error"].as_str().unwrap().contains(field), "{answer}: {body}");
    }
    assert_eq!(meta.control(Method::GET, "/phones", None).await.1, json!({ "phones": [] }));
}

#[tokio::test]
async fn any_webhook_can_be_sent_and_verified_over_http() {
    let receiver = Receiver::start(0).await;
    let meta = meta_with(&receiver).await;
    let webhook = json!({ "field": "account_update", "value": { "event": "ACCOUNT_DELETED" } });
    assert_eq!(meta.control(Method::POST, "/webhooks", Some(&webhook)).await, (200, json!({ "webhook": true })));
    receiver.wait_for(1).await;
    assert_eq!(receiver.calls()[0]["entry"][0]["changes"], json!([webhook]));
    for wrong in [json!({ "field": "x" }), json!({ "value": {} }), json!({ "field": 1, "value": {} })] {
        assert_eq!(meta.control(Method::POST, "/webhooks", Some(&wrong)).await.0, 400, "{wrong}");
    }
    assert_eq!(meta.control(Method::POST, "/webhooks/verify", None).await, (200, json!({ "success": true })));
    meta.simulator.set_webhook_url(None);
    assert_eq!(meta.control(Method::POST, "/webhooks/verify", None).await.0, 409);
}
