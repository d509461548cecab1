//! What the tests run on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AccountId, Accounts, Clock, MessageId, RecipientRef, Result};
use embedded_dynamodb::Engine;
use hmac::{Hmac, KeyInit, Mac};
use inbox::{Inbox, Words};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use storage::{
    Chat, Claimed, Conversation, Conversations, Database, Message, Messages, NewMessage, Outcome, Owner, Stored,
    WebhookEvent, WebhookEvents,
};

pub(crate) const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub(crate) const NUMBER: &str = "106540352242922";
pub(crate) const WABA: &str = "102290129340398";
pub(crate) const SHOP: AccountId = AccountId(1);
/// An account of another app, with its own secret and its own WABA.
pub(crate) const OTHER_SECRET: &str = "another app's secret";
pub(crate) const OTHER_NUMBER: &str = "206540352242922";
pub(crate) const OTHER_WABA: &str = "202290129340398";

const TABLES: [&str; 3] = ["Messages", "Conversations", "WebhookEvents"];
/// However slow the machine is.
pub(crate) const ENOUGH_TIME: Duration = Duration::from_mins(15);

pub(crate) struct Bed {
    pub(crate) engine: Engine,
    pub(crate) database: Database,
    pub(crate) inbox: Inbox,
    pub(crate) messages: Messages,
    pub(crate) conversations: Conversations,
    pub(crate) events: WebhookEvents,
}

/// Everything that stands in the tables, sorted.
pub(crate) type Dump = BTreeMap<&'static str, Vec<String>>;

pub(crate) fn accounts() -> Accounts {
    let account = |id: i64, number: &str, waba: &str, secret: &str| json!({"id": id, "phone_number_id": number, "waba_id": waba, "access_token": "t", "app_secret": secret});
    let both = json!([account(1, NUMBER, WABA, SECRET), account(2, OTHER_NUMBER, OTHER_WABA, OTHER_SECRET)]);
    both.to_string().parse().unwrap()
}

pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + second).unwrap()
}

/// Meta writes seconds as a text.
pub(crate) fn seconds(second: i64) -> String {
    at(second).as_second().to_string()
}

/// A change of the field `messages` with items of a kind: `messages` or `statuses`.
pub(crate) fn change(kind: &str, items: &[Value]) -> Value {
    let contacts: Vec<_> = items.iter().filter_map(|item| contact(item.get("from")?.as_str()?)).collect();
    json!({"field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": contacts,
        kind: items,
    }})
}

fn contact(number: &str) -> Option<Value> {
    Some(json!({"profile": {"name": format!("Name of {}", number.get(..4)?)}, "wa_id": number}))
}

pub(crate) fn entry(changes: &[Value]) -> Value {
    json!({"id": WABA, "time": at(500).as_second(), "changes": changes})
}

pub(crate) fn body(entries: &[Value]) -> String {
    json!({"object": "whatsapp_business_account", "entry": entries}).to_string()
}

pub(crate) fn text_message(number: &str, id: &str, second: i64, text: &str) -> Value {
    json!({"from": number, "id": id, "timestamp": seconds(second), "type": "text", "text": {"body": text}})
}

pub(crate) fn status(wamid: &str, status: &str, second: i64, ours: Option<MessageId>) -> Value {
    let mut told = json!({"id": wamid, "status": status, "timestamp": seconds(second), "recipient_id": "919876543210"});
    if let Some(id) = ours {
        told["biz_opaque_callback_data"] = json!(id.to_string());
    }
    if status == "failed" {
        told["errors"] = json!([{"code": 131_026, "title": "Message undeliverable", "message": "Message undeliverable",
            "error_data": {"details": "Not on WhatsApp"}}]);
    }
    told
}

