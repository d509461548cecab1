//! In place of IAM: lets each function's process make the calls that its role in template.yaml grants, and no others.

use std::collections::{BTreeSet, HashMap};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use template::{Grant, Template};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// More than DynamoDB and SQS take.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// What stands before a service. Dropping it ends that.
#[derive(Debug)]
pub(crate) struct Guard {
    url: String,
    serving: AbortHandle,
}

struct Guarded {
    client: Client<HttpConnector, Body>,
    service: Uri,
    table_prefix: String,
    grants: HashMap<String, BTreeSet<Grant>>,
    record: Option<Record>,
}

/// Where calls are told, and those that were: by which function.
struct Record {
    path: PathBuf,
    told: Mutex<BTreeSet<(String, Grant)>>,
}

impl Guard {
    /// Stands before the service at `url`, on any free port. Each call that is granted is added to the file `record`.
    pub(crate) async fn before(
        url: &str,
        table_prefix: &str,
        template: &Template,
        record: Option<PathBuf>,
    ) -> io::Result<Self> {
        let grants = template.functions.iter().map(|function| (function.name.clone(), function.grants.clone()));
        let guarded = Guarded {
            client: Client::builder(TokioExecutor::new()).build_http(),
            service: url.parse().map_err(io::Error::other)?,
            table_prefix: format!("{table_prefix}-"),
            grants: grants.collect(),
            record: record.map(|path| Record { path, told: Mutex::default() }),
        };
        let router =
            Router::new().fallback(hand_on).layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(Arc::new(guarded));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { url, serving })
    }

    /// Where the functions find the service.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Guarded {
    /// Adds calls to the file, a line each, if that is wanted and they are not there already.
    fn tell(&self, function: &str, calls: Vec<Grant>) -> io::Result<()> {
        let Some(Record { path, told }) = &self.record else { return Ok(()) };
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        for call in calls {
            let line = format!("{function} {} {}\n", call.action, call.resource);
            if told.insert((function.to_owned(), call)) {
                // A whole line at once: other stacks write to the same file.
                OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())?;
            }
        }
        Ok(())
    }
}

async fn hand_on(
    State(guarded): State<Arc<Guarded>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let function = caller(&headers).unwrap_or_default();
    // A GET is how connections are opened ahead: DynamoDB answers it whoever asks, and nothing is done by it.
    let calls = if method == Method::GET { Vec::new() } else { calls(&headers, &body, &guarded.table_prefix) };
    let granted = guarded.grants.get(function);
    if let Some(call) = calls.iter().find(|call| granted.is_none_or(|granted| !granted.contains(call))) {
        let Grant { action, resource } = call;
        tracing::error!(function, action, resource, "the function's role in template.yaml does not grant this call");
        let message = format!("{function} is not authorized to perform {action} on {resource}");
        let error = json!({"__type": "com.amazon.coral.service#AccessDeniedException", "message": message});
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], error.to_string())
            .into_response();
    }
    if let Err(error) = guarded.tell(function, calls) {
        tracing::error!(%error, "a call can't be told in the file of RECORD_CALLS");
    }
    let answer = async {
        let mut parts = guarded.service.clone().into_parts();
        parts.path_and_query = uri.path_and_query().cloned();
        let mut request = Request::builder().method(method).uri(Uri::from_parts(parts)?).body(Body::from(body))?;
        *request.headers_mut() = headers;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(guarded.client.request(request).await?)
    };
    answer.await.map_or_else(|_| StatusCode::BAD_GATEWAY.into_response(), |answer| answer.map(Body::new))
}

/// Whose access key signed the request: each function's is its name.
fn caller(headers: &HeaderMap) -> Option<&str> {
    let (_, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once("Credential=")?;
    rest.split_once('/').map(|(function, _)| function)
}

/// The calls that a request is made of, as IAM asks for them (AWS: "Actions, resources, and condition keys for Amazon
/// `DynamoDB`", "for Amazon SQS" and "for AWS Secrets Manager").
fn calls(headers: &HeaderMap, body: &[u8], prefix: &str) -> Vec<Grant> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (service, operation) = target.split_once('.').unwrap_or_default();
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let own_name = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
    if service == "AmazonSQS" {
        let queue = text(&body, "QueueUrl").rsplit('/').next().unwrap_or_default();
        // Who may send a message may send ten.
        let action = operation.strip_suffix("Batch").unwrap_or(operation);
        return vec![Grant { action: format!("sqs:{action}"), resource: own_name(queue) }];
    }
    if service == "secretsmanager" {
        return vec![Grant {
            action: format!("secretsmanager:{operation}"),
            resource: own_name(text(&body, "SecretId")),
        }];
    }
    let call = |operation: &str, resource: String| Grant { action: format!("dynamodb:{operation}"), resource };
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables =
                body.get("RequestItems").and_then(Value::as_object).into_iter().flat_map(|tables| tables.keys());
            tables.map(|table| call(operation, own_name(table))).collect()
        }
        "TransactWriteItems" => {
            let items = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
            let writes = items.filter_map(Value::as_object).flatten();
            writes.map(|(kind, write)| call(one_write(kind), own_name(text(write, "TableName")))).collect()
        }
        _ => {
            let (table, index) = (own_name(text(&body, "TableName")), text(&body, "IndexName"));
            vec![call(operation, if index.is_empty() { table } else { format!("{table}/index/{index}") })]
        }
    }
}

