//! Signing in by an OpenID provider, as a browser meets it.

use std::collections::BTreeMap;
use std::time::Duration;

use storage::ClientSecret;
use url::Url;

use super::headers::assert_guarded;
use super::openid_provider::{ACCESS_TOKEN, CLIENT_ID, Fault, OpenIdProvider};
use super::*;
use crate::routes::{ROWS, Way};
use crate::tests::client::{Odd, ROOT};
use crate::{Provider, ProviderEntries};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const SESSION: &str = "__Host-whatsapp-session";
const HANDSHAKE: &str = "__Host-whatsapp-handshake";
const ADMINS: &str = "ann@example.com, sub:ben-2";

struct ByProvider {
    bed: Bed,
    provider: OpenIdProvider,
}

async fn by_provider() -> ByProvider {
    let mut bed = unconfigured().await;
    let provider = OpenIdProvider::start(bed.now()).await;
    bed.page.provider = Some(page_provider(&bed, &provider, ADMINS, None));
    ByProvider { bed, provider }
}

fn entries(provider: &OpenIdProvider, admins: &str, secret: Option<&str>) -> ProviderEntries {
    ProviderEntries {
        issuer: provider.issuer().to_owned(),
        client_id: Some(CLIENT_ID.to_owned()),
        client_secret: ClientSecret::given(secret.map(SecretString::from)),
        admins: admins.to_owned(),
    }
}

fn page_provider(bed: &Bed, provider: &OpenIdProvider, admins: &str, secret: Option<&str>) -> Provider {
    Provider::new(entries(provider, admins, secret), &bed.testbed.database, bed.testbed.clock.clone()).unwrap()
}

/// A request as a link of another site makes it: without the cookies that only this site's own requests have.
fn from_another_site(client: &Client<'_>, path: &str) -> Odd {
    let mut odd = client.form(path, &[]);
    (odd.method, odd.body) = ("GET".to_owned(), None);
    odd.headers.retain(|name, _| name != "Origin" && name != "Content-Type" && name != "Cookie");
    odd.headers.insert("Sec-Fetch-Site".to_owned(), "cross-site".to_owned());
    if let Some(handshake) = client.cookies.get(HANDSHAKE) {
        odd.headers.insert("Cookie".to_owned(), format!("{HANDSHAKE}={handshake}"));
    }
    odd
}

async fn come_back(client: &mut Client<'_>, query: &str) -> Answer {
    let request = from_another_site(client, &format!("sign-in/return?{query}"));
    client.send(&request).await
}

impl ByProvider {
    /// From the page to the provider and back, with whom it knows at the moment.
    async fn sign_in(&self, client: &mut Client<'_>) -> Answer {
        let begun = client.get("sign-in/begin").await;
        assert_eq!(begun.status, 303, "{}", begun.main());
        come_back(client, &self.provider.sign_in(begun.location())).await
    }

    async fn signed_in(&self) -> Client<'_> {
        let mut client = self.bed.client();
        assert_eq!(self.sign_in(&mut client).await.status, 200);
        assert_eq!(client.get("").await.status, 200);
        client
    }

    async fn rows(&self, kind: &str) -> usize {
        let dump = self.bed.testbed.dump(&["Admin"]).await;
        let rows = dump["Admin"].as_array().unwrap().iter();
        rows.filter(|row| row["id"].as_str().unwrap().starts_with(kind)).count()
    }

    /// Nobody is signed in, and the answer gives no session.
    async fn assert_refused(&self, answer: &Answer, status: u64) {
        assert_eq!(answer.status, status, "{}", answer.main());
        assert!(!answer.set_cookies.iter().any(|cookie| cookie.starts_with(SESSION)), "{:?}", answer.set_cookies);
        assert_eq!(self.rows("session#").await, 0);
        assert!(!self.bed.trail().await.contains(&"signed_in".to_owned()));
    }
}

