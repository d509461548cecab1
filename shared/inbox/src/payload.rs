//! A webhook's body, item by item: one that can't be read never keeps its siblings from being read.

use domain::Account;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use storage::Report;

use crate::message::{self, Message};
use crate::preference::{self, Wish};
use crate::status;
use crate::words::Words;

/// What a webhook told.
#[derive(Debug, Default)]
pub(crate) struct Told<'a> {
    pub(crate) messages: Vec<Message>,
    pub(crate) statuses: Vec<Report>,
    pub(crate) wishes: Vec<Wish>,
    pub(crate) events: Vec<Event<'a>>,
}

/// What is kept as it came.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) waba_id: String,
    pub(crate) kind: String,
    /// When Meta says that it happened.
    pub(crate) told_at: Option<Timestamp>,
    pub(crate) came_at: Timestamp,
    pub(crate) content: &'a [u8],
    /// Why it was not understood.
    pub(crate) problem: Option<&'static str>,
}

/// What is known before a body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    /// The accounts for whose app the body was signed: at least one.
    pub(crate) signers: &'a [&'a Account],
    /// By which words contacts say what they want.
    pub(crate) words: &'a Words,
    /// When the body came.
    pub(crate) now: Timestamp,
}

/// Why something is kept for a person.
type Problem = &'static str;

/// The kind of what can't be read.
const NOT_UNDERSTOOD: &str = "not_understood";
/// The last second of which the milliseconds have 13 digits.
const LAST_SECOND: i64 = 9_999_999_999;
/// Longer than any of Meta's names of what changed.
const LONGEST_FIELD: usize = 100;

#[derive(Deserialize)]
struct Envelope<'a> {
    object: Option<String>,
    #[serde(borrow)]
    entry: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    id: Option<Value>,
    time: Option<Value>,
    #[serde(borrow)]
    changes: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Change<'a> {
    field: Option<String>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// The members of a change's value that count.
#[derive(Deserialize)]
struct Content<'a> {
    metadata: Option<Metadata>,
    contacts: Option<Value>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    statuses: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    user_preferences: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Metadata {
    phone_number_id: Option<String>,
}

/// Where something stands in the body, and when the entry says that it happened.
#[derive(Clone, Copy)]
struct Place<'a> {
    waba_id: &'a str,
    at: Option<Timestamp>,
}

