//! The Graph side: who may call, what was recorded, which fault holds, and which endpoint answers.

pub(crate) mod block_users;
mod checks;
mod choices;
pub(crate) mod errors;
pub(crate) mod ids;
mod interactive;
pub(crate) mod media;
pub(crate) mod messages;
pub(crate) mod numbers;
mod paging;
pub(crate) mod templates;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, header, request};
use serde_json::Value;

use crate::faults::{self, Fault, HangUp, NumberFault};
use crate::requests::RecordedRequest;
use crate::settings::Account;
use crate::world::World;
use errors::{ErrorCode, GraphError};

/// Meta takes documents of 100 MB; the rest is for the form around them.
pub(crate) const MAX_BODY: usize = 101 * 1024 * 1024;
/// What an expired version is served as.
const OLDEST_LIVE_VERSION: (u32, u32) = (21, 0);

/// One request, read.
pub(crate) struct Call {
    pub(crate) parts: request::Parts,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    /// The parameters. As at Meta, a body that does not call itself JSON gives none.
    pub(crate) json: Option<Value>,
}

impl Call {
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.parts.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The parameters as an object. What is no JSON object misses its first parameter, as at Meta.
    pub(crate) fn object(&self) -> Result<&serde_json::Map<String, Value>, GraphError> {
        if self.json.is_none() && !self.body.is_empty() && self.is_json() {
            return Err(GraphError::of(100).details("The request body is not valid JSON."));
        }
        let object = self.json.as_ref().filter(|_| self.is_json()).and_then(Value::as_object);
        object.ok_or_else(|| GraphError::missing("messaging_product"))
    }

    fn is_json(&self) -> bool {
        self.header(header::CONTENT_TYPE).is_some_and(|kind| kind.trim_start().starts_with("application/json"))
    }

    /// Version, node and edge: `/v25.0/106540352242922/messages`. The edge may be absent.
    fn segments(&self) -> Option<(&str, &str, &str)> {
        let mut segments = self.path.trim_matches('/').split('/');
        let (version, node, edge) = (segments.next()?, segments.next()?, segments.next().unwrap_or_default());
        (segments.next().is_none() && version_number(version).is_some()).then_some((version, node, edge))
    }

    /// Whether it is a `POST …/messages`.
    fn is_message(&self) -> bool {
        self.parts.method == Method::POST && self.segments().is_some_and(|(_, _, edge)| edge == "messages")
    }

    fn recipient(&self) -> Option<String> {
        let to = self.json.as_ref().filter(|_| self.is_message())?.get("to")?;
        numbers::digits(&text_of(to)?)
    }

    /// The transport fault that a recipient's number asks for.
    fn fault_by_number(&self) -> Option<Fault> {
        let block_users = || {
            let users = self.json.as_ref()?.get("block_users")?.as_array()?;
            Some(users.iter().filter_map(|user| numbers::digits(user.get("user")?.as_str()?)).collect())
        };
        let numbers: Vec<String> = match self.segments()? {
            (_, _, "messages") => self.recipient().into_iter().collect(),
            (_, _, "block_users") => block_users()?,
            _ => return None,
        };
        numbers.iter().find_map(|number| match faults::of_number(number) {
            Some(NumberFault::Transport(fault)) => Some(fault),
            _ => None,
        })
    }
}

/// A parameter as text: Meta takes numbers where it wants strings.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `v25.0` → (25, 0).
fn version_number(segment: &str) -> Option<(u32, u32)> {
    let (major, minor) = segment.strip_prefix('v')?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Answers every request that is not the page's or the control API's.
pub(crate) async fn serve(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return http::StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let json = serde_json::from_slice(&body).ok();
    let call = Call { parts, path, body, json };
    let way = if call.is_message() { world.settings.answer_delay / 2 } else { Duration::ZERO };
    travel(way).await;
    let response = take(&world, &call).await;
    travel(way).await;
    response
}

/// The way of a request, or of its answer. Without one there is no wait at all, not even the timer's shortest.
async fn travel(way: Duration) {
    if !way.is_zero() {
        tokio::time::sleep(way).await;
    }
}

/// What a request that has arrived does, and its answer.
async fn take(world: &Arc<World>, call: &Call) -> Response {
    let recipient = record(world, call);
    let fault = fault(world, call);
    if let Some(fault) = &fault {
        let told = format!("{}: fault {}", describe(call, recipient.as_deref()), fault.name());
        world.lock().notice(&told);
    }
    let answer = answer(world, call);
    let mut response = match fault {
        Some(fault) => faults::play(fault, &call.path, answer).await,
        None => answer.await,
    };
    if let Some(ErrorCode(code)) = response.extensions().get() {
        let title = errors::title(*code);
        let told = format!("{}: answered with {code} {title}", describe(call, recipient.as_deref()));
        world.lock().notice(told.trim_end());
    }
    if response.extensions().get::<HangUp>().is_none() {
        add_headers(call, &mut response);
    }
    response
}

/// How this request fails: as was armed for the next ones or for all, as its recipient's number says, or as a share of
/// the messages does.
fn fault(world: &World, call: &Call) -> Option<Fault> {
    let armed = world.lock().faults.take();
    let by_number = || authorized(world, call).ok().and_then(|_| call.fault_by_number());
    let looked_at = || {
        let (_, node, _) = call.segments().filter(|_| call.is_message())?;
        owner(world, &authorized(world, call).ok()?.access_token, node)
    };
    let by_share = || looked_at().and_then(|_| world.lock().faults.take_share());
    armed.or_else(by_number).or_else(by_share)
}

fn record(world: &World, call: &Call) -> Option<String> {
    let recipient = call.recipient();
    let request = RecordedRequest::new(&call.parts, &call.path, &call.body);
    let weight = request.weight();
    let mut state = world.lock();
    state.requests.push(Arc::new(request), weight);
    if let Some(digits) = &recipient {
        state.counts.post(&numbers::wa_id(digits));
    }
    recipient
}

fn describe(call: &Call, recipient: Option<&str>) -> String {
    let what = call.segments().map_or(call.path.as_str(), |(_, node, edge)| if edge.is_empty() { node } else { edge });
    match recipient {
        Some(recipient) => format!("{} {what} to +{recipient}", call.parts.method),
        None => format!("{} {what}", call.parts.method),
    }
}

/// The account that the caller's token opens.
fn authorized<'a>(world: &'a World, call: &Call) -> Result<&'a Account, GraphError> {
    let bearer = call.header(header::AUTHORIZATION).and_then(|value| value.split_once(' '));
    let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let token = match bearer {
        Some(token) => token.to_owned(),
        None => call.parameter("access_token").ok_or_else(GraphError::no_token)?,
    };
    let account = world.settings.accounts.iter().find(|account| account.access_token == token);
    account.ok_or_else(GraphError::wrong_token)
}

