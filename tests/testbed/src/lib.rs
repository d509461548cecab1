//! What an endpoint's tests run on: the real tables on the embedded DynamoDB, the simulated Meta, and API keys. Nothing
//! is mocked; time stands still until a test moves it.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "only tests call this: what goes wrong fails them")]

pub mod block_lists;
pub mod campaigns;
pub mod guarantees;
pub mod reading;
mod sender;

pub use sender::{Sender, not_texts};

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ::campaigns::{Brakes, Caretaker, Controls, Planner, Reports, Starter, Uploader, Worker};
use api::{Endpoint, Invocation};
use auth::{ApiKey, KeyRecord, KeySettings, Keys, Registry};
use block_list::BlockList;
use chats::{Chats, Events, ReadReceipts};
use domain::{AccountId, Accounts, Clock, CountryCode, Scope};
use embedded_dynamodb::Engine;
use meta_simulator::Simulator;
use outbox::Outbox;
use serde_json::{Map, Value, json};
use storage::{Actor, Database, WorkQueue};
use whatsapp::WhatsApp;

/// The `account_id` of the second account; the first one's is 1.
pub const SECOND_ACCOUNT: i64 = 2;
/// What Meta calls the second account's number.
pub const SECOND_PHONE_NUMBER_ID: &str = "206540352242922";

/// Stands in the route's path where a request names nothing else: the phone number and the wamid, or the id of the
/// [first campaign](campaigns::FIRST).
pub const PHONE: &str = "919876543210";
/// See [`PHONE`].
pub const WAMID: &str = "wamid.First";

/// What is no JSON.
const TEXT: &str = "text/plain; charset=utf-8";

/// The tables that a request may leave something in.
const LEFT_IN: [&str; 6] =
    ["BlockedContacts", "CampaignChunks", "CampaignRecipients", "Campaigns", "Conversations", "Messages"];

/// What only somebody who reads the code, the log or the template may know: places in the source, AWS and its errors,
/// the tables, hosts.
const INTERNAL_WORDS: [&str; 17] = [
    "src/",
    ".rs:",
    "panicked",
    "arn:aws",
    "ConditionalCheck",
    "dynamo",
    "127.0.0.1",
    "ApiKeys",
    "IdempotencyKeys",
    "-Messages",
    "-Conversations",
    "-WebhookEvents",
    "BlockedContacts",
    "CampaignChunks",
    "CampaignRecipients",
    "SendRates",
    "SendCampaign",
];

/// A deployment of its own for one test.
#[derive(Debug)]
pub struct Testbed {
    /// The embedded DynamoDB.
    pub engine: Engine,
    /// The simulated Meta.
    pub simulator: Simulator,
    /// The tables.
    pub database: Database,
    /// The API keys, as a request meets them.
    pub keys: Keys,
    /// The API keys, to administer.
    pub registry: Registry,
    /// What sends.
    pub outbox: Outbox,
    /// What blocks.
    pub block_list: BlockList,
    /// The embedded SQS.
    pub queues: embedded_sqs::Engine,
    /// What adds recipients.
    pub uploader: Uploader,
    /// What makes campaigns.
    pub planner: Planner,
    /// What sets campaigns going.
    pub controls: Controls,
    /// What starts campaigns.
    pub starter: Starter,
    /// What holds and ends campaigns.
    pub brakes: Brakes,
    /// What tells of campaigns.
    pub reports: Reports,
    /// What sends campaigns.
    pub worker: Worker,
    /// What takes care of campaigns.
    pub caretaker: Caretaker,
    /// What reads conversations and messages.
    pub chats: Chats,
    /// What marks conversations as read.
    pub receipts: ReadReceipts,
    /// What reads events.
    pub events: Events,
    /// What time it is.
    pub clock: Clock,
    /// An API key with every scope.
    pub api_key: ApiKey,
    /// What stands in the tables before any request.
    before: Mutex<Value>,
    /// So many messages of the queue were handed over.
    worked: Mutex<usize>,
}

