//! Changing what a key may do, until when, and how often.

use serde_json::json;

use super::{Admin, complaints};

const SAVE: &str = "form[action$='/settings/'] button";
const EVERYTHING: &str = "messages:send chats:read campaigns:read campaigns:write contacts:block events:read";
/// What the form holds; of choices, those that are made.
const FORM: &str = "const form = new FormData(document.querySelector('form[action$=\"/settings/\"]'));
    return ['name', 'preset', 'scope', 'expiry', 'expiry_date', 'limit'].map((name) => form.getAll(name).join(' '));";

/// Types a date, whatever order of day, month and year the browser has.
async fn fill_date(admin: &Admin, date: &str) {
    admin.browser.see("#expiry_date").await;
    admin.browser.run(&format!("document.querySelector('#expiry_date').value = '{date}'")).await;
}

#[tokio::test]
async fn settings_are_changed_and_what_is_wrong_comes_back_as_it_was_typed() {
    for javascript in [true, false] {
        let Some(admin) = Admin::signed_in(javascript).await else { return };
        let browser = &admin.browser;
        admin.make("Till 7").await;
        admin.open("Till").await;
        assert_eq!(browser.run(FORM).await, json!(["Till 7", "all", EVERYTHING, "never", "", ""]));
        assert_eq!(browser.texts(".when-custom, .when-date").await, ["", ""]);

        browser.fill("#name", "  ").await;
        browser.click("[value=custom]").await;
        // All are ticked, as the key has all.
        for scope in EVERYTHING.split(' ').filter(|scope| *scope != "chats:read") {
            browser.click(&format!("[value='{scope}']")).await;
        }
        browser.click("[value=date]").await;
        fill_date(&admin, "2020-02-29").await;
        browser.fill("#limit", "600").await;
        browser.click(SAVE).await;
        let wrong = async |problem: &str, next_to: &str| {
            browser.read(problem).await;
            assert_eq!(browser.texts(&format!("{next_to} + .problem")).await, [problem]);
        };
        wrong("Give the key a name, for example that of the app that will use it.", "#name").await;
        let typed =
            |name: &str, scopes: &str, date: &str, limit: &str| json!([name, "custom", scopes, "date", date, limit]);
        assert_eq!(browser.run(FORM).await, typed("", "chats:read", "2020-02-29", "600"));

        browser.fill("#name", "Till 8").await;
        browser.click("[value='chats:read']").await;
        browser.click(SAVE).await;
        wrong("Choose at least one thing that the key may do.", "legend").await;
        assert_eq!(browser.run(FORM).await, typed("Till 8", "", "2020-02-29", "600"));

        browser.click("[value='chats:read']").await;
        browser.click("[value='contacts:block']").await;
        browser.click(SAVE).await;
        wrong("That day is over: choose a later one.", "legend").await;
        assert_eq!(browser.run(FORM).await, typed("Till 8", "chats:read contacts:block", "2020-02-29", "600"));

        fill_date(&admin, "2100-02-28").await;
        browser.fill("#limit", "0").await;
        // Browsers that look at it themselves send no such number.
        browser.run("for (const form of document.forms) form.noValidate = true").await;
        browser.click(SAVE).await;
        wrong("Give a whole number from 1 to 60000, or nothing for no limit.", "#limit").await;
        assert_eq!(browser.run(FORM).await, typed("Till 8", "chats:read contacts:block", "2100-02-28", "0"));
        assert_eq!(browser.texts("h1").await, ["Till 7"]);

        browser.fill("#limit", "60").await;
        browser.click(SAVE).await;
        browser.read("The settings are saved.").await;
        assert_eq!(browser.texts("h1").await, ["Till 8"]);
        let facts = browser.texts(".facts dd").await;
        let of = |number: usize| facts.get(number).map(String::as_str);
        assert_eq!([of(1), of(2)], [Some("chats:read, contacts:block"), Some("all")]);
        assert_eq!([of(4), of(5)], [Some("1 Mar 2100, 00:00 UTC"), Some("60 requests a minute")]);
        let kept = json!(["Till 8", "custom", "chats:read contacts:block", "keep", "", "60"]);
        assert_eq!(browser.run(FORM).await, kept);
        assert_eq!(complaints(browser).await, []);
    }
}
