//! The admin's own page.

use domain::Clock;
use totp_rs::{Algorithm, Builder, Secret};

use super::session::Session;
use super::{Admin, PASSWORD, SUBMIT, complaints, until_done};

const TURN_ON: &str = "form[action$='/codes-on/'] button";
const TURN_OFF: &str = "form[action$='/codes-off/'] button";

/// The present half minute, counted from 1970.
fn half_minute() -> u64 {
    u64::try_from(Clock::system().now().as_second()).unwrap() / 30
}

/// An app that makes codes.
struct App {
    secret: String,
    /// The half minute whose code was typed last.
    typed: u64,
    /// The last half minute whose code was taken: that one is not good again.
    taken: u64,
}

impl App {
    /// A code that the page must take: the oldest of those, since each takes all before it away.
    fn code(&mut self) -> String {
        self.typed = (half_minute() - 1).max(self.taken + 1);
        self.code_of(self.typed)
    }

    fn code_of(&self, half_minute: u64) -> String {
        let secret = Secret::try_from_base32(&self.secret).unwrap();
        let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_step_duration(30);
        totp.with_secret(secret).build().unwrap().generate(half_minute * 30).to_string()
    }
}

#[tokio::test]
async fn with_one_time_codes_a_password_alone_opens_nothing() {
    for javascript in [true, false] {
        let Some(admin) = Admin::signed_in(javascript).await else { return };
        let browser = &admin.browser;
        let mut app = App { secret: String::new(), typed: 0, taken: 0 };
        admin.visit("account/").await;
        app.secret = browser.value("#secret").await;
        // From the last hour.
        let wrong = app.code_of(half_minute() - 120);
        browser.fill("#code", &wrong).await;
        browser.click(TURN_ON).await;
        browser.read("This code is wrong. Check that the clock of the phone is right.").await;
        assert_eq!(browser.value("#secret").await, app.secret);
        until_done(browser, ".notice", async || {
            admin.visit("account/").await;
            app.secret = browser.value("#secret").await;
            browser.fill("#code", &app.code()).await;
            browser.click(TURN_ON).await;
        })
        .await;
        app.taken = app.typed;
        browser.read("From now on, signing in asks for a one-time code.").await;
        assert!(!admin.html().await.contains(&app.secret));

        browser.click("header button").await;
        browser.read("You are signed out.").await;
        browser.fill("#password", PASSWORD).await;
        let wrong = app.code_of(half_minute() - 120);
        browser.fill("#code", &wrong).await;
        browser.click(SUBMIT).await;
        browser.read("The password or the code is wrong.").await;
        until_done(browser, ".search", async || {
            admin.visit("sign-in/").await;
            browser.fill("#password", PASSWORD).await;
            // As an app shows it.
            let code = app.code();
            let (first, second) = code.split_at(3);
            browser.fill("#code", &format!("{first} {second}")).await;
            browser.click(SUBMIT).await;
        })
        .await;
        app.taken = app.typed;

        admin.visit("account/").await;
        let used = app.code_of(app.taken);
        browser.fill("#code", &used).await;
        browser.click(TURN_OFF).await;
        browser.read("This code is wrong, or was used already").await;
        until_done(browser, ".notice", async || {
            admin.visit("account/").await;
            browser.fill("#code", &app.code()).await;
            browser.click(TURN_OFF).await;
        })
        .await;
        browser.read("Signing in does not ask for a one-time code any more.").await;
        browser.click("header button").await;
        browser.read("You are signed out.").await;
        assert!(browser.texts("#code").await.is_empty());
        assert_eq!(complaints(browser).await, []);
    }
}

#[tokio::test]
async fn a_new_password_and_signing_out_everywhere_end_every_other_session() {
    const NEW: &str = "another horse, another battery";
    for javascript in [true, false] {
        let Some(admin) = Admin::signed_in(javascript).await else { return };
        let browser = &admin.browser;
        let change = async |current: &str, new: &str, repeated: &str| {
            admin.visit("account/").await;
            browser.fill("#current", current).await;
            browser.fill("#password", new).await;
            browser.fill("#repeated", repeated).await;
            browser.click("form[action$='/password/'] button").await;
        };
        let other = Session::new(&admin.stack).await;
        change(PASSWORD, NEW, "another horse, no battery").await;
        browser.read("The two passwords are not the same.").await;
        change("wrong horse", NEW, NEW).await;
        browser.read("The present password is wrong.").await;
        assert!(other.is_open().await);
        until_done(browser, ".notice", async || change(PASSWORD, NEW, NEW).await).await;
        browser.read("The password is changed, and every other session is signed out.").await;
        assert!(!other.is_open().await);
        assert_eq!(admin.names_in_list().await, ["made by cargo run"]);

        let other = Session::with_password(&admin.stack, NEW).await;
        assert!(other.is_open().await);
        admin.visit("account/").await;
        browser.click("form[action$='/sign-out-everywhere/'] button").await;
        browser.read("You are signed out everywhere.").await;
        assert!(!other.is_open().await);
        admin.visit("account/").await;
        assert_eq!(browser.url().await, admin.url("sign-in/"));
        assert_eq!(complaints(browser).await, []);
    }
}
