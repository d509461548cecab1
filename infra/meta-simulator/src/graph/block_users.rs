//! `/{phone_number_id}/block_users`: block, unblock, list.

use std::collections::{HashMap, HashSet};

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::errors::GraphError;
use super::{Call, checks, messages, numbers, ok, paging};
use crate::customers::Customer;
use crate::faults::{self, NumberFault};
use crate::json::set;
use crate::settings::Account;
use crate::world::{State, World};

const MAX_USERS: usize = 1_000;
const MAX_BLOCKED: usize = 64_000;
/// The errors that concern one user; any other error that a number asks for fails the whole request.
const ITEM_CODES: [i64; 5] = [131_009, 131_021, 131_026, 131_047, 139_101];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Block,
    Unblock,
}

/// Who is blocked.
#[derive(Debug, Default)]
pub(crate) struct BlockList {
    /// By the phone number id of the business.
    numbers: HashMap<String, Blocked>,
    /// Grows with every change, so that a cursor from before it is noticed.
    version: u64,
}

/// Whom one number blocked, by `wa_id`.
#[derive(Debug, Default)]
struct Blocked {
    /// In the order in which it happened.
    users: Vec<String>,
    /// The same once more: every message asks for its recipient.
    known: HashSet<String>,
}

impl BlockList {
    pub(crate) fn contains(&self, phone_number_id: &str, wa_id: &str) -> bool {
        self.numbers.get(phone_number_id).is_some_and(|blocked| blocked.known.contains(wa_id))
    }

    fn of(&self, phone_number_id: &str) -> &[String] {
        self.numbers.get(phone_number_id).map_or(&[], |blocked| blocked.users.as_slice())
    }

    fn block(&mut self, phone_number_id: &str, wa_id: &str) {
        let blocked = self.numbers.entry(phone_number_id.to_owned()).or_default();
        if blocked.known.insert(wa_id.to_owned()) {
            blocked.users.push(wa_id.to_owned());
            self.version += 1;
        }
    }

    fn unblock(&mut self, phone_number_id: &str, wa_id: &str) {
        let Some(blocked) = self.numbers.get_mut(phone_number_id) else { return };
        if blocked.known.remove(wa_id) {
            blocked.users.retain(|user| user != wa_id);
            self.version += 1;
        }
    }
}

pub(crate) fn change(world: &World, account: &Account, call: &Call, change: Change) -> Result<Response, GraphError> {
    let body = call.object()?;
    checks::messaging_product(body)?;
    let users = body.get("block_users").ok_or_else(|| GraphError::missing("block_users"))?;
    let users = users.as_array().ok_or_else(|| GraphError::invalid("block_users must be a list."))?;
    if users.is_empty() {
        return Err(GraphError::missing("block_users"));
    }
    if users.len() > MAX_USERS {
        return Err(GraphError::of(130_429).details(format!("A request may name {MAX_USERS} users at most.")));
    }
    let inputs = users.iter().map(input).collect::<Result<Vec<_>, _>>()?;
    for input in &inputs {
        match numbers::digits(input).as_deref().and_then(faults::of_number) {
            Some(NumberFault::Refused(code)) if !ITEM_CODES.contains(&code) => return Err(GraphError::of(code)),
            _ => {}
        }
    }

    let (mut done, mut failed) = (Vec::new(), Vec::new());
    let mut state = world.lock();
    for input in inputs {
        match change_one(world, &mut state, account, input, change) {
            Ok(customer) => done.push(named(json!({ "input": input }), &customer)),
            Err(error) => {
                let user = json!({ "input": input, "errors": [error.to_item()] });
                failed.push(match Customer::read(input) {
                    Ok(customer) => named(user, &customer),
                    Err(_) => user,
                });
            }
        }
    }
    drop(state);
    let done_key = if change == Change::Block { "added_users" } else { "removed_users" };
    let mut result = Map::new();
    if !done.is_empty() || failed.is_empty() {
        result.insert(done_key.to_owned(), Value::Array(done));
    }
    let all_done = failed.is_empty();
    if !all_done {
        result.insert("failed_users".to_owned(), Value::Array(failed));
    }
    let body = json!({ "messaging_product": "whatsapp", "block_users": result });
    Ok(if all_done { ok(&body) } else { GraphError::of(139_100).with_body(body) })
}

fn input(user: &Value) -> Result<&str, GraphError> {
    let user = checks::object(user, "block_users")?;
    let name = if user.contains_key("user") { "user" } else { "user_id" };
    checks::required_text(user, "block_users", name, 150)
}

fn change_one(
    world: &World,
    state: &mut State,
    account: &Account,
    input: &str,
    change: Change,
) -> Result<Customer, GraphError> {
    if let Some(NumberFault::Refused(code)) = numbers::digits(input).as_deref().and_then(faults::of_number) {
        return Err(GraphError::of(code));
    }
    let customer = Customer::read(input).map_err(|_| GraphError::invalid("This is not a phone number."))?;
    let wa_id = customer.phone().to_owned();
    if wa_id == account.display_phone_number {
        return Err(GraphError::of(131_021));
    }
    let number = &account.phone_number_id;
    let is_blocked = state.blocked.contains(number, &wa_id);
    match change {
        Change::Block if is_blocked => {}
        Change::Block => {
            if !messages::wrote_lately(world, state, account, &wa_id) {
                return Err(GraphError::of(131_047));
            }
            if state.blocked.of(number).len() >= MAX_BLOCKED {
                return Err(GraphError::of(139_101));
            }
            state.blocked.block(number, &wa_id);
        }
        Change::Unblock => state.blocked.unblock(number, &wa_id),
    }
    Ok(customer)
}

/// With the id that the customer has: nobody's number is told of somebody who hides it.
fn named(mut user: Value, customer: &Customer) -> Value {
    let name = if matches!(customer, Customer::Phone(_)) { "wa_id" } else { "user_id" };
    set(&mut user, name, json!(customer.phone()));
    user
}

pub(crate) fn list(world: &World, account: &Account, call: &Call) -> Result<Response, GraphError> {
    let state = world.lock();
    let user = |id: &String| Some(named(json!({ "messaging_product": "whatsapp" }), &Customer::read(id).ok()?));
    let users: Vec<Value> = state.blocked.of(&account.phone_number_id).iter().filter_map(user).collect();
    let base_url = format!("http://{}", world.address);
    Ok(ok(&paging::page(call, &base_url, &users, state.blocked.version)?))
}
