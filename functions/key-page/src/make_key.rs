//! Making keys: a new one, or the successor of one. A key is shown once, in the answer to the form that made it.

use api::Response;
use askama::Template;
use auth::{ApiKey, KeyRecord, Registry};
use domain::{Error, Kind, Result, Scope};
use jiff::SignedDuration;

use crate::KeyPage;
use crate::answer::{self, Frame, SCRIPT_HASH};
use crate::draft::{Draft, Fields};
use crate::keys::OVERLAPS;
use crate::visit::SignedIn;
use crate::words::{self, Moment};

#[derive(Template)]
#[template(path = "add.html")]
struct AddForm {
    frame: Frame,
    /// The id that the key will have: sending the form again makes no second one.
    id: String,
    fields: Fields,
}

#[derive(Template)]
#[template(path = "made.html")]
struct Made<'a> {
    frame: Frame,
    script_hash: &'a str,
    key: &'a str,
    record: &'a KeyRecord,
    scopes: String,
    expires: Option<Moment>,
    /// A command line to try the key with, if it may do anything that can be tried so.
    command: Option<String>,
    /// The key whose place it takes, and until when that is accepted; `None`: no longer.
    old: Option<(&'a KeyRecord, Option<Moment>)>,
}

pub(crate) fn form(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let fields = Draft::new().fields(page.accounts.as_ref(), None, None);
    answer::page(200, &AddForm { frame: Frame::new(signed_in, "keys"), id: Registry::new_id(), fields })
}

pub(crate) async fn add(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let form = signed_in.form()?;
    let (draft, id) = (Draft::from_form(form), form.text("id"));
    let settings = match draft.settings(page.accounts.as_ref(), None, page.clock.now()) {
        Ok(settings) => settings,
        Err(error) if error.kind() == Kind::Invalid => {
            let fields = draft.fields(page.accounts.as_ref(), None, Some(&error));
            return answer::page(400, &AddForm { frame: Frame::new(signed_in, "keys"), id: id.to_owned(), fields });
        }
        Err(error) => return Err(error),
    };
    let (key, record) = page.registry.create(id, settings, &signed_in.by).await?;
    shown_once(signed_in, &key, &record, None)
}

pub(crate) async fn rotate(page: &KeyPage, signed_in: &SignedIn<'_>, id: &str) -> Result<Response> {
    let form = signed_in.form()?;
    let seconds =
        form.text("overlap").parse().ok().filter(|given| OVERLAPS.iter().any(|(seconds, _)| seconds == given));
    let seconds = seconds.ok_or_else(|| Error::invalid_field("overlap", "Choose how long the old key stays valid."))?;
    let overlap = SignedDuration::from_secs(seconds);
    let (key, record, old) = page.registry.rotate(id, form.text("id"), overlap, &signed_in.by).await?;
    let until = old.retires_at.filter(|_| !overlap.is_zero()).map(Moment::new);
    shown_once(signed_in, &key, &record, Some((&old, until)))
}

fn shown_once(
    signed_in: &SignedIn<'_>,
    key: &ApiKey,
    record: &KeyRecord,
    old: Option<(&KeyRecord, Option<Moment>)>,
) -> Result<Response> {
    let made = Made {
        frame: Frame::new(signed_in, "keys"),
        script_hash: SCRIPT_HASH.as_str(),
        key: key.reveal(),
        record,
        scopes: words::scopes(&record.scopes),
        expires: record.expires_at.map(Moment::new),
        command: command(&signed_in.visit.api_url, key, record),
        old,
    };
    answer::page(200, &made)
}

fn command(api_url: &str, key: &ApiKey, record: &KeyRecord) -> Option<String> {
    let may = |scope: Scope| record.scopes.contains(scope.as_str());
    let header = format!("  -H 'X-API-Key: {}'", key.reveal());
    if may(Scope::MessagesSend) {
        let body = r#"{"phone": "+919876543210", "message": "Hello!"}"#;
        let json = "  -H 'Content-Type: application/json'";
        let url = format!("{api_url}/whatsapp/api/send-message/");
        return Some(format!("curl -X POST {url} \\\n{header} \\\n{json} \\\n  -d '{body}'"));
    }
    // Of what only reads, the first that the key may.
    let readings = [(Scope::ChatsRead, "chats"), (Scope::ContactsBlock, "blocked"), (Scope::EventsRead, "events")];
    let (_, path) = readings.into_iter().find(|(scope, _)| may(*scope))?;
    Some(format!("curl {api_url}/whatsapp/api/{path}/ \\\n{header}"))
}
