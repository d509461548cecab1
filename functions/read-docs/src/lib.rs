//! `GET /whatsapp/api/docs/`: the API's documentation, a plain page for everybody.
//!
//! `cargo run -p openapi` writes it out of the code.

use api::{Endpoint, Request, Response, Route};
use domain::Result;

const PAGE: &str = include_str!("../docs.html");

/// The page has no script, and its looks are its own.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The endpoint.
#[derive(Clone, Copy, Debug)]
pub struct ReadDocs;

impl Endpoint for ReadDocs {
    const ROUTE: Route = Route::get("read-docs", "/whatsapp/api/docs/");

    async fn call(&self, _request: &Request) -> Result<Response> {
        let page = Response::new(200, "text/html; charset=utf-8", PAGE.to_owned());
        Ok(page.header("Content-Security-Policy", POLICY).header("Referrer-Policy", "no-referrer"))
    }
}

#[cfg(test)]
mod tests;
