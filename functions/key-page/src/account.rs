//! The admin's own page: another password, one-time codes, signing out everywhere.

use admin::{OneTimeSecret, Prompt, Verdict};
use api::Response;
use askama::Template;
use domain::{Error, Kind, Result};
use qrcode::QrCode;
use qrcode::render::svg;
use secrecy::ExposeSecret;

use crate::KeyPage;
use crate::answer::{self, Frame};
use crate::sign_in::{after, code, too_soon, with_cookies};
use crate::visit::SignedIn;

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    frame: Frame,
    notice: &'a str,
    /// Who is signed in, and by which provider; nobody's name where there is but the password.
    person: Option<(String, &'a str)>,
    has_codes: bool,
    /// For an app that makes codes, while there are none: the secret, and a picture of it.
    secret: &'a str,
    picture: String,
    /// Which form is wrong, and how.
    problem: (&'a str, &'a str),
}

pub(crate) async fn page(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    if let Some(provider) = &page.provider {
        let account = Account {
            frame: Frame::new(signed_in, "account"),
            notice: "",
            person: Some((signed_in.session.principal.name(), provider.admin.issuer())),
            has_codes: false,
            secret: "",
            picture: String::new(),
            problem: ("", ""),
        };
        return answer::page(200, &account);
    }
    show(page, signed_in, 200, ("", ""), OneTimeSecret::generate()).await
}

pub(crate) async fn change_password(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let (form, visit) = (signed_in.form()?, signed_in.visit);
    let (current, new) = (form.text("current"), form.text("password"));
    let answered = if new == form.text("repeated") {
        page.admin.change_password(&signed_in.session, &current.into(), &new.into(), visit.browser()).await
    } else {
        Err(Error::invalid_field("repeated", "The two passwords are not the same."))
    };
    match told(answered, "The present password is wrong.")? {
        Ok(opened) => Ok(with_cookies(answer::see_other(visit, "account/?done=password"), visit, &opened)),
        Err(wrong) => wrong.show(page, signed_in, "password", OneTimeSecret::generate()).await,
    }
}

pub(crate) async fn codes_on(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let form = signed_in.form()?;
    let secret = OneTimeSecret::parse(form.text("secret"))?;
    let typed = code(form.text("code")).unwrap_or_default();
    let answered = page.admin.one_time_codes_on(&secret, &typed, &signed_in.by).await;
    match told(answered, "This code is wrong. Check that the clock of the phone is right.")? {
        Ok(()) => Ok(answer::see_other(signed_in.visit, "account/?done=codes-on")),
        Err(wrong) => wrong.show(page, signed_in, "codes", secret).await,
    }
}

pub(crate) async fn codes_off(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let typed = code(signed_in.form()?.text("code")).unwrap_or_default();
    let answered = page.admin.one_time_codes_off(&typed, &signed_in.by, signed_in.visit.browser()).await;
    match told(answered, "This code is wrong, or was used already: wait for the next one.")? {
        Ok(()) => Ok(answer::see_other(signed_in.visit, "account/?done=codes-off")),
        Err(wrong) => wrong.show(page, signed_in, "codes", OneTimeSecret::generate()).await,
    }
}

/// What a form got wrong.
struct Wrong {
    status: u16,
    problem: String,
    wait: Option<std::time::Duration>,
}

/// Parts what a person can mend from what went through, and both from what went wrong.
fn told<T>(answered: Result<Verdict<T>>, refused: &str) -> Result<Result<T, Wrong>> {
    Ok(match answered {
        Ok(Verdict::Proven(proven)) => Ok(proven),
        Ok(Verdict::Refused) => Err(Wrong { status: 400, problem: refused.to_owned(), wait: None }),
        Ok(Verdict::Wait(wait)) => Err(Wrong { status: 429, problem: too_soon(wait), wait: Some(wait) }),
        Err(error) if error.kind() == Kind::Invalid => {
            Err(Wrong { status: 400, problem: error.public().message.clone(), wait: None })
        }
        Err(error) => return Err(error),
    })
}

impl Wrong {
    async fn show(
        self,
        page: &KeyPage,
        signed_in: &SignedIn<'_>,
        form: &str,
        secret: OneTimeSecret,
    ) -> Result<Response> {
        Ok(after(show(page, signed_in, self.status, (form, &self.problem), secret).await?, self.wait))
    }
}

async fn show(
    page: &KeyPage,
    signed_in: &SignedIn<'_>,
    status: u16,
    problem: (&str, &str),
    secret: OneTimeSecret,
) -> Result<Response> {
    let has_codes = matches!(page.admin.prompt().await?, Prompt::Password { one_time_code: true });
    let notice = match signed_in.visit.request.query("done").as_deref() {
        Some("password") => "The password is changed, and every other session is signed out.",
        Some("codes-on") => "From now on, signing in asks for a one-time code.",
        Some("codes-off") => "Signing in does not ask for a one-time code any more.",
        _ => "",
    };
    let account = Account {
        frame: Frame::new(signed_in, "account"),
        notice,
        person: None,
        has_codes,
        secret: secret.reveal(),
        picture: if has_codes { String::new() } else { picture(&secret)? },
        problem,
    };
    answer::page(status, &account)
}

/// The secret as apps read it from the screen: a QR code, as SVG. Dark on light whatever the page's colours, since not
/// every app reads the other way round.
fn picture(secret: &OneTimeSecret) -> Result<String> {
    let code = QrCode::new(secret.uri().expose_secret()).map_err(Error::internal)?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // It stands within HTML: there is no place for what begins a file of its own.
    Ok(svg.split_once("?>").map_or(svg.clone(), |(_, picture)| picture.to_owned()))
}
