//! From event to answer, and the Lambda runtime around it.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use domain::{Clock, Error, Kind};
use futures::FutureExt;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use tracing::Instrument;

use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::log;
use crate::request::Request;
use crate::response::Response;

/// Why a function did not start, or stopped. It is logged, and Lambda tries again.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// What is known of a call besides its event.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// The id of the invocation; the event's own request id counts more.
    pub id: &'a str,
    /// When the function will be stopped.
    pub deadline: Instant,
    /// Whether an API key may come in the query string.
    pub query_key_allowed: bool,
}

/// Runs an endpoint on Lambda until its environment is torn down. `start` builds it: what takes time there is paid
/// before the first event.
pub async fn serve<E: Endpoint>(start: impl Future<Output = Result<E, StartError>>) -> Result<(), StartError> {
    let endpoint = started(start).await?;
    let query_key_allowed = std::env::var("ALLOW_QUERY_API_KEY").map_or(true, |setting| setting != "false");
    let (endpoint, clock) = (&endpoint, &Clock::system());
    let handler = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let invocation = Invocation {
            id: &event.context.request_id,
            deadline: Instant::now() + time_left(event.context.deadline, clock, TIMEOUT),
            query_key_allowed,
        };
        Ok::<_, StartError>(respond(endpoint, event.payload.get(), invocation).await)
    });
    Runtime::new(handler).run().await
}

/// What a function is built into, once the log has begun.
pub(crate) async fn started<T>(start: impl Future<Output = Result<T, StartError>>) -> Result<T, StartError> {
    log::start();
    start.await.inspect_err(|error| tracing::error!(error, "the function can't start"))
}

/// What template.yaml gives an endpoint.
const TIMEOUT: Duration = Duration::from_secs(28);

/// From now to a deadline in milliseconds since the Unix epoch. Local emulators of Lambda give one that is long past:
/// then the `timeout` that template.yaml gives.
pub(crate) fn time_left(deadline_epoch_ms: u64, clock: &Clock, timeout: Duration) -> Duration {
    let now_epoch_ms = u64::try_from(clock.now().as_millisecond()).unwrap_or(u64::MAX);
    match deadline_epoch_ms.checked_sub(now_epoch_ms) {
        Some(left_ms) => Duration::from_millis(left_ms),
        None => timeout,
    }
}

/// Answers one event, whatever it holds, and logs one line about it.
pub async fn respond<E: Endpoint>(endpoint: &E, event: &str, invocation: Invocation<'_>) -> Response {
    let begun = Instant::now();
    let event = serde_json::from_str::<Event>(event);
    let request_id = event.as_ref().ok().and_then(Event::request_id).map(printable).filter(|id| !id.is_empty());
    let span = tracing::info_span!(
        "request",
        route = E::ROUTE.name,
        request_id = request_id.unwrap_or_else(|| printable(invocation.id)),
        key_id = tracing::field::Empty
    );
    async {
        let (response, failure) = match event {
            Ok(event) => call(endpoint, event, invocation).await,
            Err(error) => {
                let error = unreadable(&error);
                (endpoint.tell(None, &error), Some(error))
            }
        };
        log_answer(&response, failure.as_ref(), begun.elapsed());
        response
    }
    .instrument(span)
    .await
}

/// A panic is our own fault, and nobody else's: it becomes an error like any other.
async fn call<E: Endpoint>(endpoint: &E, event: Event, invocation: Invocation<'_>) -> (Response, Option<Error>) {
    let request = Request::new(event, E::ROUTE, invocation.deadline, invocation.query_key_allowed);
    let allowed = E::ROUTE.methods;
    if !allowed.is_empty() && !allowed.contains(&request.method()) {
        return (Response::method_not_allowed(&E::ROUTE), None);
    }
    // On the heap: an endpoint's state, with all the calls to AWS and Meta in it, is some kilobytes.
    let result = AssertUnwindSafe(Box::pin(endpoint.call(&request))).catch_unwind().await;
    let result = result.unwrap_or_else(|panic| Err(Error::internal(panic_text(panic.as_ref()))));
    let (response, failure) = match result {
        Ok(response) => (response, None),
        Err(error) => (endpoint.tell(Some(&request), &error), Some(error)),
    };
    (response.for_http_api(request.is_from_http_api()), failure)
}

