//! Who gets in where people sign in by a real OpenID provider. It is another site than the page's: `localhost`, and not
//! `127.0.0.1`.

use fantoccini::key::Key;
use serde_json::{Value, json};

use super::looks::{LOOKS, Look};
use super::{Admin, complaints};
use crate::browser::{Browser, Options};
use crate::openid_provider::OpenIdProvider;
use crate::stack_with;

const SECRET: &str = "what only the two of them know";
const BEGIN: &str = "a[href$='/sign-in/begin/']";

/// A provider with these settings, and a stack that knows it and takes two of its people.
async fn with_provider(settings: &Value) -> Option<(OpenIdProvider, local::Stack)> {
    let mut provider = OpenIdProvider::start(settings)?;
    let mut options = vec!["--oidc-issuer", provider.issuer(), "--oidc-client-id", "gateway"];
    options.extend(["--admins", "Ann@example.com, sub:ben, unverified@example.com"]);
    if settings.get("client_secret").is_some() {
        options.extend(["--oidc-client-secret", SECRET]);
    }
    let stack = stack_with(&options).await;
    provider.send_back_to(&key_page::return_url(&stack.key_page_url()));
    Some((provider, stack))
}

/// A provider whose clients have no secret, and which signs as most do.
fn usual() -> Value {
    json!({ "alg": "RS256", "email_in": "id_token" })
}

/// From the page's link to the provider, and on there until the provider sends them back.
async fn sign_in(browser: &Browser, name: &str) {
    browser.click(BEGIN).await;
    browser.fill("input[name=login]", name).await;
    browser.fill("input[name=password]", "any").await;
    browser.click("button[type=submit]").await;
    browser.read("Continue").await;
    browser.click("button[type=submit]").await;
}

#[tokio::test]
async fn somebody_listed_signs_in_by_the_provider_makes_a_key_and_signs_out() {
    for (javascript, settings) in [
        (true, usual()),
        (false, json!({ "alg": "ES256", "email_in": "userinfo" })),
        (
            false,
            json!({ "alg": "ES256", "email_in": "id_token", "client_secret": SECRET, "auth_method": "client_secret_basic" }),
        ),
        (
            true,
            json!({ "alg": "RS256", "email_in": "userinfo", "client_secret": SECRET, "auth_method": "client_secret_post" }),
        ),
    ] {
        let Some(browser) = Browser::open(Options { javascript, ..Options::default() }).await else { return };
        let Some((provider, stack)) = with_provider(&settings).await else { return };
        let admin = Admin { browser, stack };
        let browser = &admin.browser;
        admin.visit("").await;
        assert_eq!(
            (browser.title().await, browser.url().await),
            ("Sign in – WhatsApp Gateway".to_owned(), admin.url("sign-in/"))
        );
        browser.read(provider.issuer()).await;
        sign_in(browser, "ann").await;
        // On by itself from the page in between, and with a session that only requests of this site bring along.
        browser.see(".search").await;
        assert_eq!(browser.url().await, admin.url(""), "{settings}");
        browser.reload().await;
        browser.see(".search").await;

        let key = admin.make("Till 7").await;
        assert_eq!(admin.send(&key).await, 200);
        admin.visit("audit/").await;
        assert_eq!(browser.texts("td[data-label=What]").await[..2], ["created", "signed in"]);
        let who = browser.texts("td[data-label=Who]").await;
        assert!(who.iter().take(2).all(|who| who.starts_with("ann@example.com")), "{who:?}");
        browser.read("subject: ann").await;
        admin.visit("account/").await;
        browser.read("As ann@example.com").await;
        assert!(browser.texts("input[type=password]").await.is_empty());

        browser.click("header form button").await;
        browser.read("You are signed out.").await;
        admin.visit("").await;
        assert_eq!(browser.url().await, admin.url("sign-in/"));
        // The provider still knows them, and asks for nothing.
        browser.click(BEGIN).await;
        browser.see(".search").await;
        assert_eq!(complaints(browser).await, [], "{settings}");
    }
}

