//! What a program runs on: servers of its own, the ways to them, and events.

use lambda_runtime_stand_in::{Call, Environment, Relay};
use serde_json::{Value, json};
use testbed::Testbed;

use crate::{largest, subjects};

pub(crate) struct Bed {
    pub(crate) environment: Environment,
    pub(crate) events: Vec<String>,
    dynamodb: Relay,
    sqs: Relay,
    meta: Relay,
    /// What the calls below come from, if they come from a bed.
    recorded: Vec<Vec<Call>>,
    _testbed: Option<Testbed>,
}

impl Bed {
    /// For a function, with so many events for it.
    pub(crate) async fn start(name: &str, events: usize) -> Self {
        let testbed = Testbed::start().await;
        let events = Box::pin(subjects::events(name, &testbed, events)).await;
        Self::of(name, testbed, events).await
    }

    /// For a function, with the largest event for it, and what is large in that; `None` if there is none.
    pub(crate) async fn with_the_largest(name: &str) -> Option<(&'static str, Self)> {
        let testbed = Testbed::start().await;
        let (what, event) = Box::pin(largest::event(name, &testbed)).await?;
        Some((what, Self::of(name, testbed, vec![event]).await))
    }

    async fn of(name: &str, testbed: Testbed, events: Vec<String>) -> Self {
        let environment = Environment::new(name, &testbed);
        let dynamodb = Relay::to(testbed.engine.url()).await;
        let sqs = Relay::to(testbed.queues.url()).await;
        let meta = Relay::to(&testbed.simulator.graph_api_url()).await;
        let environment = environment
            .with("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url())
            .with("AWS_ENDPOINT_URL_SQS", &sqs.url())
            .with("GRAPH_API_URL", &meta.url())
            .with("WHATSAPP_ACCOUNTS", &subjects::accounts().to_string());
        Self { environment, events, dynamodb, sqs, meta, recorded: Vec::new(), _testbed: Some(testbed) }
    }

    /// For the bare function: with servers that give the answers to these calls again and again.
    pub(crate) async fn repeating(&self, calls: Vec<Vec<Call>>) -> Self {
        let [dynamodb, sqs, meta] = calls.as_slice() else { panic!("calls to three servers") };
        let (to_sqs, to_meta) = (self.sqs.connections() > 0, self.meta.connections() > 0);
        let (dynamodb, sqs, meta) = (
            Relay::repeating(dynamodb.clone()).await,
            Relay::repeating(sqs.clone()).await,
            Relay::repeating(meta.clone()).await,
        );
        let mut environment = self.environment.clone().with("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url());
        environment = if to_sqs {
            environment.with("AWS_ENDPOINT_URL_SQS", &sqs.url())
        } else {
            environment.without("SEND_CAMPAIGN_QUEUE_URL")
        };
        if !to_meta {
            environment = environment.without("GRAPH_API_URL");
        }
        Self { environment, events: self.events.clone(), dynamodb, sqs, meta, recorded: calls, _testbed: None }
    }

    /// With another variable in the environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment = self.environment.with(name, value);
        self
    }

    /// The calls that are repeated, as the bare function reads them.
    pub(crate) fn for_the_bare_function(&self) -> Vec<Value> {
        let meta = self.meta.url();
        let call = |call: &Call| {
            let body = serde_json::from_slice::<Value>(&call.request).unwrap_or_default();
            json!({"operation": call.operation, "url": format!("{meta}{}", call.path), "body": body})
        };
        self.recorded.iter().flatten().map(call).collect()
    }

    /// The calls to DynamoDB, SQS and Meta since this was asked for the last time.
    pub(crate) fn take_calls(&self) -> Vec<Vec<Call>> {
        self.ways().map(Relay::take_calls).to_vec()
    }

    /// The ways to DynamoDB, SQS and Meta.
    pub(crate) fn ways(&self) -> [&Relay; 3] {
        [&self.dynamodb, &self.sqs, &self.meta]
    }
}
