//! `/whatsapp/settings/api-keys/`: the page where admins make, disable and rotate API keys.
//!
//! Plain HTML from the server. Nothing needs JavaScript; the one script there is adds a button that copies a new key.
//!
//! Every request takes the same way: its route is looked up in the table of `routes.rs`, a request that changes
//! something must come from this very page, and all but signing in needs a session. Only then a handler runs.

mod account;
mod answer;
mod audit_trail;
mod change_key;
mod cookies;
mod dispatch;
mod draft;
mod keys;
mod make_key;
mod provider;
mod routes;
mod setup;
mod sign_in;
mod visit;
mod words;

use admin::Admin;
use api::{Endpoint, Request, Response, Route};
use auth::{Registry, Usage};
use domain::{Accounts, Clock, Error, Kind, Result};
use storage::AuditTrail;

pub use crate::provider::return_url;
pub use crate::setup::{Provider, ProviderEntries};

use crate::routes::{Found, Needs};
use crate::visit::{SignedIn, Visit};

/// The endpoint, and all that it may touch.
#[derive(Clone)]
pub struct KeyPage {
    /// The keys.
    pub registry: Registry,
    /// How much they are used.
    pub usage: Usage,
    /// Who changed what.
    pub audit: AuditTrail,
    /// Who may, where people sign in with the password.
    pub admin: Admin,
    /// Who may, where they sign in by an OpenID provider. Then no password opens the page.
    pub provider: Option<Provider>,
    /// The accounts that a key may be limited to; none if they are not known yet.
    pub accounts: Option<Accounts>,
    /// What time it is.
    pub clock: Clock,
    /// Whether this is the local stack: then plain HTTP will do on localhost.
    pub is_local: bool,
}

impl Endpoint for KeyPage {
    const ROUTE: Route = Route::pages("key-page", "/whatsapp/settings/api-keys/");

    async fn call(&self, request: &Request) -> Result<Response> {
        let visit = Visit::new(request, self.is_local);
        let session = self.session(&visit).await?;
        // Without a way in, and none to make one, there is nothing here.
        let prompt = if session.is_none() { Some(self.must_be_configured().await?) } else { None };
        let (row, id) = match routes::find(request.method(), visit.below, self.way()) {
            Found::Row(row, id) => (row, id),
            Found::OtherMethods(allowed) => return answer::method_not_allowed(&visit, &allowed),
            Found::Nothing => return Err(Error::new(Kind::NotFound, "There is no such page.")),
        };
        if row.is_unsafe() {
            visit.must_come_from_this_page()?;
        }
        if row.needs == Needs::Nothing {
            return self.without_session(row.to, &visit, prompt).await;
        }
        let Some(session) = session else {
            if row.is_unsafe() {
                let message = "You are signed out, and nothing was changed. Sign in and try again.";
                return Err(Error::new(Kind::Unauthorized, message));
            }
            return Ok(answer::see_other(&visit, "sign-in/"));
        };
        let signed_in = SignedIn::new(&visit, session)?;
        self.with_session(row.to, id, &signed_in).await
    }

    fn tell(&self, request: Option<&Request>, error: &Error) -> Response {
        answer::error(request.map(|request| Visit::new(request, self.is_local)).as_ref(), error)
    }
}

#[cfg(test)]
mod tests;
