//! How every page looks, to everybody: in light and dark, on a desk and on a telephone, to a screen reader too.

use std::time::Duration;

use domain::Clock;
use local::Stack;
use serde_json::json;

use super::session::{Session, between};
use super::{PASSWORD, SUBMIT, complaints, sign_in, stack};
use crate::browser::{Browser, Options};
use crate::stack_with;

const WRONG_DATE: &str = "const field = document.querySelector('#expiry_date');
    field.value = '2020-01-01'; field.form.querySelector('[name=limit]').value = '600';";

/// Two accounts, so that there is something to choose.
fn accounts() -> String {
    let account = |id: u32, name: &str| {
        let id_at_meta = format!("10000000000000{id}");
        json!({ "id": id, "name": name, "phone_number_id": id_at_meta, "waba_id": id_at_meta, "access_token": "t",
            "app_secret": "s", "verify_token": "v" })
    };
    json!([account(1, "Bengaluru"), account(2, "Support and returns, all of India")]).to_string()
}

/// A stack with keys in every state, and the ids of those that are active, rotating and disabled.
async fn with_keys() -> (Stack, [String; 3]) {
    let stack = stack_with(&["--local-admin-password", PASSWORD, "--whatsapp-accounts", &accounts()]).await;
    let session = Session::new(&stack).await;
    let send = async |key: &str, account_id: u32, times: usize| {
        let url = format!("{}/whatsapp/api/send-message/", stack.api_url());
        for _ in 0..times {
            let request = super::client().post(&url).header("X-API-Key", key);
            let message = json!({ "phone": "+919876543210", "message": "Hello!", "account_id": account_id });
            assert_eq!(request.json(&message).send().await.unwrap().status(), 200);
        }
    };
    session.make(&format!("{}end", "long".repeat(63)), &[("preset", "read")]).await;
    let custom =
        [("preset", "custom"), ("scope", "chats:read"), ("scope", "contacts:block"), ("scope", "campaigns:read")];
    session.make("Reports of the warehouse, read by many people every Monday", &custom).await;
    let soon = in_three_days();
    session.make("Web shop", &[("expiry", "date"), ("expiry_date", &soon), ("preset", "send")]).await;
    let (ended, key) = session.make("Old till", &[("accounts", "some"), ("account", "2")]).await;
    send(&key, 2, 2).await;
    session.rotate(&ended, "0").await;
    let (disabled, _) = session.make("Intern <script>", &[("expiry", "30")]).await;
    session.disable(&disabled).await;
    let (rotating, key) = session.make("Till 7", &[("limit", "60000"), ("preset", "send"), ("expiry", "90")]).await;
    send(&key, 1, 6).await;
    let (_, key) = session.rotate(&rotating, "86400").await;
    send(&key, 1, 1).await;
    let (active, key) = session.make("Customer service", &[("limit", "600"), ("expiry", "90")]).await;
    send(&key, 1, 9).await;
    (stack, [active, rotating, disabled])
}

/// A key that ends then expires soon.
fn in_three_days() -> String {
    (Clock::system().now() + Duration::from_hours(72)).strftime("%F").to_string()
}

/// A stack on which every key was deleted.
async fn without_keys() -> Stack {
    let stack = stack().await;
    let session = Session::new(&stack).await;
    let list = session.get("").await.text().await.unwrap();
    let id = between(between(&list, "<tbody>", "</a>"), "/whatsapp/settings/api-keys/", "/").to_owned();
    session.disable(&id).await;
    session.post(&format!("{id}/delete/"), &[("name", "made by cargo run")]).await;
    stack
}

/// One of the lights and screens.
pub(super) struct Look {
    pub(super) browser: Browser,
    pub(super) name: String,
}

impl Look {
    /// Looks at the page that is open.
    pub(super) async fn judge(&self, page: &str) {
        let (browser, page) = (&self.browser, format!("key-page-{page}-{}", self.name));
        browser.screenshot(&page).await;
        assert!(!browser.scrolls_sideways().await, "{page}");
        assert_eq!(browser.axe().await, [], "{page}");
        assert_eq!(complaints(browser).await, [], "{page}");
    }

    async fn visit(&self, url: &str, page: &str) {
        self.browser.visit(url).await;
        self.judge(page).await;
    }
}

/// Dark or not, how wide, and what it is called.
pub(super) const LOOKS: [(bool, u32, &str); 4] =
    [(false, 1280, "light-wide"), (true, 1280, "dark-wide"), (false, 360, "light-narrow"), (true, 360, "dark-narrow")];

#[tokio::test]
async fn every_page_is_fit_for_everybody_in_every_light_and_on_every_screen() {
    let (empty, (stack, ids)) = (without_keys().await, with_keys().await);
    for (dark, width, name) in LOOKS {
        let Some(browser) = Browser::open(Options { dark, width, ..Options::default() }).await else { return };
        let look = Look { browser, name: name.to_owned() };
        with_nobody_and_nothing(&look, &empty).await;
        with_every_kind_of_key(&look, &stack, &ids).await;
        with_a_new_key(&look, &stack).await;
        after_signing_out(&look).await;
    }
}

fn at(stack: &Stack, below: &str) -> String {
    format!("{}{below}", stack.key_page_url())
}

async fn with_nobody_and_nothing(look: &Look, stack: &Stack) {
    look.visit(&at(stack, "set-up/"), "set-up").await;
    look.visit(&at(stack, "sign-in/"), "sign-in").await;
    sign_in(&look.browser, stack).await;
    look.judge("empty").await;
}

async fn with_every_kind_of_key(look: &Look, stack: &Stack, [active, rotating, disabled]: &[String; 3]) {
    let (browser, at) = (&look.browser, |below: &str| at(stack, below));
    sign_in(browser, stack).await;
    look.judge("list").await;
    look.visit(&at("?q=nothing+of+that+name"), "nothing-found").await;
    look.visit(&at(&format!("{active}/?done=settings")), "active").await;
    look.visit(&at(&format!("{rotating}/")), "rotating").await;
    look.visit(&at(&format!("{disabled}/")), "disabled").await;
    browser.fill("#typed-name", "Another").await;
    browser.click("form[action$='/delete/'] button").await;
    browser.see("#delete-problem").await;
    look.judge("not-deleted").await;
    look.visit(&at("audit/"), "audit").await;
    look.visit(&at("account/"), "account").await;
    look.visit(&at("nowhere/"), "not-found").await;
}

async fn with_a_new_key(look: &Look, stack: &Stack) {
    let browser = &look.browser;
    look.visit(&at(stack, "add/"), "add").await;
    browser.fill("#name", "Depot").await;
    browser.click("[value=custom]").await;
    browser.click("[value=some]").await;
    browser.click("[value=date]").await;
    browser.run(WRONG_DATE).await;
    browser.click(SUBMIT).await;
    browser.see(".problem").await;
    look.judge("add-wrong").await;
    browser.click("[name=preset][value=all]").await;
    browser.click("[name=accounts][value=all]").await;
    browser.click("[value='30']").await;
    browser.click(SUBMIT).await;
    browser.see(".secret button").await;
    look.judge("made").await;
}

async fn after_signing_out(look: &Look) {
    let browser = &look.browser;
    browser.click("header button").await;
    browser.read("You are signed out").await;
    look.judge("signed-out").await;
    browser.fill("#password", "wrong").await;
    browser.click(SUBMIT).await;
    browser.see("#problem").await;
    look.judge("sign-in-wrong").await;
}