#[tokio::test]
async fn somebody_on_the_list_signs_in_and_the_trail_names_them() {
    let bed = by_provider().await;
    let mut client = bed.bed.client();
    assert_eq!(client.get("").await.location(), format!("{ROOT}/sign-in/"));
    let page = client.get("sign-in").await;
    assert!(page.says(bed.provider.issuer()) && page.says(&format!("href=\"{ROOT}/sign-in/begin/\"")));
    assert!(!page.body.contains("<form") && page.set_cookies.is_empty());

    let begun = client.get("sign-in/begin").await;
    let url = Url::parse(begun.location()).unwrap();
    let asked_for: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(format!("{}{}", bed.provider.issuer(), url.path()), format!("{}/authorize", bed.provider.issuer()));
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", "https://gateway.example.com/whatsapp/settings/api-keys/sign-in/return/"),
        ("scope", "openid email"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked_for[name], value);
    }
    assert_eq!([asked_for["state"].len(), asked_for["nonce"].len(), asked_for["code_challenge"].len()], [64, 64, 43]);
    let [handshake] = begun.set_cookies.as_slice() else { panic!("{:?}", begun.set_cookies) };
    assert!(handshake.starts_with(HANDSHAKE) && !handshake.contains("Domain"), "{handshake}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"] {
        assert!(handshake.split("; ").any(|given| given == attribute), "{handshake}");
    }

    let answer = come_back(&mut client, &bed.provider.sign_in(begun.location())).await;
    assert_eq!(answer.status, 200, "{}", answer.main());
    assert!(answer.body.contains(&format!("<meta http-equiv=\"refresh\" content=\"0; url={ROOT}/\">")));
    assert!(answer.says("ann@example.com") && answer.says(&format!("href=\"{ROOT}/\"")));
    let session = answer.set_cookies.iter().find(|cookie| cookie.starts_with(SESSION)).unwrap();
    assert!(session.contains("SameSite=Strict") && session.contains("Secure") && session.contains("HttpOnly"));
    assert!(!client.cookies.contains_key(HANDSHAKE) && !client.cookies.contains_key("__Host-whatsapp-device"));

    assert_eq!(client.get("").await.status, 200);
    assert_eq!(client.get("sign-in").await.location(), format!("{ROOT}/"));
    assert_eq!(client.get("sign-in/begin").await.location(), format!("{ROOT}/"));
    assert_eq!(client.get("sign-in/return?code=x&state=y").await.location(), format!("{ROOT}/"), "a reload");
    let (_, record) = bed.bed.key("shop").await;
    client.post(&format!("{}/disable", record.id), &[]).await;
    let trail = bed.bed.page.audit.newest(None, None, 10).await.unwrap();
    let told = |action: &str| trail.iter().find(|entry| entry.action == action).unwrap();
    for action in ["signed_in", "disabled"] {
        assert_eq!(told(action).by, "ann@example.com", "{action}");
    }
    assert_eq!(
        (&*told("signed_in").after["subject"], &*told("signed_in").after["issuer"]),
        ("ann-1", bed.provider.issuer())
    );
    let account = client.get("account").await;
    assert!(account.says("ann@example.com") && !account.says("type=\"password\"") && !account.says("TOTP"));
}

#[tokio::test]
async fn nothing_that_opens_the_page_is_in_a_table_or_in_an_answer() {
    let bed = by_provider().await;
    let mut client = bed.bed.client();
    let begun = client.get("sign-in/begin").await;
    let (query, handshake) = (bed.provider.sign_in(begun.location()), client.cookies[HANDSHAKE].clone());
    let during = bed.bed.dump().await.to_string();
    let answer = come_back(&mut client, &query).await;
    client.get("").await;
    let form = bed.provider.asked("/token")[0].form.clone();
    let asked_for = Url::parse(begun.location()).unwrap();
    let asked_for: BTreeMap<_, _> = asked_for.query_pairs().into_owned().collect();
    let dump = format!("{during} {}", bed.bed.dump().await);
    assert!(dump.contains("handshake#") && dump.contains("signed_in") && bed.rows("handshake#").await == 0);
    let secrets = [&handshake, &client.cookies[SESSION], &client.csrf, &form["code_verifier"], &form["code"]];
    let secrets = secrets.into_iter().chain([&asked_for["state"], &asked_for["nonce"]]).map(String::as_str);
    for secret in secrets.chain([ACCESS_TOKEN]) {
        assert!(!dump.contains(secret), "{secret} is in {dump}");
        assert!(secret.len() > 10 && !answer.body.contains(secret), "{secret} is in {}", answer.body);
    }
    // Whoever sees where the browser goes knows nothing of what it keeps.
    assert!(!begun.location().contains(&handshake) && !begun.location().contains(&form["code_verifier"]));
}

