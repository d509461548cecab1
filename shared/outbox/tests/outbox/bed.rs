//! What every test here starts with: a testbed, somebody who may send, and short words for what is looked at.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use auth::{ApiKey, Caller};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Account, AccountId, Accounts, CountryCode, IdempotencyKey, Kind, MessageId, PhoneNumber, Result, Scope};
use outbox::{Delivery, Draft, Outbox, Terms};
use serde_json::{Value, json};
use storage::{Chat, Conversations, Database, Heard, Message, Messages, OptOutBy};
use testbed::{SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID, Testbed};
use tokio::net::TcpSocket;
use whatsapp::{Content, Template, Text, WhatsApp};

use crate::wire::Proxy;

/// Everybody's recipient.
pub(crate) const PHONE: &str = "919876543210";
/// The idempotency key of tests that need one only.
pub(crate) const KEY: &str = "order-4711";
/// What a function has left at its start.
pub(crate) const TIME_LEFT: Duration = Duration::from_secs(28);
/// Longer than anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A deployment of its own for one test.
pub(crate) struct Bed {
    pub(crate) testbed: Testbed,
    pub(crate) caller: Caller,
    /// What the tests send with: the testbed's, or one with something broken on its way.
    pub(crate) outbox: Outbox,
}

impl Bed {
    pub(crate) async fn start() -> Self {
        let testbed = Testbed::start().await;
        let caller = caller(&testbed, &testbed.api_key).await;
        Self { caller, outbox: testbed.outbox.clone(), testbed }
    }

    /// With its Meta at another address.
    pub(crate) fn with_meta(self, graph_api_url: &str) -> Self {
        let outbox = self.outbox_with(&self.testbed.database, graph_api_url);
        Self { outbox, ..self }
    }

    /// With its DynamoDB at another address. The testbed's own outbox goes straight.
    pub(crate) fn with_database(self, url: &str) -> Self {
        let database = Database::local(url, self.testbed.engine.table_prefix());
        let outbox = self.outbox_with(&database, &self.testbed.simulator.graph_api_url());
        Self { outbox, ..self }
    }

    /// With a proxy in front of its DynamoDB.
    pub(crate) async fn with_proxy() -> (Self, Proxy) {
        let bed = Self::start().await;
        let proxy = Proxy::start(bed.testbed.engine.url()).await;
        (bed.with_database(proxy.url()), proxy)
    }

    /// What sends elsewhere: it shares nothing with the bed's but the tables and Meta.
    pub(crate) fn another_outbox(&self) -> Outbox {
        let database = Database::local(self.testbed.engine.url(), self.testbed.engine.table_prefix());
        self.outbox_with(&database, &self.testbed.simulator.graph_api_url())
    }

    fn outbox_with(&self, database: &Database, graph_api_url: &str) -> Outbox {
        let whatsapp = WhatsApp::new(graph_api_url).unwrap();
        Outbox::new(database, whatsapp, Arc::new(accounts()), CountryCode::default(), self.testbed.clock.clone())
    }

    /// Sends `draft()` under an idempotency key.
    pub(crate) async fn send(&self, key: &str) -> Result<Delivery> {
        self.outbox.send(&self.caller, draft(), &terms(key)).await
    }

    /// As [`send`](Self::send), so many times at once.
    pub(crate) async fn send_at_once(&self, times: usize, key: &str) -> Vec<Result<Delivery>> {
        futures::future::join_all((0..times).map(|_| self.send(key))).await
    }

    /// Sends, and dies as soon as `happened`.
    pub(crate) async fn send_and_die_when(&self, key: &str, happened: impl Fn() -> bool) {
        tokio::select! {
            biased;
            () = until(happened) => {}
            sent = self.send(key) => panic!("it should have died before it was answered: {sent:?}"),
        }
    }

