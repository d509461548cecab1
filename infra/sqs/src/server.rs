//! The HTTP side: AWS JSON 1.0, where a header names the operation and everything else is in the body.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;

use crate::batch::MOST_ENTRIES;
use crate::errors::Refusal;
use crate::operations;
use crate::queues::Queues;
use crate::requests::MOST_BYTES;

/// Enough for the longest body of escapes (`\u0000`), and for a batch that is too long to be told so.
const BODY_LIMIT: usize = (MOST_ENTRIES + 6) * MOST_BYTES;

pub(crate) fn router(queues: Arc<Queues>) -> Router {
    Router::new().route("/", post(answer)).layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(queues)
}

async fn answer(State(queues): State<Arc<Queues>>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = run(&queues, &headers, &body).await;
    let mut response = answer.map(Json).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    response
}

async fn run(queues: &Queues, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("AmazonSQS.").ok_or_else(|| Refusal::Operation(target.to_owned()))?;
    let members = serde_json::from_slice(body).map_err(|error| Refusal::Parameter(error.to_string()))?;
    operations::run(queues, operation, members).await
}

#[cfg(test)]
mod tests;