#[tokio::test]
async fn a_handshake_is_good_once_in_its_own_browser_and_for_ten_minutes() {
    let bed = by_provider().await;
    let (mut ann, mut eve) = (bed.bed.client(), bed.bed.client());
    let ann_begun = ann.get("sign-in/begin").await;
    let eve_begun = eve.get("sign-in/begin").await;
    let (anns, eves) = (bed.provider.sign_in(ann_begun.location()), bed.provider.sign_in(eve_begun.location()));
    let code = |query: &str| query.split_once('&').unwrap().0.to_owned();
    let state = |query: &str| query.split_once('&').unwrap().1.to_owned();
    // What another has begun: no cookie, another's cookie, and none of it writes anything or ends what is under way.
    for (client, query) in [
        (bed.bed.client(), anns.clone()),
        (ann.clone(), eves.clone()),
        (ann.clone(), code(&anns)),
        (ann.clone(), format!("{}&state=", code(&anns))),
        (ann.clone(), format!("{}&state={}", code(&anns), "0".repeat(64))),
        (ann.clone(), format!("error=access_denied&{}", state(&eves))),
        (ann.clone(), String::new()),
    ] {
        let before = bed.bed.dump().await;
        let answer = come_back(&mut client.clone(), &query).await;
        bed.assert_refused(&answer, 400).await;
        assert!(answer.set_cookies.is_empty() && before == bed.bed.dump().await, "{query}");
    }
    // Its own state, and another's code: the provider does not take the verifier, and if it does, the nonce is wrong.
    let mut planted = eve.clone();
    bed.assert_refused(&come_back(&mut planted, &format!("{}&{}", code(&anns), state(&eves))).await, 401).await;
    assert!(!planted.cookies.contains_key(HANDSHAKE));
    let mut eve = bed.bed.client();
    let begun = eve.get("sign-in/begin").await;
    bed.provider.forget_pkce();
    let eves = bed.provider.sign_in(begun.location());
    let fresh = bed.provider.sign_in(ann_begun.location());
    bed.assert_refused(&come_back(&mut eve, &format!("{}&{}", code(&fresh), state(&eves))).await, 401).await;

    let fresh = bed.provider.sign_in(ann_begun.location());
    let before = ann.clone();
    assert_eq!(come_back(&mut ann, &fresh).await.status, 200);
    let again = bed.provider.sign_in(ann_begun.location());
    assert_eq!(come_back(&mut before.clone(), &again).await.status, 400, "once");

    let mut late = bed.bed.client();
    let begun = late.get("sign-in/begin").await;
    bed.bed.testbed.clock.advance(Duration::from_mins(10));
    assert_eq!(come_back(&mut late, &bed.provider.sign_in(begun.location())).await.status, 400, "too late");
}

