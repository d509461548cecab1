//! The members of a request's JSON, taken one by one, so that an error can name the one that is wrong.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::customers::NotSent;

/// A request that the control API does not take, and why.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

impl Refusal {
    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<NotSent> for Refusal {
    fn from(reason: NotSent) -> Self {
        let status = match reason {
            NotSent::Blocked => StatusCode::CONFLICT,
            NotSent::NoSuchCustomer | NotSent::NoSuchAccount => StatusCode::BAD_REQUEST,
        };
        Self(status, reason.to_string())
    }
}

/// What is left of a request's members.
pub(super) struct Fields(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::from_request(request, state).await {
            Ok(Json(members)) => Ok(Self(members)),
            // Only with this type does a browser ask before it lets a foreign page send something.
            Err(JsonRejection::MissingJsonContentType(_)) => {
                let problem = "The body must come as application/json.";
                Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem.to_owned()))
            }
            Err(_) => Err(Refusal::bad("The body must be a JSON object.")),
        }
    }
}

impl Fields {
    /// A member of any kind, which must be there.
    pub(super) fn any(&mut self, name: &str) -> Result<Value, Refusal> {
        self.0.remove(name).ok_or_else(|| Refusal::bad(format!("{name} is missing.")))
    }

    /// A member of any kind, if it is there; it may be `null`.
    pub(super) fn given(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::bad(format!("{name} must be a string."))),
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Refusal> {
        let text = self.optional_text(name)?.ok_or_else(|| Refusal::bad(format!("{name} is missing.")))?;
        if text.is_empty() { Err(Refusal::bad(format!("{name} must not be empty."))) } else { Ok(text) }
    }

    pub(super) fn short_text(&mut self, name: &str, limit: usize) -> Result<String, Refusal> {
        let text = self.text(name)?;
        if text.chars().count() > limit {
            return Err(Refusal::bad(format!("{name} must have {limit} characters at most.")));
        }
        Ok(text)
    }

    pub(super) fn number(&mut self, name: &str) -> Result<f64, Refusal> {
        self.any(name)?.as_f64().ok_or_else(|| Refusal::bad(format!("{name} must be a number.")))
    }

    /// False when it is not there.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Refusal> {
        let value = self.0.remove(name).unwrap_or(Value::Bool(false));
        value.as_bool().ok_or_else(|| Refusal::bad(format!("{name} must be true or false.")))
    }

    /// Nothing may be left: what is not understood would otherwise be lost in silence.
    pub(super) fn end(self) -> Result<(), Refusal> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(unknown) => Err(Refusal::bad(format!("{unknown} is not known here."))),
        }
    }
}
