//! The guarantees of the crate. Those about the network hold on real sockets, against a server that misbehaves on purpose.

use std::time::Duration;

use crate::{Error, Message, Number, SecretString, Sent, WhatsApp};

mod any_bytes;
mod bodies;
mod calls;
mod codes;
mod faults;
mod lists;
mod secrets;
mod server;
mod setup;
mod simulator;

/// What no output may ever hold.
const TOKEN: &str = "EAAJcanaryZBtoken0123456789";
const TAKEN: &str = r#"{"messaging_product":"whatsapp","contacts":[{"input":"919876543210","wa_id":"919876543210"}],"messages":[{"id":"wamid.1"}]}"#;

fn number(url: &str) -> Number {
    WhatsApp::new(url).unwrap().number("106540352242922", &SecretString::from(TOKEN))
}

fn business(url: &str) -> crate::Business {
    WhatsApp::new(url).unwrap().business("102290129340398", &SecretString::from(TOKEN))
}

async fn send(url: &str) -> Result<Sent, Error> {
    send_within(url, Duration::from_secs(10)).await
}

async fn send_within(url: &str, timeout: Duration) -> Result<Sent, Error> {
    number(url).send(&Message::text("919876543210", "Hello!"), timeout).await
}
