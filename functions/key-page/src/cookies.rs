//! The two cookies: who is signed in, and which browser was before.

use api::Request;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

/// How long a browser is remembered; its row lives as long.
const DEVICE_LIFE: Duration = Duration::days(180);

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

    /// The session cookie; it is gone when the browser is closed.
    pub(crate) fn set_session(self, value: &str) -> String {
        self.build(self.session(), value, None)
    }

    /// The session cookie, taken away.
    pub(crate) fn end_session(self) -> String {
        self.build(self.session(), "", Some(Duration::ZERO))
    }

    pub(crate) fn set_device(self, value: &str) -> String {
        self.build(self.device(), value, Some(DEVICE_LIFE))
    }

    fn build(self, name: &'static str, value: &str, max_age: Option<Duration>) -> String {
        let mut cookie = Cookie::build((name, value.to_owned()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
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
