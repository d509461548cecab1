//! Signing in, as a browser meets it.

use std::time::Duration;

use futures::future;

use super::*;

const SIGN_IN: &str = "/whatsapp/settings/api-keys/sign-in/";

#[tokio::test]
async fn without_a_session_every_page_leads_to_signing_in() {
    let bed = bed().await;
    let (_, record) = bed.key("shop").await;
    for path in ["", "add", "audit", "audit.csv", "account", &record.id] {
        let answer = bed.client().get(path).await;
        assert_eq!((answer.status, answer.location(), answer.body.as_str()), (303, SIGN_IN, ""), "{path}");
    }
}

#[tokio::test]
async fn where_nothing_is_configured_there_is_nothing() {
    let bed = unconfigured().await;
    for path in ["", "add", "audit", "account", "sign-in", "set-up", "copy.js", "no-such-page", "sign-out"] {
        let answer = bed.client().get(path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(!answer.body.contains("<form") && answer.set_cookies.is_empty(), "{path}");
    }
    for (path, fields) in [("sign-in", vec![("password", "")]), ("sign-in", vec![]), ("set-up", vec![("token", "")])] {
        let answer = bed.client().post(path, &fields).await;
        assert_eq!((answer.status, answer.set_cookies.len()), (503, 0), "{path}");
    }
    assert_eq!(bed.dump().await["Admin"], json!([]));
}

#[tokio::test]
async fn somebody_who_is_signed_in_is_not_asked_again() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    assert_eq!(client.get("sign-in").await.location(), "/whatsapp/settings/api-keys/");
}

#[tokio::test]
async fn a_wrong_password_opens_nothing_and_the_next_try_has_to_wait() {
    let bed = bed().await;
    let mut client = bed.client();
    let wrong = client.post("sign-in", &[("password", "wrong")]).await;
    assert!(wrong.status == 401 && wrong.says("The password is wrong.") && wrong.set_cookies.is_empty());
    let early = client.post("sign-in", &[("password", PASSWORD)]).await;
    assert_eq!((early.status, early.header("Retry-After"), early.set_cookies.len()), (429, "1", 0));
    bed.testbed.clock.advance(Duration::from_secs(1));
    assert_eq!(client.post("sign-in", &[("password", PASSWORD)]).await.status, 303);
}

#[tokio::test]
async fn of_many_guesses_at_the_same_moment_one_is_looked_at() {
    let bed = bed().await;
    let guess = async |number: usize| {
        let guess = format!("guess {number}");
        bed.client().post("sign-in", &[("password", &guess)]).await.status
    };
    let statuses = future::join_all((0..30).map(guess)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 29, "{statuses:?}");
}

#[tokio::test]
async fn a_browser_that_was_here_before_signs_in_while_strangers_guess() {
    let bed = bed().await;
    let mut admin = bed.signed_in().await;
    admin.get("").await;
    admin.post("sign-out", &[]).await;
    for _ in 0..5 {
        bed.client().post("sign-in", &[("password", "guess")]).await;
        bed.testbed.clock.advance(Duration::from_secs(30));
    }
    bed.client().post("sign-in", &[("password", "guess")]).await;
    assert_eq!(bed.client().post("sign-in", &[("password", PASSWORD)]).await.status, 429, "a stranger has to wait");
    assert_eq!(admin.post("sign-in", &[("password", PASSWORD)]).await.status, 303);
}

#[tokio::test]
async fn signing_in_gives_a_new_session_and_ends_the_one_that_was_there() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    let before = client.clone();
    bed.testbed.clock.advance(Duration::from_secs(2));
    assert_eq!(client.post("sign-in", &[("password", PASSWORD)]).await.status, 303);
    assert_ne!(before.cookies["__Host-whatsapp-session"], client.cookies["__Host-whatsapp-session"]);
    assert_eq!(client.get("").await.status, 200);
    assert_eq!(before.clone().get("").await.status, 303);
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_worth_nothing() {
    let bed = bed().await;
    let planted = "ab".repeat(32);
    let mut client = bed.client();
    client.cookies.insert("__Host-whatsapp-session".to_owned(), planted.clone());
    client.post("sign-in", &[("password", PASSWORD)]).await;
    assert_eq!(client.get("").await.status, 200);
    let mut attacker = bed.client();
    attacker.cookies.insert("__Host-whatsapp-session".to_owned(), planted);
    assert_eq!(attacker.get("").await.status, 303);
}

