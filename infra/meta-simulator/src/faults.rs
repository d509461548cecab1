//! The ways to fail: what they are, how they are named, which are armed, and how each is played.

use std::collections::VecDeque;
use std::time::Duration;

use crate::json::set;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::graph::errors::GraphError;

/// One way to fail. Except where it says otherwise, nothing of the request takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Meta's own error of that code, with its message, HTTP status and details.
    Error(i64),
    /// The next connection is closed right after it was accepted, unread. It also ends the idle connections, so that
    /// the next request needs a new one.
    CloseBeforeReading,
    /// The request is read, then the connection ends (FIN) without an answer.
    CloseAfterRequest,
    /// The request is read, then the connection is reset (RST).
    ResetAfterRequest,
    /// The request is read and never answered.
    NeverAnswer,
    /// The request takes effect after so many milliseconds, and the right answer follows.
    Delay(u64),
    /// The request takes effect, but its answer stops halfway through the body.
    TruncatedAnswer,
    /// 500 with an HTML page.
    HtmlServerError,
    /// 429 with an HTML page.
    HtmlTooMany,
    /// 502 with an HTML page.
    BadGateway,
    /// The request takes effect, but the 200 is not JSON.
    GarbledOk,
    /// The request takes effect, but the 200 holds no message id.
    OkWithoutId,
    /// 307 to the very same address.
    Redirect,
    /// The request takes effect, and its right answer is padded to more than 1 MB.
    HugeAnswer,
    /// 429 with Meta's error 130429 and `Retry-After: 3`.
    ErrorWithRetryAfter,
    /// 500 with Meta's error 131000 as JSON.
    ServerErrorWithJson,
    /// The phone gets the message and the statuses come, but the caller sees a reset.
    AcceptedThenReset,
    /// The phone gets the message and the statuses come, but the caller never gets an answer.
    AcceptedThenSilence,
    /// The phone gets the message and the statuses come, but the caller gets 500 with an HTML page.
    AcceptedThenServerError,
}

/// Every transport fault with its name and its number in a phone number. The README and the page show the same table.
pub(crate) const TRANSPORT_FAULTS: [(u64, &str, Fault); 17] = [
    (1, "close_after_request", Fault::CloseAfterRequest),
    (2, "reset_after_request", Fault::ResetAfterRequest),
    (3, "never_answer", Fault::NeverAnswer),
    (4, "delay", Fault::Delay(2_000)),
    (5, "truncated_answer", Fault::TruncatedAnswer),
    (6, "html_server_error", Fault::HtmlServerError),
    (7, "html_too_many", Fault::HtmlTooMany),
    (8, "bad_gateway", Fault::BadGateway),
    (9, "garbled_ok", Fault::GarbledOk),
    (10, "ok_without_id", Fault::OkWithoutId),
    (11, "redirect", Fault::Redirect),
    (12, "huge_answer", Fault::HugeAnswer),
    (13, "error_with_retry_after", Fault::ErrorWithRetryAfter),
    (14, "server_error_with_json", Fault::ServerErrorWithJson),
    (15, "accepted_then_reset", Fault::AcceptedThenReset),
    (16, "accepted_then_silence", Fault::AcceptedThenSilence),
    (17, "accepted_then_server_error", Fault::AcceptedThenServerError),
];

impl Fault {
    /// As the control API writes it; `None` when the name is unknown or its number is missing.
    pub(crate) fn parse(name: &str, code: Option<i64>, ms: Option<u64>) -> Option<Self> {
        match name {
            "error" => code.map(Self::Error),
            "delay" => ms.map(Self::Delay),
            "close_before_reading" => Some(Self::CloseBeforeReading),
            _ => TRANSPORT_FAULTS.iter().find(|(_, known, _)| *known == name).map(|(_, _, fault)| fault.clone()),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Error(code) => json!({ "fault": "error", "code": code }),
            Self::Delay(ms) => json!({ "fault": "delay", "ms": ms }),
            other => json!({ "fault": other.name() }),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Error(_) => "error",
            Self::Delay(_) => "delay",
            Self::CloseBeforeReading => "close_before_reading",
            other => TRANSPORT_FAULTS.iter().find(|(_, _, fault)| fault == other).map_or("fault", |(_, name, _)| name),
        }
    }