#[tokio::test]
async fn the_provider_knows_others_too_and_none_of_them_gets_in() {
    for (name, entries) in [
        ("eve", vec!["eve@example.com", "sub:eve"]),
        // Their address is on the list, and they only say that it is theirs.
        ("unverified", vec!["sub:unverified"]),
    ] {
        let Some((_provider, stack)) = with_provider(&usual()).await else { return };
        let Some(browser) = Browser::open(Options::default()).await else { return };
        let admin = Admin { browser, stack };
        let browser = &admin.browser;
        admin.visit("").await;
        sign_in(browser, name).await;
        browser.read("Not an admin").await;
        assert_eq!(browser.texts("main li").await, entries);
        for below in ["", "add/", "audit/", "account/"] {
            admin.visit(below).await;
            assert_eq!(browser.url().await, admin.url("sign-in/"), "{below}");
        }
        assert_eq!(complaints(browser).await, []);
    }
}

#[tokio::test]
async fn by_keyboard_one_gets_to_the_provider_and_in_by_a_subject() {
    let Some((_provider, stack)) = with_provider(&usual()).await else { return };
    let Some(browser) = Browser::open(Options::default()).await else { return };
    let admin = Admin { browser, stack };
    let browser = &admin.browser;
    admin.visit("").await;
    for name in [r#"link "Skip to the content""#, r#"link "WhatsApp Gateway""#, r#"link "Sign in""#] {
        browser.press(&[Key::Tab]).await;
        assert_eq!(browser.focused().await, name);
    }
    browser.press(&[Key::Enter]).await;
    browser.see("input[name=login]").await;
    assert_eq!(browser.focused().await.split_once(' ').unwrap().0, "textbox");
    browser.type_text("ben").await;
    browser.press(&[Key::Tab]).await;
    browser.type_text("any").await;
    browser.press(&[Key::Enter]).await;
    browser.read("Continue").await;
    browser.press(&[Key::Enter]).await;
    browser.see(".search").await;
    assert_eq!(complaints(browser).await, []);
}

/// A page of another site that sends the browser back here with what is another's, or nobody's.
#[tokio::test]
async fn nobody_is_signed_in_by_a_link_of_somebody_elses() {
    let Some((provider, stack)) = with_provider(&usual()).await else { return };
    let Some(browser) = Browser::open(Options::default()).await else { return };
    let admin = Admin { browser, stack };
    let browser = &admin.browser;
    admin.visit("").await;
    browser.click(BEGIN).await;
    browser.see("input[name=login]").await;
    let state = "0".repeat(64);
    let link = format!("{}?code=x&state={state}&iss={}", admin.url("sign-in/return/"), provider.issuer());
    browser.run(&format!("location.assign({})", json!(link))).await;
    browser.read("not begun in this browser").await;
    // The one that was begun here goes on all the same.
    browser.back().await;
    browser.fill("input[name=login]", "ann").await;
    browser.fill("input[name=password]", "any").await;
    browser.click("button[type=submit]").await;
    browser.read("Continue").await;
    browser.click("button[type=submit]").await;
    browser.see(".search").await;
    assert_eq!(complaints(browser).await, []);
}

#[tokio::test]
async fn every_page_of_the_way_is_fit_for_everybody_in_every_light_and_on_every_screen() {
    for (dark, width, name) in LOOKS {
        let Some((_provider, stack)) = with_provider(&usual()).await else { return };
        let Some(browser) = Browser::open(Options { dark, width, ..Options::default() }).await else { return };
        let look = Look { browser, name: name.to_owned() };
        let (browser, at) = (&look.browser, |below: &str| format!("{}{below}", stack.key_page_url()));
        browser.visit(&at("")).await;
        look.judge("provider-sign-in").await;
        browser.click(BEGIN).await;
        browser.read("Cancel").await;
        browser.click("a[href$='/abort']").await;
        browser.read("did not let you in").await;
        look.judge("provider-declined").await;
        browser.visit(&at("sign-in/")).await;
        sign_in(browser, &"long-name".repeat(15)).await;
        browser.read("Not an admin").await;
        look.judge("provider-not-listed").await;
    }
    let Some((_provider, stack)) = with_provider(&usual()).await else { return };
    let Some(browser) = Browser::open(Options { width: 360, ..Options::default() }).await else { return };
    let look = Look { browser, name: "light-narrow".to_owned() };
    look.browser.visit(&stack.key_page_url()).await;
    sign_in(&look.browser, "ann").await;
    look.browser.see(".search").await;
    look.browser.visit(&format!("{}account/", stack.key_page_url())).await;
    look.judge("provider-account").await;
}
