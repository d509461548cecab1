//! How a message fares after Meta took it, and what its sender is told.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, Outgoing, send};
use crate::clock;
use crate::customers::Customer;
use crate::graph::errors;
use crate::json::set;
use crate::pending::Ticket;
use crate::phones::{DeliveryStatus, PhoneMessage};
use crate::settings::Account;
use crate::world::{State, World};

/// What will become of a message, as far as its sender is told: it is known when Meta takes the message, and holds
/// whatever becomes of the phone.
pub(crate) struct Outlook {
    account: Account,
    id: String,
    phone: String,
    callback_data: Option<String>,
    is_template: bool,
    /// The error with which it fails.
    fails: Option<i64>,
    /// What it will go through.
    steps: Vec<(DeliveryStatus, Ticket)>,
}

impl Outlook {
    pub(crate) fn new(state: &State, account: &Account, message: &PhoneMessage, fails: Option<i64>) -> Self {
        use DeliveryStatus::{Delivered, Failed, Played, Read, Sent};
        let steps: &[DeliveryStatus] = match fails {
            Some(_) => &[Failed],
            None if message.is_voice() => &[Sent, Delivered, Read, Played],
            None => &[Sent, Delivered, Read],
        };
        Self {
            account: account.clone(),
            id: message.id.clone(),
            phone: message.phone.clone(),
            callback_data: message.biz_opaque_callback_data.clone(),
            is_template: message.kind == "template",
            fails,
            steps: steps.iter().map(|step| (*step, state.pending.ticket())).collect(),
        }
    }

    /// Whether a reset came before this step; else the message has taken it.
    fn reach(&self, world: &World, status: DeliveryStatus, ticket: &Ticket) -> bool {
        let mut state = world.lock();
        if ticket.is_void() {
            return false;
        }
        let State { phones, journal, arrivals, .. } = &mut *state;
        arrivals.reach(status);
        if let Some(message) = phones.set_status(&self.phone, &self.id, status, self.fails) {
            journal.push("message", message);
        }
        if let Some(code) = self.fails {
            state.notice(&format!("message to +{}: failed later with {code} {}", self.phone, errors::title(code)));
        }
        true
    }

    fn value(&self, status: DeliveryStatus) -> Value {
        let recipient = Customer::Phone(self.phone.clone());
        let mut told = json!({
            "id": self.id,
            "status": status.name(),
            "timestamp": clock::now().as_second().to_string(),
            "recipient_id": self.phone,
            "recipient_user_id": recipient.user_id(),
        });
        if let Some(data) = &self.callback_data {
            set(&mut told, "biz_opaque_callback_data", json!(data));
        }
        if let Some(code) = self.fails {
            let title = errors::title(code);
            set(
                &mut told,
                "errors",
                json!([{
                    "code": code,
                    "title": title,
                    "message": title,
                    "error_data": { "details": errors::details(code) },
                    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
                }]),
            );
        } else if status < DeliveryStatus::Read {
            let (category, kind) =
                if self.is_template { ("utility", "regular") } else { ("service", "free_customer_service") };
            set(
                &mut told,
                "pricing",
                json!({ "billable": self.is_template, "pricing_model": "PMP", "type": kind, "category": category }),
            );
        }
        let mut value = super::value(&self.account, "statuses", &told);
        // Beside failures Meta's pages don't show it; client libraries rely on it there, too.
        set(&mut value, "contacts", json!([recipient.contact()]));
        value
    }
}

/// Lets a message reach its phone and be read there, or fail, and reports each step as the weather lets it through.
pub(crate) fn report(world: &Arc<World>, mut outlook: Outlook) {
    let task_world = Arc::clone(world);
    world.tasks.spawn(async move {
        let weather = task_world.lock().weather;
        let steps = std::mem::take(&mut outlook.steps);
        let (count, mut due) = (steps.len(), Vec::new());
        for (position, (status, ticket)) in steps.into_iter().enumerate() {
            tokio::time::sleep(task_world.settings.status_delay).await;
            if !outlook.reach(&task_world, status, &ticket) {
                return;
            }
            let change = Change::new(&outlook.account, "messages", outlook.value(status));
            due.push(Outgoing { change, ticket });
            if !weather.holds_back(position, count) {
                for change in due.drain(..).rev() {
                    send(&task_world, change).await;
                }
            }
        }
    });
}
