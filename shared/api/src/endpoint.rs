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
    /// The one method that it answers; any other gets 405. `None`: it looks at the method itself, and stands for every
    /// path below its own as well.
    pub method: Option<&'static str>,
    /// The path of the reference, with its trailing slash. The path without it is the same route.
    pub path: &'static str,
}

impl Route {
    /// The function `name` answers `POST path`.
    pub const fn post(name: &'static str, path: &'static str) -> Self {
        Self { name, method: Some("POST"), path }
    }

    /// The function `name` answers `GET path`.
    pub const fn get(name: &'static str, path: &'static str) -> Self {
        Self { name, method: Some("GET"), path }
    }

    /// The function `name` answers `DELETE path`, which may have a body.
    pub const fn delete(name: &'static str, path: &'static str) -> Self {
        Self { name, method: Some("DELETE"), path }
    }

    /// The function `name` answers every method at `path` and below it.
    pub const fn pages(name: &'static str, path: &'static str) -> Self {
        Self { name, method: None, path }
    }
}

/// One endpoint of the API. Its fields are what it depends on.
pub trait Endpoint: Send + Sync {
    /// Where it stands.
    const ROUTE: Route;

    /// Answers a request by the right method.
    fn call(&self, request: &Request) -> impl Future<Output = Result<Response>> + Send;

    /// How an error is told: as JSON, unless the endpoint speaks otherwise. There is no `request` when the event can't
    /// be read.
    fn tell(&self, _request: Option<&Request>, error: &Error) -> Response {
        Response::error(error)
    }
}