impl Testbed {
    /// Starts everything, with two accounts.
    pub async fn start() -> Self {
        let engine = Engine::in_memory().await.expect("the embedded DynamoDB starts");
        let second = meta_simulator::Account {
            phone_number_id: SECOND_PHONE_NUMBER_ID.to_owned(),
            ..meta_simulator::Account::built_in()
        };
        let settings = meta_simulator::Settings {
            accounts: vec![meta_simulator::Account::built_in(), second],
            ..meta_simulator::Settings::default()
        };
        let simulator = Simulator::bind(settings).await.expect("the simulator starts");
        let clock = Clock::fixed("2026-01-02T03:04:05.678Z".parse().expect("a moment"));
        let database = Database::local(engine.url(), engine.table_prefix());
        let keys = Keys::new(&database, clock.clone());
        let registry = Registry::new(&database, clock.clone());
        let (api_key, _) = create(&registry, KeySettings::unlimited("test")).await;
        let whatsapp = whatsapp(&simulator);
        let accounts = Arc::new(accounts());
        let block_list = BlockList::new(&database, whatsapp.clone(), Arc::clone(&accounts), clock.clone());
        let chats = Chats::new(&database, Arc::clone(&accounts), CountryCode::default(), clock.clone());
        let receipts = ReadReceipts::new(chats.clone(), whatsapp.clone());
        let events = Events::new(&database, Arc::clone(&accounts));
        let country = CountryCode::default();
        let shared = || Arc::clone(&accounts);
        let outbox = Outbox::new(&database, whatsapp.clone(), shared(), country.clone(), clock.clone());
        let queues = embedded_sqs::Engine::in_memory().await.expect("the embedded SQS starts");
        let queue = WorkQueue::local(queues.url(), &queues.queue_url(campaigns::QUEUE));
        let uploader = Uploader::new(&database, shared(), country, clock.clone());
        let planner = Planner::new(uploader.clone(), &database, whatsapp.clone());
        let controls = Controls::new(&database, queue.clone(), shared(), clock.clone());
        let starter = Starter::new(controls.clone(), &database, whatsapp);
        let brakes = Brakes::new(&database, shared(), clock.clone());
        let reports = Reports::new(&database, shared(), clock.clone());
        let worker = Worker::new(&database, queue.clone(), outbox.clone(), shared(), clock.clone());
        let caretaker = Caretaker::new(&database, queue, shared(), clock.clone());
        let before = Mutex::new(LEFT_IN.iter().map(|table| ((*table).to_owned(), json!([]))).collect());
        Self {
            engine,
            simulator,
            database,
            keys,
            registry,
            outbox,
            block_list,
            queues,
            uploader,
            planner,
            controls,
            starter,
            brakes,
            reports,
            worker,
            caretaker,
            chats,
            receipts,
            events,
            clock,
            api_key,
            before,
            worked: Mutex::default(),
        }
    }

    /// What blocks, with a storage that is out: Meta does it, and it can't be recorded.
    pub fn block_list_without_storage(&self) -> BlockList {
        let out = Database::local("http://127.0.0.1:1", self.engine.table_prefix());
        BlockList::new(&out, whatsapp(&self.simulator), Arc::new(accounts()), self.clock.clone())
    }

    /// What sends campaigns, of a deployment to which other accounts are connected.
    pub fn worker_with(&self, accounts: Accounts) -> Worker {
        let queue = WorkQueue::local(self.queues.url(), &self.queues.queue_url(campaigns::QUEUE));
        Worker::new(&self.database, queue, self.outbox.clone(), Arc::new(accounts), self.clock.clone())
    }

    /// What takes care of campaigns, with another queue.
    pub fn caretaker_with(&self, queue: WorkQueue) -> Caretaker {
        Caretaker::new(&self.database, queue, Arc::new(accounts()), self.clock.clone())
    }

    /// What starts campaigns, with another simulated Meta.
    pub fn starter_with(&self, simulator: &Simulator) -> Starter {
        Starter::new(self.controls.clone(), &self.database, whatsapp(simulator))
    }