    /// The messages of which Meta saw a POST, a row for each POST, oldest first.
    pub(crate) fn posts(&self) -> Vec<MessageId> {
        let requests = self.testbed.simulator.requests().into_iter();
        let posts = requests.filter(|request| request.path.ends_with("/messages"));
        posts.map(|post| post.json.unwrap()["biz_opaque_callback_data"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// How many messages the recipient has.
    pub(crate) fn received(&self) -> usize {
        self.testbed.simulator.phone(PHONE).len()
    }

    /// The recipient wrote, so many hours ago.
    pub(crate) async fn hear(&self, hours_ago: u64) {
        let at = self.testbed.clock.now() - Duration::from_hours(hours_ago);
        let heard = Heard { phone_number: PHONE, name: None, wamid: "wamid.heard", at };
        Conversations::new(&self.testbed.database).heard(&chat(1, PHONE), &heard).await.unwrap();
    }

    /// The recipient wants no messages, or wants them again, since now.
    pub(crate) async fn prefer(&self, wants_messages: bool, by: OptOutBy) {
        let (conversations, now) = (Conversations::new(&self.testbed.database), self.testbed.clock.now());
        conversations.preferred(&chat(1, PHONE), wants_messages, by, now).await.unwrap();
    }

    /// Everything that a send reads or writes.
    pub(crate) async fn dump(&self) -> Value {
        self.testbed.dump(&["BlockedContacts", "Conversations", "IdempotencyKeys", "Messages"]).await
    }

    /// One attribute of every row of a table.
    pub(crate) async fn column(&self, table: &str, attribute: &str) -> Vec<String> {
        let database = &self.testbed.database;
        let rows = database.client().scan().table_name(database.table(table)).send().await.unwrap();
        let text = |row: &HashMap<String, AttributeValue>| match &row[attribute] {
            AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
            other => panic!("neither a text nor a number: {other:?}"),
        };
        let mut column: Vec<_> = rows.items().iter().map(text).collect();
        column.sort();
        column
    }

    /// Every stored message, oldest first.
    pub(crate) async fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for id in self.column("Messages", "id").await {
            messages.push(self.message(id.parse().unwrap()).await);
        }
        messages
    }

    pub(crate) async fn message(&self, id: MessageId) -> Message {
        Messages::new(&self.testbed.database).get(id).await.unwrap().unwrap()
    }

    /// The one stored message.
    pub(crate) async fn only_message(&self) -> Message {
        let [message] = <[Message; 1]>::try_from(self.messages().await).unwrap();
        message
    }
}

/// The testbed's accounts.
fn accounts() -> Accounts {
    let account = |id: i64, phone_number_id: &str| {
        json!({
            "id": id,
            "phone_number_id": phone_number_id,
            "waba_id": meta_simulator::WABA_ID,
            "access_token": meta_simulator::ACCESS_TOKEN,
        })
    };
    let both = json!([account(1, meta_simulator::PHONE_NUMBER_ID), account(SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID)]);
    both.to_string().parse().unwrap()
}

/// One of them.
pub(crate) fn account(id: i64) -> Account {
    accounts().find(Some(AccountId(id))).unwrap().clone()
}

/// Whoever holds this key.
pub(crate) async fn caller(testbed: &Testbed, key: &ApiKey) -> Caller {
    testbed.keys.authorize(Some(key.reveal()), Scope::MessagesSend).await.unwrap()
}

/// An account's conversation with whoever has this number.
pub(crate) fn chat(account_id: i64, number: &str) -> Chat {
    Chat::with_number(AccountId(account_id), number).unwrap()
}

/// A text to [`PHONE`].
pub(crate) fn draft() -> Draft {
    Draft {
        account_id: None,
        to: PhoneNumber::parse(PHONE, &CountryCode::default()).unwrap(),
        content: Content::Text(Text { body: "Hello!".to_owned(), preview_url: false }),
        reply_to: None,
    }
}

/// A template to [`PHONE`].
pub(crate) fn template() -> Draft {
    Draft { content: Content::Template(Template::new("hello_world", "en_US")), ..draft() }
}

pub(crate) fn terms(key: &str) -> Terms {
    Terms { idempotency_key: Some(IdempotencyKey::parse(key).unwrap()), time_left: TIME_LEFT, despite_opt_out: false }
}

/// Waits for a condition.
pub(crate) async fn until(happened: impl Fn() -> bool) {
    let wait = async {
        while !happened() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// An address at which nobody listens, for as long as the socket is kept as it is.
pub(crate) fn closed_port() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

/// The only failures after which the same key sends.
pub(crate) const fn surely_unsent(kind: Kind) -> bool {
    matches!(kind, Kind::Throttled | Kind::Unavailable)
}
