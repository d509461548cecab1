//! What stands before the functions: one HTTP port that routes as template.yaml says, in API Gateway's place.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use template::{Route, Template};
use uuid::Uuid;

use crate::event;
use crate::functions::Function;

/// The largest body that API Gateway passes on, in bytes (AWS: "Amazon API Gateway quotas").
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// What stands behind a path for all that is below it, in template.yaml.
const BELOW: &str = "/{proxy+}";

/// A function, and how long it may work on an event.
type Timed = (Function, Duration);

/// What stands behind one path.
#[derive(Default)]
struct Methods {
    of_their_own: HashMap<String, Timed>,
    any: Option<Timed>,
}

impl Methods {
    /// A method's own route counts before the one for any.
    fn find(&self, method: &str) -> Option<Timed> {
        self.of_their_own.get(method).or(self.any.as_ref()).cloned()
    }

    fn add(&mut self, method: Option<&str>, function: Timed) {
        match method {
            Some(method) => drop(self.of_their_own.insert(method.to_owned(), function)),
            None => self.any = Some(function),
        }
    }
}

/// Functions by path, without a trailing slash, and method.
#[derive(Default)]
struct Routes {
    at: HashMap<String, Methods>,
    /// Paths with a parameter, as `{phone}`, for one of their segments.
    with_parameter: BTreeMap<String, Methods>,
    below: HashMap<String, Methods>,
}

impl Routes {
    /// A REST API serves /x and /x/ from one resource, and the most particular path counts, whatever the method.
    fn find(&self, path: &str) -> Option<&Methods> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let above = || path.match_indices('/').rev().filter_map(|(end, _)| self.below.get(path.get(..end)?));
        let with_parameter = || self.with_parameter.iter().find(|(pattern, _)| fits(path, pattern));
        let found = self.at.get(path).or_else(|| with_parameter().map(|(_, methods)| methods));
        found.or_else(|| above().next())
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
        for Route { path, method } in &function.routes {
            let built = functions.get(function.name.as_str()).ok_or_else(|| NoSuchFunction(function.name.clone()))?;
            let methods = match path.strip_suffix(BELOW) {
                Some(path) => routes.below.entry(path.to_owned()).or_default(),
                None if path.contains('{') => routes.with_parameter.entry(path.clone()).or_default(),
                None => routes.at.entry(path.clone()).or_default(),
            };
            methods.add(method.as_deref(), (Arc::clone(built), function.timeout));
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
    let Some(methods) = routes.find(parts.uri.path()) else {
        return error(StatusCode::NOT_FOUND, r#"{"error":"There is nothing at this path","code":"not_found"}"#);
    };
    let Some((function, timeout)) = methods.find(parts.method.as_str()) else {
        return error(StatusCode::FORBIDDEN, r#"{"message":"Missing Authentication Token"}"#);
    };
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, r#"{"error":"The body is too large","code":"body_too_large"}"#);
    };
    let request_id = Uuid::new_v4().to_string();
    let event = event::from_http(&parts, &body, from, &request_id);
    // A task of its own: on Lambda, too, a client that hangs up stops nothing.
    match tokio::spawn(function(event, request_id, timeout)).await {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use tower::ServiceExt;

    use super::*;
    use crate::functions::Answer;

    /// Functions that answer their own names, by the routes that each has.
    fn api(routes: &[(&str, &str, Option<&str>)]) -> Router {
        let mut functions: HashMap<&str, Function> = HashMap::new();
        let mut template = Template { functions: Vec::new(), tables: Vec::new(), queues: Vec::new() };
        for (name, path, method) in routes {
            let answer = json!({"statusCode": 200, "headers": {}, "body": name, "isBase64Encoded": false});
            let function =
                move |_: String, _: String, _: Duration| -> Answer { Box::pin(std::future::ready(answer.clone())) };
            functions.insert(name, Arc::new(function));
            template.functions.push(template::Function {
                name: (*name).to_owned(),
                timeout: Duration::from_secs(28),
                routes: vec![Route { path: (*path).to_owned(), method: method.map(str::to_owned) }],
                schedules: Vec::new(),
                sources: Vec::new(),
                grants: BTreeSet::new(),
            });
        }
        router(&template, &functions).unwrap()
    }

    async fn answer(api: &Router, method: &str, path: &str) -> (u16, String) {
        let from = ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1)));
        let request = Request::builder().method(method).uri(path).extension(from).body(Body::empty()).unwrap();
        let response = api.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), BODY_LIMIT).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_methods_own_route_counts_before_the_one_for_any_at_every_kind_of_path() {
        for path in ["/x", "/x/{id}", "/x/{proxy+}"] {
            let api = api(&[("reads", path, Some("GET")), ("others", path, None)]);
            let path = path.replace("{id}", "1").replace("{proxy+}", "1/2");
            assert_eq!(answer(&api, "GET", &path).await, (200, "reads".to_owned()), "{path}");
            assert_eq!(answer(&api, "POST", &format!("{path}/")).await, (200, "others".to_owned()), "{path}");
        }
    }

    #[tokio::test]
    async fn a_path_without_a_route_for_the_method_is_answered_as_api_gateway_does() {
        let api = api(&[("reads", "/x", Some("GET")), ("writes", "/x", Some("POST")), ("all", "/{proxy+}", None)]);
        let missing = (403, r#"{"message":"Missing Authentication Token"}"#.to_owned());
        assert_eq!(answer(&api, "DELETE", "/x").await, missing);
        assert_eq!(answer(&api, "GET", "/y").await, (200, "all".to_owned()));
    }

    #[tokio::test]
    async fn a_path_that_nothing_stands_behind_is_not_found() {
        assert_eq!(answer(&api(&[("reads", "/x", Some("GET"))]), "GET", "/y").await.0, 404);
    }

    #[test]
    fn a_function_that_nobody_built_is_told() {
        let template = Template::ours().unwrap();
        assert!(router(&template, &HashMap::new()).is_err());
    }
}
