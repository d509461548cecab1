//! Every type of message and event lands where people look for it.

use domain::Contact;
use serde_json::{Value, json};
use storage::{Chat, OptOutBy, Stored};

use crate::bed::{Bed, NUMBER, SHOP, WABA, at, body, change, seconds, text_message};

const ANN: &str = "16505551234";

fn message(second: i64, kind: &str, content: Value) -> Value {
    let mut message = json!({"from": ANN, "id": format!("wamid.{second}"), "timestamp": seconds(second), "type": kind});
    message[kind] = content;
    message
}

#[tokio::test]
async fn every_type_of_message_stands_in_the_chat_and_counts_as_unread() {
    let bed = Bed::start().await;
    let media = json!({"id": "1003383421387256", "mime_type": "x/y", "sha256": "a"});
    let mut with_context = message(1, "text", json!({"body": "Is it still there?"}));
    with_context["context"] = json!({"from": "15550783881", "id": "wamid.Q", "referred_product": {"catalog_id": "1"}});
    let mut from_ad = message(2, "text", json!({"body": "From an ad"}));
    from_ad["referral"] = json!({"source_url": "https://example.com", "ctwa_clid": "c"});
    let unsupported = json!({"from": ANN, "id": "wamid.17", "timestamp": seconds(17), "type": "unsupported",
        "errors": [{"code": 131_051}]});
    let messages = [
        (with_context, "Is it still there?"),
        (from_ad, "From an ad"),
        (message(3, "image", json!({"id": "1", "caption": "Taj Mahal"})), "Taj Mahal"),
        (message(4, "video", media.clone()), "[Video]"),
        (message(5, "audio", media.clone()), "[Audio]"),
        (message(6, "document", json!({"id": "1", "filename": "a.pdf"})), "[Document]"),
        (message(7, "sticker", media), "[Sticker]"),
        (message(8, "location", json!({"latitude": 37.5, "longitude": -122, "name": "Philz"})), "Philz"),
        (message(9, "contacts", json!([{"name": {"formatted_name": "Lucía"}}])), "[Contacts]"),
        (message(10, "reaction", json!({"message_id": "wamid.Q", "emoji": "👍"})), "👍"),
        (message(11, "button", json!({"payload": "P", "text": "Yes"})), "Yes"),
        (
            message(12, "interactive", json!({"type": "button_reply", "button_reply": {"id": "1", "title": "Cancel"}})),
            "Cancel",
        ),
        (
            message(13, "interactive", json!({"type": "list_reply", "list_reply": {"id": "1", "title": "Express"}})),
            "Express",
        ),
        (
            message(
                14,
                "interactive",
                json!({"type": "nfm_reply", "nfm_reply": {"response_json": "{}", "body": "Sent"}}),
            ),
            "Sent",
        ),
        (message(15, "order", json!({"catalog_id": "1", "product_items": []})), "[Order]"),
        (message(16, "system", json!({"body": "new number", "type": "user_changed_number"})), "[System]"),
        (unsupported, "[Unsupported]"),
        (message(18, "edit", json!({"original_message_id": "wamid.1"})), "[Edit]"),
        (message(19, "revoke", json!({"original_message_id": "wamid.1"})), "[Revoke]"),
        (message(20, "brand_new", json!({"what": "ever"})), "[Brand_new]"),
    ];
    let items: Vec<_> = messages.iter().map(|(message, _)| message.clone()).collect();
    bed.takes_change(change("messages", &items)).await;
    let mut expected: Vec<_> = messages.iter().map(|(_, body)| (*body).to_owned()).collect();
    expected.reverse();
    assert_eq!(bed.reads(ANN).await, expected);
    let chat = bed.chat(ANN).await.unwrap();
    assert_eq!((chat.unread_count, chat.last_message_at), (20, Some(at(20))));
    assert_eq!((chat.phone_number.as_str(), chat.name.as_deref()), (ANN, Some("Name of 1650")));
    assert!(bed.kept().await.is_empty());
    for (item, _) in messages {
        let Some(Stored::Received(stored)) = bed.messages.find(SHOP, item["id"].as_str().unwrap()).await.unwrap()
        else {
            panic!("{item} is not there")
        };
        assert_eq!(serde_json::from_str::<Value>(&stored.content).unwrap(), item);
        assert_eq!(stored.reply_to.as_deref(), item["context"]["id"].as_str());
    }
}

#[tokio::test]
async fn a_person_without_a_number_has_a_chat_of_their_own() {
    let bed = Bed::start().await;
    let id = "US.13491208655302741918";
    let mut value = change(
        "messages",
        &[json!({"from_user_id": id, "id": "wamid.B", "timestamp": seconds(1), "type": "text",
        "text": {"body": "hi"}})],
    );
    value["value"]["contacts"] = json!([{"profile": {"name": "Ann", "username": "ann.b"}, "user_id": id}]);
    bed.takes_change(value).await;
    let chat = Chat { account_id: SHOP, contact: Contact::of_user_id(id).unwrap() };
    let chat = bed.conversations.get(&chat).await.unwrap().unwrap();
    assert_eq!((chat.phone_number.as_str(), chat.name.as_deref(), chat.unread_count), (id, Some("Ann"), 1));
}

