//! What every answer carries, errors too.

use serde_json::json;

use super::*;
use crate::routes::ROWS;
use crate::tests::client::{ROOT, respond};

const EXPECTED: &[(&str, &str)] = &[
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex, nofollow"),
];

pub(super) fn assert_guarded(what: &str, answer: &Answer) {
    for (name, value) in EXPECTED {
        assert_eq!(answer.header(name), *value, "{what}: {name}");
    }
    let policy = answer.header("Content-Security-Policy");
    for part in
        ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "object-src 'none'", "frame-ancestors 'none'"]
    {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{what}: {policy}");
    assert!(!answer.header("Permissions-Policy").is_empty(), "{what}");
    assert!(answer.header("Content-Type").contains("charset=utf-8"), "{what}");
    for name in answer.headers.keys() {
        assert!(!name.starts_with("Access-Control-"), "{what}: {name}");
    }
    if answer.header("Content-Type").starts_with("text/html") {
        let inline = ["<script>", "style=", " onclick", " onerror", "javascript:"];
        assert!(!inline.iter().any(|inline| answer.body.contains(inline)), "{what}: {}", answer.main());
        assert!(answer.body.starts_with("<!doctype html>") && answer.body.contains("<html lang=\"en\">"), "{what}");
    }
}

#[tokio::test]
async fn every_answer_carries_all_the_headers() {
    let bed = bed().await;
    let (_, key) = bed.key("shop").await;
    let (mut inside, outside) = (bed.signed_in().await, bed.client());
    inside.get("").await;
    let stopped = unconfigured().await;
    let mut statuses = std::collections::BTreeSet::new();
    for row in ROWS {
        let path = row.path.replace("{id}", &key.id);
        for mut client in [inside.clone(), outside.clone(), stopped.client()] {
            for method in ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"] {
                let mut odd = client.form(&path, &[]);
                odd.method = method.to_owned();
                // Keeps the key and the session where they are.
                if row.is_unsafe() && method == "POST" {
                    odd.headers.insert("Sec-Fetch-Site".to_owned(), "cross-site".to_owned());
                }
                let answer = client.send(&odd).await;
                assert_guarded(&format!("{method} {path}"), &answer);
                statuses.insert(answer.status);
            }
        }
    }
    for path in ["nothing", "add/more", "..%2f", "%00", "x".repeat(5000).as_str()] {
        let answer = inside.get(path).await;
        assert_guarded(path, &answer);
        assert_eq!(answer.status, 404, "{path}");
    }
    assert!([200, 303, 403, 405, 503].iter().all(|status| statuses.contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn no_event_whatsoever_goes_without_an_answer_and_its_headers() {
    let bed = bed().await;
    for event in ["", "null", "[]", "{}", "{\"httpMethod\":1}", "{\"headers\":[]}", "\u{0}"] {
        let answer = respond(&bed.page, event).await;
        assert_guarded(event, &answer);
        assert!([400, 404, 405].contains(&answer.status), "{event}: {}", answer.status);
    }
    let odd_values =
        ["\"", "<script>", "\u{0}", "é", "a; b=c; ", "=", ";;;", "__Host-whatsapp-session=\"x\"", &"x".repeat(9000)];
    for value in odd_values {
        for header in ["Host", "Cookie", "Origin", "X-Forwarded-Proto", "Content-Type", "Sec-Fetch-Site"] {
            for (method, path) in [("GET", ""), ("GET", "/sign-in"), ("POST", "/sign-in"), ("POST", "/add")] {
                let event = json!({"httpMethod": method, "path": format!("{ROOT}{path}"), "headers": {header: value},
                    "queryStringParameters": {"q": value, "after": value, "done": value}, "body": value});
                let answer = respond(&bed.page, &event.to_string()).await;
                assert_guarded(value, &answer);
                assert!(answer.status < 500, "{header}: {value}");
                assert!(!answer.body.contains("<script>"));
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let mut put = client.form("add", &[]);
    put.method = "PUT".to_owned();
    let answer = client.send(&put).await;
    assert_eq!((answer.status, answer.header("Allow")), (405, "GET, POST"));
    let answer = client.get("sign-out").await;
    assert_eq!((answer.status, answer.header("Allow")), (405, "POST"));
}

#[tokio::test]
async fn an_outage_is_told_as_one_and_signs_nobody_out() {
    let bed = bed().await;
    let page = bed.page.clone();
    let mut client = Client::new(&page);
    client.post("sign-in", &[("password", PASSWORD)]).await;
    client.get("").await;
    bed.testbed.engine.stop().await;
    for (method, path) in [("GET", ""), ("GET", "add"), ("GET", "sign-in"), ("POST", "sign-out"), ("POST", "sign-in")] {
        let mut odd = client.form(path, &[("password", PASSWORD)]);
        odd.method = method.to_owned();
        let answer = client.send(&odd).await;
        assert_guarded(path, &answer);
        assert_eq!((answer.status, answer.set_cookies.len()), (503, 0), "{method} {path}: {}", answer.main());
        assert!(answer.says("try again") || answer.says("Try again"), "{}", answer.main());
    }
}