    /// Makes an API key that holds some scopes and may use some accounts.
    pub async fn key(&self, scopes: impl IntoIterator<Item = Scope>, accounts: Option<&[i64]>) -> ApiKey {
        let scopes = scopes.into_iter().collect();
        let accounts = accounts.map(|ids| ids.iter().copied().map(AccountId).collect());
        self.new_key(KeySettings { scopes, accounts, ..KeySettings::unlimited("test") }).await.0
    }

    /// Makes an API key.
    pub async fn new_key(&self, settings: KeySettings) -> (ApiKey, KeyRecord) {
        create(&self.registry, settings).await
    }

    /// A request with the testbed's API key.
    pub fn post(&self, body: &Value) -> TestRequest {
        TestRequest::post(body).header("X-API-Key", self.api_key.reveal())
    }

    /// The JSON bodies that were sent to Meta as messages, oldest first, each without the id that differs every time.
    pub fn sent_to_meta(&self) -> Vec<Value> {
        let messages = self.simulator.requests().into_iter().filter(|request| request.path.ends_with("/messages"));
        let without_id = |request: meta_simulator::RecordedRequest| {
            let mut body = request.json.expect("what is sent to Meta is JSON");
            let id = body.as_object_mut().and_then(|members| members.remove("biz_opaque_callback_data"));
            assert!(id.is_some(), "no biz_opaque_callback_data in {body}");
            body
        };
        messages.map(without_id).collect()
    }

    /// How many messages are stored, whatever became of them.
    pub async fn stored_messages(&self) -> usize {
        let scan = self.database.client().scan().table_name(self.database.table("Messages"));
        scan.send().await.expect("the table can be read").items().len()
    }

    /// Everything that stands in some tables.
    pub async fn dump(&self, tables: &[&str]) -> Value {
        let mut dump = Map::new();
        for table in tables {
            let scan = self.database.client().scan().table_name(self.database.table(table));
            let rows = scan.send().await.expect("the table can be read").items.unwrap_or_default();
            let mut rows: Vec<Value> = serde_dynamo::from_items(rows).expect("a row can be read");
            rows.sort_by_key(Value::to_string);
            dump.insert((*table).to_owned(), rows.into());
        }
        dump.into()
    }

    /// From here on what stands in the tables now is what no request has left.
    pub async fn begin(&self) {
        let now = self.dump(&LEFT_IN).await;
        *self.before.lock().expect("nobody panics holding it") = now;
    }

    /// Fails the test when Meta was called or anything stored that a request leaves; `what` should have done neither.
    pub async fn assert_untouched(&self, what: &str) {
        assert!(self.simulator.requests().is_empty(), "Meta was called: {what}");
        let before = self.before.lock().expect("nobody panics holding it").clone();
        assert_eq!(self.dump(&LEFT_IN).await, before, "something was stored: {what}");
    }
}

/// Who makes changes in tests.
pub fn tester() -> Actor {
    Actor { name: "test".to_owned(), address: None }
}

async fn create(registry: &Registry, settings: KeySettings) -> (ApiKey, KeyRecord) {
    registry.create(&Registry::new_id(), settings, &tester()).await.expect("a key is made")
}

fn whatsapp(simulator: &Simulator) -> WhatsApp {
    WhatsApp::new(&simulator.graph_api_url()).expect("the simulator's URL is one")
}

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
    both.to_string().parse().expect("the accounts are well formed")
}

/// A request as API Gateway hands it over.
#[derive(Clone, Debug)]
pub struct TestRequest {
    method: String,
    headers: Map<String, Value>,
    query: Map<String, Value>,
    body: Option<String>,
    time_left: Duration,
    through_http_api: bool,
    in_path: Option<String>,
    last_slash: bool,
}

impl TestRequest {
    /// A POST with a JSON body and no API key.
    pub fn post(body: &Value) -> Self {
        Self {
            method: "POST".to_owned(),
            headers: Map::new(),
            query: Map::new(),
            body: Some(body.to_string()),
            time_left: Duration::from_secs(28),
            through_http_api: false,
            in_path: None,
            last_slash: true,
        }
    }

