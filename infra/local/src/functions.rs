//! Every function by its name, ready to be handed events. The one list to extend with a new endpoint.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{Endpoint, Invocation};
use auth::Keys;
use block_contact::BlockContact;
use block_list::BlockList;
use chats::{Chats, Events, ReadReceipts};
use get_message::GetMessage;
use inbox::Inbox;
use key_page::KeyPage;
use list_blocked::ListBlocked;
use list_chats::ListChats;
use list_events::ListEvents;
use list_messages::ListMessages;
use outbox::Outbox;
use read_chat::ReadChat;
use receive_webhook::ReceiveWebhook;
use refresh_blocked::RefreshBlocked;
use send_location::SendLocation;
use send_message::SendMessage;
use send_template::SendTemplate;
use serde_json::Value;
use unblock_contact::UnblockContact;

/// How long a function may work on an event: as in template.yaml.
const TIMEOUT: Duration = Duration::from_secs(28);
/// How long one may work that nobody waits for.
const TASK_TIMEOUT: Duration = Duration::from_mins(15);

/// A function: from an event and an invocation's id to an answer.
pub(crate) type Function = Arc<dyn Fn(String, String) -> Answer + Send + Sync>;
pub(crate) type Answer = Pin<Box<dyn Future<Output = Value> + Send>>;
/// A function that a schedule starts: from an invocation's id to its end.
pub(crate) type Task = Arc<dyn Fn(String) -> Run + Send + Sync>;
pub(crate) type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the functions are built from.
pub(crate) struct Dependencies {
    pub(crate) keys: Keys,
    pub(crate) outbox: Outbox,
    pub(crate) block_list: BlockList,
    pub(crate) chats: Chats,
    pub(crate) receipts: ReadReceipts,
    pub(crate) events: Events,
    pub(crate) inbox: Inbox,
    pub(crate) key_page: KeyPage,
    pub(crate) query_key_allowed: bool,
}

/// Every function by its name.
pub(crate) fn all(dependencies: &Dependencies) -> HashMap<&'static str, Function> {
    let Dependencies { keys, outbox, block_list, chats, receipts, events, inbox, key_page, query_key_allowed } =
        dependencies;
    let (keys, outbox, block_list) = (|| keys.clone(), || outbox.clone(), || block_list.clone());
    HashMap::from([
        function(BlockContact { keys: keys(), block_list: block_list() }, *query_key_allowed),
        function(GetMessage { keys: keys(), chats: chats.clone() }, *query_key_allowed),
        function(key_page.clone(), *query_key_allowed),
        function(ListBlocked { keys: keys(), block_list: block_list() }, *query_key_allowed),
        function(ListChats { keys: keys(), chats: chats.clone() }, *query_key_allowed),
        function(ListEvents { keys: keys(), events: events.clone() }, *query_key_allowed),
        function(ListMessages { keys: keys(), chats: chats.clone() }, *query_key_allowed),
        function(ReadChat { keys: keys(), receipts: receipts.clone() }, *query_key_allowed),
        function(ReceiveWebhook { inbox: inbox.clone() }, *query_key_allowed),
        function(SendLocation { keys: keys(), outbox: outbox() }, *query_key_allowed),
        function(SendMessage { keys: keys(), outbox: outbox() }, *query_key_allowed),
        function(SendTemplate { keys: keys(), outbox: outbox() }, *query_key_allowed),
        function(UnblockContact { keys: keys(), block_list: block_list() }, *query_key_allowed),
    ])
}

/// Every function that a schedule starts, by its name.
pub(crate) fn scheduled(dependencies: &Dependencies) -> HashMap<&'static str, Task> {
    HashMap::from([task(RefreshBlocked { block_list: dependencies.block_list.clone() })])
}

pub(crate) fn task<T: api::Task + 'static>(task: T) -> (&'static str, Task) {
    let task = Arc::new(task);
    let run = move |id: String| -> Run {
        let task = Arc::clone(&task);
        Box::pin(async move {
            // A failure is in the log, and ends nothing.
            let _ = api::run_task(&*task, &id, TASK_TIMEOUT).await;
        })
    };
    (T::NAME, Arc::new(run))
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
