//! Which faults are armed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::refusal;
use crate::faults::Fault;
use crate::world::World;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arm {
    fault: String,
    code: Option<i64>,
    ms: Option<u64>,
    times: Option<u32>,
    #[serde(default)]
    always: bool,
    every: Option<u32>,
}

pub(super) async fn arm(State(world): State<Arc<World>>, Json(arm): Json<Arm>) -> Response {
    let Some(fault) = Fault::parse(&arm.fault, arm.code, arm.ms) else {
        return refusal(StatusCode::BAD_REQUEST, "Unknown fault, or `error` without `code`, or `delay` without `ms`.");
    };
    let closes = fault == Fault::CloseBeforeReading;
    if arm.always && closes {
        return refusal(StatusCode::BAD_REQUEST, "close_before_reading for ever would shut out this control API too.");
    }
    if arm.every == Some(0) || (arm.every.is_some() && (closes || arm.always || arm.times.is_some())) {
        let problem = "every must be 1 or more, and goes neither with times or always nor with close_before_reading.";
        return refusal(StatusCode::BAD_REQUEST, problem);
    }
    let armed = {
        let mut state = world.lock();
        match arm.every {
            Some(every) => state.faults.arm_share(fault, every),
            None if arm.always => state.faults.arm_always(fault),
            None => state.faults.arm(fault, arm.times.unwrap_or(1)),
        }
        state.faults.to_json()
    };
    if closes {
        world.hang_up.send_replace(());
    }
    Json(armed).into_response()
}

pub(super) async fn armed(State(world): State<Arc<World>>) -> Json<Value> {
    Json(world.lock().faults.to_json())
}

pub(super) async fn disarm(State(world): State<Arc<World>>) -> Json<Value> {
    let mut state = world.lock();
    state.faults.clear();
    Json(state.faults.to_json())
}
