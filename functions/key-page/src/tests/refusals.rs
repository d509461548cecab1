//! Every form of the page, from anybody but the person who is signed in to it: refused, and nothing is written.

use std::time::Duration;

use jiff::SignedDuration;
use testbed::tester;

use super::*;
use crate::routes::{ROWS, Way};
use crate::tests::client::Odd;

/// A form as the page itself sends it, for one row of the table of routes. A route without a line here fails the test.
async fn right_form(bed: &Bed, path: &str, client: &Client<'_>) -> Odd {
    let registry = &bed.testbed.registry;
    let (_, key) = bed.key("shop").await;
    let (id, new_id) = (key.id.as_str(), auth::Registry::new_id());
    let settings = [
        ("name", "shop"),
        ("preset", "send"),
        ("accounts", "all"),
        ("expiry", "never"),
        ("limit", ""),
        ("version", "0"),
    ];
    let new_password = [("current", PASSWORD), ("password", "another horse"), ("repeated", "another horse")];
    let rotate = async || {
        let hour = SignedDuration::from_hours(1);
        registry.rotate(id, &new_id, hour, &tester()).await.unwrap();
    };
    let fields: Vec<(&str, &str)> = match path {
        "add" => settings.into_iter().chain([("id", new_id.as_str())]).collect(),
        "{id}/settings" => settings.into(),
        "{id}/disable" | "sign-out" | "sign-out-everywhere" => vec![],
        "{id}/enable" => {
            registry.set_active(id, false, &tester()).await.unwrap();
            vec![]
        }
        "{id}/rotate" => vec![("overlap", "3600"), ("id", &new_id)],
        "{id}/end-rotation" | "{id}/undo-rotation" => {
            rotate().await;
            vec![]
        }
        "{id}/delete" => {
            registry.set_active(id, false, &tester()).await.unwrap();
            vec![("name", "shop")]
        }
        "account/password" => new_password.into(),
        // With a code that can't be right: what is tested is that it is looked at.
        "account/codes-on" => vec![("secret", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"), ("code", "000000")],
        "account/codes-off" => vec![("code", "000000")],
        "sign-in" => vec![("password", PASSWORD)],
        "set-up" => vec![("token", SETUP_TOKEN), ("password", "another horse"), ("repeated", "another horse")],
        _ => panic!("POST {path} has no line in this test: give it one"),
    };
    client.form(&path.replace("{id}", id), &fields)
}

/// What makes a right form a wrong one.
type Spoil = fn(&mut Odd, &Client<'_>);

const FROM_ELSEWHERE: &[(&str, Spoil)] = &[
    ("cross-site", |odd, _| set(odd, "Sec-Fetch-Site", "cross-site")),
    ("from a neighbour", |odd, _| set(odd, "Sec-Fetch-Site", "same-site")),
    ("typed by the user", |odd, _| set(odd, "Sec-Fetch-Site", "none")),
    ("with another site's origin", |odd, _| set(odd, "Origin", "https://evil.example.com")),
    ("from an old browser that says nothing", |odd, _| {
        odd.headers.remove("Sec-Fetch-Site");
        odd.headers.remove("Origin");
    }),
    ("from an old browser without an origin", |odd, _| {
        odd.headers.remove("Sec-Fetch-Site");
    }),
    ("from an old browser on another site", |odd, _| {
        odd.headers.remove("Sec-Fetch-Site");
        set(odd, "Origin", "https://gateway.example.com.evil.com");
    }),
    ("over plain HTTP", |odd, _| {
        odd.headers.remove("Sec-Fetch-Site");
        set(odd, "Origin", "http://gateway.example.com");
    }),
    ("as JSON", |odd, _| {
        set(odd, "Content-Type", "application/json");
        odd.body = Some("{}".to_owned());
    }),
    ("as text", |odd, _| set(odd, "Content-Type", "text/plain")),
    ("as parts", |odd, _| set(odd, "Content-Type", "multipart/form-data; boundary=x")),
    ("as nothing", |odd, _| {
        odd.headers.remove("Content-Type");
    }),
    ("too large", |odd, _| odd.body.as_mut().unwrap().push_str(&"&x=x".repeat(16 * 1024))),
];

const FROM_NOBODY: &[(&str, Spoil)] = &[
    ("without a cookie", |odd, _| {
        odd.headers.remove("Cookie");
    }),
    ("with a cookie that is none", |odd, _| set(odd, "Cookie", "__Host-whatsapp-session=x")),
    ("with a cookie by another name", |odd, client| {
        let session = &client.cookies["__Host-whatsapp-session"];
        set(odd, "Cookie", &format!("whatsapp-session={session}"));
    }),
    ("with two sessions", |odd, client| {
        let session = &client.cookies["__Host-whatsapp-session"];
        let cookies = format!("__Host-whatsapp-session={session}; __Host-whatsapp-session={}", "0".repeat(64));
        set(odd, "Cookie", &cookies);
    }),
    ("with a session of another", |odd, _| set(odd, "Cookie", &format!("__Host-whatsapp-session={}", "a".repeat(64)))),
    ("without a token", |odd, client| {
        odd.body = Some(odd.body.as_ref().unwrap().replace(&client.csrf, ""));
    }),
    ("with a wrong token", |odd, client| {
        let wrong: String = client.csrf.chars().rev().collect();
        odd.body = Some(odd.body.as_ref().unwrap().replace(&client.csrf, &wrong));
    }),
    ("with the session's own id as the token", |odd, client| {
        let session = &client.cookies["__Host-whatsapp-session"];
        odd.body = Some(odd.body.as_ref().unwrap().replace(&client.csrf, session));
    }),
    ("with an API key", |odd, _| {
        odd.headers.remove("Cookie");
        set(odd, "X-API-Key", "the key of the test");
    }),
];

fn set(odd: &mut Odd, header: &str, value: &str) {
    odd.headers.insert(header.to_owned(), value.to_owned());
}

#[tokio::test]
async fn no_form_is_taken_from_elsewhere_and_nothing_is_written() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    client.get("").await;
    let (api_key, _) = bed.key("any").await;
    for row in ROWS.iter().filter(|row| row.is_unsafe() && row.is_for(Way::Password)) {
        let right = right_form(&bed, row.path, &client).await;
        let needs_session = row.needs == crate::routes::Needs::Session;
        let of_nobody = FROM_NOBODY.iter().filter(|_| needs_session);
        let before = bed.dump().await;
        for (how, spoil) in FROM_ELSEWHERE.iter().chain(of_nobody) {
            let mut odd = right.clone();
            spoil(&mut odd, &client);
            if let Some(key) = odd.headers.get_mut("X-API-Key") {
                api_key.reveal().clone_into(key);
            }
            let answer = client.clone().send(&odd).await;
            let (path, status) = (row.path, answer.status);
            assert!([400, 401, 403, 413].contains(&status), "{path} {how}: {status} {}", answer.main());
            assert!(answer.set_cookies.is_empty(), "{path} {how}");
        }
        assert!(before == bed.dump().await, "{} wrote something", row.path);
        // Odd in no way, it is looked at: what was refused above was refused for its oddity.
        let answer = client.clone().send(&right).await;
        let by_verdict = row.path.starts_with("account/codes") || row.path == "set-up";
        let expected: &[u64] = if by_verdict { &[400, 401] } else { &[200, 303] };
        assert!(expected.contains(&answer.status), "{}: {} {}", row.path, answer.status, answer.main());
        // Signing out, or a new password, ends the session: on with a new one.
        bed.page.admin.set_password_locally(&PASSWORD.into()).await.unwrap();
        bed.testbed.clock.advance(Duration::from_mins(20));
        client = bed.signed_in().await;
        client.get("").await;
    }
}

#[tokio::test]
async fn a_session_that_was_ended_opens_nothing_any_more() {
    let bed = bed().await;
    for ending in ["sign-out", "sign-out-everywhere"] {
        let mut client = bed.signed_in().await;
        client.get("").await;
        let old = client.clone();
        assert_eq!(client.post(ending, &[]).await.status, 303);
        assert!(!client.cookies.contains_key("__Host-whatsapp-session"));
        for row in ROWS.iter().filter(|row| row.needs == crate::routes::Needs::Session) {
            let mut replayed = old.clone();
            let answer = if row.is_unsafe() {
                let right = right_form(&bed, row.path, &old).await;
                let before = bed.dump().await;
                let answer = replayed.send(&right).await;
                assert!(before == bed.dump().await, "{} wrote something", row.path);
                answer
            } else {
                replayed.get(&row.path.replace("{id}", &auth::Registry::new_id())).await
            };
            let expected = if row.is_unsafe() { 401 } else { 303 };
            assert_eq!(answer.status, expected, "{} after {ending}", row.path);
        }
    }
}

#[tokio::test]
async fn an_api_key_never_opens_the_page() {
    let bed = bed().await;
    let (key, record) = bed.key("all rights").await;
    for row in ROWS.iter().filter(|row| row.method == "GET" && row.needs == crate::routes::Needs::Session) {
        let mut client = bed.client();
        let path = row.path.replace("{id}", &record.id);
        let mut odd = client.form(&path, &[]);
        (odd.method, odd.body) = ("GET".to_owned(), None);
        set(&mut odd, "X-API-Key", key.reveal());
        set(&mut odd, "Authorization", &format!("Bearer {}", key.reveal()));
        set(&mut odd, "Cookie", &format!("__Host-whatsapp-session={0}; session={0}", key.reveal()));
        odd.path = format!("{path}?api_key={}", key.reveal());
        let answer = client.send(&odd).await;
        assert_eq!((answer.status, answer.location()), (303, "/whatsapp/settings/api-keys/sign-in/"), "{path}");
    }
}
