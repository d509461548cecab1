//! From a row of the table of routes to its handler.

use admin::{Prompt, Session};
use api::Response;
use domain::{Error, Kind, Result};

use crate::routes::{To, Way};
use crate::visit::{SignedIn, Visit};
use crate::{KeyPage, Provider, account, answer, audit_trail, change_key, keys, make_key, provider, sign_in};

impl KeyPage {
    /// `prompt`: what signing in asks for; `None` for somebody who is signed in.
    pub(crate) async fn without_session(&self, to: To, visit: &Visit<'_>, prompt: Option<Prompt>) -> Result<Response> {
        match (to, prompt) {
            (To::SignInForm, Some(prompt)) => sign_in::form(self, visit, prompt),
            (To::SignInForm | To::Begin | To::Return, None) => Ok(answer::see_other(visit, "")),
            (To::SignIn, Some(prompt)) => sign_in::sign_in(self, visit, prompt).await,
            (To::SignIn, None) => sign_in::sign_in(self, visit, self.must_be_configured().await?).await,
            (To::Begin, Some(_)) => provider::begin(self.by_provider()?, visit).await,
            (To::Return, Some(_)) => provider::arrive(self.by_provider()?, visit).await,
            (To::SetUpForm, _) => sign_in::set_up_form(visit),
            (To::SetUp, _) => sign_in::set_up(self, visit).await,
            (To::Script, _) => Ok(answer::script()),
            _ => Err(Error::internal("a page that needs a session is asked for without one")),
        }
    }

    pub(crate) async fn with_session(&self, to: To, id: &str, signed_in: &SignedIn<'_>) -> Result<Response> {
        match to {
            To::Keys => keys::list(self, signed_in).await,
            To::Key => keys::show(self, signed_in, id).await,
            To::AddForm => make_key::form(self, signed_in),
            To::Add => make_key::add(self, signed_in).await,
            To::Rotate => make_key::rotate(self, signed_in, id).await,
            To::Set => change_key::set(self, signed_in, id).await,
            To::Delete => change_key::delete(self, signed_in, id).await,
            To::Disable | To::Enable | To::EndRotation | To::UndoRotation => {
                change_key::at_once(self, signed_in, id, to).await
            }
            To::Trail => audit_trail::page(self, signed_in).await,
            To::TrailCsv => audit_trail::csv(self, signed_in).await,
            To::SignOut => sign_in::sign_out(self, signed_in).await,
            To::SignOutEverywhere => sign_in::sign_out_everywhere(self, signed_in).await,
            To::ChangePassword => account::change_password(self, signed_in).await,
            To::CodesOn => account::codes_on(self, signed_in).await,
            To::CodesOff => account::codes_off(self, signed_in).await,
            To::Account => account::page(self, signed_in).await,
            To::SignInForm | To::SignIn | To::Begin | To::Return | To::SetUpForm | To::SetUp | To::Script => {
                Err(Error::internal("a page that needs no session is asked for with one"))
            }
        }
    }

    pub(crate) async fn session(&self, visit: &Visit<'_>) -> Result<Option<Session>> {
        match (visit.browser().session, &self.provider) {
            (Some(cookie), Some(provider)) => provider.admin.find_session(cookie).await,
            (Some(cookie), None) => self.admin.find_session(cookie).await,
            (None, _) => Ok(None),
        }
    }

    /// How people sign in.
    pub(crate) fn way(&self) -> Way {
        if self.provider.is_some() { Way::Provider } else { Way::Password }
    }

    fn by_provider(&self) -> Result<&Provider> {
        self.provider.as_ref().ok_or_else(|| Error::internal("a provider's page is asked for where there is none"))
    }

    /// What signing in asks for; an error where there is no way in, and none to make one.
    pub(crate) async fn must_be_configured(&self) -> Result<Prompt> {
        let prompt = match &self.provider {
            Some(provider) => provider.admin.prompt().await?,
            None => self.admin.prompt().await?,
        };
        match prompt {
            Prompt::NotConfigured => Err(Error::new(Kind::Unavailable, "The key page is not configured.")),
            prompt => Ok(prompt),
        }
    }
}
