use meta_simulator::DISPLAY_PHONE_NUMBER;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Meta, number_path, text_to};

fn users(numbers: &[&str]) -> Value {
    let users: Vec<Value> = numbers.iter().map(|number| json!({ "user": number })).collect();
    json!({ "messaging_product": "whatsapp", "block_users": users })
}

#[tokio::test]
async fn a_user_is_blocked_listed_refused_and_unblocked() {
    let meta = Meta::start().await;
    let path = number_path("block_users");
    let (status, body) = meta.call(Method::POST, &path, Some(&users(&["+919876543210"]))).await;
    let done = json!([{ "input": "+919876543210", "wa_id": "919876543210" }]);
    assert_eq!((status, &body["block_users"]), (200, &json!({ "added_users": done })));
    let (_, list) = meta.call(Method::GET, &path, None).await;
    assert_eq!(list["data"], json!([{ "messaging_product": "whatsapp", "wa_id": "919876543210" }]));
    assert_eq!(meta.send(&text_to("919876543210")).await.1["error"]["code"], 130_403);
    let (status, body) = meta.call(Method::DELETE, &path, Some(&users(&["+919876543210"]))).await;
    assert_eq!((status, &body["block_users"]), (200, &json!({ "removed_users": done })));
    assert_eq!(meta.call(Method::GET, &path, None).await.1, json!({ "data": [] }));
    assert_eq!(meta.send(&text_to("919876543210")).await.0, 200);
}

#[tokio::test]
async fn a_partial_failure_answers_400_with_both_lists() {
    let meta = Meta::start().await;
    let named = users(&["919876543210", "15550131047", DISPLAY_PHONE_NUMBER, "nobody"]);
    let (status, body) = meta.call(Method::POST, &number_path("block_users"), Some(&named)).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!(139_100)));
    assert_eq!(body["block_users"]["added_users"].as_array().unwrap().len(), 1);
    let failed = body["block_users"]["failed_users"].as_array().unwrap();
    let codes: Vec<&Value> = failed.iter().map(|user| &user["errors"][0]["code"]).collect();
    assert_eq!(codes, [131_047, 131_021, 131_009]);
    assert_eq!(failed[0]["wa_id"], "15550131047");
    assert!(failed[2].get("wa_id").is_none());
}

#[tokio::test]
async fn an_error_that_is_not_about_one_user_fails_the_whole_request() {
    let meta = Meta::start().await;
    let path = number_path("block_users");
    let (_, body) = meta.call(Method::POST, &path, Some(&users(&["919876543210", "15550139103"]))).await;
    assert_eq!(body["error"]["code"], 139_103);
    assert!(body.get("block_users").is_none());
    let many: Vec<String> = (0..1001).map(|user| format!("9198765{user:05}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(meta.call(Method::POST, &path, Some(&users(&many))).await.1["error"]["code"], 130_429);
    assert_eq!(meta.call(Method::POST, &path, Some(&users(&[]))).await.1["error"]["code"], 131_008);
}

#[tokio::test]
async fn pages_have_cursors_on_the_last_one_too_and_notice_a_change() {
    let meta = Meta::start().await;
    let path = number_path("block_users");
    meta.call(Method::POST, &path, Some(&users(&["919876543210", "919876543211", "919876543212"]))).await;
    let (_, first) = meta.call(Method::GET, &format!("{path}?limit=2"), None).await;
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    assert!(first["paging"]["next"].is_string());
    let after = first["paging"]["cursors"]["after"].as_str().unwrap().to_owned();
    let (_, last) = meta.call(Method::GET, &format!("{path}?limit=2&after={after}"), None).await;
    assert_eq!(last["data"][0]["wa_id"], "919876543212");
    assert!(last["paging"]["next"].is_null());
    let end = last["paging"]["cursors"]["after"].as_str().unwrap();
    let (_, empty) = meta.call(Method::GET, &format!("{path}?limit=2&after={end}"), None).await;
    assert_eq!(empty["data"], json!([]));
    assert!(empty["paging"]["cursors"]["after"].is_string(), "a loop until no cursor would never end");

    meta.call(Method::DELETE, &path, Some(&users(&["919876543210"]))).await;
    let (_, body) = meta.call(Method::GET, &format!("{path}?after={after}"), None).await;
    assert_eq!(body["error"]["code"], 139_102);
    let (_, body) = meta.call(Method::GET, &format!("{path}?after=rubbish"), None).await;
    assert_eq!(body["error"]["code"], 131_059);
}

#[tokio::test]
async fn a_user_without_a_number_is_blocked_and_listed_by_the_user_id() {
    let meta = Meta::start().await;
    let (path, id) = (number_path("block_users"), "US.13491208655302741918");
    let body = json!({ "messaging_product": "whatsapp", "block_users": [{ "user_id": id }] });
    let done = json!([{ "input": id, "user_id": id }]);
    assert_eq!(meta.call(Method::POST, &path, Some(&body)).await.1["block_users"], json!({ "added_users": done }));
    let listed = json!([{ "messaging_product": "whatsapp", "user_id": id }]);
    assert_eq!(meta.call(Method::GET, &path, None).await.1["data"], listed);
    assert_eq!(meta.call(Method::DELETE, &path, Some(&body)).await.1["block_users"], json!({ "removed_users": done }));
    assert_eq!(meta.call(Method::GET, &path, None).await.1, json!({ "data": [] }));
}