    /// Whether the request does what it asks for, before its answer goes wrong.
    const fn takes_effect(&self) -> bool {
        matches!(
            self,
            Self::Delay(_)
                | Self::TruncatedAnswer
                | Self::GarbledOk
                | Self::OkWithoutId
                | Self::HugeAnswer
                | Self::AcceptedThenReset
                | Self::AcceptedThenSilence
                | Self::AcceptedThenServerError
        )
    }
}

/// What a phone number itself asks for. Only exactly 11 digits that start with 1555 ask for something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NumberFault {
    /// `1555 0 CCCCCC`: Meta refuses at once with error CCCCCC.
    Refused(i64),
    /// `1555 1 0000NN`: transport fault NN.
    Transport(Fault),
    /// `1555 2 CCCCCC`: Meta accepts, then a `failed` status with error CCCCCC comes.
    FailsLater(i64),
}

/// Reads the failure out of a number that is already bare digits.
pub(crate) fn of_number(digits: &str) -> Option<NumberFault> {
    if digits.len() != 11 {
        return None;
    }
    let rest = digits.strip_prefix("1555")?;
    let (kind, number) = rest.split_at_checked(1)?;
    let number: i64 = number.parse().ok()?;
    match kind {
        "0" => Some(NumberFault::Refused(number)),
        "1" => TRANSPORT_FAULTS
            .iter()
            .find(|(known, _, _)| i64::try_from(*known) == Ok(number))
            .map(|(_, _, fault)| NumberFault::Transport(fault.clone())),
        "2" => Some(NumberFault::FailsLater(number)),
        _ => None,
    }
}

/// The faults that wait for requests.
#[derive(Debug, Default)]
pub(crate) struct ArmedFaults {
    queue: VecDeque<(Fault, u32)>,
    always: Option<Fault>,
    shares: Vec<Share>,
}

/// A fault for every so many-th message.
#[derive(Debug)]
struct Share {
    fault: Fault,
    every: u32,
    /// How many messages came since the last one that failed.
    passed: u32,
}

impl ArmedFaults {
    pub(crate) fn arm(&mut self, fault: Fault, times: u32) {
        if times > 0 {
            self.queue.push_back((fault, times));
        }
    }

    pub(crate) fn arm_always(&mut self, fault: Fault) {
        self.always = Some(fault);
    }

    /// A share of nothing changes nothing.
    pub(crate) fn arm_share(&mut self, fault: Fault, every: u32) {
        if every > 0 {
            self.shares.push(Share { fault, every, passed: 0 });
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The fault for this request: the first one armed, else the one that always holds.
    pub(crate) fn take(&mut self) -> Option<Fault> {
        let Some((fault, times)) = self.queue.front_mut() else { return self.always.clone() };
        let fault = fault.clone();
        *times -= 1;
        if *times == 0 {
            self.queue.pop_front();
        }
        Some(fault)
    }

    /// The fault for this message, which no other fault took: that of the first share whose turn it is.
    pub(crate) fn take_share(&mut self) -> Option<Fault> {
        for share in &mut self.shares {
            share.passed = (share.passed + 1) % share.every;
            if share.passed == 0 {
                return Some(share.fault.clone());
            }
        }
        None
    }

    /// For a connection that was just accepted: must it be closed?
    pub(crate) fn take_close_before_reading(&mut self) -> bool {
        let next = self.queue.front().map(|(fault, _)| fault).or(self.always.as_ref());
        next == Some(&Fault::CloseBeforeReading) && self.take().is_some()
    }

    pub(crate) fn to_json(&self) -> Value {
        let with = |fault: &Fault, member: &str, value: u32| {
            let mut fault = fault.to_json();
            set(&mut fault, member, json!(value));
            fault
        };
        let next: Vec<Value> = self.queue.iter().map(|(fault, times)| with(fault, "times", *times)).collect();
        let some: Vec<Value> = self.shares.iter().map(|share| with(&share.fault, "every", share.every)).collect();
        json!({ "next": next, "always": self.always.as_ref().map(Fault::to_json), "some": some })
    }
}

/// Rides on a response and tells the connection to end instead of sending it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HangUp {
    Fin,
    Reset,
}

impl IntoResponse for HangUp {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// Plays a fault. `answer` is the request's right answer, which only some faults ask for.
pub(crate) async fn play(fault: Fault, path: &str, answer: impl Future<Output = Response>) -> Response {
    if let Fault::Delay(ms) = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if fault.takes_effect() {
        let answer = answer.await;
        // A request that Meta refuses is refused: the fault is only about the answer to a good one.
        return if answer.status().is_success() { spoil(&fault, answer).await } else { answer };
    }
    match fault {
        Fault::Error(code) => GraphError::of(code).into_response(),
        Fault::ResetAfterRequest => HangUp::Reset.into_response(),
        Fault::NeverAnswer => std::future::pending().await,
        Fault::HtmlServerError => html(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::HtmlTooMany => html(StatusCode::TOO_MANY_REQUESTS),
        Fault::BadGateway => html(StatusCode::BAD_GATEWAY),
        Fault::Redirect => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, path)]).into_response(),
        Fault::ErrorWithRetryAfter => {
            let mut response = GraphError::of(130_429).into_response();
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
            response
        }
        Fault::ServerErrorWithJson => GraphError::of(131_000).into_response(),
        // The others were spoilt above.
        _ => HangUp::Fin.into_response(),
    }
}

