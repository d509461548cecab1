//! The page without a mouse.

use fantoccini::key::Key;

use super::{Admin, PASSWORD, complaints};

const HEADING: [&str; 6] = [
    r#"link "Skip to the content""#,
    r#"link "WhatsApp Gateway""#,
    r#"link "API keys""#,
    r#"link "Audit trail""#,
    r#"link "Account""#,
    r#"button "Sign out""#,
];
/// Whether what has the focus has a frame around it, within the window.
const IS_SEEN: &str = "const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    const { top, bottom, width, height } = document.activeElement.getBoundingClientRect();
    return outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2 && top >= 0 && bottom <= innerHeight
        && width > 10 && height > 10;";

/// Goes on with the tabulator and meets these.
async fn tab(admin: &Admin, names: &[&str]) {
    for name in names {
        admin.browser.press(&[Key::Tab]).await;
        assert_eq!(admin.browser.focused().await, *name);
        assert_eq!(admin.browser.run(IS_SEEN).await, true, "{name}");
    }
}

#[tokio::test]
async fn a_keyboard_is_enough_to_sign_in_and_to_make_a_key() {
    for javascript in [true, false] {
        let Some(admin) = Admin::new(javascript).await else { return };
        let browser = &admin.browser;
        admin.visit("").await;
        // The field is the first thing to fill; above it is what every page begins with.
        assert_eq!(browser.focused().await, r#"textbox "Password""#);
        browser.press(&[Key::Shift, Key::Tab]).await;
        assert_eq!(browser.focused().await, r#"link "WhatsApp Gateway""#);
        browser.press(&[Key::Shift, Key::Tab]).await;
        assert_eq!(browser.focused().await, r#"link "Skip to the content""#);
        assert_eq!(browser.run(IS_SEEN).await, true);
        browser.press(&[Key::Enter]).await;
        tab(&admin, &[r#"textbox "Password""#]).await;
        browser.type_text(PASSWORD).await;
        tab(&admin, &[r#"button "Sign in""#]).await;
        browser.press(&[Key::Space]).await;
        browser.see(".search").await;

        tab(&admin, &HEADING).await;
        let list = [
            r#"link "Add a key""#,
            r#"searchbox "Search by name""#,
            r#"button "Search""#,
            r#"link "made by cargo run""#,
        ];
        tab(&admin, &list).await;
        for _ in 0..3 {
            browser.press(&[Key::Shift, Key::Tab]).await;
        }
        assert_eq!(browser.focused().await, r#"link "Add a key""#);
        browser.press(&[Key::Enter]).await;
        browser.see("#limit").await;

        // To the content at once, past the heading.
        tab(&admin, &[r#"link "Skip to the content""#]).await;
        browser.press(&[Key::Enter]).await;
        tab(&admin, &[r#"textbox "Name""#]).await;
        browser.type_text("Till 7").await;
        let form = [r#"radio "do everything""#, r#"radio "never""#, r#"spinbutton "Requests per minute""#];
        tab(&admin, &form).await;
        browser.type_text("600").await;
        tab(&admin, &[r#"button "Make the key""#, r#"link "Cancel""#]).await;
        browser.press(&[Key::Shift, Key::Tab]).await;
        browser.press(&[Key::Enter]).await;
        let key = browser.value("#key").await;

        tab(&admin, &HEADING).await;
        tab(&admin, &[r#"textbox "API key""#]).await;
        if javascript {
            tab(&admin, &[r#"button "Copy""#]).await;
            browser.press(&[Key::Space]).await;
            browser.read("Copied").await;
            assert_eq!(browser.clipboard().await, key);
        }
        // It scrolls, so that a keyboard must get there.
        browser.press(&[Key::Tab]).await;
        tab(&admin, &[r#"link "I have copied it""#]).await;
        browser.press(&[Key::Enter]).await;
        browser.see(".search").await;
        assert_eq!(browser.texts("tbody th a").await, ["Till 7", "made by cargo run"]);
        assert_eq!(admin.send(&key).await, 200);
        assert_eq!(complaints(browser).await, []);
    }
}
