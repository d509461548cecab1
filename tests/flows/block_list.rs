//! Blocking, from a client app's requests to what Meta's list holds.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{answer, client, nothing_was_asked_of_meta, post, stack};
use local::Stack;

const PHONE: &str = "+919876543210";

/// A request with the stack's API key, and a body if there is one.
fn request(stack: &Stack, method: Method, path: &str, body: Option<&Value>) -> RequestBuilder {
    let request = client().request(method, format!("{}/whatsapp/api/{path}", stack.api_url()));
    let request = request.header("X-API-Key", stack.api_key().reveal());
    body.into_iter().fold(request, RequestBuilder::json)
}

async fn listed(stack: &Stack, query: &str) -> Vec<String> {
    let (status, page) = answer(request(stack, Method::GET, &format!("blocked/{query}"), None)).await;
    assert_eq!(status, 200, "{page}");
    let users = page.get("blocked_users").and_then(Value::as_array).unwrap().iter();
    users.map(|user| user.get("phone_number").and_then(Value::as_str).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_contact_is_blocked_listed_refused_and_unblocked_with_and_without_the_slash() {
    let stack = stack().await;
    let message = json!({"phone": PHONE, "message": "Hello!"});
    for slash in ["/", ""] {
        let (block, unblock) = (format!("block{slash}"), format!("unblock{slash}"));
        let body = json!({"phone": PHONE, "reason": "spam"});
        let (status, blocked) = answer(request(&stack, Method::POST, &block, Some(&body))).await;
        assert_eq!((status, &blocked["status"]), (200, &json!("success")), "{blocked}");
        assert_eq!(blocked["meta_response"]["block_users"]["added_users"][0]["input"], PHONE);
        assert_eq!(listed(&stack, "").await, [PHONE]);
        assert_eq!(listed(&stack, "?refresh=true&limit=1").await, [PHONE]);
        let (status, refused) = answer(post(&stack, "/whatsapp/api/send-message/", &message)).await;
        assert_eq!((status, &refused["code"]), (400, &json!("recipient_blocked")), "{refused}");

        let (status, unblocked) = answer(request(&stack, Method::DELETE, &unblock, Some(&body))).await;
        assert_eq!(status, 200, "{unblocked}");
        assert_eq!(unblocked["meta_response"]["block_users"]["removed_users"][0]["wa_id"], "919876543210");
        assert_eq!(listed(&stack, "").await, [""; 0]);
        assert_eq!(answer(post(&stack, "/whatsapp/api/send-message/", &message)).await.0, 200);
    }
    stack.stop().await;
}

#[tokio::test]
async fn a_wrong_method_is_a_405_that_names_the_right_one() {
    let stack = stack().await;
    for (path, right, wrong) in
        [("block/", "POST", Method::DELETE), ("unblock/", "DELETE", Method::POST), ("blocked/", "GET", Method::POST)]
    {
        let response = request(&stack, wrong, path, Some(&json!({"phone": PHONE}))).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &right.parse().unwrap()),
            "{path}"
        );
    }
    assert!(nothing_was_asked_of_meta(&stack));
}
