//! The errors that the operations share, each with an example.

use api::{Response, Route};
use domain::{Kind, Scope};
use serde_json::{Value, json};

use crate::shape::Shape;

/// What every error holds; all but `error` only where it applies.
pub(crate) fn api_error() -> Shape {
    let text = |words: &str| json!({"type": "string", "description": words});
    Shape::written(
        "Error",
        json!({
            "type": "object",
            "description": "What every error holds; all but `error` only where it applies.",
            "required": ["error"],
            "additionalProperties": false,
            "properties": {
                "error": text("What happened and what to do about it, for a person."),
                "code": {"type": "string", "pattern": "^[a-z_]+$", "description": "A stable word for programs."},
                "field": text("The field of the request that is wrong, as a path: `phone`, `body_params[2]`."),
                "missing_scope": {"enum": Scope::ALL.map(Scope::as_str), "description": "The scope that the key lacks."},
                "message_id": {"type": "string", "format": "uuid", "description": "Our id of the message that this is about."},
                "may_have_been_sent": {"const": true, "description": "Meta did not say whether it took the message."},
                "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
                "meta": {"type": "object", "description": "Meta's own error object."},
            },
        }),
    )
}

/// An error of an operation.
#[derive(Clone)]
pub(crate) struct Failure {
    /// Its `code`, or a name where it has none.
    pub(crate) name: String,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// What a status means, whatever the operation.
pub(crate) fn description(status: u16) -> &'static str {
    match status {
        400 => "The caller must change the request. Nothing was changed or sent.",
        401 => "No API key, or one that is unknown, disabled or expired.",
        403 => "The key lacks a scope.",
        404 => "It does not exist, or the key may not use it.",
        405 => "Another method than the path has.",
        409 => "Something else is under way, or stands against it.",
        413 => "The body is too large.",
        422 => "The `Idempotency-Key` was used for another request.",
        429 => "Too many requests, by the key's limit or Meta's. Nothing was sent.",
        500 => "A fault of the gateway.",
        502 => "Meta answered with something that neither the caller nor a second try can mend.",
        503 => "Meta or the storage can't be reached, or Meta says that it failed.",
        504 => "Meta did not answer in time.",
        _ => "An error.",
    }
}

fn failure(kind: Kind, code: &str, error: &str, more: Value) -> Failure {
    let mut body = json!({"error": error, "code": code});
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    Failure { name: code.to_owned(), status: Response::status_of(kind), body }
}

fn final_failure(kind: Kind, code: &str, error: &str) -> Failure {
    failure(kind, code, error, json!({"retryable": false}))
}

fn passing_failure(kind: Kind, code: &str, error: &str) -> Failure {
    failure(kind, code, error, json!({"retryable": true}))
}

/// A field of the request is wrong.
pub(crate) fn field(field: &str, error: &str) -> Failure {
    let failure = failure(Kind::Invalid, "invalid_field", error, json!({"field": field, "retryable": false}));
    Failure { name: format!("invalid_{field}"), ..failure }
}

/// What any request may meet.
pub(crate) fn of_every_request(route: &Route) -> Vec<Failure> {
    let allowed: Vec<_> = route.methods.iter().chain(route.beside).copied().collect();
    let plain = |name: &str, kind, body| Failure { name: name.to_owned(), status: Response::status_of(kind), body };
    let wrong_method = format!("This path takes {} only", allowed.join(" and "));
    vec![
        final_failure(Kind::Invalid, "invalid_request", "The request can't be read"),
        plain("unauthorized", Kind::Unauthorized, json!({"error": "Unauthorized"})),
        plain("forbidden", Kind::Forbidden, json!({"error": "Forbidden", "missing_scope": "messages:send"})),
        Failure {
            name: "method_not_allowed".to_owned(),
            status: 405,
            body: json!({"error": wrong_method, "code": "method_not_allowed"}),
        },
        passing_failure(
            Kind::Throttled,
            "rate_limited",
            "This key may make 60 requests a minute. Try again in 1 second.",
        ),
        failure(Kind::Internal, "internal", "Internal error", Value::Null),
        passing_failure(
            Kind::Unavailable,
            "storage_unavailable",
            "The service can't reach its storage. Nothing was sent. Try again.",
        ),
    ]
}