#[tokio::test]
async fn all_forms_of_a_number_are_one_chat() {
    let bed = Bed::start().await;
    for (n, forms) in
        [["5511988887777", "551188887777"], ["5215512345678", "525512345678"], ["5491123456789", "541123456789"]]
            .iter()
            .enumerate()
    {
        for (m, form) in forms.iter().enumerate() {
            let second = i64::try_from(m).unwrap();
            bed.takes_change(change("messages", &[text_message(form, &format!("wamid.{n}.{m}"), second, "hi")])).await;
        }
        let chat = bed.chat(forms[0]).await.unwrap();
        assert_eq!((chat.unread_count, chat.phone_number.as_str()), (2, forms[1]));
    }
}

#[tokio::test]
async fn whatsapp_telling_that_somebody_has_a_new_number_opens_no_window() {
    let bed = Bed::start().await;
    bed.takes_change(change(
        "messages",
        &[message(9, "system", json!({"body": "b"})), message(3, "text", json!({"body": "hi"}))],
    ))
    .await;
    let chat = bed.chat(ANN).await.unwrap();
    assert_eq!((chat.last_message_at, chat.last_inbound_at), (Some(at(9)), Some(at(3))));
}

fn preference(value: &str, second: i64) -> Value {
    json!({"field": "user_preferences", "value": {"metadata": {"phone_number_id": NUMBER}, "messaging_product": "whatsapp",
        "user_preferences": [{"wa_id": ANN, "category": "marketing_messages", "value": value, "timestamp": at(second).as_second()}]}})
}

#[tokio::test]
async fn a_stop_word_and_whatsapps_switch_set_the_opt_out_and_the_last_one_counts() {
    let bed = Bed::start().await;
    let opted_out = async || bed.chat(ANN).await.unwrap().opted_out().map(|out| (out.since, out.by));
    bed.takes_change(change("messages", &[message(5, "text", json!({"body": " stop "}))])).await;
    assert_eq!(opted_out().await, Some((at(5), OptOutBy::Word)));
    bed.takes_change(preference("resume", 3)).await;
    assert_eq!(opted_out().await, Some((at(5), OptOutBy::Word)));
    bed.takes_change(preference("resume", 6)).await;
    assert_eq!(opted_out().await, None);
    bed.takes_change(preference("stop", 7)).await;
    assert_eq!(opted_out().await, Some((at(7), OptOutBy::WhatsApp)));
    bed.takes_change(change("messages", &[message(8, "text", json!({"body": "START"}))])).await;
    assert_eq!(opted_out().await, None);
}

#[tokio::test]
async fn a_wish_of_somebody_who_never_wrote_makes_no_conversation() {
    let bed = Bed::start().await;
    bed.takes_change(preference("stop", 7)).await;
    assert!(bed.chat(ANN).await.unwrap().opted_out().is_some());
    assert!(bed.conversations.newest(SHOP, false, None, 9).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn events_of_templates_quality_and_the_account_are_kept_and_listed() {
    let bed = Bed::start().await;
    let fields = [
        "message_template_status_update",
        "phone_number_quality_update",
        "account_update",
        "security",
        "user_id_update",
        "flows",
        "group_lifecycle_update",
        "never_heard_of",
    ];
    let changes: Vec<_> = fields
        .iter()
        .map(|field| json!({"field": field, "value": {"event": "X", "id": 1_689_556_908_129_835_i64}}))
        .collect();
    let entry = json!({"id": WABA, "time": at(9).as_second(), "changes": changes});
    bed.takes(&body(&[entry])).await;
    for field in fields {
        let events = bed.events.newest(WABA, Some(field), None, 9).await.unwrap().rows;
        assert_eq!(events.len(), 1, "{field}");
        let content: Value = serde_json::from_str(events[0].content().unwrap()).unwrap();
        assert_eq!(
            (&events[0].problem, events[0].at, &content["value"]["event"]),
            (&None, at(9), &json!("X")),
            "{field}"
        );
    }
    let strange = json!({"id": "999", "changes": [{"field": "account_update", "value": {}}]});
    bed.takes(&body(&[strange])).await;
    assert_eq!(bed.kept().await.iter().filter(|(_, problem)| problem.is_some()).count(), 1);
}

#[tokio::test]
async fn the_same_event_on_another_day_is_another_one() {
    let bed = Bed::start().await;
    for second in [9, 10, 9] {
        let change = json!({"field": "phone_number_quality_update", "value": {"event": "FLAGGED"}});
        bed.takes(&body(&[json!({"id": WABA, "time": at(second).as_second(), "changes": [change]})])).await;
    }
    let events = bed.events.newest(WABA, None, None, 9).await.unwrap().rows;
    assert_eq!(events.iter().map(|event| event.at).collect::<Vec<_>>(), [at(10), at(9)]);
}

#[tokio::test]
async fn an_error_that_meta_tells_beside_messages_is_kept() {
    let bed = Bed::start().await;
    bed.takes_change(change("errors", &[json!({"code": 130_429, "title": "Rate limit hit"})])).await;
    assert_eq!(bed.kept().await, [("errors".to_owned(), None)]);
}
