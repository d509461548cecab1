//! The access token, phone numbers and texts stay out of everything that may be printed.

use std::error::Error as _;
use std::fmt::{Debug, Display};
use std::time::Duration;

use serde_json::json;

use super::server::{Does, Server, http};
use super::{TAKEN, TOKEN, business, number, send, send_within};
use crate::{Error, GraphError, Message, SecretString, WhatsApp};

const PHONE: &str = "919876543210";

/// `Display` and `Debug` of an error and of everything that it comes from.
fn shown(error: &Error) -> String {
    let mut shown = vec![format!("{error} {error:?} {error:#?}")];
    let mut source = error.source();
    while let Some(cause) = source {
        shown.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    shown.concat()
}

fn assert_clean(shown: &str) {
    for secret in [TOKEN, PHONE, "Hello!", "106540352242922", "secret words"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn no_error_shows_the_token_the_number_the_url_or_a_text() {
    let metas = json!({ "error": {
        "message": format!("Malformed access token {TOKEN}; secret words for {PHONE}"), "type": "OAuthException", "code": 190,
        "error_data": { "details": format!("secret words {TOKEN}") }, "error_user_title": TOKEN, "error_user_msg": TOKEN,
        "fbtrace_id": TOKEN,
    } });
    let answers = [
        Does::CloseUnread,
        Does::ReadAndClose,
        Does::ReadAndReset,
        Does::Answer(vec![http(200, "", "secret words")]),
        Does::Answer(vec![http(500, "", &format!("secret words {TOKEN} {PHONE}"))]),
        Does::Answer(vec![http(404, "", TOKEN)]),
        Does::Answer(vec![http(307, &format!("location: http://127.0.0.1:9/{TOKEN}\r\n"), "")]),
        Does::Answer(vec![http(400, "", &metas.to_string())]),
        Does::Answer(vec![http(400, "", &metas.to_string().replace("190", "4"))]),
        Does::Answer(vec![http(500, "", &metas.to_string().replace("190", "2"))]),
        Does::Answer(vec![format!("HTTP/1.1 200 OK\r\nbad header {TOKEN}\r\ncontent-length: 0\r\n\r\n").into_bytes()]),
        Does::Answer(vec![format!("{TOKEN}\r\n\r\n").into_bytes()]),
    ];
    for does in answers {
        let server = Server::that(does).await;
        assert_clean(&shown(&send(&server.url()).await.unwrap_err()));
    }
    let server = Server::that(Does::ReadAndWait).await;
    assert_clean(&shown(&send_within(&server.url(), Duration::from_millis(200)).await.unwrap_err()));
    assert_clean(&shown(&send("http://name.invalid").await.unwrap_err()));
}

#[tokio::test]
async fn a_token_that_meta_repeats_is_blanked_in_its_error() {
    let body = json!({ "error": { "message": format!("Malformed access token {TOKEN}"), "code": 190, "extra": [{ "t": TOKEN }] } });
    let server = Server::answering(401, &body.to_string()).await;
    let error = send(&server.url()).await.unwrap_err();
    let graph = error.graph().unwrap();
    assert_eq!(graph.words(), "Malformed access token [removed]");
    assert_eq!(graph.raw["extra"][0]["t"], "[removed]");
}

#[tokio::test]
async fn a_token_that_is_no_header_is_refused_without_being_shown() {
    let mut server = Server::answering(200, TAKEN).await;
    let token = SecretString::from(format!("{TOKEN}\nx-injected: 1"));
    let number = WhatsApp::new(&server.url()).unwrap().number("1", &token);
    let error = number.send(&Message::text(PHONE, "Hello!"), Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    assert_clean(&shown(&error));
    server.none();
}

#[tokio::test]
async fn an_empty_token_does_not_turn_up_everywhere() {
    let server = Server::answering(401, r#"{"error":{"message":"No token","code":190}}"#).await;
    let number = WhatsApp::new(&server.url()).unwrap().number("1", &SecretString::from(""));
    let error = number.mark_as_read("wamid.1").await.unwrap_err();
    assert_eq!(error.graph().unwrap().words(), "No token");
}

#[tokio::test]
async fn no_object_shows_the_token() {
    fn all(debug: &dyn Debug, display: Option<&dyn Display>) {
        let display = display.map(ToString::to_string);
        let shown = format!("{debug:?} {debug:#?} {display:?}");
        assert!(!shown.contains(TOKEN) && !shown.contains(&TOKEN[3..12]), "{shown}");
    }
    let server = Server::answering(200, TAKEN).await;
    all(&WhatsApp::new(&server.url()).unwrap(), None);
    all(&number(&server.url()), None);
    all(&business(&server.url()), None);
    all(&send(&server.url()).await.unwrap(), None);
    let error = format!(r#"{{"error":{{"message":"{TOKEN}","code":7}}}}"#);
    let server = Server::answering(400, &error).await;
    let error = send(&server.url()).await.unwrap_err();
    let graph: &GraphError = error.graph().unwrap();
    all(graph, Some(graph));
    all(&error, Some(&error));
}

#[test]
fn a_setup_error_does_not_show_the_url() {
    for url in [
        "https://user:pa55word@graph.facebook.com",
        "https://graph.facebook.com?t=pa55word",
        "pa55word",
        "ftp://pa55word",
    ] {
        let error = WhatsApp::new(url).unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.source()).contains("pa55word"));
    }
}
