//! The gateway's turn: the whole local stack, over HTTP.

use std::time::{Duration, Instant};

use clap::Parser;
use local::{Settings, Stack};
use meta_simulator::Simulator;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{POLLING, People, TEMPLATE, conclude};

/// Whether Meta tells of each message that it was sent, delivered and read; with the reference it doesn't.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Webhooks {
    Off,
    On,
}

/// How long it took.
pub(crate) struct Sent {
    /// Until Meta had accepted the last message.
    pub(crate) took: Duration,
    /// Until the gateway had taken the last status.
    pub(crate) told: Duration,
}

pub(crate) async fn run(people: &People, simulator: &Simulator, rate: u32, webhooks: Webhooks) -> Sent {
    let stack = stack(simulator, rate).await;
    if webhooks == Webhooks::On {
        let url = format!("{}/whatsapp/webhook/", stack.api_url());
        simulator.set_webhook_url(Some(url.parse().unwrap()));
    }
    let app = App::new(&stack);
    let rows = people.with_names().map(|(phone, name)| format!("{phone},{name}\n"));
    let file = format!("phone,name\n{}", rows.collect::<String>());
    let fields = [("name", "Offer"), ("template_name", TEMPLATE), ("parameter_mappings", r#"{"1": "name"}"#)];
    let upload = app.post("").query(&fields).header("Content-Type", "text/csv").body(file);
    let made = answer(upload).await;
    let everybody = json!(people.phones.len());
    assert_eq!(made["total_count"], everybody, "{made}");
    let campaign = format!("{}/", made["id"]);

    // Earlier than the answer to it, as the first messages are.
    let begun = Instant::now();
    answer(app.post(&format!("{campaign}start/"))).await;
    people.all_got_it(simulator).await;
    let took = begun.elapsed();
    while simulator.webhooks_pending() > 0 {
        sleep(POLLING).await;
    }
    let told = begun.elapsed();

    let mut report = answer(app.get(&campaign)).await;
    while report["status"] != "completed" {
        sleep(POLLING).await;
        report = answer(app.get(&campaign)).await;
    }
    assert_eq!((&report["sent_count"], &report["failed_count"]), (&everybody, &json!(0)), "{report}");
    let read = if webhooks == Webhooks::On { everybody } else { json!(0) };
    assert_eq!(report["read_count"], read, "{report}");
    simulator.set_webhook_url(None);
    stack.stop().await;
    conclude(people, simulator);
    Sent { took, told }
}

/// A stack with nothing in it that takes the simulator for Meta.
async fn stack(simulator: &Simulator, rate: u32) -> Stack {
    let account = json!([{
        "id": 1,
        "phone_number_id": meta_simulator::PHONE_NUMBER_ID,
        "waba_id": meta_simulator::WABA_ID,
        "access_token": meta_simulator::ACCESS_TOKEN,
        "app_secret": meta_simulator::APP_SECRET,
        "verify_token": meta_simulator::VERIFY_TOKEN,
        "messages_per_second": rate,
    }]);
    let graph = simulator.graph_api_url();
    let settings = ["local", "--port=0", "--dynamodb-port=0", "--local-data-dir=:memory:"].map(str::to_owned);
    let ours = [format!("--graph-api-url={graph}"), format!("--whatsapp-accounts={account}")];
    Stack::start(Settings::parse_from(settings.into_iter().chain(ours))).await.unwrap()
}

/// A client app of the stack.
struct App {
    client: Client,
    campaigns: String,
    api_key: String,
}

impl App {
    fn new(stack: &Stack) -> Self {
        // An error is a run before this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            campaigns: format!("{}/whatsapp/api/campaigns/", stack.api_url()),
            api_key: stack.api_key().reveal().to_owned(),
        }
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.campaigns)).header("X-API-Key", &self.api_key)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.campaigns)).header("X-API-Key", &self.api_key)
    }
}

async fn answer(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let (status, answer) = (response.status(), response.json().await.unwrap());
    assert!(status.is_success(), "{status} {answer}");
    answer
}
