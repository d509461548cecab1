//! What is on the phones.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::fields::Refusal;
use super::refusal;
use crate::customers::Customer;
use crate::phones::{Kept, Phone};
use crate::world::World;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// As many phones at most.
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Told<'a> {
    number: &'a str,
    messages: &'a VecDeque<Kept>,
}

#[derive(Serialize)]
struct All<'a> {
    phones: Vec<Told<'a>>,
}

const fn told<'a>((number, phone): (&'a str, &'a Phone)) -> Told<'a> {
    Told { number, messages: &phone.messages }
}

pub(super) async fn all(State(world): State<Arc<World>>, Query(asked): Query<Asked>) -> Response {
    let state = world.lock();
    let phones = state.phones.newest().take(asked.limit.unwrap_or(usize::MAX)).map(told).collect();
    Json(All { phones }).into_response()
}

pub(super) async fn one(State(world): State<Arc<World>>, Path(number): Path<String>) -> Result<Response, Refusal> {
    let customer = Customer::read(&number)?;
    let state = world.lock();
    Ok(match state.phones.get(customer.phone()) {
        Some(phone) => Json(told((customer.phone(), phone))).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "This phone has no messages, or too many others had some since."),
    })
}
