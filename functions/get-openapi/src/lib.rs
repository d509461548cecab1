//! `GET /whatsapp/api/openapi.json`: the API's OpenAPI document, for everybody.
//!
//! `cargo run -p openapi` writes it out of the code.

use api::{Endpoint, Request, Response, Route};
use domain::Result;

const DOCUMENT: &str = include_str!("../openapi.json");

/// Where the document says that the paths begin.
const SERVER: &str = r#""url": "/""#;

/// The endpoint.
#[derive(Clone, Copy, Debug)]
pub struct GetOpenapi;

impl Endpoint for GetOpenapi {
    const ROUTE: Route = Route::get("get-openapi", "/whatsapp/api/openapi.json/");

    async fn call(&self, request: &Request) -> Result<Response> {
        // Behind a stage or the base path of a custom domain, the paths begin there.
        let document = match (request.around(), DOCUMENT.rsplit_once(SERVER)) {
            (("", _), _) | (_, None) => DOCUMENT.to_owned(),
            ((before, _), Some((above, below))) => format!(r#"{above}"url": "{before}"{below}"#),
        };
        Ok(Response::new(200, "application/json", document).header("Access-Control-Allow-Origin", "*"))
    }
}

#[cfg(test)]
mod tests;