impl<'a> Reader<'a> {
    /// Reads a body. Whatever it holds ends up somewhere.
    pub(crate) fn read<'b>(&self, body: &'b [u8]) -> Told<'b> {
        let mut told = Told::default();
        let nowhere = Place { waba_id: self.signers.first().map_or("", |account| account.waba_id.as_str()), at: None };
        let envelope = std::str::from_utf8(body).ok().and_then(parse::<Envelope<'_>>);
        let entries = envelope
            .filter(|envelope| envelope.object.as_deref() == Some("whatsapp_business_account"))
            .and_then(|envelope| items(envelope.entry?));
        match entries {
            None => told.events.push(self.not_understood(nowhere, body, "it is no webhook of WhatsApp Business")),
            Some(entries) => entries.into_iter().for_each(|entry| self.entry(entry, nowhere, &mut told)),
        }
        told
    }

    fn entry<'b>(&self, raw: &'b RawValue, nowhere: Place<'_>, told: &mut Told<'b>) {
        let entry = parse::<Entry<'_>>(raw.get());
        let read = entry.as_ref().and_then(|entry| Some((entry, items(entry.changes?)?)));
        let Some((entry, changes)) = read else {
            return told.events.push(self.not_understood(nowhere, raw.get().as_bytes(), "it is no entry"));
        };
        let at = entry.time.as_ref().and_then(moment);
        let id = entry.id.as_ref().and_then(Value::as_str).unwrap_or_default();
        for raw in changes {
            let known = self.signers.iter().find(|account| account.waba_id == id);
            let place = Place { waba_id: known.map_or(nowhere.waba_id, |account| account.waba_id.as_str()), at };
            if let Err(problem) = self.change(raw, known.is_some(), place, told) {
                told.events.push(self.not_understood(place, raw.get().as_bytes(), problem));
            }
        }
    }

    fn change<'b>(
        &self,
        raw: &'b RawValue,
        is_known: bool,
        place: Place<'_>,
        told: &mut Told<'b>,
    ) -> Result<(), Problem> {
        let change = parse::<Change<'_>>(raw.get()).ok_or("it is no change")?;
        let field =
            change.field.filter(|field| is_plain(field, LONGEST_FIELD)).ok_or("it does not say what changed")?;
        let value = change.value.ok_or("it does not say what it changed to")?;
        if field != "messages" && field != "user_preferences" {
            let number = parse::<Content<'_>>(value.get()).and_then(|content| content.metadata?.phone_number_id);
            let account = number.map(|number| self.account(Some(&number)));
            let is_known = account.as_ref().map_or(is_known, Result::is_ok);
            let waba_id = account.and_then(Result::ok).map_or(place.waba_id, |account| account.waba_id.as_str());
            let problem = (!is_known).then_some("no account here is the one that it is about");
            told.events.push(self.event(Place { waba_id, ..place }, &field, raw.get().as_bytes(), problem));
            return Ok(());
        }
        let content = parse::<Content<'_>>(value.get()).ok_or("its value is not what its field says")?;
        let number = content.metadata.as_ref().and_then(|metadata| metadata.phone_number_id.as_deref());
        let account = self.account(number)?;
        let place = Place { waba_id: &account.waba_id, ..place };
        self.content(&content, account, place, told).then_some(()).ok_or("it holds neither messages nor statuses")
    }

    /// Reads each item on its own. `false`: there are none.
    fn content<'b>(&self, content: &Content<'b>, account: &Account, place: Place<'_>, told: &mut Told<'b>) -> bool {
        let contacts = content.contacts.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let lists = [content.messages, content.statuses, content.user_preferences, content.errors];
        let [messages, statuses, preferences, errors] = lists.map(|list| self.list(list, place, told));
        let is_empty = [&messages, &statuses, &preferences, &errors].iter().all(|list| list.is_none());
        for raw in messages.into_iter().flatten() {
            let read = object(raw).and_then(|item| message::read(&item, contacts, account, self.words));
            match read {
                Ok(message) => told.messages.push(message),
                Err(problem) => told.events.push(self.not_understood(place, raw.get().as_bytes(), problem)),
            }
        }
        for raw in statuses.into_iter().flatten() {
            match object(raw).and_then(|item| status::read(&item, account)) {
                Ok(report) => told.statuses.push(report),
                Err(problem) => told.events.push(self.not_understood(place, raw.get().as_bytes(), problem)),
            }
        }
        for raw in preferences.into_iter().flatten() {
            match object(raw).and_then(|item| preference::read(&item, account)) {
                Ok(wish) => told.wishes.push(wish),
                Err(problem) => told.events.push(self.not_understood(place, raw.get().as_bytes(), problem)),
            }
        }
        for raw in errors.into_iter().flatten() {
            told.events.push(self.event(place, "errors", raw.get().as_bytes(), None));
        }
        !is_empty
    }

    /// The items of a list, if it is there. What stands in its place and is none is kept, and its siblings go on.
    fn list<'b>(&self, list: Option<&'b RawValue>, place: Place<'_>, told: &mut Told<'b>) -> Option<Vec<&'b RawValue>> {
        let list = list?;
        let items = items(list);
        if items.is_none() {
            told.events.push(self.not_understood(place, list.get().as_bytes(), "it is no list"));
        }
        Some(items.unwrap_or_default())
    }

    /// The account with this number, among those whose app signed: nobody else's webhook may speak for it.
    fn account(&self, phone_number_id: Option<&str>) -> Result<&'a Account, Problem> {
        let number = phone_number_id.ok_or("it does not say which number it is about")?;
        let account = self.signers.iter().find(|account| account.phone_number_id == number);
        account.copied().ok_or("no account here has this number, or its app is another")
    }

    fn not_understood<'b>(&self, place: Place<'_>, content: &'b [u8], problem: Problem) -> Event<'b> {
        self.event(place, NOT_UNDERSTOOD, content, Some(problem))
    }

    fn event<'b>(&self, place: Place<'_>, kind: &str, content: &'b [u8], problem: Option<Problem>) -> Event<'b> {
        let told_at = own_moment(content).or(place.at);
        Event { waba_id: place.waba_id.to_owned(), kind: kind.to_owned(), told_at, came_at: self.now, content, problem }
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}

fn object(raw: &RawValue) -> Result<Value, Problem> {
    parse::<Value>(raw.get()).filter(Value::is_object).ok_or("it is no object that can be read")
}

fn items(list: &RawValue) -> Option<Vec<&RawValue>> {
    parse(list.get())
}

/// When something says that it happened: an item itself, or the value of a change or the first of what it lists.
fn own_moment(content: &[u8]) -> Option<Timestamp> {
    let content: Value = serde_json::from_slice(content).ok()?;
    let own = |value: &Value| value.get("timestamp").and_then(moment);
    let value = content.get("value").unwrap_or(&content);
    let lists = value.as_object().into_iter().flat_map(|members| members.values()).filter_map(Value::as_array);
    own(value).or_else(|| lists.filter_map(|list| list.first()).find_map(own))
}

/// Seconds since the Unix epoch, which Meta writes as a text in one place and as a number in another. `None`: it is no number, or
/// a moment that the tables can't sort by, after the year 2286.
pub(crate) fn moment(seconds: &Value) -> Option<Timestamp> {
    let seconds = seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok())?;
    (0..=LAST_SECOND).contains(&seconds).then(|| Timestamp::from_second(seconds).ok())?
}

/// Whether a text from outside may be part of a key.
pub(crate) fn is_plain(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
