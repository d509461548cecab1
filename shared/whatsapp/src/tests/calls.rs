//! Each call: the request that Meta sees, and what is made of its answer.

use std::time::Duration;

use serde_json::json;

use super::server::{Does, Server, http};
use super::{TAKEN, TOKEN, business, number, send};
use crate::{Error, MAX_USERS_PER_BLOCK, MediaUpload, Message, NewTemplate, WhyUnknown};

#[tokio::test]
async fn a_send_is_one_post_with_the_token_as_a_header() {
    let mut server = Server::answering(200, TAKEN).await;
    let sent = send(&server.url()).await.unwrap();
    let seen = server.only().await;
    assert_eq!(seen.line, "POST /v25.0/106540352242922/messages HTTP/1.1");
    assert!(seen.headers.contains(&format!("authorization: bearer {}", TOKEN.to_lowercase())));
    assert!(seen.headers.contains("content-type: application/json"));
    assert_eq!(seen.json(), serde_json::to_value(Message::text("919876543210", "Hello!")).unwrap());
    assert_eq!(sent.wamid, "wamid.1");
    assert_eq!(sent.wa_id.as_deref(), Some("919876543210"));
    assert_eq!((sent.user_id, sent.message_status), (None, None));
}

#[tokio::test]
async fn metas_answer_is_kept_byte_for_byte() {
    let odd = r#"{ "messages": [{"message_status" :"held_for_quality_assessment", "id":"wamid.\u0031"}], "new":1.50, "contacts":[{"user_id":"US.1"}] }"#;
    let server = Server::answering(200, odd).await;
    let sent = send(&server.url()).await.unwrap();
    assert_eq!(sent.answer.get(), odd);
    assert_eq!(sent.wamid, "wamid.1");
    assert_eq!(sent.message_status.as_deref(), Some("held_for_quality_assessment"));
    assert_eq!((sent.wa_id, sent.user_id.as_deref()), (None, Some("US.1")));
}