/// What a request with a body may meet.
pub(crate) fn of_a_body() -> Vec<Failure> {
    vec![
        final_failure(Kind::Invalid, "invalid_json", "The body must be JSON: it stops being so at line 1, column 9"),
        final_failure(Kind::Invalid, "invalid_body", "The body can't be read"),
        final_failure(Kind::TooLarge, "body_too_large", "The body is too large: 70000 bytes, where 65536 are allowed"),
    ]
}

/// The request names an account that there is not, or that the key may not use.
pub(crate) fn account_not_found() -> Failure {
    final_failure(Kind::NotFound, "account_not_found", "No account has the account_id 7")
}

/// What a request that may name an account in its query may meet.
pub(crate) fn of_an_account() -> Vec<Failure> {
    vec![account_not_found(), field("account_id", "account_id must be a whole number")]
}

/// What an `Idempotency-Key` may meet.
pub(crate) fn of_an_idempotency_key() -> Vec<Failure> {
    vec![
        passing_failure(Kind::InFlight, "in_flight", "A request with this Idempotency-Key is under way"),
        final_failure(
            Kind::KeyReused,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request. Take a new one.",
        ),
    ]
}

/// What whoever calls Meta may meet: what Meta refuses for everybody, and that it can't be reached.
pub(crate) fn of_meta() -> Vec<Failure> {
    let upstream = |code, error| final_failure(Kind::UpstreamFailed, code, error);
    vec![
        failure(
            Kind::UpstreamFailed,
            "upstream_auth",
            "Invalid OAuth access token - Cannot parse access token",
            json!({"retryable": false, "meta": {"message": "Invalid OAuth access token - Cannot parse access token",
                "type": "OAuthException", "code": 190, "fbtrace_id": "A1b2C3"}}),
        ),
        upstream("upstream_permission", "(#10) Application does not have permission for this action"),
        upstream("account_restricted", "(#131031) Business Account locked"),
        upstream("upstream_failed", "WhatsApp refused the message and gave no reason"),
        upstream("sender_not_found", "The account's phone number does not exist at Meta, or is not the token's"),
        upstream("sender_not_registered", "(#133010) Phone number is not registered"),
        upstream("sender_not_ready", "(#131037) The number's display name is not approved"),
        upstream("payment_required", "(#131042) Business eligibility payment issue"),
        Failure {
            name: "rate_limited_by_meta".to_owned(),
            ..failure(
                Kind::Throttled,
                "rate_limited",
                "(#130429) Rate limit hit",
                json!({"retryable": true, "meta": {"message": "(#130429) Rate limit hit", "code": 130_429}}),
            )
        },
        passing_failure(
            Kind::Unavailable,
            "upstream_unreachable",
            "WhatsApp can't be reached. Nothing was sent. Try again.",
        ),
        passing_failure(Kind::UpstreamUnavailable, "upstream_unavailable", "Service temporarily unavailable"),
        passing_failure(
            Kind::Unavailable,
            "too_little_time",
            "There is too little time left. Nothing was changed. Try again.",
        ),
    ]
}

/// What a message may meet.
pub(crate) fn of_a_message() -> Vec<Failure> {
    let refused = |code, error| final_failure(Kind::Invalid, code, error);
    vec![
        field("phone", "phone is required"),
        failure(
            Kind::Invalid,
            "window_closed",
            "This contact last wrote on 2026-01-01 at 10:00 UTC, more than 24 hours ago: only a template reaches them.",
            json!({"retryable": false, "meta": {"message": "(#131047) Re-engagement message", "code": 131_047}}),
        ),
        refused("recipient_blocked", "The account blocks this contact since 2026-01-02. Unblock them first."),
        refused("recipient_is_sender", "(#131021) Recipient cannot be sender"),
        refused("recipient_not_allowed", "(#131030) Recipient phone number not in allowed list"),
        refused("country_restricted", "(#130497) Business account is restricted from messaging users in this country"),
        refused("undeliverable", "(#131026) Message undeliverable"),
        refused("refused", "(#131009) Parameter value is not valid"),
        failure(
            Kind::OutcomeUnknown,
            "outcome_unknown",
            "WhatsApp did not say whether it took the message: it may have been sent",
            json!({"message_id": "01890a5d-ac96-774b-bcce-b302099a8057", "may_have_been_sent": true, "retryable": false}),
        ),
    ]
}

