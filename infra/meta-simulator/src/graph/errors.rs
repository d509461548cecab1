//! Meta's errors: which HTTP status, message and details each code has, and how the body looks.

use crate::json::set;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::ids;

/// Code, HTTP status, message, details. The statuses are those that Meta documented until the end of 2025.
const KNOWN: &[(i64, u16, &str, &str)] = &[
    (0, 401, "AuthException", "The app user could not be authenticated."),
    (1, 400, "API Unknown", "The request is invalid, or the server failed."),
    (2, 503, "API Service", "The service is down or overloaded."),
    (3, 500, "API Method", "The app lacks a capability or a permission."),
    (4, 400, "API Too Many Calls", "The app has reached its limit of calls."),
    (10, 403, "Permission Denied", "The permission was not granted or has been removed."),
    (33, 400, "Parameter value is not valid", "The business phone number has been deleted."),
    (100, 400, "Invalid parameter", "A parameter is unknown or misspelt."),
    (190, 401, "Access token has expired", "Get a new access token."),
    (200, 403, "API Permission", "A permission is missing."),
    (368, 403, "Temporarily blocked for policies violations", "The account is restricted or disabled."),
    (80007, 400, "Rate limit issues", "The WhatsApp Business Account has reached its rate limit."),
    (130_403, 400, "Business has blocked this user", "Unblock the user before sending a message."),
    (130_429, 400, "Rate limit hit", "Too many messages were sent from this phone number in a short time."),
    (130_472, 400, "User's number is part of an experiment", "The message was not sent because of an experiment."),
    (130_497, 403, "Business account is restricted from messaging users in this country", "The country is restricted."),
    (131_000, 500, "Something went wrong", "The message could not be sent, for an unknown reason."),
    (131_005, 403, "Access denied", "The permission was not granted or has been removed."),
    (131_008, 400, "Required parameter is missing", "The request lacks a required parameter."),
    (131_009, 400, "Parameter value is not valid", "A parameter has a value that is not valid."),
    (131_016, 500, "Service unavailable", "A service is temporarily unavailable."),
    (131_021, 400, "Recipient cannot be sender", "The sender and the recipient are the same number."),
    (131_026, 400, "Message undeliverable", "The recipient cannot receive this message."),
    (131_030, 400, "Recipient phone number not in allowed list", "Add the number to the list of test recipients."),
    (131_031, 403, "Account has been locked", "The account is locked."),
    (131_037, 400, "Display name is not approved", "The number's display name needs an approval first."),
    (131_042, 400, "Business eligibility payment issue", "There is a problem with the payment method."),
    (131_045, 500, "Incorrect certificate", "The phone number is not registered correctly."),
    (131_047, 400, "Re-engagement message", "More than 24 hours have passed since the recipient last wrote."),
    (131_048, 400, "Spam rate limit hit", "Too many earlier messages were blocked or flagged as spam."),
    (131_049, 400, "Message not delivered to keep the ecosystem healthy", "Meta chose not to deliver it."),
    (131_050, 400, "Recipient has stopped marketing messages", "The recipient has opted out of marketing messages."),
    (131_051, 400, "Unsupported message type", "The message type is not supported."),
    (131_052, 400, "Media download error", "The media sent by the user could not be downloaded."),
    (131_053, 400, "Media upload error", "The media could not be uploaded or fetched."),
    (131_055, 400, "Method not allowed", "This kind of message is not allowed here."),
    (131_056, 400, "(Business Account, Consumer Account) pair rate limit hit", "Too many messages to this recipient."),
    (131_057, 500, "Account in maintenance mode", "The account is being maintained."),
    (131_059, 400, "Invalid paging cursor", "Start again from the first page."),
    (132_000, 400, "Number of parameters does not match the expected number of params", ""),
    (132_001, 404, "Template name does not exist in the translation", ""),
    (132_005, 400, "Translated text too long", "The template's text is too long with its parameters filled in."),
    (132_007, 400, "Template format character policy violated", "The template breaks a WhatsApp policy."),
    (132_008, 400, "Template parameter is not valid", "A template parameter is not valid."),
    (132_012, 400, "Parameter format does not match format in the created template", ""),
    (132_015, 400, "Template is paused", "The template is paused because of its low quality."),
    (132_016, 400, "Template is disabled", "The template was paused too often and is now disabled for good."),
    (132_018, 400, "Template validation error", "The template's parameters are not valid."),
    (132_068, 400, "Flow is blocked", "The flow is blocked."),
    (132_069, 400, "Flow is throttled", "The flow has reached its limit of messages."),
    (133_000, 500, "Incomplete deregistration", "An earlier deregistration failed."),
    (133_004, 503, "Server temporarily unavailable", "The registration server is unavailable."),
    (133_010, 400, "Phone number not registered", "The phone number is not registered."),
    (133_016, 400, "Account register deregister rate limit exceeded", "Too many attempts for this phone number."),
    (135_000, 400, "Generic user error", "Something is wrong with the request's parameters."),
    (139_100, 400, "Failed to block/unblock users", "Some users failed; see the list in block_users."),
    (139_101, 400, "Blocklist limit reached", "The list holds as many users as it can."),
    (
        139_102,
        400,
        "Blocklist concurrent update",
        "The list changed while it was read. Start again from the first page.",
    ),
    (139_103, 500, "Internal error", "The list could not be read or changed."),
];

