//! What Meta says comes back byte for byte, whatever it looks like and under whatever status.

#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::sync::Arc;
use std::time::Duration;

use block_list::{BlockList, Wish};
use domain::Scope;
use serde_json::json;
use testbed::Testbed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use whatsapp::WhatsApp;

/// A Meta that answers one request, always the same.
async fn meta_that_says(status: u16, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v25.0", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).await.unwrap();
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        connection.write_all(answer.as_bytes()).await.unwrap();
    });
    url
}

#[tokio::test]
async fn metas_answer_comes_back_byte_for_byte_and_the_list_follows_it() {
    for (status, body, listed) in [
        (
            200,
            r#"{ "messaging_product":"whatsapp", "block_users" : {"added_users":[{"input":"+1 650","wa_id":"1650"}]}, "n": 1.0e2, "ü": "\u00fc" }"#,
            &["1650"][..],
        ),
        // As Meta's documentation once showed it.
        (200, r#"{"block_users":{"removed_users":[{"input":"1651"}],"failed_users":[]}}"#, &["1651"]),
        // A partial failure under either status, an error's code as a text, and a user without a number.
        (
            200,
            r#"{"block_users":{"added_users":[{"input":"1652","wa_id":"1652"}],"failed_users":[{"input":"x","errors":[{"code":"131047"}]}]},"error":{"code":139100,"message":"m"}}"#,
            &["1652"],
        ),
        (
            400,
            r#"{"error":{"code":139100,"message":"m"},"block_users":{"added_users":[{"input":"US.1349","user_id":"US.1349"}],"failed_users":[{}]}}"#,
            &["US.1349"],
        ),
        (400, r#"{"block_users":{"failed_users":[{"input":"1650"}]},"error":{"code":139100,"message":"m"}}"#, &[]),
    ] {
        let bed = Testbed::start().await;
        let account = json!([{"id": 1, "phone_number_id": "1", "waba_id": "1", "access_token": "token"}]);
        let accounts = Arc::new(account.to_string().parse().unwrap());
        let whatsapp = WhatsApp::new(&meta_that_says(status, body).await).unwrap();
        let block_list = BlockList::new(&bed.database, whatsapp, accounts, bed.clock.clone());
        let caller = bed.keys.authorize(Some(bed.api_key.reveal()), Scope::ContactsBlock).await.unwrap();
        let wish = Wish { account_id: None, phones: &["+1 650"], reason: None, time_left: Duration::from_secs(28) };
        let changed = block_list.block(&caller, &wish).await.unwrap();
        let told = serde_json::to_string(&changed).unwrap();
        assert_eq!(told, format!(r#"{{"status":"success","meta_response":{body}}}"#));
        assert_eq!(bed.blocked_now().await, listed, "{body}");
    }
}
