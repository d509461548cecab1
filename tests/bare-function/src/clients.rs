//! The clients, with the settings that the other functions give them.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_smithy_http_client::Builder;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use lambda_runtime::Error;
use rustls::{ClientConfig, RootCertStore};

const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(45);

pub(crate) struct Clients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// Where the environment names the queue.
    pub(crate) sqs: Option<aws_sdk_sqs::Client>,
    /// Where the environment names Meta's API.
    pub(crate) meta: Option<reqwest::Client>,
}

impl Clients {
    pub(crate) fn from_env() -> Result<Self, Error> {
        let sqs = std::env::var("SEND_CAMPAIGN_QUEUE_URL").is_ok();
        let meta = std::env::var("GRAPH_API_URL").is_ok();
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&aws("AWS_ENDPOINT_URL_DYNAMODB")?),
            sqs: sqs.then(|| aws("AWS_ENDPOINT_URL_SQS")).transpose()?.map(|config| aws_sdk_sqs::Client::new(&config)),
            meta: meta.then(reqwest_client).transpose()?,
        })
    }
}

fn aws(endpoint_variable: &str) -> Result<SdkConfig, Error> {
    let variable = std::env::var;
    let (id, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(id, secret, variable("AWS_SESSION_TOKEN").ok(), None, "environment");
    // Longer than the others': nobody repeats a call here, however slow callgrind makes it.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(40))
        .build();
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().pool_idle_timeout(POOL_IDLE_TIMEOUT).build_http())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts)
        .endpoint_url(variable(endpoint_variable)?)
        .build())
}

fn reqwest_client() -> Result<reqwest::Client, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.with_root_certificates(roots).with_no_client_auth())
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(2))
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .tcp_nodelay(true);
    Ok(client.build()?)
}
