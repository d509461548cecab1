//! What a request brings along: where the page stands, who sends it, and whether it comes from this very page.

use admin::{Browser, Session};
use api::{Endpoint, Form, Request};
use domain::{Error, Kind, Result};
use storage::Actor;

use crate::cookies::{self, Names};
use crate::{KeyPage, routes};

/// A request, as all handlers need it.
pub(crate) struct Visit<'a> {
    pub(crate) request: &'a Request,
    /// The path of the page without its last slash, with whatever stage or base path stands before it.
    pub(crate) root: String,
    /// What stands in the path below that.
    pub(crate) below: &'a str,
    /// The address of the whole API, without a slash at its end.
    pub(crate) api_url: String,
    pub(crate) cookies: Names,
    session: Option<&'a str>,
    device: Option<&'a str>,
    /// The handshake cookie, as it came.
    pub(crate) handshake: Option<&'a str>,
}

impl<'a> Visit<'a> {
    pub(crate) fn new(request: &'a Request, is_local: bool) -> Self {
        let (before, below) = request.around();
        let host = request.header("host").filter(|host| is_host(host)).unwrap_or("localhost");
        let is_plain_http = is_local && is_this_machine(host) && request.header("x-forwarded-proto") != Some("https");
        let cookies = Names { is_secure: !is_plain_http };
        Self {
            root: format!("{before}{}", KeyPage::ROUTE.path.trim_end_matches('/')),
            api_url: format!("{}://{host}{before}", if is_plain_http { "http" } else { "https" }),
            below,
            session: cookies::value(request, cookies.session()),
            device: cookies::value(request, cookies.device()),
            handshake: cookies::value(request, cookies.handshake()),
            cookies,
            request,
        }
    }

    pub(crate) fn browser(&self) -> Browser<'a> {
        Browser { session: self.session, device: self.device, address: self.request.source_ip() }
    }

    /// The address of the page, as other sites know it.
    pub(crate) fn page_url(&self) -> String {
        format!("{}{}", self.api_url, KeyPage::ROUTE.path)
    }

    /// Whether another site made the browser come here. Browsers that don't say it are not asked.
    pub(crate) fn is_sent_by_another_site(&self) -> bool {
        matches!(self.request.header("sec-fetch-site"), Some("cross-site" | "same-site"))
    }

    /// An id in a query parameter. What is none is passed over: it would not be in any table.
    pub(crate) fn id_in_query(&self, name: &str) -> Option<String> {
        self.request.query(name).filter(|id| routes::is_id(id))
    }

    /// Refuses what another site makes a browser send. Browsers say where a request comes from in `Sec-Fetch-Site`; those
    /// that don't must say it in `Origin`.
    pub(crate) fn must_come_from_this_page(&self) -> Result<()> {
        let own_origin = self.api_url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let comes_from_here = match (self.request.header("sec-fetch-site"), self.request.header("origin")) {
            // With `Referrer-Policy: no-referrer` a browser sends the origin `null` even to the page itself.
            (Some(site), origin) => {
                site == "same-origin" && origin.is_none_or(|origin| origin == "null" || origin == own_origin)
            }
            (None, origin) => origin == Some(own_origin.as_str()),
        };
        if comes_from_here { Ok(()) } else { Err(refused("This request does not come from the key page.")) }
    }
}

/// A visit of somebody who is signed in.
pub(crate) struct SignedIn<'a> {
    pub(crate) visit: &'a Visit<'a>,
    pub(crate) session: Session,
    /// Who stands in the audit trail.
    pub(crate) by: Actor,
    /// The form that was sent; there is one in every request that changes something.
    form: Option<Form>,
}

impl<'a> SignedIn<'a> {
    /// Reads the form, too, if one is sent: it must hold this session's token.
    pub(crate) fn new(visit: &'a Visit<'a>, session: Session) -> Result<Self> {
        let by = session.actor(visit.request.source_ip());
        let form = if visit.request.method() == "GET" { None } else { Some(visit.request.form()?) };
        if form.as_ref().is_some_and(|form| !session.is_csrf_token(form.text("csrf"))) {
            return Err(refused("This form belongs to another session, and nothing was changed. Open the page again."));
        }
        Ok(Self { visit, session, by, form })
    }

    pub(crate) fn form(&self) -> Result<&Form> {
        self.form.as_ref().ok_or_else(|| Error::internal("a form is read where none is sent"))
    }
}

fn refused(message: &str) -> Error {
    Error::new(Kind::Forbidden, message).code("not_from_this_page")
}

/// Whether a `Host` header is one, and may stand in a link.
fn is_host(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(is_plain)
}

fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    ["localhost", "127.0.0.1", "[::1]"].contains(&name.map_or(host, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_itself_goes_without_https() {
        for here in ["localhost", "localhost:9000", "127.0.0.1:1", "[::1]:9000", "[::1]"] {
            assert!(is_this_machine(here), "{here}");
        }
        for elsewhere in ["localhost.example.com", "127.0.0.1.example.com", "example.com:9000", "192.168.1.2", ""] {
            assert!(!is_this_machine(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_host_that_could_break_out_of_a_link_is_none() {
        assert!(is_host("abc123.execute-api.eu-central-1.amazonaws.com") && is_host("[::1]:9000"));
        for odd in ["", "a b", "a/b", "a'b", "a\"b", "<b>", "a@b", "a\\b", &"a".repeat(256)] {
            assert!(!is_host(odd), "{odd}");
        }
    }
}
