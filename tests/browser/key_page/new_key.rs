//! Making keys.

use super::{Admin, SUBMIT, complaints};

#[tokio::test]
async fn a_key_is_shown_once_and_a_reload_makes_no_second_one() {
    for javascript in [true, false] {
        let Some(admin) = Admin::signed_in(javascript).await else { return };
        let browser = &admin.browser;
        browser.click("main .button").await;
        browser.fill("#name", "Till 7").await;
        browser.click("[value=send]").await;
        browser.fill("#limit", "600").await;
        browser.click(SUBMIT).await;
        let key = browser.value("#key").await;
        assert_eq!(browser.texts("h1").await, ["The key for Till 7"]);
        browser.read("It may: send only").await;
        assert!(browser.texts("pre").await.concat().contains(&key));
        if javascript {
            browser.click(".secret button").await;
            browser.read("Copied").await;
            assert_eq!(browser.clipboard().await, key);
        }
        // Without JavaScript a button that copies would do nothing.
        assert_eq!(browser.texts("main button").await.len(), usize::from(javascript));
        assert_eq!(admin.send(&key).await, 200);

        browser.reload().await;
        browser.read("This key was made already.").await;
        assert!(!admin.html().await.contains(&key));
        assert_eq!(admin.names_in_list().await, ["Till 7", "made by cargo run"]);
        let row = browser.texts("tbody tr:first-child td").await;
        let [state, may_do, accounts, _, last_used, day, week] = row.as_slice() else { panic!("{row:?}") };
        assert_eq!(
            [state, may_do, accounts, last_used, day, week],
            ["Active", "send only", "all", "just now", "1", "1"]
        );
        browser.click("tbody tr:first-child a").await;
        browser.read("600 requests a minute").await;
        assert!(!admin.html().await.contains(&key));
        for below in ["", "audit/", "audit/?key=", "add/"] {
            admin.visit(below).await;
            assert!(!admin.html().await.contains(&key), "{below}");
        }
        assert_eq!(complaints(browser).await, []);
    }
}
