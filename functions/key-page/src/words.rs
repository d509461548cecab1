//! How things are said: moments, keys, scopes and states, in words for people.

use std::collections::BTreeSet;

use auth::{KeyRecord, KeyState, KeyUse};
use domain::{AccountId, Accounts, Scope};
use jiff::{SignedDuration, Timestamp};

/// The scopes of a key that only sends.
pub(crate) const SEND: &[Scope] = &[Scope::MessagesSend];
/// The scopes of a key that only reads.
pub(crate) const READ: &[Scope] = &Scope::READ;

/// A moment, for programs and for people.
pub(crate) struct Moment {
    pub(crate) iso: String,
    pub(crate) text: String,
}

impl Moment {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self { iso: at.to_string(), text: at.strftime("%-d %b %Y, %H:%M UTC").to_string() }
    }

    /// The day alone.
    pub(crate) fn day(at: Timestamp) -> Self {
        Self { text: at.strftime("%-d %b %Y").to_string(), ..Self::new(at) }
    }

    /// How long ago it was.
    pub(crate) fn ago(at: Timestamp, now: Timestamp) -> Self {
        let text = match now.duration_since(at) {
            age if age < SignedDuration::from_mins(1) => "just now".to_owned(),
            age => format!("{} ago", span(age)),
        };
        Self { text, ..Self::new(at) }
    }
}

/// A time span in its largest unit, rounded down.
pub(crate) fn span(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    let (count, unit) = match minutes {
        ..1 => return "less than a minute".to_owned(),
        1..60 => (minutes, "minute"),
        60..1440 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// How a key is recognised: its first and last characters.
pub(crate) fn ends(key: &KeyRecord) -> String {
    match (&key.first_four, &key.last_four) {
        (Some(first), Some(last)) => format!("{first}…{last}"),
        _ => "too short to show".to_owned(),
    }
}

/// What a key may do.
pub(crate) fn scopes(held: &BTreeSet<String>) -> String {
    let is = |scopes: &[Scope]| held.len() == scopes.len() && scopes.iter().all(|scope| held.contains(scope.as_str()));
    match held {
        _ if is(&Scope::ALL) => "everything".to_owned(),
        _ if is(SEND) => "send only".to_owned(),
        _ if is(READ) => "read only".to_owned(),
        held if held.is_empty() => "nothing".to_owned(),
        held => held.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// What a scope lets a key do.
pub(crate) const fn right(scope: Scope) -> &'static str {
    match scope {
        Scope::MessagesSend => "Send messages",
        Scope::ChatsRead => "Read chats",
        Scope::CampaignsRead => "Read campaigns",
        Scope::CampaignsWrite => "Make, start and stop campaigns",
        Scope::ContactsBlock => "Block and unblock contacts",
        Scope::EventsRead => "Read what WhatsApp tells of templates and the account",
    }
}

/// The accounts that a key may use.
pub(crate) fn accounts(allowed: Option<&BTreeSet<AccountId>>, known: Option<&Accounts>) -> String {
    let Some(allowed) = allowed else { return "all".to_owned() };
    let name = |id: &AccountId| {
        let account = known.and_then(|accounts| accounts.iter().find(|account| account.id == *id));
        account.map_or_else(|| id.to_string(), account_name)
    };
    allowed.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// An account's name, and its id by which clients ask for it.
pub(crate) fn account_name(account: &domain::Account) -> String {
    match account.name.as_str() {
        "" => format!("Account {}", account.id),
        name => format!("{name} ({})", account.id),
    }
}

/// A key's state: a word, a class for its looks, and what else there is to say.
pub(crate) struct State {
    pub(crate) word: &'static str,
    pub(crate) class: &'static str,
    pub(crate) more: String,
}

impl State {
    pub(crate) fn new(key: &KeyRecord, now: Timestamp) -> Self {
        let left = |at: Option<Timestamp>| at.map(|at| format!("{} left", span(at.duration_since(now))));
        let over = |at: Option<Timestamp>| at.map(|at| Moment::ago(at, now).text);
        let (word, class, more) = match key.state(now) {
            KeyState::Active => ("Active", "active", None),
            KeyState::ExpiresSoon => ("Expires soon", "soon", left(key.expires_at)),
            KeyState::Rotating => ("Rotating", "rotating", left(key.retires_at)),
            KeyState::Expired => ("Expired", "expired", over(key.retires_at.or(key.expires_at))),
            KeyState::Disabled => ("Disabled", "disabled", None),
        };
        Self { word, class, more: more.unwrap_or_default() }
    }
}

/// How much a key is used, with a small drawing of the last seven days.
pub(crate) struct Use {
    pub(crate) last: Option<Moment>,
    pub(crate) day: String,
    pub(crate) week: String,
    pub(crate) bars: Vec<Bar>,
}

/// A day in the drawing, in its units: 28 high.
pub(crate) struct Bar {
    pub(crate) x: usize,
    pub(crate) y: u64,
    pub(crate) height: u64,
    /// Without a request: it keeps the drawing's ground, no more.
    pub(crate) is_empty: bool,
}

impl Use {
    pub(crate) fn new(of: &KeyUse, now: Timestamp) -> Self {
        const HIGHEST: u64 = 28;
        let days = of.by_day();
        let most = days.iter().copied().max().unwrap_or_default().max(1);
        let bar = |(number, requests): (usize, u64)| {
            let height = (requests.saturating_mul(HIGHEST) / most).max(1);
            Bar { x: number * 10, y: HIGHEST - height, height, is_empty: requests == 0 }
        };
        Self {
            last: of.last_used_at.map(|at| Moment::ago(at, now)),
            day: count(of.last_day()),
            week: count(of.last_week()),
            bars: days.into_iter().enumerate().map(bar).collect(),
        }
    }
}

/// A number with spaces between its thousands.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let grouped = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    grouped.collect::<Vec<_>>().join("\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_by_its_largest_unit() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let ago = |seconds: i64| Moment::ago(now - SignedDuration::from_secs(seconds), now).text;
        for (seconds, text) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (864_000, "10 days ago"),
        ] {
            assert_eq!(ago(seconds), text);
        }
        assert_eq!(Moment::new(now).text, "2 Jan 2026, 03:04 UTC");
    }

    #[test]
    fn a_large_number_is_easy_to_read() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    }

    #[test]
    fn scopes_are_told_by_their_preset_or_by_their_names() {
        let told = |held: &[&str]| scopes(&held.iter().map(|scope| (*scope).to_owned()).collect());
        assert_eq!(told(&Scope::ALL.map(Scope::as_str)), "everything");
        assert_eq!(told(&["messages:send"]), "send only");
        assert_eq!(told(&["chats:read", "campaigns:read", "events:read"]), "read only");
        assert_eq!(told(&["chats:read", "phones:dance"]), "chats:read, phones:dance");
        assert_eq!(told(&[]), "nothing");
    }
}
