//! `POST /{phone_number_id}/messages`: a message to a phone, or a mark that a customer's message was read.

use std::sync::Arc;

use axum::response::Response;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::checks::{self, Message};
use super::errors::GraphError;
use super::{Call, choices, ids, ok, templates};
use crate::clock;
use crate::faults::{self, NumberFault};
use crate::json::set;
use crate::phones::{DeliveryStatus, PhoneMessage};
use crate::settings::Account;
use crate::webhooks::{self, Outlook};
use crate::world::{State, World};

const WINDOW: SignedDuration = SignedDuration::from_hours(24);

pub(crate) fn post(world: &Arc<World>, account: &Account, call: &Call) -> Result<Response, GraphError> {
    let body = call.object()?;
    checks::messaging_product(body)?;
    if body.contains_key("status") {
        return mark_read(world, body);
    }
    let message = checks::message(body)?;
    if message.wa_id == account.display_phone_number {
        return Err(GraphError::of(131_021));
    }
    let fails_later = match faults::of_number(&message.digits) {
        Some(NumberFault::Refused(code)) => return Err(GraphError::of(code)),
        Some(NumberFault::FailsLater(code)) => Some(code),
        Some(NumberFault::Transport(_)) | None => None,
    };
    let (id, outlook) = accept(world, account, &message, fails_later)?;
    webhooks::report(world, outlook);

    let mut sent = json!({ "id": id });
    if message.kind == "template" {
        set(&mut sent, "message_status", json!("accepted"));
    }
    Ok(ok(&json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": message.to, "wa_id": message.wa_id }],
        "messages": [sent],
    })))
}

/// Checks what depends on this account's state, and puts the message on the phone. Gives back its id, and what is to be
/// reported of it.
fn accept(
    world: &World,
    account: &Account,
    message: &Message<'_>,
    fails_later: Option<i64>,
) -> Result<(String, Outlook), GraphError> {
    let mut state = world.lock();
    if state.blocked.contains(&account.phone_number_id, &message.wa_id) {
        return Err(GraphError::of(130_403));
    }
    if message.kind != "template" && !wrote_lately(world, &state, account, &message.wa_id) {
        return Err(GraphError::of(131_047));
    }
    let (text, choices) = match message.kind {
        "template" => {
            match templates::check(&state.templates, account, message.content, world.settings.any_template)? {
                Some(fitted) if fitted.is_marketing && state.stopped.contains(account, &message.wa_id) => {
                    return Err(GraphError::of(131_050));
                }
                Some(fitted) => (fitted.text, fitted.choices),
                None => (String::new(), choices::of_unknown_template(message.content)),
            }
        }
        "interactive" => (message.text.clone(), choices::of_interactive(message.content)),
        _ => (message.text.clone(), Vec::new()),
    };
    // Only what would be accepted comes near a limit.
    state.limits.admit(&account.phone_number_id, &message.wa_id, clock::instant()).map_err(GraphError::of)?;
    let on_phone = PhoneMessage {
        id: ids::wamid(&message.wa_id),
        phone: message.wa_id.clone(),
        from_customer: false,
        kind: message.kind.to_owned(),
        content: message.content.clone(),
        text,
        reply_to: message.reply_to.map(str::to_owned),
        choices,
        biz_opaque_callback_data: message.callback_data.map(str::to_owned),
        status: DeliveryStatus::Accepted,
        error: None,
        at: clock::now(),
    };
    state.journal.push("message", &on_phone);
    state.counts.accept(&message.wa_id);
    state.arrivals.add(&on_phone);
    let accepted = (on_phone.id.clone(), Outlook::new(&state, account, &on_phone, fails_later));
    state.phones.add(on_phone);
    Ok(accepted)
}

/// Whether the customer has written to this number in the last 24 hours. Somebody who never wrote has, unless the settings
/// ask for more.
pub(crate) fn wrote_lately(world: &World, state: &State, account: &Account, wa_id: &str) -> bool {
    let written = state.phones.last_written(wa_id, &account.phone_number_id);
    written.map_or(!world.settings.enforce_window, |at| clock::now().duration_since(at) < WINDOW)
}

fn mark_read(world: &World, body: &Map<String, Value>) -> Result<Response, GraphError> {
    let id = checks::read_mark(body)?;
    let mut state = world.lock();
    // A message from before a restart is unknown here, yet its mark is as good as any.
    let State { phones, journal, .. } = &mut *state;
    phones.mark_read(id, |message| journal.push("message", message));
    Ok(ok(&json!({ "success": true })))
}
