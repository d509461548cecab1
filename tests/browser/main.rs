//! The pages in a real browser: Chromium, by way of `ChromeDriver`.
//!
//! A test opens a [`Browser`](browser::Browser), which is `None` where this machine lacks what it takes; that skips the
//! test, unless `BROWSER_TESTS=required`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what goes wrong here fails the test")]

mod arrivals;
mod axe;
mod browser;
mod driver;
mod harness;
mod key_page;
mod openid_provider;
mod phones;
mod tools;
mod turn;

use clap::Parser;
use local::{Settings, Stack};

/// A stack of its own for one test, on free ports and with no data from before.
async fn stack() -> Stack {
    stack_with(&[]).await
}

/// The same, with more on its command line.
async fn stack_with(settings: &[&str]) -> Stack {
    let nowhere =
        ["local", "--port", "0", "--dynamodb-port", "0", "--simulator-port", "0", "--local-data-dir", ":memory:"];
    Stack::start(Settings::parse_from(nowhere.iter().chain(settings))).await.unwrap()
}
