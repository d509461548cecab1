//! The control API under `/control`: what tests in other languages and people with curl use.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::Fault;
use crate::graph::numbers;
use crate::webhooks;
use crate::world::World;

const MAX_ANSWER: usize = 4096;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/faults", get(faults).post(arm).delete(disarm))
        .route("/requests", get(requests))
        .route("/phones", get(phones))
        .route("/phones/{number}/messages", post(customer_writes))
        .route("/reset", post(reset))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "The control API has no such path; see the README."))
        .layer(middleware::from_fn(same_origin))
}

/// Keeps foreign web pages, which a browser would let in, from steering the simulator.
async fn same_origin(request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site").and_then(|site| site.to_str().ok());
    match site {
        None | Some("same-origin" | "none") => next.run(request).await,
        Some(_) => refusal(StatusCode::FORBIDDEN, "Other web pages may not use the control API."),
    }
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arm {
    fault: String,
    code: Option<i64>,
    ms: Option<u64>,
    times: Option<u32>,
    #[serde(default)]
    always: bool,
}

async fn arm(State(world): State<Arc<World>>, Json(arm): Json<Arm>) -> Response {
    let Some(fault) = Fault::parse(&arm.fault, arm.code, arm.ms) else {
        return refusal(StatusCode::BAD_REQUEST, "Unknown fault, or `error` without `code`, or `delay` without `ms`.");
    };
    let closes = fault == Fault::CloseBeforeReading;
    if arm.always && closes {
        return refusal(StatusCode::BAD_REQUEST, "close_before_reading for ever would shut out this control API too.");
    }
    let armed = {
        let mut state = world.lock();
        if arm.always {
            state.faults.arm_always(fault);
        } else {
            state.faults.arm(fault, arm.times.unwrap_or(1));
        }
        state.faults.to_json()
    };
    if closes {
        world.hang_up.send_replace(());
    }
    Json(armed).into_response()
}

async fn faults(State(world): State<Arc<World>>) -> Json<Value> {
    Json(world.lock().faults.to_json())
}

async fn disarm(State(world): State<Arc<World>>) -> Json<Value> {
    let mut state = world.lock();
    state.faults.clear();
    Json(state.faults.to_json())
}

async fn requests(State(world): State<Arc<World>>) -> Json<Value> {
    let requests: Vec<_> = world.lock().requests.iter().cloned().collect();
    Json(json!({ "requests": requests.iter().map(|request| request.to_json()).collect::<Vec<_>>() }))
}

async fn phones(State(world): State<Arc<World>>) -> Json<Value> {
    let state = world.lock();
    let phones: Vec<Value> = state
        .phones
        .by_activity()
        .iter()
        .rev()
        .map(|(number, phone)| json!({ "number": number, "messages": phone.messages }))
        .collect();
    Json(json!({ "phones": phones }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    text: String,
}

async fn customer_writes(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    Json(answer): Json<Answer>,
) -> Response {
    let Some(digits) = numbers::digits(&number) else {
        return refusal(StatusCode::BAD_REQUEST, "The number needs 7 to 15 digits, with its country code.");
    };
    let length = answer.text.chars().count();
    if length == 0 || length > MAX_ANSWER {
        return refusal(StatusCode::BAD_REQUEST, "The text needs 1 to 4096 characters.");
    }
    let Some(account) = world.settings.accounts.first() else {
        return refusal(StatusCode::CONFLICT, "There is no account to write to.");
    };
    let webhook = world.lock().webhook_url.is_some();
    let id = webhooks::customer_writes(&world, account, &numbers::wa_id(&digits), &answer.text);
    Json(json!({ "id": id, "webhook": webhook })).into_response()
}

async fn reset(State(world): State<Arc<World>>) -> Json<Value> {
    world.reset();
    Json(json!({ "success": true }))
}