/// The one line about a request. The edge is the one place where a failure is logged, with the whole chain behind it.
fn log_answer(response: &Response, failure: Option<&Error>, elapsed: Duration) {
    let (status, elapsed_ms) = (response.status(), u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
    let outcome = failure.map(|error| tracing::field::debug(error.kind()));
    let code = failure.and_then(|error| error.public().code.as_deref());
    let cause = failure.and_then(Error::source_chain);
    if status >= 500 {
        tracing::error!(status, elapsed_ms, outcome, code, cause, "answered");
    } else {
        tracing::info!(status, elapsed_ms, outcome, code, cause, "answered");
    }
}

fn unreadable(cause: &serde_json::Error) -> Error {
    // Only the place: the error's own text may quote the value that it stumbled over.
    let place = format!("the event can't be read at line {}, column {}", cause.line(), cause.column());
    Error::new(Kind::Invalid, "The request can't be read").code("invalid_request").caused_by(place)
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("with no text"))
}

/// An id from outside, fit for a log line.
pub(crate) fn printable(id: &str) -> String {
    id.chars().filter(char::is_ascii_graphic).take(64).collect()
}

#[cfg(test)]
mod tests {
    use domain::Result;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::endpoint::Route;

    /// Answers with what it read.
    struct Echo;

    impl Endpoint for Echo {
        const ROUTE: Route = Route::post("echo", "/echo/");

        async fn call(&self, request: &Request) -> Result<Response> {
            let key = request.api_key();
            assert_ne!(key.as_deref(), Some("panic"));
            let text = request.fields()?.text("text", 1..=100)?.to_owned();
            Response::ok(&json!({"key": key, "text": text, "agent": request.header("user-agent")}))
        }
    }

    async fn respond_to(event: &str) -> (u16, Value) {
        let invocation = Invocation {
            id: "invocation",
            deadline: Instant::now() + Duration::from_secs(28),
            query_key_allowed: true,
        };
        let response = serde_json::to_value(respond(&Echo, event, invocation).await).unwrap();
        let body = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
        (u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap(), body)
    }

    fn rest(members: &Value) -> String {
        let mut event = json!({"httpMethod": "POST", "path": "/echo", "body": "{\"text\":\"hi\"}"});
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        event.to_string()
    }

    #[tokio::test]
    async fn both_formats_of_events_are_read_alike() {
        let headers = json!({"X-Api-Key": "k", "User-Agent": "test"});
        let rest = rest(&json!({"headers": headers}));
        let http = json!({"version": "2.0", "rawPath": "/echo/", "rawQueryString": "", "headers": {"x-api-key": "k",
            "user-agent": "test"}, "requestContext": {"http": {"method": "POST"}}, "body": "{\"text\":\"hi\"}"});
        let expected = (200, json!({"key": "k", "text": "hi", "agent": "test"}));
        assert_eq!(respond_to(&rest).await, expected);
        assert_eq!(respond_to(&http.to_string()).await, expected);
    }

    #[tokio::test]
    async fn the_query_key_counts_when_the_header_is_absent_or_empty_and_the_last_value_wins() {
        let read = async |members: Value| respond_to(&rest(&members)).await.1["key"].clone();
        let query = json!({"api_key": "q"});
        assert_eq!(read(json!({"queryStringParameters": query})).await, "q");
        assert_eq!(read(json!({"queryStringParameters": query, "headers": {"X-API-Key": ""}})).await, "q");
        assert_eq!(read(json!({"queryStringParameters": query, "headers": {"x-api-key": "h"}})).await, "h");
        assert_eq!(read(json!({"multiValueQueryStringParameters": {"api_key": ["a", "b"]}})).await, "b");
        let raw = json!({"rawQueryString": "x=%22&api_key=a+b&api_key=%C3%A9%20", "requestContext": {"http": {"method": "POST"}},
            "body": "{\"text\":\"hi\"}"});
        assert_eq!(respond_to(&raw.to_string()).await.1["key"], "é ");
    }

    #[tokio::test]
    async fn of_two_spellings_of_a_header_the_same_one_counts_every_time() {
        let headers = json!({"x-api-key": "second", "X-Api-Key": "first"});
        for _ in 0..20 {
            assert_eq!(respond_to(&rest(&json!({"headers": headers}))).await.1["key"], "first");
        }
    }

