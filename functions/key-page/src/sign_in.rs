//! Signing in and out, and setting the first password.

use std::time::Duration;

use admin::{PasswordProof, Prompt, Verdict};
use api::Response;
use askama::Template;
use domain::{Error, Kind, Result};
use secrecy::SecretString;

use crate::answer::{self, Frame};
use crate::visit::{SignedIn, Visit};
use crate::{KeyPage, provider};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInForm<'a> {
    frame: Frame,
    notice: &'a str,
    problem: &'a str,
    asks_for_code: bool,
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpForm<'a> {
    frame: Frame,
    problem: &'a str,
}

pub(crate) fn form(page: &KeyPage, visit: &Visit<'_>, prompt: Prompt) -> Result<Response> {
    let notice = match visit.request.query("done").as_deref() {
        Some("out") => "You are signed out.",
        Some("everywhere") => "You are signed out everywhere.",
        Some("set-up") => "The password is set. Sign in with it.",
        _ => "",
    };
    if let Some(provider) = &page.provider {
        return provider::sign_in(provider, visit, notice);
    }
    let Prompt::Password { one_time_code: asks_for_code } = prompt else {
        return Ok(answer::see_other(visit, "set-up/"));
    };
    answer::page(200, &SignInForm { frame: Frame::outside(visit), notice, problem: "", asks_for_code })
}

pub(crate) async fn sign_in(page: &KeyPage, visit: &Visit<'_>, prompt: Prompt) -> Result<Response> {
    let form = visit.request.form()?;
    let Prompt::Password { one_time_code: asks_for_code } = prompt else {
        return Ok(answer::see_other(visit, "set-up/"));
    };
    let proof = PasswordProof { password: form.text("password").into(), one_time_code: code(form.text("code")) };
    let (problem, status, wait) = match page.admin.sign_in(&proof, visit.browser()).await? {
        Verdict::Proven(signed_in) => return Ok(with_cookies(answer::see_other(visit, ""), visit, &signed_in)),
        Verdict::Refused if asks_for_code => ("The password or the code is wrong.".to_owned(), 401, None),
        Verdict::Refused => ("The password is wrong.".to_owned(), 401, None),
        Verdict::Wait(wait) => (too_soon(wait), 429, Some(wait)),
    };
    let form = SignInForm { frame: Frame::outside(visit), notice: "", problem: &problem, asks_for_code };
    Ok(after(answer::page(status, &form)?, wait))
}

pub(crate) fn set_up_form(visit: &Visit<'_>) -> Result<Response> {
    answer::page(200, &SetUpForm { frame: Frame::outside(visit), problem: "" })
}

pub(crate) async fn set_up(page: &KeyPage, visit: &Visit<'_>) -> Result<Response> {
    let form = visit.request.form()?;
    let password = form.text("password");
    let answered = if password == form.text("repeated") {
        page.admin.set_up(&form.text("token").trim().into(), &password.into(), visit.browser()).await
    } else {
        Err(Error::invalid_field("repeated", "The two passwords are not the same."))
    };
    let (problem, status, wait) = match answered {
        Ok(Verdict::Proven(())) => return Ok(answer::see_other(visit, "sign-in/?done=set-up")),
        Ok(Verdict::Refused) => {
            let problem = "This setup token is not valid: it is wrong, was used already, or is older than 24 hours.";
            (problem.to_owned(), 401, None)
        }
        Ok(Verdict::Wait(wait)) => (too_soon(wait), 429, Some(wait)),
        Err(error) if error.kind() == Kind::Invalid => (error.public().message.clone(), 400, None),
        Err(error) => return Err(error),
    };
    Ok(after(answer::page(status, &SetUpForm { frame: Frame::outside(visit), problem: &problem })?, wait))
}

pub(crate) async fn sign_out(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    if let Some(cookie) = signed_in.visit.browser().session {
        page.admin.sign_out(cookie).await?;
    }
    Ok(signed_out(signed_in.visit, "sign-in/?done=out"))
}

pub(crate) async fn sign_out_everywhere(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    page.admin.sign_out_everywhere(&signed_in.by).await?;
    Ok(signed_out(signed_in.visit, "sign-in/?done=everywhere"))
}

/// With the cookies of a browser that has just signed in.
pub(crate) fn with_cookies(answer: Response, visit: &Visit<'_>, signed_in: &admin::SignedIn) -> Response {
    let answer = answer.cookie(visit.cookies.set_session(signed_in.session.reveal()));
    match &signed_in.device {
        Some(device) => answer.cookie(visit.cookies.set_device(device.reveal())),
        None => answer,
    }
}

fn signed_out(visit: &Visit<'_>, to: &str) -> Response {
    // Not "cookies": that the browser was here before keeps strangers' attempts from delaying it.
    let answer = answer::see_other(visit, to).header("Clear-Site-Data", r#""cache", "storage""#);
    answer.cookie(visit.cookies.end_session())
}

pub(crate) fn code(typed: &str) -> Option<SecretString> {
    // Apps show codes in two groups of three.
    let digits: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
    if digits.is_empty() { None } else { Some(digits.into()) }
}

/// What somebody reads whose attempt was not looked at.
pub(crate) fn too_soon(wait: Duration) -> String {
    let wait = match seconds(wait) {
        1 => "a second".to_owned(),
        seconds @ ..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    };
    format!("There were too many attempts. Try again in {wait}.")
}

fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

pub(crate) fn after(answer: Response, wait: Option<Duration>) -> Response {
    match wait {
        Some(wait) => answer.header("Retry-After", seconds(wait).to_string()),
        None => answer,
    }
}
