//! The simulator's page that shows a campaign arriving.

use fantoccini::key::Key;
use meta_simulator::{ACCESS_TOKEN, PHONE_NUMBER_ID, Simulator};

use crate::browser::{Browser, Options};

/// A script that sends a template to phones with consecutive numbers, from the page itself.
fn send(first: u64, count: u32) -> String {
    format!(
        "const send = (to) => fetch('/v25.0/{PHONE_NUMBER_ID}/messages', {{ method: 'POST', \
           headers: {{ 'content-type': 'application/json', authorization: 'Bearer {ACCESS_TOKEN}' }}, \
           body: JSON.stringify({{ messaging_product: 'whatsapp', to: String(to), type: 'template', \
             template: {{ name: 'hello_world', language: {{ code: 'en_US' }} }} }}) }}); \
         return (async () => {{ for (let i = 0; i < {count}; i += 1) await send({first} + i); }})()"
    )
}

#[tokio::test]
async fn the_page_is_fit_for_everybody_before_and_while_a_campaign_arrives() {
    let simulator = Simulator::start().await.unwrap();
    for (dark, width, name) in [
        (false, 1280, "arrivals-light-wide"),
        (true, 1280, "arrivals-dark-wide"),
        (false, 360, "arrivals-light-narrow"),
        (true, 360, "arrivals-dark-narrow"),
    ] {
        simulator.reset();
        let Some(browser) = Browser::open(Options { dark, width, ..Options::default() }).await else { return };
        browser.visit(&simulator.arrivals_url()).await;
        assert_eq!(browser.title().await, "Arrivals – Meta simulator");
        browser.see("#empty").await;
        browser.read("hello_world").await;
        assert_eq!(browser.axe().await, [], "{name}, empty");
        assert!(!browser.scrolls_sideways().await, "{name}, empty");

        // More phones than there are squares, and one whose message fails.
        browser.run(&send(919_876_500_000, 419)).await;
        browser.run(&send(15_552_131_026, 1)).await;
        browser.see("#squares .failed").await;
        browser.read("399 read").await;
        assert_eq!(browser.texts("#accepted, #read, #failed").await, ["420", "419", "1"], "{name}");
        assert_eq!(browser.texts("#most-count, #most-told").await, ["1", "Nobody got two."], "{name}");
        assert_eq!(browser.run("return document.querySelectorAll('#squares button').length").await, 400, "{name}");
        assert_eq!(browser.axe().await, [], "{name}");
        assert!(!browser.scrolls_sideways().await, "{name}");
        assert_eq!(browser.console().await, [], "{name}");
        browser.screenshot(name).await;
    }
}

#[tokio::test]
async fn a_phone_is_looked_at_with_a_mouse_or_with_keys() {
    let simulator = Simulator::start().await.unwrap();
    let Some(browser) = Browser::open(Options::default()).await else { return };
    browser.visit(&simulator.arrivals_url()).await;
    browser.run(&send(919_876_500_000, 3)).await;
    browser.read("3 read").await;
    browser.click("#squares button:nth-child(2)").await;
    browser.read("Welcome! This message was sent from the simulated WhatsApp Cloud API.").await;
    assert_eq!(browser.texts("#detail-title").await, ["+919876500001"]);
    assert_eq!(browser.focused().await, r#"button "+919876500001: read""#);
    browser.press(&[Key::Right]).await;
    assert_eq!(browser.focused().await, r#"button "+919876500002: read""#);
    browser.press(&[Key::Home]).await;
    browser.press(&[Key::Enter]).await;
    browser.read("+919876500000").await;
    browser.press(&[Key::Shift, Key::Tab]).await;
    browser.press(&[Key::Tab]).await;
    assert_eq!(browser.focused().await, r#"button "+919876500000: read""#, "the squares are one stop");
    browser.press(&[Key::Enter]).await;
    browser.read("No phone chosen").await;
    assert_eq!(browser.console().await, []);
}

#[tokio::test]
async fn whoever_got_a_template_twice_stands_out_until_a_reset() {
    let simulator = Simulator::start().await.unwrap();
    let Some(browser) = Browser::open(Options::default()).await else { return };
    browser.visit(&simulator.arrivals_url()).await;
    browser.run(&send(919_876_500_000, 3)).await;
    browser.read("Nobody got two.").await;
    browser.run(&send(919_876_500_001, 1)).await;
    browser.read("+919876500001 got hello_world (en_US) 2 times. 1 phone got a template more than once.").await;
    browser.see("#most.bad").await;
    assert_eq!(browser.axe().await, []);
    simulator.reset();
    browser.read("Nothing has arrived yet").await;
}

#[tokio::test]
async fn the_two_pages_lead_to_each_other() {
    let simulator = Simulator::start().await.unwrap();
    let Some(browser) = Browser::open(Options::default()).await else { return };
    browser.visit(&simulator.page_url()).await;
    browser.click(".pages a[href='/arrivals']").await;
    browser.read("Nothing has arrived yet").await;
    assert_eq!(browser.title().await, "Arrivals – Meta simulator");
    browser.click(".pages a[href='/']").await;
    browser.read("No messages yet").await;
    assert_eq!(browser.title().await, "Phones – Meta simulator");
}
