//! Every answer of this page, each with all the headers that keep it safe.

use std::sync::LazyLock;

use api::Response;
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Error, Kind, Result};
use sha2::{Digest, Sha256};
use url::Url;

use crate::visit::{SignedIn, Visit};

pub(crate) const STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/copy.js");

/// Nothing is loaded and nothing runs but what stands here by its hash (W3C: "Content Security Policy Level 3").
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; form-action 'self'; base-uri 'none'; object-src 'none'; \
         frame-ancestors 'none'",
        hash(STYLE),
        *SCRIPT_HASH
    )
});

/// The script's hash, as the page names it beside its address.
pub(crate) static SCRIPT_HASH: LazyLock<String> = LazyLock::new(|| hash(SCRIPT));

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// What surrounds the content of every page.
pub(crate) struct Frame {
    /// The path of the page, without its last slash.
    pub(crate) root: String,
    /// What every form brings back; empty for somebody who is not signed in.
    pub(crate) csrf: String,
    /// The part of the page that is open, of those in the heading.
    pub(crate) here: &'static str,
}

impl Frame {
    pub(crate) fn new(signed_in: &SignedIn<'_>, here: &'static str) -> Self {
        Self { root: signed_in.visit.root.clone(), csrf: signed_in.session.csrf_token(), here }
    }

    /// For somebody who is not signed in.
    pub(crate) fn outside(visit: &Visit<'_>) -> Self {
        Self { root: visit.root.clone(), csrf: String::new(), here: "" }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage<'a> {
    pub(crate) frame: Frame,
    pub(crate) title: &'a str,
    pub(crate) message: &'a str,
    /// What to do about it, as a link below the page and its words.
    pub(crate) link: Option<(&'a str, &'a str)>,
}

/// A page.
pub(crate) fn page(status: u16, template: &impl Template) -> Result<Response> {
    let html = template.render().map_err(Error::internal)?;
    Ok(guarded(Response::new(status, "text/html; charset=utf-8", html)))
}

/// On to another page, which is below this one.
pub(crate) fn see_other(visit: &Visit<'_>, below: &str) -> Response {
    let answer = Response::new(303, "text/plain; charset=utf-8", String::new());
    guarded(answer).header("Location", format!("{}/{below}", visit.root))
}

/// On to the provider's own page.
pub(crate) fn leave_for(url: &Url) -> Response {
    let answer = Response::new(303, "text/plain; charset=utf-8", String::new());
    guarded(answer).header("Location", url.as_str())
}

/// The script that adds a button to copy a key.
pub(crate) fn script() -> Response {
    guarded(Response::new(200, "text/javascript; charset=utf-8", SCRIPT.to_owned()))
}

/// A file to save.
pub(crate) fn csv_file(name: &str, text: String) -> Response {
    let answer = Response::new(200, "text/csv; charset=utf-8", text);
    guarded(answer).header("Content-Disposition", format!("attachment; filename=\"{name}\""))
}

pub(crate) fn method_not_allowed(visit: &Visit<'_>, allowed: &str) -> Result<Response> {
    let message = "This address takes forms of this page only.";
    let error =
        ErrorPage { frame: Frame::outside(visit), title: "Not like this", message, link: Some(("", "To the keys")) };
    Ok(page(405, &error)?.header("Allow", allowed))
}

/// What went wrong, for a person. There is no visit when not even the request can be read.
pub(crate) fn error(visit: Option<&Visit<'_>>, error: &Error) -> Response {
    let public = error.public();
    let (title, message) = match public.kind {
        Kind::Unavailable if public.code.is_some() => {
            ("Out of order", "The key page can't reach its storage at the moment. Try again.")
        }
        Kind::Unavailable | Kind::UpstreamUnavailable => ("Out of order", public.message.as_str()),
        Kind::Unauthorized => ("Signed out", public.message.as_str()),
        Kind::NotFound => ("Not found", public.message.as_str()),
        Kind::Forbidden => ("Refused", public.message.as_str()),
        Kind::Conflict => ("Not done", public.message.as_str()),
        Kind::Throttled => ("Too soon", public.message.as_str()),
        Kind::Internal => ("Something went wrong", "That is our fault, and it was written down."),
        _ => ("That does not work", public.message.as_str()),
    };
    let link = match public.kind {
        Kind::Unauthorized => Some(("sign-in/", "Sign in")),
        // Nothing but this, where nothing is configured.
        Kind::Unavailable if public.code.is_none() => None,
        _ => visit.map(|_| ("", "To the keys")),
    };
    let frame = visit.map_or_else(|| Frame { root: String::new(), csrf: String::new(), here: "" }, Frame::outside);
    let rendered = ErrorPage { frame, title, message, link }.render();
    // A page that can't be rendered is still told by its status.
    let html = rendered.unwrap_or_default();
    let answer = guarded(Response::new(Response::status_of(public.kind), "text/html; charset=utf-8", html));
    match public.retry_after_s {
        Some(seconds) => answer.header("Retry-After", seconds.to_string()),
        None => answer,
    }
}

/// The headers of every answer (OWASP: "HTTP Headers Cheat Sheet"). That nobody stores or guesses at it, every answer of
/// the API says anyway.
fn guarded(answer: Response) -> Response {
    answer
        .header("Content-Security-Policy", POLICY.as_str())
        .header("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
        .header("Referrer-Policy", "no-referrer")
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Cross-Origin-Resource-Policy", "same-origin")
        .header("X-Frame-Options", "DENY")
        .header("X-Robots-Tag", "noindex, nofollow")
        .header("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}
