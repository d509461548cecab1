//! The control API under `/control`: what tests in other languages and people with curl use.

mod answers;
mod fields;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::customers::{self, Customer};
use crate::faults::Fault;
use crate::settings::Account;
use crate::weather::Weather;
use crate::webhooks::{self, Change};
use crate::world::World;
use fields::{Fields, Refusal};

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/faults", get(faults).post(arm).delete(disarm))
        .route("/requests", get(requests))
        .route("/phones", get(phones))
        .route("/phones/{number}/messages", post(customer_sends))
        .route("/phones/{number}/preferences", post(prefer))
        .route("/phones/{number}/age", post(age))
        .route("/webhooks", post(send_webhook))
        .route("/webhooks/verify", post(verify_webhook))
        .route("/weather", get(weather).post(set_weather))
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

async fn customer_sends(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    mut fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let account = account(&world, &mut fields)?;
    let message = answers::read(fields)?;
    let webhook = world.lock().webhook_url.is_some();
    let id = customers::send(&world, account, &Customer::read(&number)?, message)?;
    Ok(Json(json!({ "id": id, "webhook": webhook })))
}

async fn prefer(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    mut fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let account = account(&world, &mut fields)?;
    let wanted = match fields.text("value")?.as_str() {
        "stop" => false,
        "resume" => true,
        _ => return Err(Refusal::bad("value must be stop or resume.")),
    };
    fields.end()?;
    customers::prefer(&world, account, &Customer::read(&number)?, wanted);
    Ok(done())
}

async fn age(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
    mut fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let hours = fields.number("hours")?;
    fields.end()?;
    let by = SignedDuration::try_from_secs_f64(hours * 3600.0).ok().filter(SignedDuration::is_positive);
    let by = by.ok_or_else(|| Refusal::bad("hours must be more than 0."))?;
    if world.lock().phones.age(Customer::read(&number)?.phone(), by) {
        Ok(done())
    } else {
        Err(Refusal(StatusCode::NOT_FOUND, "This customer has not written anything that could grow old.".to_owned()))
    }
}

async fn send_webhook(State(world): State<Arc<World>>, mut fields: Fields) -> Result<Json<Value>, Refusal> {
    let account = account(&world, &mut fields)?;
    let (field, value) = (fields.text("field")?, fields.any("value")?);
    fields.end()?;
    webhooks::send_soon(&world, Change::new(account, &field, value));
    Ok(Json(json!({ "webhook": world.lock().webhook_url.is_some() })))
}

async fn verify_webhook(State(world): State<Arc<World>>) -> Result<Json<Value>, Refusal> {
    webhooks::verify(&world).await.map_err(|problem| Refusal(StatusCode::CONFLICT, problem))?;
    Ok(done())
}

async fn weather(State(world): State<Arc<World>>) -> Json<Weather> {
    Json(world.lock().weather)
}

async fn set_weather(State(world): State<Arc<World>>, mut fields: Fields) -> Result<Json<Weather>, Refusal> {
    let weather = Weather {
        late: fields.flag("late")?,
        doubled: fields.flag("doubled")?,
        shuffled: fields.flag("shuffled")?,
        batched: fields.flag("batched")?,
    };
    fields.end()?;
    world.lock().weather = weather;
    Ok(Json(weather))
}

/// The account that the body names, or the first one.
fn account<'a>(world: &'a World, fields: &mut Fields) -> Result<&'a Account, Refusal> {
    let id = fields.optional_text("phone_number_id")?;
    Ok(world.account(id.as_deref())?)
}

fn done() -> Json<Value> {
    Json(json!({ "success": true }))
}

async fn reset(State(world): State<Arc<World>>) -> Json<Value> {
    world.reset();
    done()
}
