//! From an HTTP request to the event that a REST API of API Gateway makes of it, and from a function's answer back to an
//! HTTP response (AWS: "Input format" and "Output format of a Lambda function for proxy integration").

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// API Gateway's event for a request.
pub(crate) fn from_http(request: &Parts, body: &[u8], from: SocketAddr, request_id: &str) -> String {
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &request.headers {
        headers.entry(name.as_str()).or_default().push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes()) {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let (body, is_base64) = match std::str::from_utf8(body) {
        Ok("") => (Value::Null, false),
        Ok(text) => (text.into(), false),
        Err(_) => (STANDARD.encode(body).into(), true),
    };
    let (method, path) = (request.method.as_str(), request.uri.path());
    json!({
        "resource": path.trim_end_matches('/'),
        "path": path,
        "httpMethod": method,
        "headers": last(&headers),
        "multiValueHeaders": headers,
        "queryStringParameters": last(&query),
        "multiValueQueryStringParameters": query,
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "resourcePath": path.trim_end_matches('/'),
            "path": path,
            "httpMethod": method,
            "stage": "local",
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "identity": {"sourceIp": from.ip().to_string()},
        },
        "body": body,
        "isBase64Encoded": is_base64,
    })
    .to_string()
}

fn last<K: Ord + AsRef<str>>(multi: &BTreeMap<K, Vec<String>>) -> BTreeMap<&str, &String> {
    multi.iter().filter_map(|(name, values)| Some((name.as_ref(), values.last()?))).collect()
}

/// The HTTP response that API Gateway makes of a function's answer; 502 if there is none to be made, as there.
pub(crate) fn to_http(answer: &Value) -> Response<Body> {
    parse(answer).unwrap_or_else(|| {
        let mut response = Response::new(Body::from(r#"{"message":"Internal server error"}"#));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    })
}

fn parse(answer: &Value) -> Option<Response<Body>> {
    let text = answer.get("body")?.as_str()?;
    let is_base64 = answer.get("isBase64Encoded")?.as_bool()?;
    let body = if is_base64 { Body::from(STANDARD.decode(text).ok()?) } else { Body::from(text.to_owned()) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(u16::try_from(answer.get("statusCode")?.as_u64()?).ok()?).ok()?;
    let single = answer.get("headers")?.as_object()?.iter().map(|(name, value)| (name, std::slice::from_ref(value)));
    let multi = answer.get("multiValueHeaders").and_then(Value::as_object).into_iter().flatten();
    let multi = multi.filter_map(|(name, values)| Some((name, values.as_array()?.as_slice())));
    for (name, values) in single.chain(multi) {
        for value in values {
            let value = HeaderValue::from_str(value.as_str()?).ok()?;
            response.headers_mut().append(HeaderName::try_from(name).ok()?, value);
        }
    }
    Some(response)
}