#[tokio::test]
async fn a_session_is_over_after_30_minutes_without_a_request_and_after_12_hours_in_any_case() {
    let bed = bed().await;
    let mut client = bed.signed_in().await;
    bed.testbed.clock.advance(Duration::from_mins(29));
    assert_eq!(client.get("").await.status, 200);
    bed.testbed.clock.advance(Duration::from_mins(29));
    assert_eq!(client.get("").await.status, 200);
    bed.testbed.clock.advance(Duration::from_mins(30));
    assert_eq!(client.get("").await.status, 303);

    let mut client = bed.signed_in().await;
    for _ in 0..35 {
        bed.testbed.clock.advance(Duration::from_mins(20));
        assert_eq!(client.get("").await.status, 200);
    }
    bed.testbed.clock.advance(Duration::from_mins(20));
    assert_eq!(client.get("").await.status, 303);
}

#[tokio::test]
async fn the_setup_token_sets_the_first_password_once() {
    let bed = to_be_set_up().await;
    let mut client = bed.client();
    let first = client.get("").await;
    assert_eq!(first.location(), SIGN_IN);
    assert_eq!(client.get("sign-in").await.location(), "/whatsapp/settings/api-keys/set-up/");
    assert!(client.get("set-up").await.says("Setup token"));
    let set_up = async |token: &str, password: &str, repeated: &str| {
        let fields = [("token", token), ("password", password), ("repeated", repeated)];
        bed.client().post("set-up", &fields).await
    };
    assert!(set_up(SETUP_TOKEN, "new password", "other password").await.says("not the same"));
    assert_eq!(set_up(SETUP_TOKEN, "short", "short").await.status, 400);
    let wrong = set_up("wrong", "new password", "new password").await;
    assert!(wrong.status == 401 && wrong.says("not valid"), "{}", wrong.main());
    bed.testbed.clock.advance(Duration::from_secs(1));
    let set = set_up(SETUP_TOKEN, "new password", "new password").await;
    assert_eq!(
        (set.status, set.location()),
        (303, "/whatsapp/settings/api-keys/sign-in/?done=set-up"),
        "{}",
        set.main()
    );
    bed.testbed.clock.advance(Duration::from_secs(10));
    assert_eq!(set_up(SETUP_TOKEN, "their password", "their password").await.status, 401);
    bed.testbed.clock.advance(Duration::from_secs(10));
    assert_eq!(client.post("sign-in", &[("password", "new password")]).await.status, 303);
}

#[tokio::test]
async fn a_newer_setup_token_replaces_a_forgotten_password_and_signs_everybody_out() {
    let mut bed = bed().await;
    let cookies = bed.signed_in().await.cookies;
    bed.testbed.clock.advance(Duration::from_mins(1));
    bed.give_setup_token("a newer token of the operator");
    let fields =
        [("token", "a newer token of the operator"), ("password", "remembered now"), ("repeated", "remembered now")];
    assert_eq!(bed.client().post("set-up", &fields).await.status, 303);
    let mut old = Client { cookies, ..bed.client() };
    assert_eq!(old.get("").await.status, 303);
    assert_eq!(bed.client().post("sign-in", &[("password", "remembered now")]).await.status, 303);
}

#[tokio::test]
async fn nothing_that_opens_the_page_is_in_a_table() {
    let bed = to_be_set_up().await;
    let fields = [("token", SETUP_TOKEN), ("password", "a password"), ("repeated", "a password")];
    bed.client().post("set-up", &fields).await;
    let mut client = bed.client();
    client.post("sign-in", &[("password", "a password")]).await;
    client.get("").await;
    let dump = bed.dump().await.to_string();
    assert!(dump.contains("signed_in") && client.cookies.len() == 2);
    for secret in client.cookies.values().map(String::as_str).chain(["a password", SETUP_TOKEN, &client.csrf]) {
        assert!(!dump.contains(secret), "{secret} is in {dump}");
    }
}