/// Codes that pass by themselves, by what Meta says of them.
const TRANSIENT: &[i64] = &[2, 4, 80007, 130_429, 131_016, 131_056, 131_057, 133_004];

/// The title of a code, as in webhooks; empty for a code that Meta has not documented.
pub(crate) fn title(code: i64) -> &'static str {
    known(code).map_or("", |(_, _, title, _)| title)
}

/// What Meta adds to a code's title.
pub(crate) fn details(code: i64) -> &'static str {
    known(code).map_or("", |(_, _, _, details)| details)
}

fn known(code: i64) -> Option<&'static (i64, u16, &'static str, &'static str)> {
    KNOWN.iter().find(|(known, ..)| *known == code)
}

/// An error that the Graph API answers with.
#[derive(Debug)]
pub(crate) struct GraphError {
    status: StatusCode,
    code: i64,
    subcode: Option<i64>,
    kind: &'static str,
    message: String,
    details: String,
}

/// Rides on a response, so that the page can name the code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorCode(pub(crate) i64);

impl GraphError {
    /// The error of that code as Meta documents it; a code that Meta never gave answers 400.
    pub(crate) fn of(code: i64) -> Self {
        let (status, title, details) =
            known(code).map_or((400, "Unknown error", ""), |(_, status, title, details)| (*status, *title, *details));
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            code,
            subcode: None,
            kind: "OAuthException",
            message: format!("(#{code}) {title}"),
            details: details.to_owned(),
        }
    }

    /// 131008: a required field is not there.
    pub(crate) fn missing(field: &str) -> Self {
        Self::of(131_008).details(format!("The parameter {field} is required."))
    }

    /// 131009: a field holds what it must not hold.
    pub(crate) fn invalid(details: impl Into<String>) -> Self {
        Self::of(131_009).details(details)
    }

    /// 100: a text is longer than Meta takes.
    pub(crate) fn too_long(field: &str, limit: usize) -> Self {
        let message = format!("(#100) Param {field} must be at most {limit} characters long.");
        Self { message, details: String::new(), ..Self::of(100) }
    }

    /// 100 with subcode 33: no such node, or not one of this token's.
    pub(crate) fn no_such_object(method: &str, id: &str) -> Self {
        let message = format!(
            "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, \
             or does not support this operation",
            method.to_lowercase()
        );
        Self { kind: "GraphMethodException", message, subcode: Some(33), details: String::new(), ..Self::of(100) }
    }

    /// 2500: a path that the Graph API does not have.
    pub(crate) fn unknown_path(path: &str) -> Self {
        Self { message: format!("Unknown path components: {path}"), details: String::new(), ..Self::of(2500) }
    }

    /// 200: no access token at all.
    pub(crate) fn no_token() -> Self {
        Self { message: "(#200) Provide valid app ID".to_owned(), details: String::new(), ..Self::of(200) }
    }

    /// 190: a token, but not one of ours.
    pub(crate) fn wrong_token() -> Self {
        let message = "Invalid OAuth access token - Cannot parse access token".to_owned();
        Self { message, details: String::new(), ..Self::of(190) }
    }

    pub(crate) fn details(self, details: impl Into<String>) -> Self {
        Self { details: details.into(), ..self }
    }

    /// The object under `error`.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "message": self.message, "type": self.kind, "code": self.code });
        if TRANSIENT.contains(&self.code) {
            set(&mut error, "is_transient", json!(true));
        }
        if !self.details.is_empty() {
            set(&mut error, "error_data", json!({ "messaging_product": "whatsapp", "details": self.details }));
        }
        if let Some(subcode) = self.subcode {
            set(&mut error, "error_subcode", json!(subcode));
        }
        set(&mut error, "fbtrace_id", json!(ids::trace()));
        error
    }

    /// This error as one entry of a list: `failed_users[].errors[]` or `statuses[].errors[]`.
    pub(crate) fn to_item(&self) -> Value {
        let title = title(self.code);
        let mut item = json!({ "code": self.code, "message": title });
        if !self.details.is_empty() {
            set(&mut item, "error_data", json!({ "details": self.details }));
        }
        item
    }

    /// The answer, with further members beside `error`.
    pub(crate) fn with_body(&self, mut body: Value) -> Response {
        set(&mut body, "error", self.to_json());
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body.to_string())
            .into_response();
        response.extensions_mut().insert(ErrorCode(self.code));
        response
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        self.with_body(json!({}))
    }
}