/// What a template may meet besides.
pub(crate) fn of_a_template() -> Vec<Failure> {
    let refused = |code, error| final_failure(Kind::Invalid, code, error);
    vec![
        refused("opted_out", "This contact wants no messages since 2026-01-02: they wrote STOP."),
        refused(
            "marketing_limited",
            "(#131049) This message was not delivered to maintain healthy ecosystem engagement",
        ),
        refused("template_not_found", "(#132001) Template name does not exist in the translation"),
        refused("template_parameters", "(#132000) Number of parameters does not match the expected number of params"),
        refused("template_policy", "(#132007) Template format character policy violated"),
        refused("template_paused", "(#132015) Template is paused due to low quality"),
        refused("template_disabled", "(#132016) Template is disabled"),
    ]
}

/// What something may meet that Meta may do twice without harm.
pub(crate) fn of_what_may_be_repeated() -> Vec<Failure> {
    vec![
        final_failure(Kind::Invalid, "refused", "(#100) Invalid parameter"),
        passing_failure(Kind::Unanswered, "outcome_unknown", "WhatsApp did not answer in time. Try again."),
        passing_failure(
            Kind::Unavailable,
            "not_recorded",
            "WhatsApp did it, but it could not be recorded. Try again: that does no harm.",
        ),
    ]
}

/// What a request about a conversation may meet.
pub(crate) fn of_a_chat() -> Vec<Failure> {
    vec![final_failure(Kind::NotFound, "chat_not_found", "There is no conversation with this number")]
}

/// What a request about a message may meet.
pub(crate) fn of_a_known_message() -> Vec<Failure> {
    vec![final_failure(Kind::NotFound, "message_not_found", "There is no message with this id")]
}

/// What a request about an event may meet.
pub(crate) fn of_an_event() -> Vec<Failure> {
    vec![final_failure(Kind::NotFound, "event_not_found", "There is no event with this id")]
}

/// What a request about a campaign may meet.
pub(crate) fn of_a_campaign() -> Vec<Failure> {
    vec![final_failure(Kind::NotFound, "campaign_not_found", "There is no campaign with the id 7")]
}

/// What a step of a campaign may meet.
pub(crate) fn of_a_step(error: &str) -> Vec<Failure> {
    vec![final_failure(Kind::Conflict, "wrong_status", error)]
}

/// What a start may meet besides.
pub(crate) fn of_a_start() -> Vec<Failure> {
    vec![
        final_failure(Kind::Conflict, "no_recipients", "This campaign has no recipients: add some first"),
        final_failure(Kind::Conflict, "template_not_approved", "Meta has not approved the template reminder: PENDING"),
    ]
}

/// What an upload of recipients may meet.
pub(crate) fn of_an_upload() -> Vec<Failure> {
    vec![
        field("recipients", "recipients must be a list of objects, each with a phone"),
        failure(
            Kind::Invalid,
            "too_many_recipients",
            "recipients may be up to 10000 in one call: add the others with further calls",
            json!({"field": "recipients", "retryable": false}),
        ),
        final_failure(Kind::Invalid, "invalid_csv", "The CSV file has no column for the phone"),
        passing_failure(Kind::InFlight, "upload_in_progress", "Recipients are being added to this campaign"),
        passing_failure(
            Kind::Unavailable,
            "too_little_time",
            "There is too little time left for so many rows. Nothing was changed. Try again.",
        ),
    ]
}
