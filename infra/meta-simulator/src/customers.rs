//! The customers: who they are, what they send, and what they ask for.

mod message;
mod sample;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::clock;
use crate::graph::media::Media;
use crate::graph::{ids, numbers};
use crate::json::set;
use crate::phones::{DeliveryStatus, PhoneMessage};
use crate::settings::Account;
use crate::webhooks::{self, Change};
use crate::world::World;
pub use message::CustomerMessage;

/// Why a customer's message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// The number is neither one of 7 to 15 digits nor a business-scoped user id.
    #[error("The number needs 7 to 15 digits with its country code, or is a user id such as US.13491208655302741918.")]
    NoSuchCustomer,
    /// The simulator serves no account with this phone number id.
    #[error("There is no account with this phone_number_id.")]
    NoSuchAccount,
    /// The business has blocked this customer.
    #[error("The business has blocked this customer, who cannot write to it.")]
    Blocked,
}

/// Somebody who writes to a business, by phone number or, unseen, by a business-scoped user id.
pub(crate) enum Customer {
    Phone(String),
    UserId(String),
}

impl Customer {
    pub(crate) fn read(written: &str) -> Result<Self, NotSent> {
        if let Some(digits) = numbers::digits(written) {
            return Ok(Self::Phone(numbers::wa_id(&digits)));
        }
        let is_user_id = written.split_once('.').is_some_and(|(country, id)| {
            country.len() == 2
                && country.bytes().all(|byte| byte.is_ascii_uppercase())
                && (1..=128).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if is_user_id { Ok(Self::UserId(written.to_owned())) } else { Err(NotSent::NoSuchCustomer) }
    }

    /// What the phone is known by here.
    pub(crate) fn phone(&self) -> &str {
        match self {
            Self::Phone(id) | Self::UserId(id) => id,
        }
    }

    /// The business-scoped user id, which every customer has since 2026 (Meta: "Business-scoped user IDs").
    pub(crate) fn user_id(&self) -> String {
        match self {
            Self::Phone(wa_id) => format!("US.1349{}", wa_id.chars().rev().collect::<String>()),
            Self::UserId(id) => id.clone(),
        }
    }

    /// The entry under `contacts`.
    pub(crate) fn contact(&self) -> Value {
        let name = format!("Customer {}", self.phone());
        match self {
            Self::Phone(wa_id) => json!({ "profile": { "name": name }, "wa_id": wa_id, "user_id": self.user_id() }),
            Self::UserId(id) => {
                // Only who has a username can hide the number.
                let username = format!("customer.{}", id.get(3..).unwrap_or(id).to_ascii_lowercase());
                json!({ "profile": { "name": name, "username": username }, "user_id": id })
            }
        }
    }
}

/// Puts the message on the customer's phone at once, and sends it to the webhook when there is one. Gives back its id.
pub(crate) fn send(
    world: &Arc<World>,
    account: &Account,
    customer: &Customer,
    message: CustomerMessage,
) -> Result<String, NotSent> {
    let phone = customer.phone();
    // A system message tells about the customer; it isn't written by one.
    let is_written = message.kind() != "system";
    let mut state = world.lock();
    if is_written && state.blocked.contains(&account.phone_number_id, phone) {
        return Err(NotSent::Blocked);
    }
    let at = clock::now();
    let mut whole = Map::new();
    if let Customer::Phone(wa_id) = customer {
        whole.insert("from".to_owned(), json!(wa_id));
    }
    whole.insert("from_user_id".to_owned(), json!(customer.user_id()));
    whole.insert("id".to_owned(), json!(ids::wamid(phone)));
    whole.insert("timestamp".to_owned(), json!(at.as_second().to_string()));
    // A tap is an answer to the message that offered it: if nobody says to which, to the last one.
    let is_tap = matches!(message.kind(), "button" | "interactive");
    let tapped = || state.phones.last_from_business(phone).unwrap_or_else(|| ids::wamid(phone));
    let reply_to = message.quoted.clone().or_else(|| is_tap.then(tapped));
    if let Some(quoted) = &reply_to {
        let by_customer = state.phones.message(phone, quoted).is_some_and(|message| message.from_customer);
        let from = if by_customer { phone } else { &account.display_phone_number };
        whole.insert("context".to_owned(), json!({ "from": from, "id": quoted }));
    }
    let file = message.file.map(|file| Media::new(world, account, file.mime_type(), file.bytes()));
    let text = message.words();
    let (kind, mut members) = message.into_members();
    if let Some(file) = file {
        if let Some(content) = members.get_mut(&kind) {
            file.describe(content);
        }
        let weight = file.weight();
        state.media.push(Arc::new(file), weight);
    }
    let content = members.get(&kind).cloned().unwrap_or_default();
    // A raw message may bring an id, a time or a sender of its own.
    whole.extend(members);
    let id = whole.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();

    let mut value = webhooks::value(account, "messages", &Value::Object(whole));
    if is_written {
        set(&mut value, "contacts", json!([customer.contact()]));
    }
    let on_phone = PhoneMessage {
        id: id.clone(),
        phone: phone.to_owned(),
        from_customer: true,
        kind,
        content,
        text,
        reply_to,
        choices: Vec::new(),
        biz_opaque_callback_data: None,
        status: DeliveryStatus::Delivered,
        error: None,
        at,
    };
    state.journal.push("message", &on_phone);
    state.phones.add(on_phone);
    if is_written {
        state.phones.wrote(phone, &account.phone_number_id, at);
    }
    drop(state);
    webhooks::send_soon(world, Change::new(account, "messages", value));
    Ok(id)
}

/// Who wants no marketing messages, by the business's phone number id and the customer's phone.
#[derive(Debug, Default)]
pub(crate) struct Stopped(HashSet<(String, String)>);

impl Stopped {
    pub(crate) fn contains(&self, account: &Account, phone: &str) -> bool {
        self.0.contains(&(account.phone_number_id.clone(), phone.to_owned()))
    }
}

/// The customer wants no more marketing messages, or wants them again. Meta tells the business.
pub(crate) fn prefer(world: &Arc<World>, account: &Account, customer: &Customer, marketing: bool) {
    let phone = customer.phone();
    let key = (account.phone_number_id.clone(), phone.to_owned());
    let verb = if marketing {
        world.lock().stopped.0.remove(&key);
        "resume"
    } else {
        world.lock().stopped.0.insert(key);
        "stop"
    };
    let mut preference = json!({
        "detail": format!("User requested to {verb} marketing messages"),
        "category": "marketing_messages",
        "value": verb,
        // Here it is a number.
        "timestamp": clock::now().as_second(),
    });
    if let Customer::Phone(wa_id) = customer {
        set(&mut preference, "wa_id", json!(wa_id));
    }
    set(&mut preference, "user_id", json!(customer.user_id()));
    let mut value = webhooks::value(account, "user_preferences", &preference);
    set(&mut value, "contacts", json!([customer.contact()]));
    webhooks::send_soon(world, Change::new(account, "user_preferences", value));
}
