//! What Meta sends on its own: statuses, the customers' messages, the templates' reviews.

mod batch;
mod call;
mod delivery;
mod statuses;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::pending::Ticket;
use crate::settings::Account;
use crate::world::World;
pub(crate) use batch::Batch;
pub(crate) use delivery::{Client, verify};
pub(crate) use statuses::{Outlook, report};

/// One change of one account, as it stands under `changes`.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    account: Account,
    field: String,
    value: Value,
}

impl Change {
    pub(crate) fn new(account: &Account, field: &str, value: Value) -> Self {
        Self { account: account.clone(), field: field.to_owned(), value }
    }
}

/// A change that counts as pending until it was taken or given up.
#[derive(Debug)]
pub(crate) struct Outgoing {
    change: Change,
    ticket: Ticket,
}

/// The value of a change that concerns one phone number of the business.
pub(crate) fn value(account: &Account, kind: &str, item: &Value) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": account.display_phone_number,
            "phone_number_id": account.phone_number_id,
        },
        kind: [item],
    })
}

/// Sends one change, and ends when it was taken or given up; batched, when it waits with the others.
async fn send(world: &Arc<World>, change: Outgoing) {
    if is_batched(world) {
        batch::hold(world, change);
    } else {
        delivery::deliver(world, vec![change]).await;
    }
}

/// Sends one change in the background. A batch gathers them in the order of these calls.
pub(crate) fn send_soon(world: &Arc<World>, change: Change) {
    let change = Outgoing { change, ticket: world.lock().pending.ticket() };
    if is_batched(world) {
        batch::hold(world, change);
    } else {
        let task_world = Arc::clone(world);
        world.tasks.spawn(async move { delivery::deliver(&task_world, vec![change]).await });
    }
}

fn is_batched(world: &World) -> bool {
    world.lock().weather.batched
}

/// Reviews a new template: it passes.
pub(crate) fn approve_template(world: &Arc<World>, account: &Account, id: String) {
    let (task_world, account) = (Arc::clone(world), account.clone());
    world.tasks.spawn(async move {
        tokio::time::sleep(task_world.settings.status_delay).await;
        let value = {
            let mut state = task_world.lock();
            let Some(template) = state.templates.iter_mut().find(|template| template.id == id) else { return };
            template.approved = true;
            json!({
                "event": "APPROVED",
                // Here, and only here, the id is a number.
                "message_template_id": template.id.parse::<u64>().unwrap_or_default(),
                "message_template_name": template.name,
                "message_template_language": template.language,
                "reason": "NONE",
                "message_template_category": template.category,
            })
        };
        send_soon(&task_world, Change::new(&account, "message_template_status_update", value));
    });
}
