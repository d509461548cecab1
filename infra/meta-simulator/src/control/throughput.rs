//! How fast a number may send.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::fields::{Fields, Refusal};
use crate::limits::Limits;
use crate::world::World;

pub(super) async fn tell(State(world): State<Arc<World>>) -> Json<Value> {
    Json(to_json(&world.lock().limits))
}

/// What isn't named stays as it is; `null` lifts the limit.
pub(super) async fn set(State(world): State<Arc<World>>, mut fields: Fields) -> Result<Json<Value>, Refusal> {
    let messages_per_second = fields.given("messages_per_second").map(limit).transpose()?;
    let pair_rate_limit = fields.given("pair_rate_limit").map(flag).transpose()?;
    fields.end()?;
    let limits = &mut world.lock().limits;
    limits.messages_per_second = messages_per_second.unwrap_or(limits.messages_per_second);
    limits.pair_rate_limit = pair_rate_limit.unwrap_or(limits.pair_rate_limit);
    Ok(Json(to_json(limits)))
}

fn limit(value: Value) -> Result<Option<u32>, Refusal> {
    serde_json::from_value(value)
        .map_err(|_| Refusal::bad("messages_per_second must be a whole number that is not negative, or null."))
}

fn flag(value: Value) -> Result<bool, Refusal> {
    serde_json::from_value(value).map_err(|_| Refusal::bad("pair_rate_limit must be true or false."))
}

fn to_json(limits: &Limits) -> Value {
    json!({ "messages_per_second": limits.messages_per_second, "pair_rate_limit": limits.pair_rate_limit })
}