/// The account of this phone number id, if the token opens it: one token may open several.
fn owner<'a>(world: &'a World, token: &str, phone_number_id: &str) -> Option<&'a Account> {
    world.account_of_number(phone_number_id).filter(|owner| owner.access_token == token)
}

async fn answer(world: &Arc<World>, call: &Call) -> Response {
    route(world, call).await.unwrap_or_else(IntoResponse::into_response)
}

async fn route(world: &Arc<World>, call: &Call) -> Result<Response, GraphError> {
    let Some((_, node, edge)) = call.segments() else { return Err(GraphError::unknown_path(&call.path)) };
    let token = &authorized(world, call)?.access_token;
    let method = &call.parts.method;
    let not_found = || GraphError::no_such_object(method.as_str(), node);
    let number = || owner(world, token, node).ok_or_else(not_found);
    let waba = || world.account_of_waba(node).filter(|owner| owner.access_token == *token).ok_or_else(not_found);

    match (method, edge) {
        (&Method::POST, "messages") => messages::post(world, number()?, call),
        (&Method::POST, "media") => media::upload(world, number()?, call).await,
        (&Method::POST, "block_users") => block_users::change(world, number()?, call, block_users::Change::Block),
        (&Method::DELETE, "block_users") => block_users::change(world, number()?, call, block_users::Change::Unblock),
        (&Method::GET, "block_users") => block_users::list(world, number()?, call),
        (&Method::GET, "message_templates") => templates::list(world, waba()?, call),
        (&Method::POST, "message_templates") => templates::create(world, waba()?, call),
        (&Method::DELETE, "message_templates") => templates::delete(world, waba()?, call),
        (&Method::GET, "") => media::get(world, node, call)
            .or_else(|| templates::get(world, node))
            .or_else(|| number().ok().map(phone_number))
            .ok_or_else(not_found),
        (&Method::DELETE, "") => media::delete(world, node, call).ok_or_else(not_found),
        (_, "messages" | "media" | "block_users" | "message_templates" | "") => Err(not_found()),
        _ => Err(GraphError::unknown_path(&format!("/{edge}"))),
    }
}

/// The number itself, with the fields Meta gives when none are asked for.
fn phone_number(account: &Account) -> Response {
    ok(&serde_json::json!({
        "verified_name": "Simulated Business",
        "code_verification_status": "VERIFIED",
        "display_phone_number": format!("+{}", account.display_phone_number),
        "quality_rating": "GREEN",
        "id": account.phone_number_id,
    }))
}

pub(crate) fn ok(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body.to_string()).into_response()
}

/// The headers that tell Meta's answers apart from a proxy's.
fn add_headers(call: &Call, response: &mut Response) {
    let asked = call.segments().and_then(|(version, ..)| version_number(version)).unwrap_or(OLDEST_LIVE_VERSION);
    let (major, minor) = asked.max(OLDEST_LIVE_VERSION);
    let headers = response.headers_mut();
    if let Ok(version) = HeaderValue::from_str(&format!("v{major}.{minor}")) {
        headers.insert("facebook-api-version", version);
    }
    if let Ok(trace) = HeaderValue::from_str(&ids::trace()) {
        headers.insert("x-fb-trace-id", trace);
    }
    headers.insert("x-app-usage", HeaderValue::from_static(r#"{"call_count":0,"total_cputime":0,"total_time":0}"#));
}
