//! The client itself: one connection pool to Meta, set up so that nothing is ever sent twice.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use rustls::{ClientConfig, RootCertStore};
use secrecy::SecretString;

use crate::business::Business;
use crate::node::Node;
use crate::number::Number;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Shorter than the minute after which load balancers commonly drop idle connections: a request must not be written
/// into a connection that the other side has just closed, for its outcome would be unknown.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);
const WARM_TIMEOUT: Duration = Duration::from_secs(1);

/// Meta's WhatsApp Cloud API, reached through one pool of connections.
///
/// A clone is cheap and shares the pool. HTTP/1.1 over TLS (rustls with ring and Mozilla's root certificates; no
/// process-wide crypto provider is needed or set), no proxy, no redirects, and no repeats: a call is at most one request.
#[derive(Clone)]
pub struct WhatsApp {
    http: reqwest::Client,
    graph_api_url: Url,
}

impl WhatsApp {
    /// A client for the Graph API at this URL, with its version: `https://graph.facebook.com/v25.0`.
    ///
    /// Plain `http` is allowed, for simulators. A trailing slash does no harm; a query, a fragment or a user name in the
    /// URL is an error. Nothing is sent yet.
    ///
    /// ```
    /// let whatsapp = whatsapp::WhatsApp::new("https://graph.facebook.com/v25.0")?;
    /// # assert!(whatsapp::WhatsApp::new("https://graph.facebook.com/v25.0?access_token=x").is_err());
    /// # Ok::<(), whatsapp::SetupError>(())
    /// ```
    pub fn new(graph_api_url: &str) -> Result<Self, SetupError> {
        let url = Url::parse(graph_api_url).map_err(SetupError::Url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SetupError::NotHttp);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(SetupError::QueryOrFragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SetupError::Credentials);
        }
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            .user_agent(concat!("whatsapp-rust/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SetupError::Client(error.without_url()))?;
        Ok(Self { http, graph_api_url: url })
    }

    /// Opens a connection to Meta ahead of the first call, so that this call doesn't wait for DNS, TCP and TLS.
    ///
    /// Takes at most a second. A failure is ignored: the first call will meet it again and can report it. No token is sent.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let meta = meta_simulator::Simulator::start().await?;
    /// let whatsapp = whatsapp::WhatsApp::new(&meta.graph_api_url())?;
    /// whatsapp.warm().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn warm(&self) {
        // HEAD, since an answer without a body leaves the connection ready for the next request.
        let _ignored = self.http.head(self.graph_api_url.clone()).timeout(WARM_TIMEOUT).send().await;
    }

    /// A business phone number, by Meta's id for it (not the phone number itself).
    ///
    /// The token needs the permission `whatsapp_business_messaging`. An id that could not stand in a URL path is refused by
    /// every call on the number, with [`Error::Invalid`](crate::Error::Invalid).
    pub fn number(&self, phone_number_id: &str, access_token: &SecretString) -> Number {
        Number { node: self.node(phone_number_id, access_token) }
    }

    /// A WhatsApp business account (WABA), which owns message templates.
    ///
    /// The token needs the permission `whatsapp_business_management`. An id that could not stand in a URL path is refused
    /// by every call on the account, with [`Error::Invalid`](crate::Error::Invalid).
    pub fn business(&self, waba_id: &str, access_token: &SecretString) -> Business {
        Business { node: self.node(waba_id, access_token) }
    }

    fn node(&self, id: &str, access_token: &SecretString) -> Node {
        Node {
            http: self.http.clone(),
            graph_api_url: self.graph_api_url.clone(),
            id: id.to_owned(),
            access_token: access_token.clone(),
        }
    }
}

impl fmt::Debug for WhatsApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsApp").field("graph_api_url", &self.graph_api_url.as_str()).finish_non_exhaustive()
    }
}

/// The provider is given here and not taken from the process, so that a program which installed none, or another one,
/// gets the same connections.
fn tls() -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(SetupError::Tls)?.with_root_certificates(roots).with_no_client_auth())
}

/// Why [`WhatsApp::new`] could not make a client. The URL is never repeated in it.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not a URL.
    #[error("the Graph API's address is not a URL")]
    Url(#[source] url::ParseError),
    /// Neither `https` nor `http`.
    #[error("the Graph API's URL must begin with https:// or http://")]
    NotHttp,
    /// A query or a fragment, which the paths of the API would follow.
    #[error("the Graph API's URL must end with its path")]
    QueryOrFragment,
    /// A user name or a password.
    #[error("the Graph API's URL must hold no user name and no password")]
    Credentials,
    /// The crypto provider offers no protocol version.
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
}
