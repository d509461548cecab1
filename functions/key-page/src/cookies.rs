//! The cookies: who is signed in, which browser was before, and which is on its way to the provider and back.

use api::Request;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

/// How long a browser is remembered; its row lives as long.
const DEVICE_LIFE: Duration = Duration::days(180);

/// How long somebody may take at the provider; the handshake's row lives as long.
const HANDSHAKE_LIFE: Duration = Duration::minutes(10);

/// What the cookies are called. Behind `__Host-` a browser takes one only over HTTPS, and from this host alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// `false` for plain HTTP on this very machine, where browsers take no such cookie.
    pub(crate) is_secure: bool,
}

impl Names {
    pub(crate) const fn session(self) -> &'static str {
        if self.is_secure { "__Host-whatsapp-session" } else { "whatsapp-session" }
    }

    pub(crate) const fn device(self) -> &'static str {
        if self.is_secure { "__Host-whatsapp-device" } else { "whatsapp-device" }
    }

    pub(crate) const fn handshake(self) -> &'static str {
        if self.is_secure { "__Host-whatsapp-handshake" } else { "whatsapp-handshake" }
    }

    /// The session cookie; it is gone when the browser is closed.
    pub(crate) fn set_session(self, value: &str) -> String {
        self.build(self.session(), value, None, SameSite::Strict)
    }

    /// The session cookie, taken away.
    pub(crate) fn end_session(self) -> String {
        self.build(self.session(), "", Some(Duration::ZERO), SameSite::Strict)
    }

    pub(crate) fn set_device(self, value: &str) -> String {
        self.build(self.device(), value, Some(DEVICE_LIFE), SameSite::Strict)
    }

    /// It comes back by a link of the provider's, which is another site: `Strict` would keep it away.
    pub(crate) fn set_handshake(self, value: &str) -> String {
        self.build(self.handshake(), value, Some(HANDSHAKE_LIFE), SameSite::Lax)
    }

    /// The handshake cookie, taken away.
    pub(crate) fn end_handshake(self) -> String {
        self.build(self.handshake(), "", Some(Duration::ZERO), SameSite::Lax)
    }

    fn build(self, name: &'static str, value: &str, max_age: Option<Duration>, same_site: SameSite) -> String {
        let mut cookie = Cookie::build((name, value.to_owned()))
            .path("/")
            .http_only(true)
            .same_site(same_site)
            .secure(self.is_secure)
            .build();
        cookie.set_max_age(max_age);
        cookie.to_string()
    }
}

/// The value of a cookie. One that came twice counts not at all: one of the two was planted.
pub(crate) fn value<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let pairs = request
        .cookies()
        .into_iter()
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}