async fn spoil(fault: &Fault, answer: Response) -> Response {
    match fault {
        Fault::AcceptedThenReset => HangUp::Reset.into_response(),
        Fault::AcceptedThenSilence => std::future::pending().await,
        Fault::AcceptedThenServerError => html(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::GarbledOk => json_bytes(Bytes::from_static(b"{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"inp")),
        Fault::OkWithoutId => json_bytes(Bytes::from_static(b"{\"messaging_product\":\"whatsapp\"}")),
        Fault::TruncatedAnswer => truncated(&body_of(answer).await),
        Fault::HugeAnswer => json_bytes(padded(&body_of(answer).await)),
        _ => answer,
    }
}

async fn body_of(answer: Response) -> Bytes {
    // Our own answers are whole and in memory, so reading one cannot fail.
    axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default()
}

fn json_bytes(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body).into_response()
}

/// Announces the whole body, sends half of it, then breaks off.
fn truncated(body: &Bytes) -> Response {
    let length = body.len();
    let half = body.slice(..length / 2);
    let broken = || std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let parts = stream::iter([Ok(half)]).chain(stream::once(async move {
        // Lets the first half reach the wire before the connection ends.
        tokio::task::yield_now().await;
        Err(broken())
    }));
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    (headers, Body::from_stream(parts)).into_response()
}

/// Still valid JSON with the right content, but too big for a careful client.
fn padded(body: &[u8]) -> Bytes {
    let mut padded = vec![b' '; 1_100_000];
    padded.extend_from_slice(body);
    padded.into()
}

fn html(status: StatusCode) -> Response {
    let page =
        format!("<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>\n");
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

#[cfg(test)]
mod tests {
    use super::{ArmedFaults, Fault, NumberFault, TRANSPORT_FAULTS, of_number};

    #[test]
    fn a_number_names_its_failure_and_any_other_number_is_healthy() {
        assert_eq!(of_number("15550131047"), Some(NumberFault::Refused(131_047)));
        assert_eq!(of_number("15550000190"), Some(NumberFault::Refused(190)));
        assert_eq!(of_number("15551000002"), Some(NumberFault::Transport(Fault::ResetAfterRequest)));
        assert_eq!(of_number("15552131026"), Some(NumberFault::FailsLater(131_026)));
        for healthy in ["15551234567", "15551000099", "15553000001", "1555013104", "155501310470", "919876543210", ""] {
            assert_eq!(of_number(healthy), None, "{healthy}");
        }
    }

    #[test]
    fn shares_hold_side_by_side_and_what_one_takes_the_later_ones_do_not_count() {
        let mut armed = ArmedFaults::default();
        armed.arm_share(Fault::BadGateway, 2);
        armed.arm_share(Fault::HtmlTooMany, 3);
        armed.arm_share(Fault::NeverAnswer, 0);
        let taken: Vec<_> = (0..8).map(|_| armed.take_share().map_or("-", |fault| fault.name())).collect();
        let (first, second) = ("bad_gateway", "html_too_many");
        assert_eq!(taken, ["-", first, "-", first, second, first, "-", first]);
    }

    #[test]
    fn the_page_and_the_readme_list_every_fault_with_its_number() {
        let (page, readme) = (include_str!("page/index.html"), include_str!("../README.md"));
        for (number, name, fault) in TRANSPORT_FAULTS {
            assert_eq!(fault.name(), name);
            let phone = format!("155510000{number:02}");
            assert!(page.contains(&phone), "{phone} in the page");
            assert!(readme.contains(&format!("`{phone}` | `{name}`")), "{phone} {name} in the README");
        }
    }
}
