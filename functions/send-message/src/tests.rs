//! The guarantees of this endpoint.

use serde_json::{Value, json};
use testbed::{Sender, not_texts};

use super::*;

async fn sender() -> Sender<SendMessage> {
    let body = json!({"phone": "+919876543210", "message": "Hello!"});
    Sender::start(|bed| SendMessage { keys: bed.keys.clone(), outbox: bed.outbox.clone() }, body).await
}

testbed::every_send!(sender());

#[tokio::test]
async fn a_text_goes_to_meta_exactly_as_the_reference_sends_it() {
    let sender = sender().await;
    let mut expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "919876543210", "type": "text",
        "text": {"preview_url": false, "body": "Hello!"},
    });
    assert_eq!(sender.sends(&sender.body).await, expected);
    let nothing_more = json!({"account_id": null, "reply_to": null, "preview_url": null});
    assert_eq!(sender.sends(&sender.with(nothing_more)).await, expected);

    let everything = json!({"account_id": 1, "reply_to": "wamid.abc", "preview_url": true});
    expected["text"]["preview_url"] = json!(true);
    expected["context"] = json!({"message_id": "wamid.abc"});
    assert_eq!(sender.sends(&sender.with(everything)).await, expected);
}

#[tokio::test]
async fn a_text_of_1_to_4096_characters_reaches_meta_unchanged() {
    let sender = sender().await;
    let longest = ["x", "é", "\u{1f600}"].map(|character| character.repeat(4096));
    let special = ["x", " ", "\"\\/\n\t\r\u{0}", "नमस्ते", "🙏🏽", "<b>&amp;%s{{1}}</b>"];
    let special = special.map(str::to_owned);
    for text in longest.into_iter().chain(special) {
        assert_eq!(sender.sends(&sender.with(json!({"message": text}))).await["text"]["body"], text);
    }
}

#[tokio::test]
async fn a_text_that_is_missing_mistyped_empty_or_too_long_is_a_400() {
    let sender = sender().await;
    sender.requires("message").await;
    sender.refuses_each("message", not_texts()).await;
    let odd = [String::new(), "x".repeat(4097), "é".repeat(4097)];
    sender.refuses_each("message", odd.map(Value::from)).await;
}

#[tokio::test]
async fn a_preview_is_a_boolean_and_nothing_like_one() {
    let sender = sender().await;
    sender.refuses_each("preview_url", [json!("true"), json!(""), json!(0), json!(1), json!([]), json!({})]).await;
    for preview in [true, false] {
        let sent = sender.sends(&sender.with(json!({"preview_url": preview}))).await;
        assert_eq!(sent["text"]["preview_url"], preview);
    }
}
