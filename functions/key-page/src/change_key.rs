//! Changing a key: each form of its page.

use api::Response;
use domain::{Error, Kind, Result};

use crate::KeyPage;
use crate::answer;
use crate::draft::Draft;
use crate::keys::{self, Wrong};
use crate::routes::To;
use crate::visit::SignedIn;

/// What a button does by itself.
pub(crate) async fn at_once(page: &KeyPage, signed_in: &SignedIn<'_>, id: &str, to: To) -> Result<Response> {
    let (registry, by) = (&page.registry, &signed_in.by);
    let done = match to {
        To::Disable => registry.set_active(id, false, by).await.map(|_| "disabled"),
        To::Enable => registry.set_active(id, true, by).await.map(|_| "enabled"),
        To::EndRotation => registry.end_rotation(id, by).await.map(|_| "ended"),
        To::UndoRotation => registry.undo_rotation(id, by).await.map(|_| "undone"),
        _ => Err(Error::internal("no button does this")),
    };
    Ok(answer::see_other(signed_in.visit, &format!("{id}/?done={}", done?)))
}

pub(crate) async fn set(page: &KeyPage, signed_in: &SignedIn<'_>, id: &str) -> Result<Response> {
    let form = signed_in.form()?;
    let draft = Draft::from_form(form);
    let version = form.text("version").parse();
    let version = version.map_err(|_| Error::invalid_field("version", "The form is incomplete: open it again."))?;
    let key = page.registry.find(id).await?.ok_or_else(|| Error::new(Kind::NotFound, "There is no such key."))?;
    let settings = match draft.settings(page.accounts.as_ref(), key.expires_at, page.clock.now()) {
        Ok(settings) => settings,
        Err(error) if error.kind() == Kind::Invalid => {
            let wrong = Wrong { settings: Some((draft, &error)), ..Wrong::default() };
            return keys::show_with(page, signed_in, id, 400, wrong).await;
        }
        Err(error) => return Err(error),
    };
    page.registry.set(id, version, settings, &signed_in.by).await?;
    Ok(answer::see_other(signed_in.visit, &format!("{id}/?done=settings")))
}

pub(crate) async fn delete(page: &KeyPage, signed_in: &SignedIn<'_>, id: &str) -> Result<Response> {
    let typed = signed_in.form()?.text("name");
    match page.registry.delete(id, typed, &signed_in.by).await {
        Ok(_) => Ok(answer::see_other(signed_in.visit, "?done=deleted")),
        Err(error) if error.kind() == Kind::Invalid => {
            let wrong = Wrong { delete: (typed, &error.public().message), ..Wrong::default() };
            keys::show_with(page, signed_in, id, 400, wrong).await
        }
        Err(error) => Err(error),
    }
}