#[tokio::test]
async fn a_message_that_meta_has_taken_is_sent_however_odd_the_rest_of_the_answer_is() {
    for rest in
        [r#""contacts":"none""#, r#""contacts":[]"#, r#""contacts":[{"wa_id":7}]"#, r#""error":null"#, r#""error":"x""#]
    {
        let server = Server::answering(200, &format!(r#"{{"messages":[{{"id":"wamid.1"}}],{rest}}}"#)).await;
        assert_eq!(send(&server.url()).await.unwrap().wamid, "wamid.1");
    }
}

#[tokio::test]
async fn connections_are_kept_for_the_next_call() {
    let mut server = Server::answering(200, TAKEN).await;
    let number = number(&server.url());
    for _ in 0..3 {
        number.send(&Message::text("919876543210", "Hello!"), Duration::from_secs(10)).await.unwrap();
        assert_eq!(server.next().await.connection, 0);
    }
}

#[tokio::test]
async fn a_read_receipt_may_show_that_an_answer_is_being_typed() {
    let mut server = Server::answering(200, r#"{"success":true}"#).await;
    let number = number(&server.url());
    number.mark_as_read("wamid.1").await.unwrap();
    let seen = server.only().await;
    assert_eq!(seen.line, "POST /v25.0/106540352242922/messages HTTP/1.1");
    assert_eq!(seen.json(), json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1" }));
    number.mark_as_read_and_type("wamid.1").await.unwrap();
    assert_eq!(
        server.only().await.json(),
        json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1", "typing_indicator": { "type": "text" } })
    );
}

#[tokio::test]
async fn a_confirmation_that_confirms_nothing_is_an_unknown_outcome() {
    for body in [r#"{"success":false}"#, "{}", "true", ""] {
        let server = Server::answering(200, body).await;
        let error = number(&server.url()).mark_as_read("wamid.1").await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::NotUnderstood { .. })), "{error:?}");
    }
}

#[tokio::test]
async fn an_upload_is_a_form_of_known_length() {
    let mut server = Server::answering(200, r#"{"id":"4490709327384033"}"#).await;
    let file = MediaUpload::new(vec![0xFF, 0xD8, 0x00, 0x0A], "image/jpeg", "a \"b\".jpg");
    assert_eq!(number(&server.url()).upload_media(file).await.unwrap(), "4490709327384033");
    let seen = server.only().await;
    assert_eq!(seen.line, "POST /v25.0/106540352242922/media HTTP/1.1");
    assert!(seen.headers.contains("content-type: multipart/form-data; boundary="));
    assert!(seen.headers.contains("content-length: "), "Meta needs the length: {}", seen.headers);
    let body = String::from_utf8_lossy(&seen.body);
    assert!(body.contains("name=\"messaging_product\"\r\n\r\nwhatsapp\r\n"), "{body}");
    assert!(body.contains("name=\"type\"\r\n\r\nimage/jpeg\r\n"), "{body}");
    assert!(body.contains("Content-Type: image/jpeg\r\n"), "{body}");
    assert!(body.contains(r#"name="file"; filename="a \"b\".jpg""#), "{body}");
    assert!(seen.body.windows(4).any(|window| window == [0xFF, 0xD8, 0x00, 0x0A]));
}

#[tokio::test]
async fn an_upload_that_would_break_its_form_is_refused_here() {
    let mut server = Server::answering(200, r#"{"id":"1"}"#).await;
    for (mime_type, filename) in
        [("jpeg", "a.jpg"), ("", "a.jpg"), ("a/b\r\nc: d", "a.jpg"), ("image/jpeg", "a\nc: d.jpg")]
    {
        let error = number(&server.url()).upload_media(MediaUpload::new("x", mime_type, filename)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    }
    server.none();
}

#[tokio::test]
async fn blocking_is_a_post_and_unblocking_a_delete_with_a_body() {
    let added = r#"{"messaging_product":"whatsapp","block_users":{"added_users":[{"input":"+1","wa_id":"1"},{"input":"2","wa_id":"2"}]}}"#;
    let mut server = Server::answering_each(&[added, &added.replace("added", "removed")]).await;
    let number = number(&server.url());
    for (outcome, method) in
        [(number.block(&["+1", "2"]).await, "POST"), (number.unblock(&["+1", "2"]).await, "DELETE")]
    {
        let outcome = outcome.unwrap();
        assert_eq!(outcome.changed.len(), 2);
        assert_eq!((outcome.changed[0].input.as_str(), outcome.changed[0].wa_id.as_deref()), ("+1", Some("1")));
        assert!(outcome.failed.is_empty() && outcome.error.is_none());
        let seen = server.next().await;
        assert_eq!(seen.line, format!("{method} /v25.0/106540352242922/block_users HTTP/1.1"));
        let expected = r#"{"messaging_product":"whatsapp","block_users":[{"user":"+1"},{"user":"2"}]}"#;
        assert_eq!(String::from_utf8_lossy(&seen.body), expected);
    }
    server.none();
}

#[tokio::test]
async fn a_partial_failure_to_block_is_a_result_whatever_its_status() {
    let mixed = r#"{"messaging_product":"whatsapp","block_users":{"added_users":[{"input":"+1","wa_id":"1"}],
        "failed_users":[{"input":"+2","errors":[{"message":"Re-engagement required","code":"131047","error_data":{"details":"24 hours"}}]}]},
        "error":{"message":"(#139100) Failed","type":"OAuthException","code":139100}}"#;
    for status in [200, 400, 500] {
        let mut server = Server::answering(status, mixed).await;
        let outcome = number(&server.url()).block(&["+1", "+2"]).await.unwrap();
        server.only().await;
        assert_eq!(outcome.changed.len(), 1);
        assert_eq!(outcome.failed.len(), 1);
        assert_eq!((outcome.failed[0].user.input.as_str(), outcome.failed[0].user.wa_id.as_deref()), ("+2", None));
        assert_eq!(outcome.failed[0].errors[0].code, 131_047);
        assert_eq!(outcome.failed[0].errors[0].words(), "Re-engagement required (Details: 24 hours)");
        assert_eq!(outcome.error.unwrap().code, 139_100);
        assert_eq!(outcome.answer.get(), mixed);
    }
}

#[tokio::test]
async fn a_block_that_meta_refuses_as_a_whole_is_an_error() {
    let server = Server::answering(400, r#"{"error":{"message":"m","code":139101}}"#).await;
    assert!(matches!(number(&server.url()).block(&["1"]).await, Err(Error::Refused(_))));
    let server = Server::answering(502, "<html>").await;
    assert!(matches!(number(&server.url()).block(&["1"]).await, Err(Error::OutcomeUnknown(_))));
    let server = Server::answering(200, "{}").await;
    assert!(matches!(number(&server.url()).block(&["1"]).await, Err(Error::OutcomeUnknown(_))));
}

#[tokio::test]
async fn too_many_users_or_none_are_refused_here() {
    let mut server = Server::answering(200, r#"{"block_users":{}}"#).await;
    let number = number(&server.url());
    let users = vec!["1"; MAX_USERS_PER_BLOCK + 1];
    for users in [&users[..], &[]] {
        assert!(matches!(number.block(users).await, Err(Error::Invalid(_))));
        assert!(matches!(number.unblock(users).await, Err(Error::Invalid(_))));
    }
    server.none();
    number.block(&users[1..]).await.unwrap();
    server.only().await;
}

#[tokio::test]
async fn a_template_is_created_as_written() {
    let mut server = Server::answering(200, r#"{"id":"9","status":"PENDING","category":"UTILITY"}"#).await;
    let body = json!({ "type": "BODY", "text": "Hello" });
    let mut template = NewTemplate::new("hello", "en", "UTILITY", vec![body.clone()]);
    let created = business(&server.url()).create_template(&template).await.unwrap();
    assert_eq!((created.id.as_str(), created.status.as_deref()), ("9", Some("PENDING")));
    let seen = server.only().await;
    assert_eq!(seen.line, "POST /v25.0/102290129340398/message_templates HTTP/1.1");
    assert_eq!(seen.json(), json!({ "name": "hello", "language": "en", "category": "UTILITY", "components": [body] }));
    template.parameter_format = Some("NAMED".to_owned());
    template.allow_category_change = Some(true);
    business(&server.url()).create_template(&template).await.unwrap();
    let sent = server.only().await.json();
    assert_eq!((&sent["parameter_format"], &sent["allow_category_change"]), (&json!("NAMED"), &json!(true)));
}

#[tokio::test]
async fn a_template_is_deleted_by_its_name_or_by_its_id_and_name() {
    let mut server = Server::answering(200, r#"{"success":true}"#).await;
    let business = business(&server.url());
    business.delete_template("a&b=c").await.unwrap();
    assert_eq!(server.only().await.line, "DELETE /v25.0/102290129340398/message_templates?name=a%26b%3Dc HTTP/1.1");
    business.delete_template_by_id("9", "hello").await.unwrap();
    assert_eq!(
        server.only().await.line,
        "DELETE /v25.0/102290129340398/message_templates?hsm_id=9&name=hello HTTP/1.1"
    );
}

#[tokio::test]
async fn warming_opens_the_connection_that_the_first_call_uses_and_sends_no_token() {
    let mut server = Server::that(Does::Answer(vec![http(200, "", TAKEN)])).await;
    let whatsapp = crate::WhatsApp::new(&server.url()).unwrap();
    whatsapp.warm().await;
    let seen = server.only().await;
    assert_eq!(seen.line, "HEAD /v25.0 HTTP/1.1");
    assert!(!seen.headers.contains("authorization"));
    let number = whatsapp.number("1", &crate::SecretString::from(TOKEN));
    number.send(&Message::text("919876543210", "Hello!"), Duration::from_secs(10)).await.unwrap();
    assert_eq!(server.only().await.connection, 0);
}

#[tokio::test]
async fn warming_gives_up_after_a_second_and_never_fails() {
    let server = Server::that(Does::ReadAndWait).await;
    let whatsapp = crate::WhatsApp::new(&server.url()).unwrap();
    tokio::time::timeout(Duration::from_secs(8), whatsapp.warm()).await.unwrap();
    crate::WhatsApp::new("http://name.invalid").unwrap().warm().await;
}
