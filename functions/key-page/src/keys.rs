//! The list of keys, and the page of one.

use api::Response;
use askama::Template;
use auth::{KeyRecord, KeyState, Registry};
use domain::{Error, Kind, Result};
use futures::future;

use crate::KeyPage;
use crate::answer::{self, Frame};
use crate::draft::{Draft, Fields};
use crate::visit::SignedIn;
use crate::words::{self, Moment, State, Use};

const KEYS_PER_PAGE: usize = 25;
/// How long the old key may stay valid beside its successor: seconds, and words.
pub(crate) const OVERLAPS: &[(i64, &str)] =
    &[(0, "no longer: it ends at once"), (3_600, "1 hour"), (86_400, "24 hours"), (604_800, "7 days")];

/// A key in the list.
struct Line {
    id: String,
    name: String,
    ends: String,
    /// Its place in a rotation, by which two keys of one name are told apart.
    note: &'static str,
    state: State,
    scopes: String,
    accounts: String,
    created: Moment,
    used: Use,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct List {
    frame: Frame,
    notice: &'static str,
    search: String,
    keys: Vec<Line>,
    next: Option<String>,
    is_first_page: bool,
}

/// The page of one key. What was typed into one of its forms, and is wrong, stands in `fields` or in `delete_problem`.
#[derive(Template)]
#[template(path = "key.html")]
struct KeyDetails<'a> {
    frame: Frame,
    notice: &'static str,
    key: &'a KeyRecord,
    ends: String,
    state: State,
    scopes: String,
    accounts: String,
    created: Moment,
    expires: Option<Moment>,
    used: Use,
    rotation: Option<Rotation>,
    can_rotate: bool,
    successor_id: String,
    overlaps: &'static [(i64, &'static str)],
    fields: Fields,
    /// What was typed to delete it, and why that is wrong.
    typed_name: &'a str,
    delete_problem: &'a str,
}

/// A key and its successor, of which this page's is one.
struct Rotation {
    old_id: String,
    ends_at: Moment,
    left: String,
    halves: Vec<Half>,
}

/// One of the two keys of a rotation.
struct Half {
    which: &'static str,
    id: String,
    name: String,
    ends: String,
    used: Use,
}

/// What a form of a key's page got wrong.
#[derive(Default)]
pub(crate) struct Wrong<'a> {
    pub(crate) settings: Option<(Draft, &'a Error)>,
    /// The name that was typed to delete it, and why that is wrong.
    pub(crate) delete: (&'a str, &'a str),
}

pub(crate) async fn list(page: &KeyPage, signed_in: &SignedIn<'_>) -> Result<Response> {
    let request = signed_in.visit.request;
    let search = request.query("q").unwrap_or_default().trim().chars().take(255).collect::<String>();
    let after = signed_in.visit.id_in_query("after");
    let found = page.registry.newest(&search, after.as_deref(), KEYS_PER_PAGE).await?;
    let usage = page.usage.of(found.keys.iter().map(|key| key.id.as_str())).await?;
    let now = page.clock.now();
    let line = |(key, used): (&KeyRecord, &auth::KeyUse)| Line {
        id: key.id.clone(),
        name: key.name.clone(),
        ends: words::ends(key),
        note: match (&key.successor_id, &key.predecessor_id) {
            (Some(_), _) => "replaced by a newer key",
            (None, Some(_)) => "replaces an older key",
            (None, None) => "",
        },
        state: State::new(key, now),
        scopes: words::scopes(&key.scopes),
        accounts: words::accounts(key.accounts.as_ref(), page.accounts.as_ref()),
        created: Moment::day(key.created_at),
        used: Use::new(used, now),
    };
    let list = List {
        frame: Frame::new(signed_in, "keys"),
        notice: notice(request.query("done").as_deref()),
        keys: found.keys.iter().zip(&usage).map(line).collect(),
        next: found.next,
        is_first_page: after.is_none(),
        search,
    };
    answer::page(200, &list)
}