/// The action that a part of a transaction needs. Another kind is none, and so granted to nobody.
fn one_write(kind: &str) -> &'static str {
    match kind {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        _ => "",
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Resources:
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: target/lambda/reader/
      Role: !GetAtt ReaderRole.Arn
  ReaderRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt NotesTable.Arn}
              - {Effect: Allow, Action: dynamodb:Query, Resource: !Sub "${NotesTable.Arn}/index/newest"}
              - {Effect: Allow, Action: [dynamodb:PutItem, dynamodb:ConditionCheckItem], Resource: !GetAtt NotesTable.Arn}
              - {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Work.Arn}
              - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Password}
  NotesTable:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Sub "${AWS::StackName}-Notes"}
  Password: {Type: AWS::SecretsManager::Secret, Properties: {}}
  Work:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub "${AWS::StackName}-Work"}
"#;

    /// A service that grants everything, and a guard before it.
    async fn guard() -> (Guard, AbortHandle) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = Router::new().fallback(async |body: String| body);
        let serving = tokio::spawn(async move { axum::serve(listener, service).await }).abort_handle();
        (Guard::before(&url, "local", &Template::parse(TEMPLATE).unwrap(), None).await.unwrap(), serving)
    }

    async fn asks(guard: &Guard, function: &str, operation: &str, body: &Value) -> (u16, Value) {
        let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::post(guard.url())
            .header("X-Amz-Target", operation)
            .header("Authorization", format!("AWS4-HMAC-SHA256 Credential={function}/20260102/eu-central-1/x"))
            .body(Body::from(body.to_string()));
        let answer = client.request(request.unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(Body::new(answer.into_body()), BODY_LIMIT).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn what_the_role_grants_goes_through_as_it_is() {
        let (guard, service) = guard().await;
        for (operation, body) in [
            ("DynamoDB_20120810.GetItem", json!({"TableName": "local-Notes", "Key": {"id": {"S": "ä"}}})),
            ("DynamoDB_20120810.Query", json!({"TableName": "local-Notes", "IndexName": "newest"})),
            (
                "DynamoDB_20120810.TransactWriteItems",
                json!({"TransactItems": [
                    {"Put": {"TableName": "local-Notes"}},
                    {"ConditionCheck": {"TableName": "local-Notes"}},
                ]}),
            ),
            ("secretsmanager.GetSecretValue", json!({"SecretId": "Password"})),
            ("AmazonSQS.SendMessage", json!({"QueueUrl": "http://127.0.0.1:1/000000000000/local-Work"})),
            ("AmazonSQS.SendMessageBatch", json!({"QueueUrl": "http://127.0.0.1:1/000000000000/local-Work"})),
        ] {
            assert_eq!(asks(&guard, "reader", operation, &body).await, (200, body), "{operation}");
        }
        service.abort();
    }

    #[tokio::test]
    async fn a_connection_is_opened_without_a_grant() {
        let (guard, service) = guard().await;
        let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.get(guard.url().parse().unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        service.abort();
    }

    #[tokio::test]
    async fn what_no_role_grants_is_denied_as_on_aws() {
        let (guard, service) = guard().await;
        let get = json!({"TableName": "local-Notes"});
        for (function, operation, body) in [
            ("stranger", "DynamoDB_20120810.GetItem", &get),
            ("reader", "DynamoDB_20120810.DeleteItem", &get),
            ("reader", "DynamoDB_20120810.Query", &get),
            ("reader", "DynamoDB_20120810.GetItem", &json!({"TableName": "local-Other"})),
            ("reader", "DynamoDB_20120810.Query", &json!({"TableName": "local-Notes", "IndexName": "oldest"})),
            ("reader", "DynamoDB_20120810.BatchGetItem", &json!({"RequestItems": {"local-Notes": {}}})),
            (
                "reader",
                "DynamoDB_20120810.TransactWriteItems",
                &json!({"TransactItems": [{"Put": {"TableName": "local-Notes"}}, {"Delete": {"TableName": "local-Notes"}}]}),
            ),
            ("reader", "secretsmanager.GetSecretValue", &json!({"SecretId": "Other"})),
            ("reader", "AmazonSQS.SendMessage", &json!({"QueueUrl": "http://127.0.0.1:1/000000000000/local-Other"})),
            ("reader", "AmazonSQS.ReceiveMessage", &json!({"QueueUrl": "http://127.0.0.1:1/000000000000/local-Work"})),
        ] {
            let (status, error) = asks(&guard, function, operation, body).await;
            assert_eq!(
                (status, &error["__type"]),
                (400, &json!("com.amazon.coral.service#AccessDeniedException")),
                "{operation} {body}"
            );
        }
        service.abort();
    }
}
