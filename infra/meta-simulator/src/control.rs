//! The control API under `/control`: what tests in other languages and people with curl use.

mod answers;
mod counts;
mod faults;
mod fields;
mod phones;
mod throughput;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::arrivals::Summary;
use crate::customers::{self, Customer};
use crate::settings::Account;
use crate::weather::Weather;
use crate::webhooks::{self, Change};
use crate::world::World;
use fields::{Fields, Refusal};

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/faults", get(faults::armed).post(faults::arm).delete(faults::disarm))
        .route("/requests", get(requests))
        .route("/counts", get(counts::tell))
        .route("/arrivals", get(arrivals))
        .route("/phones", get(phones::all))
        .route("/phones/{number}", get(phones::one))
        .route("/phones/{number}/messages", post(customer_sends))
        .route("/phones/{number}/preferences", post(prefer))
        .route("/phones/{number}/age", post(age))
        .route("/webhooks", post(send_webhook))
        .route("/webhooks/verify", post(verify_webhook))
        .route("/throughput", get(throughput::tell).post(throughput::set))
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

async fn requests(State(world): State<Arc<World>>) -> Json<Value> {
    let requests: Vec<_> = world.lock().requests.iter().cloned().collect();
    Json(json!({ "requests": requests.iter().map(|request| request.to_json()).collect::<Vec<_>>() }))
}

async fn arrivals(State(world): State<Arc<World>>) -> Json<Summary> {
    let summary = Summary::of(&world.lock());
    Json(summary)
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