    /// A GET with no body and no API key.
    pub fn get() -> Self {
        Self { method: "GET".to_owned(), body: None, ..Self::post(&Value::Null) }
    }

    /// With another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// With a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.insert(name.to_owned(), value.into());
        self
    }

    /// With a body that is perhaps no JSON.
    #[must_use]
    pub fn raw_body(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// To a function that will be stopped soon.
    #[must_use]
    pub fn time_left(mut self, time_left: Duration) -> Self {
        self.time_left = time_left;
        self
    }

    /// As an HTTP API hands it over, and not a REST API.
    #[must_use]
    pub fn through_http_api(mut self) -> Self {
        self.through_http_api = true;
        self
    }

    /// With this, as it stands in a URL, where the route's path has its parameter.
    #[must_use]
    pub fn in_path(mut self, value: &str) -> Self {
        self.in_path = Some(value.to_owned());
        self
    }

    /// To the path without its last slash.
    #[must_use]
    pub fn without_last_slash(mut self) -> Self {
        self.last_slash = false;
        self
    }

    /// Hands the request to an endpoint as an event. Whatever the answer, it is JSON, unless its `Content-Type` says that it
    /// is a text, and gives no secret away.
    pub async fn send_to<E: Endpoint>(&self, endpoint: &E) -> Answer {
        let path = self.path(E::ROUTE.path);
        let event = if self.through_http_api { self.http_api_event(&path) } else { self.event(&path) };
        let invocation = Invocation { id: "test", deadline: Instant::now() + self.time_left, query_key_allowed: true };
        let event = event.to_string();
        let response = api::respond(endpoint, &event, invocation).await;
        let response = serde_json::to_value(response).expect("an answer is JSON");
        self.assert_discreet(&response);
        let body = response["body"].as_str().and_then(|body| match response["headers"]["Content-Type"].as_str() {
            Some(TEXT) => Some(body.into()),
            _ => serde_json::from_str(body).ok(),
        });
        Answer {
            status: response["statusCode"].as_u64().expect("an answer has a status"),
            headers: response["headers"].clone(),
            body: body.expect("an answer's body is JSON"),
        }
    }

    fn path(&self, route: &str) -> String {
        let value = self.in_path.as_deref();
        let id = if route.contains("/campaigns/") { campaigns::FIRST } else { WAMID };
        let path = route.replace("{phone}", value.unwrap_or(PHONE)).replace("{id}", value.unwrap_or(id));
        if self.last_slash { path } else { path.trim_end_matches('/').to_owned() }
    }

    fn event(&self, path: &str) -> Value {
        json!({
            "httpMethod": self.method,
            "path": path,
            "headers": self.headers,
            "queryStringParameters": self.query,
            "body": self.body,
            "isBase64Encoded": false,
        })
    }

    fn http_api_event(&self, path: &str) -> Value {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.query.iter().filter_map(|(name, value)| Some((name, value.as_str()?))));
        json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query.finish(),
            "headers": self.headers,
            "requestContext": {"http": {"method": self.method}},
            "body": self.body,
            "isBase64Encoded": false,
        })
    }

    /// An answer of any status holds no key, no token and no word from inside.
    fn assert_discreet(&self, response: &Value) {
        let headers = &response["headers"];
        // An error is always JSON.
        let is_text = response["statusCode"] == 200 && headers["Content-Type"] == TEXT;
        assert!(is_text || headers["Content-Type"] == "application/json", "{response}");
        assert_eq!(headers["X-Content-Type-Options"], "nosniff", "{response}");
        let text = response.to_string();
        let keys = [self.headers.get("X-API-Key"), self.query.get("api_key")];
        // Very short keys are in every text by chance.
        let keys = keys.into_iter().flatten().filter_map(Value::as_str).filter(|key| key.len() >= 8);
        for secret in keys.chain([meta_simulator::ACCESS_TOKEN]).chain(INTERNAL_WORDS) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// An endpoint's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u64,
    /// The headers, by their names as sent.
    pub headers: Value,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// The text that a person reads.
    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }
}
