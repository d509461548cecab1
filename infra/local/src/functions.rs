//! Every function by its name, ready to be handed events. The one list to extend with a new endpoint.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{Endpoint, Invocation};
use auth::Keys;
use key_page::KeyPage;
use outbox::Outbox;
use send_location::SendLocation;
use send_message::SendMessage;
use send_template::SendTemplate;
use serde_json::Value;

/// How long a function may work on an event: as in template.yaml.
const TIMEOUT: Duration = Duration::from_secs(28);

/// A function: from an event and an invocation's id to an answer.
pub(crate) type Function = Arc<dyn Fn(String, String) -> Answer + Send + Sync>;
pub(crate) type Answer = Pin<Box<dyn Future<Output = Value> + Send>>;

/// What the functions are built from.
pub(crate) struct Dependencies {
    pub(crate) keys: Keys,
    pub(crate) outbox: Outbox,
    pub(crate) key_page: KeyPage,
    pub(crate) query_key_allowed: bool,
}

/// Every function by its name.
pub(crate) fn all(dependencies: &Dependencies) -> HashMap<&'static str, Function> {
    let Dependencies { keys, outbox, key_page, query_key_allowed } = dependencies;
    let (keys, outbox) = (|| keys.clone(), || outbox.clone());
    HashMap::from([
        function(key_page.clone(), *query_key_allowed),
        function(SendLocation { keys: keys(), outbox: outbox() }, *query_key_allowed),
        function(SendMessage { keys: keys(), outbox: outbox() }, *query_key_allowed),
        function(SendTemplate { keys: keys(), outbox: outbox() }, *query_key_allowed),
    ])
}

fn function<E: Endpoint + 'static>(endpoint: E, query_key_allowed: bool) -> (&'static str, Function) {
    let endpoint = Arc::new(endpoint);
    let function = move |event: String, id: String| -> Answer {
        let endpoint = Arc::clone(&endpoint);
        Box::pin(async move {
            let invocation = Invocation { id: &id, deadline: Instant::now() + TIMEOUT, query_key_allowed };
            let response = api::respond(&*endpoint, &event, invocation).await;
            serde_json::to_value(response).unwrap_or_default()
        })
    };
    (E::ROUTE.name, Arc::new(function))
}
