//! The page where admins make, disable and rotate API keys.

mod account;
mod injection;
mod keyboard;
mod life;
mod looks;
mod new_key;
mod provider;
mod session;
mod settings;
mod sign_in;

use std::time::Duration;

use local::Stack;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::json;

use crate::browser::{Browser, Message, Options};
use crate::stack_with;

/// The longest until an attempt is let through.
const PATIENCE: Duration = Duration::from_mins(1);
const PASSWORD: &str = "correct horse battery";
/// The button of a page's own form, not that of the heading.
const SUBMIT: &str = "main form .actions button";

/// A stack with a password.
async fn stack() -> Stack {
    stack_with(&["--local-admin-password", PASSWORD]).await
}

/// Somebody with a browser, and a stack of their own.
struct Admin {
    browser: Browser,
    stack: Stack,
}

impl Admin {
    /// With a browser in which nobody is signed in.
    async fn new(javascript: bool) -> Option<Self> {
        let browser = Browser::open(Options { javascript, ..Options::default() }).await?;
        Some(Self { browser, stack: stack().await })
    }

    /// Looking at the list of keys.
    async fn signed_in(javascript: bool) -> Option<Self> {
        let admin = Self::new(javascript).await?;
        sign_in(&admin.browser, &admin.stack).await;
        Some(admin)
    }

    /// The address of what is below the list.
    fn url(&self, below: &str) -> String {
        format!("{}{below}", self.stack.key_page_url())
    }

    async fn visit(&self, below: &str) {
        self.browser.visit(&self.url(below)).await;
    }

    /// Makes a key by the form, and gives it.
    async fn make(&self, name: &str) -> String {
        self.visit("add/").await;
        self.browser.fill("#name", name).await;
        self.browser.click(SUBMIT).await;
        self.browser.value("#key").await
    }

    /// Opens the page of the only key with a name, by a search for it.
    async fn open(&self, name: &str) {
        self.visit("").await;
        self.browser.fill("#q", name).await;
        self.browser.click(".search button").await;
        self.browser.see(".search a").await;
        self.browser.click("tbody th a").await;
        self.browser.see("#rotate, #switch").await;
    }

    /// Presses a button of the page of a key, and waits for the words that tell what it did.
    async fn press(&self, form: &str, notice: &str) {
        self.browser.click(&format!("form[action$='/{form}/'] button")).await;
        self.browser.read(notice).await;
    }

    /// The status of what the API answers to somebody who sends a message with this key.
    async fn send(&self, key: &str) -> u16 {
        let url = format!("{}/whatsapp/api/send-message/", self.stack.api_url());
        let message = json!({ "phone": "+919876543210", "message": "Hello!" });
        client().post(url).header("X-API-Key", key).json(&message).send().await.unwrap().status().as_u16()
    }

    async fn names_in_list(&self) -> Vec<String> {
        self.visit("").await;
        self.browser.texts("tbody th a").await
    }

    /// All that the browser has of the page, shown or not.
    async fn html(&self) -> String {
        self.browser.run("return document.documentElement.outerHTML").await.as_str().unwrap().to_owned()
    }
}

/// Signs in, in a browser in which nobody is.
async fn sign_in(browser: &Browser, stack: &Stack) {
    browser.visit(&stack.key_page_url()).await;
    browser.fill("#password", PASSWORD).await;
    browser.click(SUBMIT).await;
    browser.see(".search, .empty").await;
}

fn client() -> Client {
    // An error is another test of this process that was faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

/// Does it until it is neither too early nor, in the meantime, too late. Each attempt begins with a page that tells of no
/// problem, so that what is seen afterwards is the answer to it.
async fn until_done(browser: &Browser, done: &str, mut attempt: impl AsyncFnMut()) {
    let attempts = async {
        loop {
            attempt().await;
            browser.see(&format!("{done}, .problem")).await;
            if browser.texts(".problem").await.is_empty() {
                return;
            }
        }
    };
    let attempts = tokio::time::timeout(PATIENCE, attempts).await;
    assert!(attempts.is_ok(), "not done in {PATIENCE:?}");
}

/// What the console got, but for what Chromium always tells: the statuses of refused forms, and that signing out
/// cleared what it should; and but for what it tells of the OpenID provider's own pages, at another address than ours.
async fn complaints(browser: &Browser) -> Vec<Message> {
    let is_status = |message: &Message| {
        message.source == "network" && message.text.contains("the server responded with a status of 4")
    };
    let is_told = |message: &Message| message.level == "INFO" && message.text.contains("Clear-Site-Data header");
    let is_elsewhere =
        |message: &Message| ["http://localhost:", "https://fonts."].iter().any(|from| message.text.starts_with(from));
    let is_usual = |message: &Message| is_status(message) || is_told(message) || is_elsewhere(message);
    browser.console().await.into_iter().filter(|message| !is_usual(message)).collect()
}
