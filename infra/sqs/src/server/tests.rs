//! What no SDK sends.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::json;
use tower::ServiceExt;

use super::*;

const QUEUE: &str = "http://127.0.0.1/000000000000/test";

/// An endpoint with the queue `test`.
async fn endpoint() -> Router {
    let endpoint = router(Arc::new(Queues::new("http://127.0.0.1")));
    let created = ask(&endpoint, "CreateQueue", r#"{"QueueName":"test"}"#).await;
    assert_eq!(created, (StatusCode::OK, String::new(), json!({"QueueUrl": QUEUE})));
    endpoint
}

/// The status, what the SDKs call the error, and the body.
async fn ask(endpoint: &Router, operation: &str, body: impl Into<Body>) -> (StatusCode, String, Value) {
    let request = Request::post("/").header("x-amz-target", format!("AmazonSQS.{operation}")).body(body.into());
    let response = endpoint.clone().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/x-amz-json-1.0");
    let code = response.headers().get("x-amzn-query-error").map_or("", |code| code.to_str().unwrap()).to_owned();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, code, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_aws_word_for_it() {
    const PARAMETER: &str = "InvalidParameterValue;Sender";
    const OPERATION: &str = "AWS.SimpleQueueService.UnsupportedOperation;Sender";
    let endpoint = endpoint().await;
    let deep = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
    let name = |name: &str| format!(r#"{{"QueueName":"{name}"}}"#);
    let made_with = |attributes: &str| format!(r#"{{"QueueName":"new","Attributes":{attributes}}}"#);
    let on_queue = |members: &str| format!(r#"{{"QueueUrl":"{QUEUE}"{members}}}"#);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("SendMessage", b"\x00\xff garbage".to_vec(), PARAMETER),
        ("SendMessage", vec![], PARAMETER),
        ("SendMessage", b"null".to_vec(), PARAMETER),
        ("SendMessage", b"[1]".to_vec(), PARAMETER),
        ("SendMessage", deep, PARAMETER),
        ("Nonsense", b"{}".to_vec(), OPERATION),
        ("DeleteQueue", on_queue("").into(), OPERATION),
        ("SendMessage", br#"{"MessageBody":"x"}"#.to_vec(), PARAMETER),
        ("ReceiveMessage", br#"{"QueueUrl":5}"#.to_vec(), PARAMETER),
        ("ReceiveMessage", br#"{"QueueUrl":"http://"}"#.to_vec(), "AWS.SimpleQueueService.NonExistentQueue;Sender"),
        ("SendMessage", on_queue("").into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"""#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":7"#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"\ud800""#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"x","DelaySeconds":-1"#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"x","DelaySeconds":901"#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"x","DelaySeconds":1e30"#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"x","DelaySeconds":18446744073709551615"#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"x","MessageAttributes":{}"#).into(), PARAMETER),
        ("SendMessage", on_queue(r#","MessageBody":"x","MessageGroupId":"a""#).into(), PARAMETER),
        ("ReceiveMessage", on_queue(r#","MaxNumberOfMessages":0"#).into(), PARAMETER),
        ("ReceiveMessage", on_queue(r#","MaxNumberOfMessages":11"#).into(), PARAMETER),
        ("ReceiveMessage", on_queue(r#","WaitTimeSeconds":21"#).into(), PARAMETER),
        ("ReceiveMessage", on_queue(r#","VisibilityTimeout":43201"#).into(), PARAMETER),
        ("ReceiveMessage", on_queue(r#","AttributeNames":"All""#).into(), PARAMETER),
        ("ChangeMessageVisibility", on_queue(r#","ReceiptHandle":"x""#).into(), PARAMETER),
        ("ChangeMessageVisibility", on_queue(r#","ReceiptHandle":"x","VisibilityTimeout":-1"#).into(), PARAMETER),
        (
            "ChangeMessageVisibility",
            on_queue(r#","ReceiptHandle":"x","VisibilityTimeout":1"#).into(),
            "ReceiptHandleIsInvalid;Sender",
        ),
        ("SendMessageBatch", on_queue(r#","Entries":null"#).into(), PARAMETER),
        ("SendMessageBatch", on_queue(r#","Entries":[1,"a",{}]"#).into(), PARAMETER),
        (
            "SendMessageBatch",
            on_queue(r#","Entries":[{}]"#).into(),
            "AWS.SimpleQueueService.InvalidBatchEntryId;Sender",
        ),
        (
            "DeleteMessageBatch",
            on_queue(r#","Entries":[{"Id":"a b","ReceiptHandle":"x"}]"#).into(),
            "AWS.SimpleQueueService.InvalidBatchEntryId;Sender",
        ),
        ("GetQueueAttributes", on_queue(r#","AttributeNames":["None"]"#).into(), "InvalidAttributeName;Sender"),
        ("CreateQueue", made_with(r#"{"VisibilityTimeout":"x"}"#).into(), "InvalidAttributeValue;Sender"),
        ("CreateQueue", made_with(r#"{"VisibilityTimeout":"-1"}"#).into(), "InvalidAttributeValue;Sender"),
        ("CreateQueue", made_with(r#"{"RedrivePolicy":"{"}"#).into(), "InvalidAttributeValue;Sender"),
        ("CreateQueue", made_with(r#"{"FifoQueue":"true"}"#).into(), "InvalidAttributeName;Sender"),
        ("CreateQueue", name("a b/c").into(), PARAMETER),
        ("CreateQueue", name("").into(), PARAMETER),
        ("CreateQueue", name(&"a".repeat(81)).into(), PARAMETER),
        ("ListQueues", br#"{"MaxResults":5}"#.to_vec(), PARAMETER),
    ];
    for (operation, body, expected) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
        let (status, code, body) = ask(&endpoint, operation, body).await;
        assert_eq!((status, code.as_str()), (StatusCode::BAD_REQUEST, expected), "{operation} {shown}: {body}");
    }
    let (_, _, body) = ask(&endpoint, "ListQueues", "{}").await;
    assert_eq!(body, json!({"QueueUrls": [QUEUE]}));
}

#[tokio::test]
async fn a_number_out_of_its_range_is_told_with_its_name_and_its_range() {
    let body = format!(r#"{{"QueueUrl":"{QUEUE}","MessageBody":"x","DelaySeconds":901}}"#);
    let (_, _, body) = ask(&endpoint().await, "SendMessage", body).await;
    let message = "DelaySeconds is 901, and must be between 0 and 900.";
    assert_eq!(body, json!({"__type": "com.amazonaws.sqs#InvalidParameterValue", "message": message}));
}

#[tokio::test]
async fn what_is_no_call_of_an_operation_is_refused() {
    let endpoint = endpoint().await;
    for (method, target, expected) in [
        ("GET", "AmazonSQS.ListQueues", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "DynamoDB_20120810.ListTables", StatusCode::BAD_REQUEST),
        ("POST", "", StatusCode::BAD_REQUEST),
    ] {
        let request = Request::builder().method(method).uri("/").header("x-amz-target", target);
        let response = endpoint.clone().oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
        assert_eq!(response.status(), expected, "{method} {target}");
    }
}

/// Any JSON, and what comes close to being right.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-1..1000_i64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof![Just(QUEUE), Just("All"), Just("test"), Just("30"), Just("00000000-0000-0000-0000-000000000000")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 30, 12, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..12).prop_map(Value::from),
            hash_map(member(), inner, 0..5).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn member() -> impl Strategy<Value = String> {
    let known = prop::sample::select(&[
        "QueueName",
        "Attributes",
        "MessageBody",
        "DelaySeconds",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "WaitTimeSeconds",
        "AttributeNames",
        "ReceiptHandle",
        "Entries",
        "Id",
        "RedrivePolicy",
    ]);
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn operation() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&[
        "CreateQueue",
        "GetQueueUrl",
        "GetQueueAttributes",
        "ListQueues",
        "PurgeQueue",
        "SendMessage",
        "SendMessageBatch",
        "ReceiveMessage",
        "DeleteMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_asked_panics_or_breaks_the_queue(
        asked in vec((operation(), hash_map(member(), value(), 0..4)), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let endpoint = endpoint().await;
            for (operation, members) in asked {
                let mut members: serde_json::Map<_, _> = members.into_iter().collect();
                members.insert("QueueUrl".to_owned(), QUEUE.into());
                let (status, code, body) = ask(&endpoint, operation, Value::Object(members).to_string()).await;
                let is_told = status == StatusCode::BAD_REQUEST && code.ends_with(";Sender");
                assert!(status == StatusCode::OK || is_told, "{operation}: {status} {body}");
            }
            let send = json!({"QueueUrl": QUEUE, "MessageBody": "alive"}).to_string();
            assert_eq!(ask(&endpoint, "SendMessage", send).await.0, StatusCode::OK);
        });
    }
}