pub(crate) async fn show(page: &KeyPage, signed_in: &SignedIn<'_>, id: &str) -> Result<Response> {
    show_with(page, signed_in, id, 200, Wrong::default()).await
}

/// The page of a key, with what a form got wrong.
pub(crate) async fn show_with(
    page: &KeyPage,
    signed_in: &SignedIn<'_>,
    id: &str,
    status: u16,
    wrong: Wrong<'_>,
) -> Result<Response> {
    let key = page.registry.find(id).await?;
    let key = key.ok_or_else(|| Error::new(Kind::NotFound, "There is no such key. Perhaps it was deleted."))?;
    let (rotation, used) = future::try_join(rotation(page, &key), page.usage.of([key.id.as_str()])).await?;
    let now = page.clock.now();
    let (draft, error) = wrong.settings.map_or_else(|| (Draft::of(&key), None), |(draft, error)| (draft, Some(error)));
    let details = KeyDetails {
        frame: Frame::new(signed_in, "keys"),
        notice: notice(signed_in.visit.request.query("done").as_deref()),
        ends: words::ends(&key),
        state: State::new(&key, now),
        scopes: words::scopes(&key.scopes),
        accounts: words::accounts(key.accounts.as_ref(), page.accounts.as_ref()),
        created: Moment::new(key.created_at),
        expires: key.expires_at.map(Moment::new),
        used: Use::new(used.first().unwrap_or(&auth::KeyUse::default()), now),
        rotation,
        can_rotate: matches!(key.state(now), KeyState::Active | KeyState::ExpiresSoon),
        successor_id: Registry::new_id(),
        overlaps: OVERLAPS,
        fields: draft.fields(page.accounts.as_ref(), key.expires_at, error),
        typed_name: wrong.delete.0,
        delete_problem: wrong.delete.1,
        key: &key,
    };
    answer::page(status, &details)
}

/// The rotation that a key is part of, as the old key or as the new one, while both are accepted.
async fn rotation(page: &KeyPage, key: &KeyRecord) -> Result<Option<Rotation>> {
    let now = page.clock.now();
    let (old, new) = match (&key.successor_id, &key.predecessor_id) {
        (Some(successor), _) if key.state(now) == KeyState::Rotating => {
            (key.clone(), page.registry.find(successor).await?)
        }
        (_, Some(predecessor)) => match page.registry.find(predecessor).await? {
            Some(old) => (old, Some(key.clone())),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let Some(retires_at) = old.retires_at.filter(|_| old.state(now) == KeyState::Rotating) else { return Ok(None) };
    let halves: Vec<_> = [("Old key", Some(&old)), ("New key", new.as_ref())]
        .into_iter()
        .filter_map(|(which, key)| Some((which, key?)))
        .collect();
    let usage = page.usage.of(halves.iter().map(|(_, key)| key.id.as_str())).await?;
    let half = |((which, key), used): (&(&'static str, &KeyRecord), &auth::KeyUse)| Half {
        which,
        id: key.id.clone(),
        name: key.name.clone(),
        ends: words::ends(key),
        used: Use::new(used, now),
    };
    Ok(Some(Rotation {
        old_id: old.id.clone(),
        ends_at: Moment::new(retires_at),
        left: words::span(retires_at.duration_since(now)),
        halves: halves.iter().zip(&usage).map(half).collect(),
    }))
}

/// What the last request did, in words: one of a few, whatever the address says.
fn notice(done: Option<&str>) -> &'static str {
    match done {
        Some("disabled") => "The key is disabled: requests with it are refused from now on.",
        Some("enabled") => "The key is enabled again.",
        Some("settings") => "The settings are saved. They count from the next request.",
        Some("ended") => "The old key is refused from now on.",
        Some("undone") => "The rotation is undone: the old key stays, and its successor is disabled.",
        Some("deleted") => "The key is deleted. What was done with it stays in the audit trail.",
        _ => "",
    }
}
