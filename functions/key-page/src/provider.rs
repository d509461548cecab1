//! Signing in by an OpenID provider: to it, and back.

use admin::{Arrival, Identity, Returned, Verdict};
use api::Response;
use askama::Template;
use domain::{Error, Kind, Result};
use secrecy::SecretString;

use crate::Provider;
use crate::answer::{self, ErrorPage, Frame};
use crate::sign_in::with_cookies;
use crate::visit::Visit;

/// Where the provider sends the browser back to, below the page.
const RETURN: &str = "sign-in/return/";
/// Where template.yaml puts our name at the provider, if not into the environment.
const STAGE_VARIABLE: &str = "OidcClientId";

#[derive(Template)]
#[template(path = "sign_in_by_provider.html")]
struct SignInPage<'a> {
    frame: Frame,
    notice: &'a str,
    issuer: &'a str,
}

/// What stands between the provider's site and this one: a browser that is sent on from there keeps the session cookie
/// back, and one that goes on from here brings it along.
#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage {
    frame: Frame,
    name: String,
}

#[derive(Template)]
#[template(path = "not_listed.html")]
struct NotListedPage<'a> {
    frame: Frame,
    name: String,
    /// By which the list may name them.
    entries: Vec<String>,
    issuer: &'a str,
}

/// The address that the provider must know, for a page at this address.
pub fn return_url(page_url: &str) -> String {
    format!("{page_url}{RETURN}")
}

pub(crate) fn sign_in(provider: &Provider, visit: &Visit<'_>, notice: &str) -> Result<Response> {
    answer::page(200, &SignInPage { frame: Frame::outside(visit), notice, issuer: provider.admin.issuer() })
}

/// Sends the browser to the provider. A link, not a form: the policy of this page keeps forms from leading elsewhere.
pub(crate) async fn begin(provider: &Provider, visit: &Visit<'_>) -> Result<Response> {
    if visit.is_sent_by_another_site() {
        return Ok(answer::see_other(visit, "sign-in/"));
    }
    let begun = provider.admin.begin(client_id(provider, visit)?, &return_url(&visit.page_url())).await?;
    Ok(answer::leave_for(&begun.url).cookie(visit.cookies.set_handshake(begun.handshake.reveal())))
}

/// Takes the browser that comes back. It comes by a link of another site, so that there is no session and no form: what
/// binds it to the way there is the handshake's cookie.
pub(crate) async fn arrive(provider: &Provider, visit: &Visit<'_>) -> Result<Response> {
    let given = |name: &str| visit.request.query(name).filter(|value| !value.is_empty());
    let (state, issuer, error) = (given("state").unwrap_or_default(), given("iss"), given("error"));
    let code = given("code").map(SecretString::from);
    let returned = Returned {
        handshake: visit.handshake,
        state: &state,
        issuer: issuer.as_deref(),
        code: code.as_ref(),
        error: error.as_deref(),
        client_id: client_id(provider, visit)?,
        redirect_uri: &return_url(&visit.page_url()),
    };
    let arrival = provider.admin.arrive(&returned).await?;
    let (status, title, message) = match arrival {
        Arrival::Somebody(identity) => return let_in(provider, visit, identity).await,
        // The cookie stays: this may be about another handshake than the one that is under way.
        Arrival::NotBegun => {
            let message = "This sign-in was not begun in this browser, was used already, or took longer than ten minutes. Begin anew.";
            return problem(visit, 400, "Not signed in", message);
        }
        Arrival::Declined => (403, "Not signed in", "The provider did not let you in, or you did not go on there."),
        Arrival::Refused => {
            let message = "What the provider said was not accepted. Begin anew; if it stays so, the log says why.";
            (401, "Not signed in", message)
        }
    };
    Ok(problem(visit, status, title, message)?.cookie(visit.cookies.end_handshake()))
}

async fn let_in(provider: &Provider, visit: &Visit<'_>, identity: Identity) -> Result<Response> {
    let frame = Frame::outside(visit);
    let answer = match provider.admin.sign_in(&identity, visit.browser()).await? {
        Verdict::Proven(signed_in) => {
            let page = answer::page(200, &SignedInPage { frame, name: identity.name() })?;
            with_cookies(page, visit, &signed_in)
        }
        Verdict::Refused | Verdict::Wait(_) => {
            let entries = identity.email.clone().into_iter().chain([identity.subject_entry()]).collect();
            let issuer = provider.admin.issuer();
            answer::page(403, &NotListedPage { frame, name: identity.name(), entries, issuer })?
        }
    };
    Ok(answer.cookie(visit.cookies.end_handshake()))
}

fn problem(visit: &Visit<'_>, status: u16, title: &str, message: &str) -> Result<Response> {
    let link = Some(("sign-in/", "Sign in"));
    answer::page(status, &ErrorPage { frame: Frame::outside(visit), title, message, link })
}

fn client_id<'a>(provider: &'a Provider, visit: &'a Visit<'_>) -> Result<&'a str> {
    let own = provider.client_id.as_deref();
    let client_id = own.or_else(|| visit.request.stage_variable(STAGE_VARIABLE)).filter(|id| !id.is_empty());
    client_id.ok_or_else(|| Error::new(Kind::Unavailable, "The key page is not configured."))
}
