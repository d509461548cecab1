//! What an endpoint is.

use std::future::Future;

use domain::Result;

use crate::request::Request;
use crate::response::Response;

/// Where an endpoint stands: the same words as in template.yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The function's one name.
    pub name: &'static str,
    /// The one method that it answers; any other gets 405.
    pub method: &'static str,
    /// The path of the reference, with its trailing slash. The path without it is the same route.
    pub path: &'static str,
}

impl Route {
    /// The function `name` answers `POST path`.
    pub const fn post(name: &'static str, path: &'static str) -> Self {
        Self { name, method: "POST", path }
    }
}

/// One endpoint of the API. Its fields are what it depends on.
pub trait Endpoint: Send + Sync {
    /// Where it stands.
    const ROUTE: Route;

    /// Answers a request by the right method.
    fn call(&self, request: &Request) -> impl Future<Output = Result<Response>> + Send;
}
