//! What stands before the functions: one HTTP port that routes as template.yaml says, in API Gateway's place.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use template::Template;
use uuid::Uuid;

use crate::event;
use crate::functions::Function;

/// The largest body that API Gateway passes on, in bytes (AWS: "Amazon API Gateway quotas").
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// What stands behind a path for all that is below it, in template.yaml.
const BELOW: &str = "/{proxy+}";

/// Functions by path, without a trailing slash.
#[derive(Default)]
struct Routes {
    at: HashMap<String, Function>,
    /// Paths with a parameter, as `{phone}`, for one of their segments.
    with_parameter: Vec<(String, Function)>,
    below: HashMap<String, Function>,
}

impl Routes {
    /// A REST API serves /x and /x/ from one resource, and the most particular path counts.
    fn find(&self, path: &str) -> Option<Function> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let above = || path.match_indices('/').rev().filter_map(|(end, _)| self.below.get(path.get(..end)?));
        let with_parameter = || self.with_parameter.iter().find(|(pattern, _)| fits(path, pattern));
        let found = self.at.get(path).or_else(|| with_parameter().map(|(_, function)| function));
        found.or_else(|| above().next()).cloned()
    }
}

/// Whether a path is one of those that the pattern stands for: segment by segment the same, or a parameter's.
fn fits(path: &str, pattern: &str) -> bool {
    let fits = |(segment, pattern): (&str, &str)| {
        segment == pattern || (pattern.starts_with('{') && pattern.ends_with('}') && !segment.is_empty())
    };
    path.split('/').count() == pattern.split('/').count() && path.split('/').zip(pattern.split('/')).all(fits)
}

/// A function that template.yaml names and nobody built.
#[derive(Debug)]
pub(crate) struct NoSuchFunction(pub(crate) String);

/// The router for the functions of a template.
pub(crate) fn router(template: &Template, functions: &HashMap<&str, Function>) -> Result<Router, NoSuchFunction> {
    let mut routes = Routes::default();
    for function in &template.functions {
        for path in &function.paths {
            let built = functions.get(function.name.as_str()).ok_or_else(|| NoSuchFunction(function.name.clone()))?;
            match path.strip_suffix(BELOW) {
                Some(path) => routes.below.insert(path.to_owned(), Arc::clone(built)),
                None if path.contains('{') => {
                    routes.with_parameter.push((path.clone(), Arc::clone(built)));
                    None
                }
                None => routes.at.insert(path.clone(), Arc::clone(built)),
            };
        }
    }
    Ok(Router::new().fallback(handle).with_state(Arc::new(routes)))
}

async fn handle(
    State(routes): State<Arc<Routes>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some(function) = routes.find(parts.uri.path()) else {
        return error(StatusCode::NOT_FOUND, r#"{"error":"There is nothing at this path","code":"not_found"}"#);
    };
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, r#"{"error":"The body is too large","code":"body_too_large"}"#);
    };
    let request_id = Uuid::new_v4().to_string();
    let event = event::from_http(&parts, &body, from, &request_id);
    // A task of its own: on Lambda, too, a client that hangs up stops nothing.
    match tokio::spawn(function(event, request_id)).await {
        Ok(answer) => event::to_http(&answer),
        Err(_) => error(StatusCode::BAD_GATEWAY, r#"{"message":"Internal server error"}"#),
    }
}

fn error(status: StatusCode, body: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
