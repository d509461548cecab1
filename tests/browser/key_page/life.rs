//! What becomes of a key: disabled and enabled, rotated, deleted, and told about in the audit trail.

use reqwest::header::COOKIE;

use super::{Admin, client, complaints};

/// The two keys of a rotation: their names, when they were last used, and how often in a day and in a week.
async fn halves(admin: &Admin) -> Vec<String> {
    let cells = "section[aria-labelledby=rotation] tbody td";
    admin.browser.texts(cells).await
}

#[tokio::test]
async fn a_disabled_key_is_refused_at_once_and_enabled_works_again() {
    for javascript in [true, false] {
        let Some(admin) = Admin::signed_in(javascript).await else { return };
        let key = admin.make("Till 7").await;
        assert_eq!(admin.send(&key).await, 200);
        admin.open("till").await;
        for _ in 0..2 {
            admin.press("disable", "The key is disabled").await;
            assert_eq!(admin.send(&key).await, 401);
            assert_eq!(admin.browser.texts(".head .state").await, ["Disabled"]);
            admin.press("enable", "The key is enabled again").await;
            assert_eq!(admin.send(&key).await, 200);
            assert_eq!(admin.browser.texts(".head .state").await, ["Active"]);
        }
        assert_eq!(complaints(&admin.browser).await, []);
    }
}

#[tokio::test]
async fn a_rotation_can_be_watched_undone_and_ended_and_a_deleted_key_is_gone_but_for_the_trail() {
    for javascript in [true, false] {
        let Some(admin) = Admin::signed_in(javascript).await else { return };
        let browser = &admin.browser;
        let old = admin.make("Till 7").await;
        assert_eq!(admin.send(&old).await, 200);
        admin.open("Till").await;
        browser.click("form[action$='/rotate/'] button").await;
        let undone = browser.value("#key").await;
        browser.read("is accepted until").await;
        browser.click("section > p > a:not(.button)").await;
        browser.read("Two keys are valid").await;
        assert_eq!(halves(&admin).await, ["just now", "1", "1", "never", "0", "0"]);
        assert_eq!([admin.send(&old).await, admin.send(&undone).await], [200, 200]);
        browser.reload().await;
        browser.read("Two keys are valid").await;
        assert_eq!(halves(&admin).await, ["just now", "2", "2", "just now", "1", "1"]);
        admin.press("undo-rotation", "The rotation is undone").await;
        assert_eq!([admin.send(&old).await, admin.send(&undone).await], [200, 401]);

        browser.click("form[action$='/rotate/'] button").await;
        let new = browser.value("#key").await;
        browser.click("section > p > a:not(.button)").await;
        admin.press("end-rotation", "The old key is refused from now on").await;
        let mut statuses = Vec::new();
        for key in [&old, &undone, &new] {
            statuses.push(admin.send(key).await);
        }
        assert_eq!(statuses, [401, 401, 200]);
        assert_eq!(browser.texts(".head .state").await, ["Expired"]);

        browser.read("Only a disabled key can be deleted.").await;
        assert!(browser.texts("#typed-name").await.is_empty());
        admin.press("disable", "The key is disabled").await;
        browser.fill("#typed-name", "till 7").await;
        admin.press("delete", "Type the key's name exactly").await;
        assert_eq!(admin.names_in_list().await, ["Till 7", "Till 7", "Till 7", "made by cargo run"]);
        browser.click("tr:nth-child(3) a").await;
        browser.fill("#typed-name", "Till 7").await;
        admin.press("delete", "The key is deleted.").await;
        assert_eq!(admin.names_in_list().await, ["Till 7", "Till 7", "made by cargo run"]);
        the_trail_tells_it_all(&admin).await;
        assert_eq!(complaints(browser).await, []);
    }
}

async fn the_trail_tells_it_all(admin: &Admin) {
    let browser = &admin.browser;
    admin.visit("audit/").await;
    let what = browser.texts("td[data-label=What]").await;
    let happened = [
        "deleted",
        "disabled",
        "rotation ended",
        "rotated",
        "created",
        "disabled",
        "rotation undone",
        "rotated",
        "created",
        "created",
        "signed in",
    ];
    // Two rows of one change may stand either way round.
    let sorted = |mut texts: Vec<String>| {
        texts.sort_unstable();
        texts
    };
    let by_admin = what.iter().take(happened.len()).cloned().collect();
    assert_eq!(sorted(by_admin), sorted(happened.map(str::to_owned).into()), "{what:?}");
    assert_eq!(what.first().map(String::as_str), Some("deleted"));
    for (who, when) in browser.texts("td[data-label=Who]").await.iter().zip(browser.texts("tbody time").await).take(11)
    {
        assert_eq!(who.split_whitespace().collect::<Vec<_>>(), ["admin", "127.0.0.1"]);
        assert!(when.ends_with(" UTC"), "{when}");
    }
    let href = browser.run("return document.querySelector('.head a').href").await;
    let file = client().get(href.as_str().unwrap()).header(COOKIE, browser.cookies().await).send().await.unwrap();
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"audit-trail.csv\"");
    let file = file.text().await.unwrap();
    assert_eq!(file.lines().next(), Some("at,by,address,action,key_id,key_name,before,after"));
    assert_eq!(file.lines().count(), what.len() + 1, "{file}");
    assert!(file.lines().nth(1).unwrap().contains(",admin,127.0.0.1,deleted,"), "{file}");
}
