//! What carries the AWS SDK's requests: hyper, over rustls on ring with Mozilla's root certificates.
//!
//! The SDK's own client brings HTTP/2, which none of our services speaks, and reads the system's certificates at every
//! start: a quarter of a program and some milliseconds.

use std::error::Error;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpConnector as Tcp, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

/// Shorter than the idle limit of any load balancer on the way: a connection that is used again is alive.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(45);

/// A pool of connections. A clone shares them.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    client: Client<HttpsConnector<Tcp>, SdkBody>,
}

impl Connector {
    /// Gives up connecting after `connect_timeout`. The other limits in time are the SDK's matter.
    pub(super) fn new(connect_timeout: Duration) -> Self {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect_timeout));
        let https =
            hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(TLS.clone()).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .build(https.wrap_connector(tcp));
        Self { client }
    }

    /// What gives these connections to an SDK's client.
    pub(super) fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    /// Sends a GET without credentials, and reads the answer to its end, which leaves the connection ready for the next
    /// request to the same host.
    pub(crate) async fn get(&self, url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        let answer = self.call(HttpRequest::get(url)?).await?;
        ByteStream::new(answer.into_body()).collect().await?;
        Ok(())
    }
}

/// Made once for all services: a clone shares the root certificates, and the sessions that can be resumed.
#[expect(clippy::expect_used, reason = "that ring speaks TLS 1.2 and 1.3 is known when this is compiled")]
static TLS: LazyLock<ClientConfig> = LazyLock::new(|| {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    versions.expect("ring speaks TLS").with_root_certificates(roots).with_no_client_auth()
});

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        // After an answer such as a 500 the SDK asks to use another connection for the next attempt.
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let answer = self.client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(failure)?.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// All but our own mistakes may be different the next time.
fn failure(error: hyper_util::client::legacy::Error) -> ConnectorError {
    let cause = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    if cause.is_some_and(hyper::Error::is_user) {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers every request with a 500 and this. Gives its address, and counts its connections.
    async fn server(body: &'static str) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    while stream.read(&mut [0; 4096]).await.is_ok_and(|length| length > 0) {
                        let length = body.len();
                        let answer =
                            format!("HTTP/1.1 500 Internal Server Error\r\nContent-Length: {length}\r\n\r\n{body}");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        (format!("http://{address}"), connections)
    }

    /// Sends a request. Gives what is told of its connection.
    async fn send(connector: &Connector, url: &str) -> Result<ConnectionMetadata, ConnectorError> {
        let (mut request, capture) = (HttpRequest::get(url).unwrap(), CaptureSmithyConnection::new());
        request.add_extension(capture.clone());
        let answer = connector.call(request).await?;
        assert_eq!(answer.status().as_u16(), 500);
        Ok(capture.get().unwrap())
    }

    #[tokio::test]
    async fn a_connection_is_used_again_unless_the_sdk_wants_another() {
        let (url, connections) = server("").await;
        let connector = Connector::new(Duration::from_secs(1));
        send(&connector, &url).await.unwrap();
        let connection = send(&connector, &url).await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), 1);
        connection.poison();
        send(&connector, &url).await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_get_leaves_its_connection_to_the_next_request() {
        let (url, connections) = server("healthy").await;
        let connector = Connector::new(Duration::from_secs(1));
        connector.get(&url).await.unwrap();
        connector.get(&url).await.unwrap();
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_does_not_arrive_may_be_sent_again() {
        let error = send(&Connector::new(Duration::from_secs(1)), "http://127.0.0.1:1").await.unwrap_err();
        assert!(error.is_io(), "{error:?}");
    }

    #[tokio::test]
    async fn to_https_nothing_goes_in_the_clear() {
        let connector = Connector::new(Duration::from_secs(1));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let client_hello = async {
            let mut record = [0; 6];
            listener.accept().await.unwrap().0.read_exact(&mut record).await.unwrap();
            record
        };
        let (record, sent) = tokio::join!(client_hello, send(&connector, &url));
        // RFC 8446, 5.1 and 4: a record of the handshake, and a ClientHello in it.
        assert_eq!((record[0], record[1], record[5]), (22, 3, 1));
        assert!(sent.is_err());
    }
}
