//! How a message fares after Meta took it, and what its sender is told.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, send};
use crate::clock;
use crate::customers::Customer;
use crate::graph::errors;
use crate::json::set;
use crate::phones::{DeliveryStatus, PhoneMessage};
use crate::settings::Account;
use crate::world::World;

/// Lets a message reach its phone and be read there, or fail, and reports each step as the weather lets it through.
pub(crate) fn report_statuses(world: &Arc<World>, account: &Account, message: &PhoneMessage, fails: Option<i64>) {
    let steps = match fails {
        Some(_) => vec![DeliveryStatus::Failed],
        None if message.is_voice() => {
            vec![DeliveryStatus::Sent, DeliveryStatus::Delivered, DeliveryStatus::Read, DeliveryStatus::Played]
        }
        None => vec![DeliveryStatus::Sent, DeliveryStatus::Delivered, DeliveryStatus::Read],
    };
    let (task_world, account, phone, id) =
        (Arc::clone(world), account.clone(), message.phone.clone(), message.id.clone());
    world.tasks.spawn(async move {
        let weather = task_world.lock().weather;
        let mut due = Vec::new();
        for (position, status) in steps.iter().enumerate() {
            tokio::time::sleep(task_world.settings.status_delay).await;
            let Some(message) = set_status(&task_world, &phone, &id, *status, fails) else { return };
            due.push(Change::new(&account, "messages", status_value(&account, &message)));
            if !weather.holds_back(position, steps.len()) {
                for change in due.drain(..).rev() {
                    send(&task_world, change).await;
                }
            }
        }
    });
}

fn set_status(
    world: &World,
    phone: &str,
    id: &str,
    status: DeliveryStatus,
    error: Option<i64>,
) -> Option<PhoneMessage> {
    let mut state = world.lock();
    let message = state.phones.set_status(phone, id, status, error)?.clone();
    state.journal.push("message", &message);
    if let Some(code) = error {
        state.notice(&format!("message to +{phone}: failed later with {code} {}", errors::title(code)));
    }
    Some(message)
}

fn status_value(account: &Account, message: &PhoneMessage) -> Value {
    let recipient = Customer::Phone(message.phone.clone());
    let mut status = json!({
        "id": message.id,
        "status": message.status.name(),
        "timestamp": clock::now().as_second().to_string(),
        "recipient_id": message.phone,
        "recipient_user_id": recipient.user_id(),
    });
    if let Some(data) = &message.biz_opaque_callback_data {
        set(&mut status, "biz_opaque_callback_data", json!(data));
    }
    if let Some(code) = message.error {
        let title = errors::title(code);
        set(
            &mut status,
            "errors",
            json!([{
                "code": code,
                "title": title,
                "message": title,
                "error_data": { "details": errors::details(code) },
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            }]),
        );
    } else if message.status < DeliveryStatus::Read {
        let category = if message.kind == "template" { "utility" } else { "service" };
        let kind = if message.kind == "template" { "regular" } else { "free_customer_service" };
        let billable = message.kind == "template";
        set(
            &mut status,
            "pricing",
            json!({ "billable": billable, "pricing_model": "PMP", "type": kind, "category": category }),
        );
    }
    let mut value = super::value(account, "statuses", &status);
    // Beside failures Meta's pages don't show it; client libraries rely on it there, too.
    set(&mut value, "contacts", json!([recipient.contact()]));
    value
}