    #[tokio::test]
    async fn a_deployment_may_refuse_keys_in_the_query() {
        let event = serde_json::from_str(&rest(&json!({"queryStringParameters": {"api_key": "q"}}))).unwrap();
        assert_eq!(Request::new(event, Echo::ROUTE, Instant::now(), false).api_key(), None);
    }

    #[tokio::test]
    async fn a_base64_body_is_decoded_and_a_broken_one_is_a_400() {
        let body = |text: &str| rest(&json!({"body": text, "isBase64Encoded": true}));
        assert_eq!(respond_to(&body("eyJ0ZXh0IjoiaGkifQ==")).await.1["text"], "hi");
        let (status, answer) = respond_to(&body("%%%")).await;
        assert_eq!((status, &answer["code"]), (400, &json!("invalid_body")));
    }

    #[tokio::test]
    async fn a_body_over_64_kb_is_a_413_and_one_of_64_kb_is_read() {
        let padded = |length: usize| {
            let body = format!("{{\"text\":\"hi\"{}}}", " ".repeat(length - 13));
            rest(&json!({"body": body}))
        };
        assert_eq!(respond_to(&padded(64 * 1024)).await.0, 200);
        assert_eq!(respond_to(&padded(64 * 1024 + 1)).await.0, 413);
    }

    #[tokio::test]
    async fn a_body_that_is_not_a_json_object_is_a_400_that_says_where() {
        let answer = async |body: Value| respond_to(&rest(&json!({"body": body}))).await;
        for broken in [json!(""), json!("{"), json!("{\"text\":"), json!(null), json!("\u{feff}{}")] {
            let (status, body) = answer(broken).await;
            assert!(status == 400 && body["error"].as_str().unwrap().contains("line 1"), "{body}");
        }
        for other in ["[]", "null", "1", "\"text\""] {
            assert_eq!(answer(json!(other)).await.1["error"], "The body must be a JSON object");
        }
    }

    #[tokio::test]
    async fn another_method_is_a_405_with_json() {
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "post", ""] {
            assert_eq!(respond_to(&rest(&json!({"httpMethod": method}))).await.0, 405, "{method}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_a_500_that_says_nothing() {
        let (status, body) = respond_to(&rest(&json!({"headers": {"x-api-key": "panic"}}))).await;
        assert_eq!((status, body), (500, json!({"error": "Internal error", "code": "internal"})));
    }

    #[tokio::test]
    async fn an_event_that_cannot_be_read_is_a_400() {
        for event in ["", "null", "[]", "{\"headers\":[1]}", "{\"httpMethod\":{}}", "{\"body\":1}", "\u{0}"] {
            assert_eq!(respond_to(event).await.0, 400, "{event}");
        }
    }

    #[test]
    fn a_deadline_that_is_long_past_is_no_deadline() {
        let clock = Clock::fixed("2026-01-02T03:04:05Z".parse().unwrap());
        let now_ms = u64::try_from(clock.now().as_millisecond()).unwrap();
        assert_eq!(time_left(now_ms + 5_000, &clock, TIMEOUT), Duration::from_secs(5));
        assert_eq!(time_left(600_000, &clock, TIMEOUT), Duration::from_secs(28));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-z]{1,6}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_event_whatsoever_goes_unanswered(
            member in prop::sample::select(vec!["httpMethod", "headers", "multiValueHeaders", "queryStringParameters",
                "multiValueQueryStringParameters", "rawQueryString", "requestContext", "body", "isBase64Encoded"]),
            value in any_json(),
        ) {
            let runtime = executor();
            let (status, body) = runtime.block_on(respond_to(&rest(&json!({member: value}))));
            prop_assert!([200, 400, 405].contains(&status), "{status} {body}");
        }

        #[test]
        fn no_query_string_whatsoever_goes_unanswered(query in "\\PC{0,60}") {
            let event = json!({"rawQueryString": query, "requestContext": {"http": {"method": "POST"}}, "body": "{}"});
            let (status, _) = executor().block_on(respond_to(&event.to_string()));
            prop_assert_eq!(status, 400);
        }
    }

    fn executor() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }
}
