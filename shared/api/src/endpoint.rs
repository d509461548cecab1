//! What an endpoint is.

use std::future::Future;

use domain::{Error, Result};

use crate::request::Request;
use crate::response::Response;

/// Where an endpoint stands: the same words as in template.yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The function's one name.
    pub name: &'static str,
    /// The methods that it answers; any other gets 405. None at all: it looks at the method itself, and stands for every
    /// path below its own as well.
    pub methods: &'static [&'static str],
    /// The methods of the same path that another function answers.
    pub beside: &'static [&'static str],
    /// The path of the reference, with its trailing slash. The path without it is the same route. At most one segment is a
    /// parameter, as `{phone}`.
    pub path: &'static str,
    /// The largest body that it takes, in bytes.
    pub body_limit: usize,
}

/// The largest body of the API, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// The largest body of the webhook, in bytes: Meta sends up to 3 MB (Meta: "Webhooks").
const WEBHOOK_BODY_LIMIT: usize = 4 * 1024 * 1024;
/// The largest list of recipients, in bytes: Lambda takes 6 MB with everything else in it (AWS: "Lambda quotas").
const UPLOAD_BODY_LIMIT: usize = 4 * 1024 * 1024;

impl Route {
    /// The function `name` answers `POST path`.
    pub const fn post(name: &'static str, path: &'static str) -> Self {
        Self { name, methods: &["POST"], beside: &[], path, body_limit: BODY_LIMIT }
    }

    /// The function `name` answers `GET path`.
    pub const fn get(name: &'static str, path: &'static str) -> Self {
        Self { name, methods: &["GET"], beside: &[], path, body_limit: BODY_LIMIT }
    }

    /// The function `name` answers `DELETE path`, which may have a body.
    pub const fn delete(name: &'static str, path: &'static str) -> Self {
        Self { name, methods: &["DELETE"], beside: &[], path, body_limit: BODY_LIMIT }
    }

    /// The function `name` answers `POST path`, with a list of recipients in the body.
    pub const fn upload(name: &'static str, path: &'static str) -> Self {
        Self { name, methods: &["POST"], beside: &[], path, body_limit: UPLOAD_BODY_LIMIT }
    }

    /// Another function answers these methods at the same path.
    #[must_use]
    pub const fn beside(self, methods: &'static [&'static str]) -> Self {
        Self { beside: methods, ..self }
    }

    /// The function `name` takes Meta's calls at `path`: a GET that verifies the address, and a POST with what happened.
    pub const fn webhook(name: &'static str, path: &'static str) -> Self {
        Self { name, methods: &["GET", "POST"], beside: &[], path, body_limit: WEBHOOK_BODY_LIMIT }
    }

    /// The function `name` answers every method at `path` and below it.
    pub const fn pages(name: &'static str, path: &'static str) -> Self {
        Self { name, methods: &[], beside: &[], path, body_limit: BODY_LIMIT }
    }
}

/// One endpoint of the API. Its fields are what it depends on.
pub trait Endpoint: Send + Sync {
    /// Where it stands.
    const ROUTE: Route;

    /// Answers a request by one of the route's methods.
    fn call(&self, request: &Request) -> impl Future<Output = Result<Response>> + Send;

    /// How an error is told: as JSON, unless the endpoint speaks otherwise. There is no `request` when the event can't
    /// be read.
    fn tell(&self, _request: Option<&Request>, error: &Error) -> Response {
        Response::error(error)
    }
}
