//! What every AWS client here has in common: credentials, region, TLS and limits in time.

mod connector;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

pub(crate) use self::connector::Connector;

/// A setting that is missing or wrong. Names the setting, never its value.
#[derive(Debug, thiserror::Error)]
#[error("{setting} {problem}")]
pub struct SetupError {
    setting: &'static str,
    problem: String,
}

impl SetupError {
    /// The setting called `setting` has `problem`.
    pub fn new(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { setting, problem: problem.into() }
    }
}

/// One service: how its client is set up, and the connections that the client will use.
pub(crate) struct Service {
    pub(crate) config: SdkConfig,
    pub(crate) connector: Connector,
}

/// What Lambda puts into the environment of every function (AWS Lambda: "Defined runtime environment variables");
/// `endpoint_variable` is the SDKs' own variable for another address of one service.
pub(crate) fn from_env(endpoint_variable: &'static str) -> Result<Service, SetupError> {
    let token = std::env::var("AWS_SESSION_TOKEN").ok();
    let credentials = Credentials::new(
        required("AWS_ACCESS_KEY_ID")?,
        required("AWS_SECRET_ACCESS_KEY")?,
        token,
        None,
        "environment",
    );
    Ok(service(required("AWS_REGION")?, credentials, std::env::var(endpoint_variable).ok()))
}

/// For an engine on this machine, which takes any credentials.
pub(crate) fn local(endpoint_url: &str) -> Service {
    let credentials = Credentials::new("local", "local", None, None, "local");
    service("local".to_owned(), credentials, Some(endpoint_url.to_owned()))
}

/// The value of an environment variable that can't be done without.
pub(crate) fn required(name: &'static str) -> Result<String, SetupError> {
    std::env::var(name).map_err(|_| SetupError::new(name, "is not set"))
}

fn service(region: String, credentials: Credentials, endpoint_url: Option<String>) -> Service {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
    // Few enough seconds that an outage is told to the caller while the function still lives.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(Duration::from_millis(1500))
        .operation_timeout(Duration::from_secs(4))
        .build();
    let connector = Connector::new(CONNECT_TIMEOUT);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(connector.http_client())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts);
    config.set_endpoint_url(endpoint_url);
    Service { config: config.build(), connector }
}