#[tokio::test]
async fn a_session_or_a_handshake_that_somebody_planted_is_worth_nothing() {
    let bed = by_provider().await;
    let planted = "ab".repeat(32);
    let mut client = bed.bed.client();
    client.cookies.insert(SESSION.to_owned(), planted.clone());
    client.cookies.insert(HANDSHAKE.to_owned(), planted.clone());
    assert_eq!(bed.sign_in(&mut client).await.status, 200);
    assert_ne!(client.cookies[SESSION], planted);
    let mut attacker = bed.bed.client();
    attacker.cookies.insert(SESSION.to_owned(), planted.clone());
    assert_eq!(attacker.get("").await.status, 303);
    // One that was never begun here, whatever state goes with it.
    attacker.cookies = BTreeMap::from([(HANDSHAKE.to_owned(), planted.clone())]);
    assert_eq!(come_back(&mut attacker, &format!("code=x&state={planted}")).await.status, 400);
    // Two of them: one was planted beside the other.
    let mut two = from_another_site(&client, "sign-in/return?code=x&state=y");
    two.headers.insert("Cookie".to_owned(), format!("{HANDSHAKE}={planted}; {HANDSHAKE}={planted}"));
    assert_eq!(client.clone().send(&two).await.status, 400);
    // Each sign-in is a session of its own, and ends the one that the browser has with it.
    let first = client.cookies[SESSION].clone();
    let mut again = client.clone();
    again.cookies.remove(SESSION);
    let begun = again.get("sign-in/begin").await;
    again.cookies.insert(SESSION.to_owned(), "cd".repeat(32));
    assert_eq!(come_back(&mut again, &bed.provider.sign_in(begun.location())).await.status, 200);
    assert_ne!(again.cookies[SESSION], first);
}

#[tokio::test]
async fn who_is_not_on_the_list_is_told_how_to_get_there_and_gets_no_session() {
    let bed = by_provider().await;
    for (claims, entries) in [
        (json!({"sub": "eve<3", "email": "eve@example.com"}), vec!["eve@example.com", "sub:eve&#60;3"]),
        (json!({"sub": "eve", "email_verified": false}), vec!["sub:eve"]),
        (
            json!({"sub": "ann@example.com", "email": "x@example.com", "email_verified": true}),
            vec!["x@example.com", "sub:ann@example.com"],
        ),
        (json!({"sub": "ben-22", "email": "ann@example.com.evil.com"}), vec!["ann@example.com.evil.com", "sub:ben-22"]),
    ] {
        for (name, value) in claims.as_object().unwrap() {
            bed.provider.set_claim(name, value.clone());
        }
        let answer = bed.sign_in(&mut bed.bed.client()).await;
        bed.assert_refused(&answer, 403).await;
        assert!(entries.iter().all(|entry| answer.says(&format!("<code>{entry}</code>"))), "{}", answer.main());
        assert!(answer.says("Admins"));
    }
    // By the provider's name for somebody, whatever their address is.
    bed.provider.set_claim("sub", "ben-2".into());
    let mut ben = bed.bed.client();
    assert_eq!(bed.sign_in(&mut ben).await.status, 200);
    assert_eq!(ben.get("").await.status, 200);
}

#[tokio::test]
async fn an_address_that_the_token_does_not_tell_is_asked_of_the_provider() {
    let bed = by_provider().await;
    bed.provider.set_claim("email", Value::Null);
    assert_eq!(bed.sign_in(&mut bed.bed.client()).await.status, 200);
    assert_eq!(bed.provider.asked("/userinfo").len(), 1);
    assert_eq!(bed.bed.page.audit.newest(None, None, 1).await.unwrap()[0].by, "ann@example.com");
    bed.provider.set_user_info("sub", "eve".into());
    assert_eq!(bed.sign_in(&mut bed.bed.client()).await.status, 401, "about somebody else");
    bed.provider.set_user_info("sub", "ann-1".into());
    bed.provider.set_user_info("email_verified", false.into());
    assert_eq!(bed.sign_in(&mut bed.bed.client()).await.status, 403);
    bed.provider.fail("/userinfo", Fault::Says(500, String::new()));
    assert_eq!(bed.sign_in(&mut bed.bed.client()).await.status, 503);
    // Where it decides nothing it is not asked for.
    bed.provider.set_claim("sub", "ben-2".into());
    assert_eq!(bed.sign_in(&mut bed.bed.client()).await.status, 200);
}

