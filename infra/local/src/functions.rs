//! Every function by its name, ready to be handed events. The one list to extend with a new endpoint.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use add_recipients::AddRecipients;
use api::{Endpoint, Invocation};
use auth::Keys;
use block_contact::BlockContact;
use block_list::BlockList;
use campaigns::{Brakes, Caretaker, Controls, Planner, Reports, Starter, Uploader, Worker};
use cancel_campaign::CancelCampaign;
use chats::{Chats, Events, ReadReceipts};
use create_campaign::CreateCampaign;
use get_campaign::GetCampaign;
use get_message::GetMessage;
use get_openapi::GetOpenapi;
use inbox::Inbox;
use key_page::KeyPage;
use list_blocked::ListBlocked;
use list_campaigns::ListCampaigns;
use list_chats::ListChats;
use list_events::ListEvents;
use list_messages::ListMessages;
use list_recipients::ListRecipients;
use outbox::Outbox;
use pause_campaign::PauseCampaign;
use read_chat::ReadChat;
use read_docs::ReadDocs;
use receive_webhook::ReceiveWebhook;
use refresh_blocked::RefreshBlocked;
use resume_campaign::ResumeCampaign;
use retry_failed::RetryFailed;
use send_campaign::SendCampaign;
use send_location::SendLocation;
use send_message::SendMessage;
use send_template::SendTemplate;
use serde_json::Value;
use start_campaign::StartCampaign;
use tend_campaigns::TendCampaigns;
use unblock_contact::UnblockContact;

use crate::queues::{self, Consumer};

/// A function: from an event, an invocation's id and the time left to an answer.
pub(crate) type Function = Arc<dyn Fn(String, String, Duration) -> Answer + Send + Sync>;
pub(crate) type Answer = Pin<Box<dyn Future<Output = Value> + Send>>;
/// A function that a schedule starts: from an invocation's id and the time left to its end.
pub(crate) type Task = Arc<dyn Fn(String, Duration) -> Run + Send + Sync>;
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
    pub(crate) uploader: Uploader,
    pub(crate) planner: Planner,
    pub(crate) controls: Controls,
    pub(crate) starter: Starter,
    pub(crate) brakes: Brakes,
    pub(crate) reports: Reports,
    pub(crate) worker: Worker,
    pub(crate) caretaker: Caretaker,
    pub(crate) key_page: KeyPage,
    pub(crate) query_key_allowed: bool,
}

/// Every function that requests go to, by its name.
pub(crate) fn all(dependencies: &Dependencies) -> HashMap<&'static str, Function> {
    let Dependencies { outbox, block_list, chats, receipts, events, inbox, .. } = dependencies;
    let Dependencies {
        uploader, planner, starter, controls, brakes, reports, key_page, query_key_allowed: may, ..
    } = dependencies;
    let (keys, outbox, block_list) = (|| dependencies.keys.clone(), || outbox.clone(), || block_list.clone());
    let controls = || controls.clone();
    let (brakes, reports) = (|| brakes.clone(), || reports.clone());
    HashMap::from([
        function(AddRecipients { keys: keys(), uploader: uploader.clone() }, *may),
        function(BlockContact { keys: keys(), block_list: block_list() }, *may),
        function(CancelCampaign { keys: keys(), brakes: brakes() }, *may),
        function(CreateCampaign { keys: keys(), planner: planner.clone() }, *may),
        function(GetCampaign { keys: keys(), reports: reports() }, *may),
        function(GetMessage { keys: keys(), chats: chats.clone() }, *may),
        function(GetOpenapi, *may),
        function(key_page.clone(), *may),
        function(ListBlocked { keys: keys(), block_list: block_list() }, *may),
        function(ListCampaigns { keys: keys(), reports: reports() }, *may),
        function(ListChats { keys: keys(), chats: chats.clone() }, *may),
        function(ListEvents { keys: keys(), events: events.clone() }, *may),
        function(ListMessages { keys: keys(), chats: chats.clone() }, *may),
        function(ListRecipients { keys: keys(), reports: reports() }, *may),
        function(PauseCampaign { keys: keys(), brakes: brakes() }, *may),
        function(ReadChat { keys: keys(), receipts: receipts.clone() }, *may),
        function(ReadDocs, *may),
        function(ReceiveWebhook { inbox: inbox.clone() }, *may),
        function(ResumeCampaign { keys: keys(), controls: controls() }, *may),
        function(RetryFailed { keys: keys(), controls: controls() }, *may),
        function(SendLocation { keys: keys(), outbox: outbox() }, *may),
        function(SendMessage { keys: keys(), outbox: outbox() }, *may),
        function(SendTemplate { keys: keys(), outbox: outbox() }, *may),
        function(StartCampaign { keys: keys(), starter: starter.clone() }, *may),
        function(UnblockContact { keys: keys(), block_list: block_list() }, *may),
    ])
}

/// Every function that a schedule starts, by its name.
pub(crate) fn scheduled(dependencies: &Dependencies) -> HashMap<&'static str, Task> {
    HashMap::from([
        task(RefreshBlocked { block_list: dependencies.block_list.clone() }),
        task(TendCampaigns { caretaker: dependencies.caretaker.clone() }),
    ])
}

/// Every function that takes messages from a queue, by its name.
pub(crate) fn consumers(dependencies: &Dependencies) -> HashMap<&'static str, Consumer> {
    HashMap::from([queues::consumer(SendCampaign { worker: dependencies.worker.clone() })])
}

pub(crate) fn task<T: api::Task + 'static>(task: T) -> (&'static str, Task) {
    let task = Arc::new(task);
    let run = move |id: String, time_left: Duration| -> Run {
        let task = Arc::clone(&task);
        Box::pin(async move {
            // A failure is in the log, and ends nothing.
            let _ = api::run_task(&*task, &id, time_left).await;
        })
    };
    (T::NAME, Arc::new(run))
}

fn function<E: Endpoint + 'static>(endpoint: E, query_key_allowed: bool) -> (&'static str, Function) {
    let endpoint = Arc::new(endpoint);
    let function = move |event: String, id: String, time_left: Duration| -> Answer {
        let endpoint = Arc::clone(&endpoint);
        Box::pin(async move {
            let invocation = Invocation { id: &id, deadline: Instant::now() + time_left, query_key_allowed };
            let response = api::respond(&*endpoint, &event, invocation).await;
            serde_json::to_value(response).unwrap_or_default()
        })
    };
    (E::ROUTE.name, Arc::new(function))
}
