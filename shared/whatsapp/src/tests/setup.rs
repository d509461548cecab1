//! What a client, a number and an account may be made of.

use std::time::Duration;

use super::server::Server;
use super::{TAKEN, TOKEN};
use crate::{Error, Message, SecretString, SetupError, WhatsApp};

#[test]
fn a_client_needs_no_crypto_provider_of_the_process() {
    WhatsApp::new("https://graph.facebook.com/v25.0").unwrap();
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "and it installs none");
}

#[test]
fn only_a_plain_http_or_https_url_is_taken() {
    assert!(matches!(WhatsApp::new(""), Err(SetupError::Url(_))));
    assert!(matches!(WhatsApp::new("graph.facebook.com/v25.0"), Err(SetupError::Url(_))));
    assert!(matches!(WhatsApp::new("https://"), Err(SetupError::Url(_))));
    assert!(matches!(WhatsApp::new("ftp://graph.facebook.com"), Err(SetupError::NotHttp)));
    assert!(matches!(WhatsApp::new("mailto:a@example.com"), Err(SetupError::NotHttp)));
    assert!(matches!(WhatsApp::new("https://graph.facebook.com/v25.0?a=b"), Err(SetupError::QueryOrFragment)));
    assert!(matches!(WhatsApp::new("https://graph.facebook.com/v25.0#a"), Err(SetupError::QueryOrFragment)));
    assert!(matches!(WhatsApp::new("https://a@graph.facebook.com/v25.0"), Err(SetupError::Credentials)));
    assert!(matches!(WhatsApp::new("https://:b@graph.facebook.com/v25.0"), Err(SetupError::Credentials)));
}

#[tokio::test]
async fn a_trailing_slash_and_a_missing_path_make_no_difference() {
    let mut server = Server::answering(200, TAKEN).await;
    let host = server.url().strip_suffix("/v25.0").unwrap().to_owned();
    let table = [
        (format!("{host}/v25.0"), "/v25.0/1/messages"),
        (format!("{host}/v25.0/"), "/v25.0/1/messages"),
        (format!("{host}/"), "/1/messages"),
        (host, "/1/messages"),
    ];
    for (url, path) in table {
        let number = WhatsApp::new(&url).unwrap().number("1", &SecretString::from(TOKEN));
        number.send(&Message::text("919876543210", "Hello!"), Duration::from_secs(10)).await.unwrap();
        assert_eq!(server.only().await.line, format!("POST {path} HTTP/1.1"));
    }
}

#[tokio::test]
async fn an_id_cannot_change_the_path() {
    let mut server = Server::answering(200, TAKEN).await;
    let whatsapp = WhatsApp::new(&server.url()).unwrap();
    let token = SecretString::from(TOKEN);
    for id in ["", ".", "..", "%2e%2e", "1/2", "1?a=b", "1#a", "1%2f2", "1\\2", "1 2", "1\n2", "é", "@host"] {
        let message = Message::text("919876543210", "Hello!");
        let outcome = whatsapp.number(id, &token).send(&message, Duration::from_secs(10)).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{id}");
        let outcome = whatsapp.business(id, &token).list_templates().await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{id}");
    }
    server.none();
}
