//! As much of AWS Secrets Manager as hands out secrets.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use domain::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A Secrets Manager that knows some secrets. Dropping it stops it.
#[derive(Debug)]
pub struct SecretsManager {
    url: String,
    asked: Asked,
    serving: AbortHandle,
}

/// The headers of every request.
type Asked = Arc<Mutex<Vec<HeaderMap>>>;

/// What each secret holds, by their names.
type Secrets = BTreeMap<String, String>;

impl SecretsManager {
    /// Starts one on any free port that knows these secrets: the name of each and what it holds, put there at this moment.
    pub async fn start(secrets: &[(&str, &str)]) -> io::Result<Self> {
        let asked = Asked::default();
        let secrets: Secrets = secrets.iter().map(|(arn, secret)| ((*arn).to_owned(), (*secret).to_owned())).collect();
        let state = (Arc::new(secrets), Clock::system().now(), Arc::clone(&asked));
        let router = Router::new().route("/", post(get_secret_value)).with_state(state);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { url, asked, serving })
    }

    /// Where it listens: the value of `AWS_ENDPOINT_URL_SECRETS_MANAGER`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The header `name` of every request so far, oldest first.
    pub fn asked_with(&self, name: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let values = asked.iter().map(|headers| headers.get(name).and_then(|value| value.to_str().ok()));
        values.map(|value| value.unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for SecretsManager {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn get_secret_value(
    State((secrets, created_at, asked)): State<(Arc<Secrets>, Timestamp, Asked)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let wanted = serde_json::from_str::<Value>(&body).unwrap_or_default();
    let is_known = headers.get("x-amz-target").is_some_and(|target| target == "secretsmanager.GetSecretValue");
    let wanted = wanted.get("SecretId").and_then(Value::as_str).filter(|_| is_known);
    let known = wanted.and_then(|arn| secrets.get_key_value(arn));
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(headers);
    let (status, answer) = if let Some((arn, secret)) = known {
        let created_at = created_at.as_second();
        (StatusCode::OK, json!({"ARN": arn, "Name": "any", "CreatedDate": created_at, "SecretString": secret}))
    } else {
        let refusal =
            json!({"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the secret."});
        (StatusCode::BAD_REQUEST, refusal)
    };
    (status, [("Content-Type", "application/x-amz-json-1.1")], answer.to_string()).into_response()
}
