//! That the browser is what the other tests take it for: a test that can't fail proves nothing.

use fantoccini::key::Key;
use serde_json::json;

use crate::browser::{Browser, Options};

const FORM: &str = "data:text/html,<html lang=en><title>Form</title><main><h1>Form</h1>\
    <label>Name <input></label> <details><summary>More</summary><p>Here it is</details></main>";

#[tokio::test]
async fn javascript_is_on_or_off_as_asked_for() {
    for (javascript, title) in [(true, "on"), (false, "off")] {
        let Some(browser) = Browser::open(Options { javascript, ..Options::default() }).await else { return };
        browser.visit("data:text/html,<title>off</title><script>document.title = 'on'</script>").await;
        assert_eq!(browser.title().await, title);
        assert_eq!(browser.run("return Promise.resolve(document.title)").await, title);
    }
}

#[tokio::test]
async fn a_window_has_the_size_and_the_colors_asked_for_on_every_page() {
    for (dark, width) in [(false, 1280), (true, 360)] {
        let Some(browser) = Browser::open(Options { dark, width, ..Options::default() }).await else { return };
        let script = "return [document.documentElement.clientWidth, innerHeight,
            matchMedia('(prefers-color-scheme: dark)').matches]";
        for (content, sideways) in [
            ("small", false),
            ("<pre style='height: 2000px'>long</pre>", false),
            ("<pre style='width: 2000px'>large</pre>", true),
        ] {
            browser.visit(&format!("data:text/html,{content}")).await;
            assert_eq!(browser.run(script).await, json!([width, 800, dark]));
            assert_eq!(browser.scrolls_sideways().await, sideways);
        }
    }
}

#[tokio::test]
async fn a_keyboard_is_enough_with_and_without_javascript() {
    for javascript in [true, false] {
        let Some(browser) = Browser::open(Options { javascript, ..Options::default() }).await else { return };
        browser.visit(FORM).await;
        browser.press(&[Key::Tab]).await;
        assert_eq!(browser.focused().await, r#"textbox "Name""#);
        browser.type_text("Zoë").await;
        assert_eq!(browser.value("input").await, "Zoë");
        browser.press(&[Key::Tab]).await;
        assert_eq!(browser.focused().await, r#"DisclosureTriangle "More""#);
        assert_eq!(browser.texts("p").await, [""]);
        browser.press(&[Key::Enter]).await;
        browser.read("Here it is").await;
        assert_eq!(browser.texts("h1, p").await, ["Form", "Here it is"]);
        browser.press(&[Key::Shift, Key::Tab]).await;
        assert_eq!(browser.focused().await, r#"textbox "Name""#);
        browser.fill("input", "Ann").await;
        browser.click("summary").await;
        assert_eq!((browser.value("input").await.as_str(), browser.texts("p").await), ("Ann", vec![String::new()]));
    }
}

#[tokio::test]
async fn the_console_tells_what_a_content_security_policy_stops() {
    let Some(browser) = Browser::open(Options::default()).await else { return };
    browser.visit(FORM).await;
    assert_eq!(browser.console().await, []);
    let policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">";
    browser.visit(&format!("data:text/html,{policy}<style>p {{ color: red }}</style>")).await;
    let console = browser.console().await;
    let [message] = console.as_slice() else { panic!("{console:?}") };
    assert_eq!((message.level.as_str(), message.source.as_str()), ("SEVERE", "security"));
    assert!(message.text.contains("Content Security Policy"), "{}", message.text);
}

#[tokio::test]
async fn axe_finds_what_is_wrong_whatever_scripts_the_page_allows() {
    let policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">";
    for (javascript, policy) in [(true, ""), (true, policy), (false, policy)] {
        let Some(browser) = Browser::open(Options { javascript, ..Options::default() }).await else { return };
        browser.visit(FORM).await;
        assert_eq!(browser.axe().await, []);
        let bad = "<html lang=en><title>Bad</title><img src=x><font color=silver>Pale</font>";
        browser.visit(&format!("data:text/html,{policy}{bad}")).await;
        let _ = browser.console().await;
        let violations = browser.axe().await;
        let rules: Vec<_> = violations.iter().map(|violation| violation.rule.as_str()).collect();
        assert_eq!(rules, ["color-contrast", "image-alt"], "{violations:?}");
        assert_eq!(browser.console().await, []);
    }
}
