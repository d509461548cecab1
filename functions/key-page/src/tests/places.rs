//! Wherever the page stands: under a stage, behind a custom domain, behind an HTTP API, on this machine.

use serde_json::{Value, json};

use super::*;
use crate::tests::client::{ROOT, respond};

const INSIDE: [&str; 3] = ["", "/add", "/audit"];

/// The paths of all links and forms of a page.
fn links(answer: &Answer) -> Vec<String> {
    let after =
        |text: &'static str| answer.body.split(text).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    after("href=\"").chain(after("action=\"")).chain(after("src=\"")).filter(|link| !link.starts_with('#')).collect()
}

fn rest(prefix: &str, method: &str, path: &str, cookie: &str, body: Option<&str>) -> Value {
    json!({
        "httpMethod": method,
        // With a custom domain's base path, or without the stage: only the context tells the whole.
        "path": format!("{ROOT}{path}"),
        "headers": {"Host": "gateway.example.com", "Sec-Fetch-Site": "same-origin", "Cookie": cookie,
            "Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-Proto": "https"},
        "requestContext": {"path": format!("{prefix}{ROOT}{path}"), "stage": "prod", "identity": {"sourceIp": "203.0.113.9"}},
        "body": body,
    })
}

fn http(prefix: &str, method: &str, path: &str, cookie: &str, body: Option<&str>) -> Value {
    json!({
        "version": "2.0",
        "rawPath": format!("{prefix}{ROOT}{path}"),
        "headers": {"host": "gateway.example.com", "sec-fetch-site": "same-origin",
            "content-type": "application/x-www-form-urlencoded", "x-forwarded-proto": "https"},
        "cookies": [cookie],
        "requestContext": {"http": {"method": method, "sourceIp": "203.0.113.9"}},
        "body": body,
    })
}

#[tokio::test]
async fn every_link_and_redirect_stays_under_the_stage_or_base_path() {
    let bed = bed().await;
    for event in [rest, http] {
        for prefix in ["", "/prod", "/whatsapp", "/a/b-c_d.e~f"] {
            let root = format!("{prefix}{ROOT}");
            let answer = respond(&bed.page, &event(prefix, "GET", "/", "", None).to_string()).await;
            assert_eq!((answer.status, answer.location()), (303, format!("{root}/sign-in/").as_str()));
            let form = Some("password=correct+horse+battery");
            let answer = respond(&bed.page, &event(prefix, "POST", "/sign-in/", "", form).to_string()).await;
            assert_eq!((answer.status, answer.location()), (303, format!("{root}/").as_str()), "{}", answer.main());
            let session = answer.set_cookies[0].split(';').next().unwrap().to_owned();
            for path in INSIDE {
                for slash in ["", "/"] {
                    let event = event(prefix, "GET", &format!("{path}{slash}"), &session, None);
                    let answer = respond(&bed.page, &event.to_string()).await;
                    assert_eq!(answer.status, 200, "{prefix}{path}{slash}");
                    let links = links(&answer);
                    assert!(links.len() > 3);
                    assert!(links.iter().all(|link| link.starts_with(&format!("{root}/"))), "{links:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_prefix_that_could_lead_elsewhere_goes_into_no_link() {
    let bed = bed().await;
    for prefix in ["//evil.example.com", "/\"><script>", "/a b", "evil.example.com", "/%2f", "/é"] {
        let answer = respond(&bed.page, &rest(prefix, "GET", "/", "", None).to_string()).await;
        assert_eq!(answer.location(), format!("{ROOT}/sign-in/"), "{prefix}");
    }
}

#[tokio::test]
async fn cookies_are_for_this_host_over_https_alone() {
    let bed = bed().await;
    for event in [rest, http] {
        let form = Some("password=correct+horse+battery");
        let answer = respond(&bed.page, &event("/prod", "POST", "/sign-in/", "", form).to_string()).await;
        let [session, device] = answer.set_cookies.as_slice() else { panic!("{:?}", answer.set_cookies) };
        for cookie in [session, device] {
            assert!(cookie.starts_with("__Host-whatsapp-"), "{cookie}");
            for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
                assert!(cookie.split("; ").any(|given| given == attribute), "{cookie}");
            }
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        assert!(!session.contains("Max-Age") && device.contains("Max-Age=15552000"));
        bed.testbed.clock.advance(std::time::Duration::from_secs(2));
    }
}

/// A deployment never goes without HTTPS, whatever it is told.
#[tokio::test]
async fn plain_http_is_for_the_local_stack_on_localhost_alone() {
    let bed = bed().await;
    let local = KeyPage { is_local: true, ..bed.page.clone() };
    for (page, host, proto, is_plain) in [
        (&local, "localhost:9000", None, true),
        (&local, "127.0.0.1:9000", None, true),
        (&local, "localhost:9000", Some("https"), false),
        (&local, "gateway.example.com", None, false),
        (&bed.page, "localhost:9000", None, false),
        (&bed.page, "localhost", Some("http"), false),
    ] {
        let mut event = rest("", "POST", "/sign-in/", "", Some("password=correct+horse+battery"));
        event["headers"]["Host"] = json!(host);
        event["headers"]["X-Forwarded-Proto"] = json!(proto);
        let answer = respond(page, &event.to_string()).await;
        let session = answer.set_cookies.first().unwrap_or_else(|| panic!("{host}: {}", answer.main()));
        assert_eq!(session.starts_with("whatsapp-session="), is_plain, "{host} {proto:?}");
        assert_eq!(session.contains("Secure"), !is_plain);
        bed.testbed.clock.advance(std::time::Duration::from_secs(2));
    }
}

#[tokio::test]
async fn the_line_to_try_a_key_names_the_address_that_the_page_was_opened_at() {
    let bed = bed().await;
    let form = Some("password=correct+horse+battery");
    let answer = respond(&bed.page, &rest("/prod", "POST", "/sign-in/", "", form).to_string()).await;
    let session = answer.set_cookies[0].split(';').next().unwrap().to_owned();
    let add = respond(&bed.page, &rest("/prod", "GET", "/add/", &session, None).to_string()).await;
    let form = format!(
        "csrf={}&id={}&name=shop&preset=all&accounts=all&expiry=never&limit=",
        field(&add, "csrf"),
        field(&add, "id")
    );
    let made = respond(&bed.page, &rest("/prod", "POST", "/add/", &session, Some(&form)).to_string()).await;
    assert!(made.says("curl -X POST https://gateway.example.com/prod/whatsapp/api/send-message/"), "{}", made.main());
}
