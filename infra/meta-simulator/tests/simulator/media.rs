use meta_simulator::ACCESS_TOKEN;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{Meta, number_path, read};

async fn upload(meta: &Meta, form: Form) -> (u16, Value) {
    let url = format!("{}{}", meta.simulator.graph_api_url(), number_path("media"));
    read(meta.client.post(url).bearer_auth(ACCESS_TOKEN).multipart(form).send().await.unwrap()).await
}

fn file(bytes: Vec<u8>, mime: &str) -> Part {
    Part::bytes(bytes).file_name("file").mime_str(mime).unwrap()
}

#[tokio::test]
async fn media_is_uploaded_looked_up_downloaded_and_deleted() {
    let meta = Meta::start().await;
    // Over axum's usual limit of 2 MB.
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    let form = Form::new().text("messaging_product", "whatsapp").part("file", file(bytes.clone(), "image/png"));
    let (status, body) = upload(&meta, form).await;
    assert_eq!(status, 200, "{body}");
    let id = format!("/{}", body["id"].as_str().unwrap());
    let (_, found) = meta.call(Method::GET, &id, None).await;
    assert_eq!((&found["mime_type"], &found["file_size"]), (&json!("image/png"), &json!(3_000_000)));
    assert_eq!(found["sha256"].as_str().unwrap().len(), 64);
    let url = found["url"].as_str().unwrap();
    assert_eq!(meta.client.get(url).send().await.unwrap().status(), 403, "the download needs the token");
    let download = meta.client.get(url).bearer_auth(ACCESS_TOKEN).send().await.unwrap();
    assert_eq!(download.headers()["content-type"], "image/png");
    assert!(download.bytes().await.unwrap() == bytes);
    assert_eq!(meta.call(Method::GET, &format!("{id}?phone_number_id=1"), None).await.0, 400);
    assert_eq!(meta.call(Method::DELETE, &id, None).await, (200, json!({ "success": true })));
    assert_eq!(meta.call(Method::GET, &id, None).await.1["error"]["error_subcode"], 33);
}

#[tokio::test]
async fn a_wrong_upload_is_refused() {
    let meta = Meta::start().await;
    let form = || Form::new().text("messaging_product", "whatsapp");
    let cases = [
        (131_008, Form::new().part("file", file(vec![1], "image/png"))),
        (131_008, form()),
        (100, form().part("file", file(vec![1], "application/x-tar"))),
        (131_053, form().part("file", file(vec![0; 5 * 1024 * 1024 + 1], "image/jpeg"))),
    ];
    for (code, form) in cases {
        assert_eq!(upload(&meta, form).await.1["error"]["code"], code);
    }
    let (_, body) = meta.call(Method::POST, &number_path("media"), Some(&json!({}))).await;
    assert_eq!(body["error"]["code"], 100);
}