impl Bed {
    pub(crate) async fn start() -> Self {
        let engine = Engine::in_memory().await.unwrap();
        let database = Database::local(engine.url(), engine.table_prefix());
        let inbox = Inbox::new(&database, Arc::new(accounts()), Words::default(), Clock::fixed(at(1000)));
        let (messages, conversations) = (Messages::new(&database), Conversations::new(&database));
        let events = WebhookEvents::new(&database);
        Self { engine, database, inbox, messages, conversations, events }
    }

    /// Takes a signed body.
    pub(crate) async fn takes(&self, body: &str) {
        self.try_to_take(body).await.unwrap();
    }

    pub(crate) async fn try_to_take(&self, body: &str) -> Result<()> {
        let signature = sign(SECRET, body.as_bytes());
        self.inbox.receive(body.as_bytes(), Some(&signature), ENOUGH_TIME).await
    }

    /// Takes a body of one change.
    pub(crate) async fn takes_change(&self, change: Value) {
        self.takes(&body(&[entry(&[change])])).await;
    }

    /// A message that was handed to Meta, as its row stands after the outcome.
    pub(crate) async fn sent(&self, outcome: Option<&Outcome>) -> Message {
        self.sent_to(None, outcome).await
    }

    /// The same, to a campaign's recipient.
    pub(crate) async fn sent_to(&self, recipient: Option<RecipientRef>, outcome: Option<&Outcome>) -> Message {
        let created_at = at(0);
        let new = NewMessage {
            id: MessageId::generate(),
            account_id: SHOP,
            phone: "919876543210".to_owned(),
            key_id: "key".to_owned(),
            content: "{}".to_owned(),
            created_at,
            deadline_at: created_at + Duration::from_secs(30),
            campaign: recipient,
        };
        let owner = Owner::new();
        assert!(matches!(self.messages.begin(&new, &owner).await.unwrap(), Claimed::Ours));
        if let Some(outcome) = outcome {
            self.messages.finish(new.id, &owner, outcome).await.unwrap();
        }
        self.messages.get(new.id).await.unwrap().unwrap()
    }

    pub(crate) async fn chat(&self, number: &str) -> Option<Conversation> {
        self.conversations.get(&Chat::with_number(SHOP, number).unwrap()).await.unwrap()
    }

    /// What a person reads of the messages in a conversation, newest first.
    pub(crate) async fn reads(&self, number: &str) -> Vec<String> {
        let messages = self.messages.newest(&Chat::with_number(SHOP, number).unwrap(), None, 100).await.unwrap();
        let body = |message: Stored| match message {
            Stored::Received(message) => message.body,
            Stored::Sent(message) => message.new.content,
            Stored::Elsewhere(_) => unreachable!("it stands in no conversation"),
        };
        messages.rows.into_iter().map(body).collect()
    }

    /// The events of the shop: their kinds, and the problems of those that were not understood.
    pub(crate) async fn kept(&self) -> Vec<(String, Option<String>)> {
        let events = self.events.newest(WABA, None, None, 100).await.unwrap();
        events.rows.into_iter().map(|WebhookEvent { kind, problem, .. }| (kind, problem)).collect()
    }

    pub(crate) async fn rows(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let pages =
            self.database.client().scan().table_name(self.database.table(table)).into_paginator().items().send();
        pages.collect::<std::result::Result<Vec<_>, _>>().await.unwrap()
    }

    pub(crate) async fn put(&self, table: &str, row: HashMap<String, AttributeValue>) {
        let put = self.database.client().put_item().table_name(self.database.table(table));
        put.set_item(Some(row)).send().await.unwrap();
    }

    pub(crate) async fn dump(&self) -> Dump {
        let mut dump = Dump::new();
        for table in TABLES {
            let rows = self.rows(table).await.into_iter().map(|row| {
                let sorted: BTreeMap<_, _> =
                    row.into_iter().map(|(name, value)| (name, format!("{value:?}"))).collect();
                format!("{sorted:?}")
            });
            let mut rows: Vec<_> = rows.collect();
            rows.sort_unstable();
            dump.insert(table, rows);
        }
        dump
    }
}
