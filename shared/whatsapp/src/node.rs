//! One object of the Graph API (a number, a business account) and the requests to its edges.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::answer::Answer;
use crate::error::Error;

/// The longest that any call waits for Meta, from its start to the last byte of the answer; only an upload may take longer.
pub const MAX_CALL_TIME: Duration = Duration::from_secs(12);

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) http: reqwest::Client,
    pub(crate) graph_api_url: Url,
    pub(crate) id: String,
    pub(crate) access_token: SecretString,
}

impl Node {
    /// A request to `{graph_api_url}/{id}/{edge}`, with the token (as a header that HTTP libraries do not print).
    pub(crate) fn request(&self, method: Method, edge: &str) -> Result<RequestBuilder, Error> {
        let mut url = self.graph_api_url.clone();
        // Encoding alone would not do: `..` needs no encoding and climbs out of its place in the path.
        if self.id.is_empty() || !self.id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
            return Err(Error::Invalid("an id of Meta consists of letters, digits, - and _"));
        }
        let Ok(mut path) = url.path_segments_mut() else {
            return Err(Error::Invalid("the Graph API's URL has no path"));
        };
        path.pop_if_empty().push(&self.id).push(edge);
        drop(path);
        Ok(self.http.request(method, url).bearer_auth(self.access_token.expose_secret()))
    }

    /// Sends the request, once, and reads the whole answer, whatever its status, in at most `timeout`.
    pub(crate) async fn call(&self, request: RequestBuilder, timeout: Duration) -> Result<Answer, Error> {
        // A timer of zero would still let the request begin.
        if timeout.is_zero() {
            return Err(Error::Invalid("no time is left for the call"));
        }
        let response = request.timeout(timeout).send().await.map_err(Error::from_transport)?;
        Answer::read(response, &self.access_token).await
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("graph_api_url", &self.graph_api_url.as_str())
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
