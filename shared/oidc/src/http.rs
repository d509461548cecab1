//! HTTP to the provider: one TLS stack, short timeouts, no redirects, no repeats, and no more of an answer than it needs.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;

use crate::error::{Endpoint, Error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For a whole call. Signing in takes four at most, one after the other, and a function has 28 seconds.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest that are known are key sets with certificates, of some 20 KB.
const LONGEST_ANSWER: usize = 256 * 1024;

/// A client that is built when it is first needed: a program that nobody signs in to never does.
#[derive(Default)]
pub(crate) struct Http(OnceLock<reqwest::Client>);

impl Http {
    pub(crate) fn client(&self) -> Result<&reqwest::Client, Error> {
        match self.0.get() {
            Some(client) => Ok(client),
            // Of two at the same moment one is kept.
            None => build().map(|client| self.0.get_or_init(|| client)),
        }
    }
}

fn build() -> Result<reqwest::Client, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = versions.map_err(|error| Error::Client(error.into()))?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.with_root_certificates(roots).with_no_client_auth())
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .user_agent(concat!("whatsapp-gateway/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| Error::Client(error.into()))
}

/// Sends a request, and reads the answer to its end.
pub(crate) async fn send(request: RequestBuilder, endpoint: Endpoint) -> Result<(StatusCode, Vec<u8>), Error> {
    let unreachable = |error: reqwest::Error| Error::Unreachable(endpoint, error.without_url());
    let mut response = request.header("Accept", "application/json").send().await.map_err(unreachable)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            return Err(Error::TooLarge(endpoint, LONGEST_ANSWER));
        }
    }
    Ok((response.status(), body))
}

/// The JSON of an answer of status 200.
pub(crate) async fn get<T: DeserializeOwned>(request: RequestBuilder, endpoint: Endpoint) -> Result<T, Error> {
    let (status, body) = send(request, endpoint).await?;
    if status != StatusCode::OK {
        return Err(Error::Status(endpoint, status.as_u16()));
    }
    parse(&body, endpoint)
}

/// What is wrong is told without a word of it: there may be tokens in it.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8], endpoint: Endpoint) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        let problem = if error.is_data() { "a member is missing or of another type" } else { "it is no JSON" };
        Error::Malformed(endpoint, problem)
    })
}
