//! What the tests run on.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use campaigns::{Again, Brakes, Caretaker, Controls, Reports, Starter};
use domain::{Accounts, CampaignId, Clock};
use embedded_sqs::Mischief;
use inbox::{Inbox, Words};
use lambda_runtime_stand_in::{Environment, Function, Gate};
use serde_json::{Value, json};
use storage::WorkQueue;
use testbed::Testbed;
use testbed::campaigns::{QUEUE, TIME_LEFT};
use tokio::task::AbortHandle;
use whatsapp::WhatsApp;

/// A deployment, with the machine's own clock, and Meta's webhooks coming in.
pub(crate) struct Bed {
    pub(crate) testbed: Testbed,
    /// The way to the database that the program takes.
    pub(crate) gate: Gate,
    brakes: Brakes,
    caretaker: Caretaker,
    controls: Controls,
    starter: Starter,
    reports: Reports,
    environment: Environment,
    webhook: AbortHandle,
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.webhook.abort();
    }
}

fn accounts() -> Value {
    json!([{
        "id": 1, "phone_number_id": meta_simulator::PHONE_NUMBER_ID, "waba_id": meta_simulator::WABA_ID,
        "access_token": meta_simulator::ACCESS_TOKEN, "app_secret": meta_simulator::APP_SECRET,
        "messages_per_second": 200,
    }])
}

impl Bed {
    pub(crate) async fn start() -> Self {
        let testbed = Testbed::start().await;
        let gate = Gate::to(testbed.engine.url()).await;
        let (database, clock) = (&testbed.database, Clock::system());
        let known: Arc<Accounts> = Arc::new(accounts().to_string().parse().unwrap());
        let queue = WorkQueue::local(testbed.queues.url(), &testbed.queues.queue_url(QUEUE));
        let whatsapp = WhatsApp::new(&testbed.simulator.graph_api_url()).unwrap();
        let environment = Environment::new("send-campaign", &testbed)
            .with("WHATSAPP_ACCOUNTS", &accounts().to_string())
            .with("AWS_ENDPOINT_URL_DYNAMODB", gate.url());
        let inbox = Inbox::new(database, Arc::clone(&known), Words::default(), clock.clone());
        let (webhook, url) = webhook(inbox).await;
        testbed.simulator.set_webhook_url(Some(url.parse().unwrap()));
        let controls = Controls::new(database, queue.clone(), Arc::clone(&known), clock.clone());
        Self {
            brakes: Brakes::new(database, Arc::clone(&known), clock.clone()),
            caretaker: Caretaker::new(database, queue, Arc::clone(&known), clock.clone()),
            starter: Starter::new(controls.clone(), database, whatsapp),
            controls,
            reports: Reports::new(database, known, clock),
            gate,
            environment,
            webhook,
            testbed,
        }
    }

    /// The queue delivers everything three times, in any order.
    pub(crate) fn make_mischief(&self) {
        self.testbed.queues.set_mischief(Mischief { copies: 3, shuffled: true, seed: 5 });
    }

    /// A new process.
    pub(crate) async fn function(&self) -> Function {
        Function::start(env!("CARGO_BIN_EXE_send-campaign"), &self.environment).await
    }

    pub(crate) async fn start_campaign(&self, id: CampaignId) {
        self.starter.start(&self.testbed.caller().await, id).await.unwrap();
    }

    pub(crate) async fn pause(&self, id: CampaignId) {
        self.brakes.pause(&self.testbed.caller().await, id).await.unwrap();
    }

    pub(crate) async fn resume(&self, id: CampaignId) {
        self.controls.resume(&self.testbed.caller().await, id).await.unwrap();
    }

    /// Tries those again of whom it is not known whether they were written to. Gives how many that are.
    pub(crate) async fn retry_unknown(&self, id: CampaignId) -> Value {
        let again = Again { codes: None, unknown: true };
        let retried = self.controls.retry_failed(&self.testbed.caller().await, id, &again).await.unwrap();
        serde_json::to_value(retried).unwrap()["retried_count"].clone()
    }

    /// As a client reads it.
    pub(crate) async fn details(&self, id: CampaignId) -> Value {
        let details = self.reports.get(&self.testbed.caller().await, id).await.unwrap();
        serde_json::to_value(details).unwrap()
    }

    /// As it stands in the list: what is counted in the campaign's own row.
    pub(crate) async fn listed(&self) -> Value {
        let page = self.reports.list(&self.testbed.caller().await, None, None, 1).await.unwrap();
        serde_json::to_value(page).unwrap()["campaigns"][0].clone()
    }

    /// What is done every minute.
    pub(crate) async fn tend(&self) {
        Box::pin(self.caretaker.tend(TIME_LEFT)).await.unwrap();
    }

    /// Whatever chunk is somebody's is so no longer.
    pub(crate) async fn leases_end(&self) {
        self.end_all("CampaignChunks", "todo_at").await;
    }

    /// Whoever died with a message in their hands has died long ago; and so with the chunks.
    pub(crate) async fn time_passes(&self) {
        self.end_all("Messages", "deadline_at").await;
        self.leases_end().await;
    }

    /// Sets a time in a table's rows to now, where it lies ahead.
    async fn end_all(&self, table: &str, attribute: &str) {
        let (client, table) = (self.testbed.database.client(), self.testbed.database.table(table));
        let now = AttributeValue::N(Clock::system().now().as_millisecond().to_string());
        let scan = client.scan().table_name(&table).filter_expression("#at > :now");
        let scan = scan.expression_attribute_names("#at", attribute).expression_attribute_values(":now", now.clone());
        let rows: Vec<_> = scan.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
        for row in rows {
            let update = client.update_item().table_name(&table).key("id", row["id"].clone());
            let update = update.update_expression("SET #at = :now").condition_expression("#at = :before");
            let update =
                update.expression_attribute_names("#at", attribute).expression_attribute_values(":now", now.clone());
            // An error is somebody who was faster.
            let _ = update.expression_attribute_values(":before", row[attribute].clone()).send().await;
        }
    }
}

/// Where Meta tells what happened.
async fn webhook(inbox: Inbox) -> (AbortHandle, String) {
    async fn take(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let signature = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
        match inbox.receive(&body, signature, TIME_LEFT).await {
            Ok(()) => StatusCode::OK,
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(take).with_state(inbox);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    (server.abort_handle(), url)
}
