//! The simulator's page of phones.

use fantoccini::key::Key;
use meta_simulator::Simulator;

use crate::browser::{Browser, Options};
use crate::stack;

/// The width that a PNG states.
fn width(png: &[u8]) -> u32 {
    u32::from_be_bytes(png.get(16..20).unwrap().try_into().unwrap())
}

#[tokio::test]
async fn the_page_is_fit_for_everybody_in_every_light_and_on_every_screen() {
    let stack = stack().await;
    let url = stack.simulator().map(Simulator::page_url).unwrap();
    for (dark, width, name) in [
        (false, 1280, "phones-light-wide"),
        (true, 1280, "phones-dark-wide"),
        (false, 360, "phones-light-narrow"),
        (true, 360, "phones-dark-narrow"),
    ] {
        let Some(browser) = Browser::open(Options { dark, width, ..Options::default() }).await else { return };
        browser.visit(&url).await;
        assert_eq!(browser.title().await, "Phones – Meta simulator");
        browser.see("#empty").await;
        assert_eq!(self::width(&browser.screenshot(name).await), width);
        assert!(!browser.scrolls_sideways().await, "{name}");
        assert_eq!(browser.axe().await, [], "{name}");
        assert_eq!(browser.console().await, [], "{name}");
    }
}

#[tokio::test]
async fn what_a_page_copies_is_in_the_clipboard() {
    let stack = stack().await;
    let Some(browser) = Browser::open(Options::default()).await else { return };
    let url = stack.simulator().map(Simulator::page_url).unwrap();
    browser.visit(&url).await;
    assert_eq!(browser.url().await, url);
    // Only what a person does may fill it.
    let copy = "addEventListener('keydown', () => { window.copied = navigator.clipboard.writeText('Zoë') })";
    browser.run(copy).await;
    browser.press(&[Key::Enter]).await;
    browser.run("return window.copied").await;
    assert_eq!(browser.clipboard().await, "Zoë");
}
