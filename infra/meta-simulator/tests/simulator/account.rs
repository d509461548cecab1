use meta_simulator::{ACCESS_TOKEN, Account, PHONE_NUMBER_ID, Settings};
use reqwest::Method;
use serde_json::json;

use crate::{Meta, client, read, text_to};

#[tokio::test]
async fn a_call_without_a_token_is_refused_with_200_and_a_wrong_one_with_190() {
    let meta = Meta::start().await;
    let url = format!("{}/{PHONE_NUMBER_ID}/messages", meta.simulator.graph_api_url());
    let (status, body) = read(client().post(&url).json(&text_to("919876543210")).send().await.unwrap()).await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!(200)));
    let wrong = client().post(&url).bearer_auth("wrong").json(&text_to("15551000002"));
    let (status, body) = read(wrong.send().await.unwrap()).await;
    assert_eq!((status, &body["error"]["code"]), (401, &json!(190)), "even to a failing number");
    assert!(meta.simulator.phone("919876543210").is_empty());
}

#[tokio::test]
async fn an_unknown_number_is_error_100_with_subcode_33_and_an_unknown_path_is_graphs_json() {
    let meta = Meta::start().await;
    let (status, body) = meta.call(Method::POST, "/999/messages", Some(&text_to("919876543210"))).await;
    assert_eq!((status, &body["error"]["code"], &body["error"]["error_subcode"]), (400, &json!(100), &json!(33)));
    let (status, body) = meta.call(Method::GET, "/999/nothing/here", None).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!(2500)));
    assert!(body["error"]["fbtrace_id"].as_str().unwrap().len() > 10);
    let (status, _) = meta.call(Method::GET, &format!("/{PHONE_NUMBER_ID}"), None).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn every_answer_names_its_version_and_its_trace() {
    let meta = Meta::start().await;
    let response = meta.try_send(&text_to("919876543210")).await.unwrap();
    assert_eq!(response.headers()["facebook-api-version"], "v25.0");
    assert!(response.headers().contains_key("x-fb-trace-id"));
    let old = meta.simulator.graph_api_url().replace("v25.0", "v16.0");
    let response = meta.client.get(format!("{old}/{PHONE_NUMBER_ID}")).bearer_auth(ACCESS_TOKEN).send().await.unwrap();
    assert_eq!(response.headers()["facebook-api-version"], "v21.0", "an expired version is served by the oldest one");
}

#[tokio::test]
async fn one_accounts_token_does_not_open_another_account() {
    let other = Account {
        access_token: "other-token".to_owned(),
        phone_number_id: "222".to_owned(),
        waba_id: "333".to_owned(),
        ..Account::built_in()
    };
    let meta = Meta::bind(Settings { accounts: vec![Account::built_in(), other], ..Settings::default() }).await;
    let (status, _) = meta.call(Method::POST, "/222/messages", Some(&text_to("919876543210"))).await;
    assert_eq!(status, 400);
    let url = format!("{}/222/messages", meta.simulator.graph_api_url());
    let (status, _) =
        read(meta.client.post(url).bearer_auth("other-token").json(&text_to("919876543210")).send().await.unwrap())
            .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn every_request_is_recorded_with_headers_and_raw_body_oldest_first() {
    let meta = Meta::start().await;
    meta.send(&text_to("919876543210")).await;
    meta.call(Method::GET, "/106540352242922/block_users?limit=5", None).await;
    let requests = meta.simulator.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].path, "/v25.0/106540352242922/messages");
    assert_eq!(requests[0].header("authorization"), Some(format!("Bearer {ACCESS_TOKEN}").as_str()));
    assert_eq!(requests[0].json, Some(text_to("919876543210")));
    assert_eq!(requests[0].body, serde_json::to_vec(&text_to("919876543210")).unwrap());
    assert_eq!((requests[1].method.as_str(), requests[1].query.as_deref()), ("GET", Some("limit=5")));
}