#[tokio::test]
async fn whoever_is_taken_off_the_list_is_out_at_once_and_another_way_of_signing_in_ends_all_sessions() {
    let ByProvider { mut bed, provider } = by_provider().await;
    let page = bed.page.clone();
    let mut client = Client::new(&page);
    let begun = client.get("sign-in/begin").await;
    come_back(&mut client, &provider.sign_in(begun.location())).await;
    let get = async |page: &KeyPage| Client { page, ..client.clone() }.get("").await.status;
    assert_eq!(get(&page).await, 200);
    bed.page.provider = Some(page_provider(&bed, &provider, "ben@example.com", None));
    assert_eq!(get(&bed.page).await, 303, "not on the list any more");
    let other = OpenIdProvider::start(bed.now()).await;
    bed.page.provider = Some(page_provider(&bed, &other, ADMINS, None));
    assert_eq!(get(&bed.page).await, 303, "another provider's people");
    // The way back: the password, which the same tables take without anything else.
    bed.page.provider = None;
    bed.page.admin.set_password_locally(&PASSWORD.into()).await.unwrap();
    assert_eq!(get(&bed.page).await, 303, "a provider's session opens nothing where the password does");
    let with_password = bed.signed_in().await.cookies;
    bed.page.provider = Some(page_provider(&bed, &provider, ADMINS, None));
    assert_eq!(Client { cookies: with_password, ..bed.client() }.get("").await.status, 303);
}

#[tokio::test]
async fn where_a_provider_was_before_the_setup_token_sets_the_first_password() {
    let ByProvider { mut bed, provider } = by_provider().await;
    let page = bed.page.clone();
    let mut client = Client::new(&page);
    let begun = client.get("sign-in/begin").await;
    come_back(&mut client, &provider.sign_in(begun.location())).await;
    client.get("").await;
    // This leaves a row of the credential that has no password.
    assert_eq!(client.post("sign-out-everywhere", &[]).await.status, 303);
    bed.page.provider = None;
    bed.give_setup_token(SETUP_TOKEN);
    let mut client = bed.client();
    assert_eq!(client.get("sign-in").await.location(), format!("{ROOT}/set-up/"));
    let fields = [("token", SETUP_TOKEN), ("password", PASSWORD), ("repeated", PASSWORD)];
    assert_eq!(client.post("set-up", &fields).await.status, 303);
    assert_eq!(client.post("set-up", &fields).await.status, 401, "once");
    assert_eq!(client.post("sign-in", &[("password", PASSWORD)]).await.status, 303);
}

#[tokio::test]
async fn signing_out_ends_one_session_or_all_and_takes_this_pages_own_form() {
    let bed = by_provider().await;
    let (mut first, mut second) = (bed.signed_in().await, bed.signed_in().await);
    let mut forged = first.form("sign-out", &[]);
    forged.body = Some(String::new());
    assert_eq!(first.clone().send(&forged).await.status, 403);
    let old = first.clone();
    assert_eq!(first.post("sign-out", &[]).await.location(), format!("{ROOT}/sign-in/?done=out"));
    assert_eq!((old.clone().get("").await.status, second.get("").await.status), (303, 200));
    let third = bed.signed_in().await;
    assert_eq!(second.post("sign-out-everywhere", &[]).await.status, 303);
    assert_eq!(third.clone().get("").await.status, 303);
    bed.signed_in().await;
}

#[tokio::test]
async fn what_the_password_needs_is_not_there_and_no_password_opens_anything() {
    let bed = by_provider().await;
    bed.bed.page.admin.set_password_locally(&PASSWORD.into()).await.unwrap();
    let mut signed_in = bed.signed_in().await;
    for row in ROWS.iter().filter(|row| row.way == Way::Password) {
        for client in [&mut bed.bed.client(), &mut signed_in] {
            let mut odd = client.form(row.path, &[("password", PASSWORD), ("current", PASSWORD)]);
            row.method.clone_into(&mut odd.method);
            let answer = client.send(&odd).await;
            assert!([404, 405].contains(&answer.status), "{} {}: {}", row.method, row.path, answer.status);
            assert!(answer.set_cookies.is_empty());
        }
    }
}

