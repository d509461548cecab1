//! Who gets in.

use super::{Admin, PASSWORD, SUBMIT, complaints, until_done};

/// Sends a password from a form that shows no problem yet, so that what is seen afterwards is the answer to it.
async fn attempt(admin: &Admin, password: &str) {
    admin.visit("sign-in/").await;
    admin.browser.fill("#password", password).await;
    admin.browser.click(SUBMIT).await;
}

/// The answer to a wrong password.
async fn refused(admin: &Admin) -> String {
    attempt(admin, "wrong horse").await;
    admin.browser.see("#problem").await;
    admin.browser.texts("#problem").await.concat()
}

#[tokio::test]
async fn only_the_password_opens_the_page_and_signing_out_closes_it() {
    for javascript in [true, false] {
        let Some(admin) = Admin::new(javascript).await else { return };
        let browser = &admin.browser;
        admin.visit("").await;
        assert_eq!(browser.title().await, "Sign in – WhatsApp Gateway");
        assert_eq!(browser.url().await, admin.url("sign-in/"));
        assert_eq!(refused(&admin).await, "The password is wrong.");
        // Each attempt makes the next wait twice as long, so that sooner or later one comes too early.
        let too_early = loop {
            let problem = refused(&admin).await;
            if problem != "The password is wrong." {
                break problem;
            }
        };
        assert!(too_early.starts_with("There were too many attempts. Try again in "), "{too_early}");
        until_done(browser, ".search", async || attempt(&admin, PASSWORD).await).await;
        assert_eq!(browser.texts("tbody th a").await, ["made by cargo run"]);

        browser.click("header form button").await;
        browser.read("You are signed out.").await;
        // The page before is not to be had again: it leads to a form that says nothing of signing out.
        browser.back().await;
        browser.see("section:not(:has(.notice)) #password").await;
        assert_eq!(browser.url().await, admin.url("sign-in/"));
        for below in ["", "add/", "audit/", "account/"] {
            admin.visit(below).await;
            assert_eq!(browser.url().await, admin.url("sign-in/"), "{below}");
            assert!(!admin.html().await.contains("made by cargo run"), "{below}");
        }
        assert_eq!(complaints(browser).await, []);
    }
}
