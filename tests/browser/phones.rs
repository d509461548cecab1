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

#[tokio::test]
async fn a_customer_answers_in_every_type_from_the_page() {
    let stack = stack().await;
    let simulator = stack.simulator().unwrap();
    let Some(browser) = Browser::open(Options::default()).await else { return };
    browser.visit(&simulator.page_url()).await;
    let to_the_phone = format!(
        "fetch('/v25.0/{}/messages', {{ method: 'POST', \
           headers: {{ 'content-type': 'application/json', authorization: 'Bearer {}' }}, \
           body: JSON.stringify({{ messaging_product: 'whatsapp', to: '919876543210', type: 'text', \
             text: {{ body: 'Hello!' }} }}) }})",
        meta_simulator::PHONE_NUMBER_ID,
        meta_simulator::ACCESS_TOKEN
    );
    browser.run(&to_the_phone).await;
    browser.click("#phones button").await;
    let mut count = 1;
    browser.see("#messages article").await;
    let kinds = [
        "text",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
        "nfm_reply",
        "system",
        "unsupported",
        "raw",
        "reaction",
        "edit",
        "revoke",
    ];
    let offered = browser.run("return [...document.querySelectorAll('#kind option')].map((kind) => kind.value)").await;
    assert_eq!(offered, serde_json::json!(kinds));
    for kind in kinds {
        match kind {
            // What is about a message is chosen at that message.
            "reaction" | "edit" | "revoke" => browser.click(&format!("[data-act={kind}]")).await,
            _ => {
                let choose = format!(
                    "const kind = document.getElementById('kind'); kind.value = '{kind}'; \
                     kind.dispatchEvent(new Event('change'))"
                );
                browser.run(&choose).await;
            }
        }
        let filled: &[(&str, &str)] = match kind {
            "text" => &[("#text", "Hi")],
            "contacts" => &[("[name=name]", "Ann"), ("[name=phone]", "+16505551234")],
            "system" => &[("[name=wa_id]", "919876500000")],
            "edit" => &[("#fields [name=text]", "Hello")],
            _ => &[],
        };
        for (field, text) in filled {
            browser.fill(field, text).await;
        }
        browser.click("#answer [type=submit]").await;
        count += 1;
        browser.see(&format!("#messages article:nth-of-type({count})")).await;
    }
    assert_eq!(browser.axe().await, []);
    assert_eq!(browser.console().await, []);
    browser.screenshot("phones-answers").await;
}