#[tokio::test]
async fn another_site_begins_nothing() {
    let bed = by_provider().await;
    let mut client = bed.bed.client();
    for site in ["cross-site", "same-site"] {
        let mut odd = from_another_site(&client, "sign-in/begin");
        odd.headers.insert("Sec-Fetch-Site".to_owned(), site.to_owned());
        let answer = client.send(&odd).await;
        assert_eq!((answer.status, answer.location()), (303, format!("{ROOT}/sign-in/").as_str()));
        assert!(answer.set_cookies.is_empty() && bed.rows("handshake#").await == 0);
    }
}

#[tokio::test]
async fn a_provider_that_says_no_is_told_plainly_and_nothing_of_its_words_is_shown() {
    let bed = by_provider().await;
    for error in ["access_denied", "server_error", "<script>alert(1)</script>"] {
        let mut client = bed.bed.client();
        let begun = client.get("sign-in/begin").await;
        let state = bed.provider.sign_in(begun.location()).split_once('&').unwrap().1.to_owned();
        let error: String = form_urlencoded::byte_serialize(error.as_bytes()).collect();
        // A code beside it changes nothing.
        let query = format!("error={error}&error_description=canary+%3Cscript%3E&code=x&{state}");
        let answer = come_back(&mut client, &query).await;
        bed.assert_refused(&answer, 403).await;
        assert!(!answer.body.contains("canary") && !answer.body.contains("script>"), "{}", answer.main());
        assert!(answer.says("Sign in") && !client.cookies.contains_key(HANDSHAKE));
    }
    assert!(bed.provider.asked("/token").is_empty());
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_or_none_where_it_must_is_refused() {
    let bed = by_provider().await;
    for (names, iss, status) in [
        (false, Some("https://evil.example.com"), 401),
        (false, Some(""), 200),
        (true, None, 401),
        (true, Some(bed.provider.issuer()), 200),
        (false, Some(bed.provider.issuer()), 200),
    ] {
        bed.provider.set_document("authorization_response_iss_parameter_supported", names.into());
        // What was said before is believed for an hour.
        bed.bed.testbed.clock.advance(Duration::from_hours(1));
        let mut client = bed.bed.client();
        let begun = client.get("sign-in/begin").await;
        let mut query = bed.provider.sign_in(begun.location());
        if let Some(iss) = iss {
            query.push_str("&iss=");
            query.extend(form_urlencoded::byte_serialize(iss.as_bytes()));
        }
        assert_eq!(come_back(&mut client, &query).await.status, status, "{names} {iss:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_the_answer_signs_nobody_in() {
    let bed = by_provider().await;
    let good = [
        ("aud", json!(CLIENT_ID)),
        ("iss", json!(bed.provider.issuer())),
        ("exp", json!(bed.bed.now().as_second() + 300)),
    ];
    for (name, value) in [
        ("aud", json!("another")),
        ("aud", json!([CLIENT_ID, "another"])),
        ("iss", json!("https://evil.example.com")),
        ("exp", json!(bed.bed.now().as_second() - 61)),
        ("iat", json!(bed.bed.now().as_second() + 61)),
        ("sub", Value::Null),
        ("at_hash", json!("wrong")),
    ] {
        bed.provider.set_claim(name, value.clone());
        let answer = bed.sign_in(&mut bed.bed.client()).await;
        bed.assert_refused(&answer, 401).await;
        assert!(answer.says("not accepted"), "{name} {value}: {}", answer.main());
        let mended = good.iter().find(|(good, _)| *good == name).map(|(_, value)| value.clone());
        bed.provider.set_claim(
            name,
            mended.unwrap_or(match name {
                "iat" => json!(bed.bed.now().as_second()),
                "sub" => json!("ann-1"),
                _ => Value::Null,
            }),
        );
    }
    assert_eq!(bed.sign_in(&mut bed.bed.client()).await.status, 200, "mended");
}

#[tokio::test]
async fn a_provider_that_fails_on_the_way_there_is_told_as_an_outage() {
    let bed = by_provider().await;
    let says = |status: u16, body: &str| Fault::Says(status, body.to_owned());
    for fault in [
        says(500, ""),
        says(404, "not found"),
        says(302, ""),
        says(200, ""),
        says(200, "[]"),
        says(200, "<html>"),
        says(200, r#"{"issuer":"canary-https://evil.example.com"}"#),
        says(200, &format!("{{\"x\":\"{}\"}}", "x".repeat(300_000))),
    ] {
        bed.provider.fail(DISCOVERY, fault);
        let answer = bed.bed.client().get("sign-in/begin").await;
        bed.assert_refused(&answer, 503).await;
        assert!(
            answer.says("The sign-in provider can&#39;t be reached") && !answer.body.contains("canary"),
            "{}",
            answer.main()
        );
        assert!(answer.set_cookies.is_empty() && bed.rows("handshake#").await == 0);
    }
    bed.provider.mend();
    for (member, value) in [
        ("issuer", json!("https://evil.example.com")),
        ("token_endpoint", json!("http://evil.example.com/token")),
        ("jwks_uri", json!("file:///etc/passwd")),
    ] {
        let bed = by_provider().await;
        bed.provider.set_document(member, value);
        bed.assert_refused(&bed.bed.client().get("sign-in/begin").await, 503).await;
    }
    bed.provider.stop();
    bed.assert_refused(&bed.bed.client().get("sign-in/begin").await, 503).await;
}

#[tokio::test]
async fn a_provider_that_fails_on_the_way_back_signs_nobody_in() {
    let bed = by_provider().await;
    let says = |status: u16, body: &str| Fault::Says(status, body.to_owned());
    let huge = format!("{{\"id_token\":\"{}\"}}", "x".repeat(300_000));
    for (path, fault, status) in [
        ("/token", says(500, ""), 503),
        ("/token", says(307, ""), 503),
        ("/token", says(200, "<html>"), 503),
        ("/token", says(200, r#"{"access_token":"x"}"#), 503),
        ("/token", says(200, &huge), 503),
        ("/token", says(400, "<html>"), 503),
        ("/token", says(400, r#"{"error":"invalid_grant"}"#), 401),
        ("/token", says(401, r#"{"error":"invalid_client"}"#), 401),
        ("/token", says(200, r#"{"id_token":"a.b.c"}"#), 401),
        ("/token", says(200, r#"{"id_token":""}"#), 401),
        ("/token", says(200, &format!(r#"{{"id_token":"{}"}}"#, "x".repeat(20_000))), 401),
        ("/keys", says(500, ""), 503),
        ("/keys", says(200, "{}"), 503),
        ("/keys", says(200, "nonsense"), 503),
        ("/keys", says(200, r#"{"keys":[]}"#), 401),
    ] {
        bed.provider.fail(path, fault);
        let answer = bed.sign_in(&mut bed.bed.client()).await;
        bed.assert_refused(&answer, status).await;
        bed.provider.mend();
        // Keys are kept: on with none.
        bed.bed.testbed.clock.advance(Duration::from_hours(1));
    }
    bed.signed_in().await;
}

#[tokio::test]
async fn a_provider_that_never_answers_is_not_waited_for_for_long() {
    let bed = by_provider().await;
    bed.provider.fail(DISCOVERY, Fault::Silence);
    let answer = tokio::time::timeout(Duration::from_secs(20), async { bed.bed.client().get("sign-in/begin").await });
    bed.assert_refused(&answer.await.unwrap(), 503).await;
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_found_and_what_it_said_is_not_asked_for_each_time() {
    let bed = by_provider().await;
    for _ in 0..3 {
        bed.signed_in().await;
    }
    let asked = |path: &str| bed.provider.asked(path).len();
    assert_eq!((asked(DISCOVERY), asked("/keys"), asked("/token")), (1, 1, 3));
    bed.provider.rotate("second");
    assert_eq!(bed.sign_in(&mut bed.bed.client()).await.status, 401, "asked for a moment ago");
    assert_eq!(asked("/keys"), 1);
    bed.bed.testbed.clock.advance(Duration::from_mins(1));
    bed.signed_in().await;
    assert_eq!(asked("/keys"), 2);
    bed.bed.testbed.clock.advance(Duration::from_hours(1));
    bed.signed_in().await;
    assert_eq!((asked(DISCOVERY), asked("/keys")), (2, 3));
}

#[tokio::test]
async fn the_client_secret_goes_to_the_token_endpoint_alone_and_where_there_is_none_the_id_goes() {
    let ByProvider { mut bed, provider } = by_provider().await;
    for (secret, methods, authorization, in_form) in [
        (None, Value::Null, "", Some(("client_id", CLIENT_ID))),
        (Some("canary/1"), Value::Null, "Basic Z2F0ZXdheTpjYW5hcnklMkYx", None),
        (Some("canary/1"), json!(["client_secret_post"]), "", Some(("client_secret", "canary/1"))),
    ] {
        provider.set_document("token_endpoint_auth_methods_supported", methods);
        bed.page.provider = Some(page_provider(&bed, &provider, ADMINS, secret));
        let mut client = bed.client();
        let begun = client.get("sign-in/begin").await;
        assert!(!begun.location().contains("canary"));
        assert_eq!(come_back(&mut client, &provider.sign_in(begun.location())).await.status, 200);
        let asked = provider.asked("/token").pop().unwrap();
        assert_eq!(asked.authorization, authorization);
        let told = asked
            .form
            .iter()
            .find(|(name, _)| name.starts_with("client_secret") || *name == "client_id" && secret.is_none());
        assert_eq!(told.map(|(name, value)| (name.as_str(), value.as_str())), in_form);
    }
}

#[tokio::test]
async fn our_name_at_the_provider_may_stand_in_the_apis_stage() {
    let ByProvider { mut bed, provider } = by_provider().await;
    bed.page.provider.as_mut().unwrap().client_id = None;
    assert_eq!(bed.client().get("sign-in/begin").await.status, 503);
    let event = json!({"httpMethod": "GET", "path": format!("{ROOT}/sign-in/begin/"), "headers": {"Host": "gateway.example.com"},
        "stageVariables": {"OidcClientId": "of-the-stage"}});
    let answer = client::respond(&bed.page, &event.to_string()).await;
    assert!(answer.status == 303 && answer.location().starts_with(provider.issuer()));
    assert!(answer.location().contains("client_id=of-the-stage"), "{}", answer.location());
}

#[tokio::test]
async fn every_answer_carries_all_the_headers_here_too() {
    let bed = by_provider().await;
    let inside = bed.signed_in().await;
    for row in ROWS {
        for client in [inside.clone(), bed.bed.client()] {
            for method in ["GET", "POST", "HEAD"] {
                let mut odd = client.form(row.path, &[]);
                method.clone_into(&mut odd.method);
                odd.headers.insert("Sec-Fetch-Site".to_owned(), "cross-site".to_owned());
                assert_guarded(&format!("{method} {}", row.path), &client.clone().send(&odd).await);
            }
        }
    }
    assert_guarded("begin", &bed.bed.client().get("sign-in/begin").await);
    assert_guarded("signed in", &bed.sign_in(&mut bed.bed.client()).await);
    bed.provider.set_claim("email", "eve@example.com".into());
    assert_guarded("not listed", &bed.sign_in(&mut bed.bed.client()).await);
}

#[tokio::test]
async fn a_setting_that_is_wrong_is_told_by_its_name() {
    let bed = by_provider().await;
    let told = |change: &dyn Fn(&mut ProviderEntries)| {
        let mut entries = entries(&bed.provider, ADMINS, None);
        change(&mut entries);
        let made = Provider::new(entries, &bed.bed.testbed.database, bed.bed.testbed.clock.clone());
        made.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(told(&|_| {}), "");
    assert!(
        told(&|entries| entries.issuer = "http://sso.example.com".to_owned()).starts_with("OIDC_ISSUER must begin")
    );
    assert!(told(&|entries| entries.admins = String::new()).starts_with("ADMINS must name"));
    assert!(told(&|entries| entries.admins = "ann".to_owned()).starts_with("ADMINS must hold"));
}
