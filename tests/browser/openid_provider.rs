//! A real OpenID provider, as a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::tools;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/browser/openid-provider.mjs");

/// A running provider. It ends when this is dropped, or with the test's process: its standard input closes.
pub(crate) struct OpenIdProvider {
    process: Child,
    lines: BufReader<ChildStdout>,
    issuer: String,
}

impl OpenIdProvider {
    /// Starts one with these settings, on any free port. `None` where the machine lacks what it takes.
    pub(crate) fn start(settings: &Value) -> Option<Self> {
        let (node, package) = tools::openid_provider()?;
        let mut process = Command::new(node)
            .args([PROGRAM, &settings.to_string()])
            .env("OIDC_PROVIDER", package)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut provider = Self { process, lines, issuer: String::new() };
        provider.issuer = provider.next_line();
        Some(provider)
    }

    /// What it calls itself.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Tells it the one address that it may send browsers back to. From then on it takes them.
    pub(crate) fn send_back_to(&mut self, url: &str) {
        writeln!(self.process.stdin.as_ref().unwrap(), "{url}").unwrap();
        assert_eq!(self.next_line(), "ready");
    }

    fn next_line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.lines.read_line(&mut line).unwrap() > 0, "the provider does not start");
        line.trim_end().to_owned()
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // An error here would hide what the test found.
        let _ = self.process.wait();
    }
}
