//! Table `WebhookEvents`: what Meta told that is neither a message nor a status, and whatever was not understood, as it came.
//!
//! A row is found again by the hash of what it holds, so that nothing is kept twice. What is larger than a row may be stands
//! in several.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Error, Result};
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::database::{Database, Written, outage};
use crate::page::Page;
use crate::place::{Place, sortable};

const NEWEST: &str = "newest";
const BY_KIND: &str = "by_kind";
/// What one row holds at most, in bytes: DynamoDB takes 400 KB with everything else in it.
const PART_BYTES: usize = 300_000;

/// What Meta told besides messages.
#[derive(Clone, Debug)]
pub struct WebhookEvents {
    database: Database,
    table: String,
}

/// Something to keep.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// The WhatsApp Business Account that it is about.
    pub waba_id: &'a str,
    /// Meta's name of what changed, as `message_template_status_update`, or a word of ours: visible ASCII.
    pub kind: &'a str,
    /// When Meta says that it happened. The same told of another time is another event.
    pub told_at: Option<Timestamp>,
    /// When it came: that counts where Meta tells no time.
    pub came_at: Timestamp,
    /// All of it, as it came.
    pub content: &'a [u8],
    /// Why nobody but a person can make something of it; `None`: it was understood.
    pub problem: Option<&'a str>,
}

/// An event, as it is listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WebhookEvent {
    /// Its id: the hash of what it holds.
    pub id: String,
    /// The WhatsApp Business Account that it is about.
    pub waba_id: String,
    /// What changed.
    pub kind: String,
    /// When it happened.
    #[serde(with = "millisecond::required")]
    pub at: Timestamp,
    /// Why nobody but a person can make something of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How large it is, in bytes.
    pub size_bytes: usize,
    /// The account and the kind together.
    waba_kind: String,
    position: Place,
    /// Whether the content is written as hexadecimal digits, since it is no text.
    #[serde(default)]
    is_hex: bool,
    /// In how many rows the content stands: this one and so many less one.
    parts: usize,
    content: String,
}

impl WebhookEvent {
    /// All of it, when it is a text that stands in one row.
    pub fn content(&self) -> Option<&str> {
        (self.parts == 1 && !self.is_hex).then_some(self.content.as_str())
    }

    /// Where it stands in the list.
    pub fn place(&self) -> &Place {
        &self.position
    }
}

impl WebhookEvents {
    /// The events of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("WebhookEvents"), database: database.clone() }
    }

    /// Keeps an event. The same again is one event. Returns its id.
    pub async fn keep(&self, event: &NewEvent<'_>) -> Result<String> {
        let hash = Sha256::new()
            .chain_update(event.waba_id)
            .chain_update([0])
            .chain_update(event.kind)
            .chain_update([0])
            .chain_update(event.told_at.map(sortable).unwrap_or_default())
            .chain_update([0])
            .chain_update(event.content)
            .finalize();
        let at = event.told_at.unwrap_or(event.came_at);
        let id = hex::encode(hash);
        let (text, is_hex) = match std::str::from_utf8(event.content) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (hex::encode(event.content), true),
        };
        let mut parts = split(&text);
        let first = parts.next().unwrap_or_default().to_owned();
        let mut count = 1;
        for part in parts {
            // Before the row that counts them: whoever finds that finds them all.
            let row = HashMap::from([("id", part_id(&id, count)), ("content", part.to_owned())]);
            self.put(row.into_iter().map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).collect()).await?;
            count += 1;
        }
        let row = WebhookEvent {
            id: id.clone(),
            waba_id: event.waba_id.to_owned(),
            kind: event.kind.to_owned(),
            at,
            problem: event.problem.map(str::to_owned),
            size_bytes: event.content.len(),
            waba_kind: waba_kind(event.waba_id, event.kind),
            position: Place::new(at, &id),
            is_hex,
            parts: count,
            content: first,
        };
        self.put(serde_dynamo::to_item(row).map_err(Error::internal)?).await?;
        Ok(id)
    }

    async fn put(&self, row: HashMap<String, AttributeValue>) -> Result<()> {
        let put = self.database.client().put_item().table_name(&self.table).set_item(Some(row));
        Written::put(put.condition_expression("attribute_not_exists(id)").send().await).map(|_| ())
    }

    /// At most `limit` events about a WhatsApp Business Account, newest first, perhaps only of one kind; behind the place
    /// `after`, if one is given.
    pub async fn newest(
        &self,
        waba_id: &str,
        kind: Option<&str>,
        after: Option<&Place>,
        limit: i32,
    ) -> Result<Page<WebhookEvent>> {
        let (index, name, partition) = match kind {
            None => (NEWEST, "waba_id", waba_id.to_owned()),
            Some(kind) => (BY_KIND, "waba_kind", waba_kind(waba_id, kind)),
        };
        let start_key = after.map(|place| {
            let names = [(name, partition.as_str()), ("position", place.as_str()), ("id", place.id())];
            names.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).into()
        });
        let query = self
            .database
            .client()
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", name)
            .expression_attribute_values(":partition", AttributeValue::S(partition.clone()))
            .scan_index_forward(false)
            .limit(Page::<WebhookEvent>::query_limit(limit))
            .set_exclusive_start_key(start_key);
        let answer = query.send().await.map_err(outage)?;
        Page::of(answer, limit, |row| serde_dynamo::from_item(row).map_err(Error::internal))
    }

    /// An event and all that came of it, as it came. `None`: there is none with this id.
    pub async fn whole(&self, id: &str) -> Result<Option<(WebhookEvent, Vec<u8>)>> {
        if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let event: WebhookEvent = serde_dynamo::from_item(row).map_err(Error::internal)?;
        let mut text = event.content.clone();
        for part in 1..event.parts {
            let row = self.row(&part_id(id, part)).await?.unwrap_or_default();
            let content = row.get("content").and_then(|content| content.as_s().ok());
            text.push_str(content.ok_or_else(|| Error::internal("a part of an event is missing"))?);
        }
        let content = if event.is_hex { hex::decode(&text).map_err(Error::internal)? } else { text.into_bytes() };
        Ok(Some((event, content)))
    }

    async fn row(&self, id: &str) -> Result<Option<HashMap<String, AttributeValue>>> {
        let get = self.database.client().get_item().table_name(&self.table);
        let get = get.key("id", AttributeValue::S(id.to_owned())).consistent_read(true);
        Ok(get.send().await.map_err(outage)?.item)
    }
}

fn waba_kind(waba_id: &str, kind: &str) -> String {
    format!("{waba_id}#{kind}")
}

fn part_id(id: &str, part: usize) -> String {
    format!("{id}#{part}")
}

/// The text in pieces that fit into a row, at least one.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (part, behind) = rest?.split_at(rest?.floor_char_boundary(PART_BYTES));
        rest = Some(behind).filter(|behind| !behind.is_empty());
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use embedded_dynamodb::Engine;

    use super::*;

    async fn events() -> (Engine, WebhookEvents) {
        let engine = Engine::in_memory().await.unwrap();
        let events = WebhookEvents::new(&Database::local(engine.url(), engine.table_prefix()));
        (engine, events)
    }

    fn event<'a>(kind: &'a str, second: i64, content: &'a [u8]) -> NewEvent<'a> {
        let at = Timestamp::from_second(1_767_323_045 + second).unwrap();
        NewEvent { waba_id: "102290129340398", kind, told_at: Some(at), came_at: at, content, problem: None }
    }

    #[tokio::test]
    async fn events_are_listed_newest_first_and_page_by_page_all_or_of_one_kind() {
        let (_engine, events) = events().await;
        for second in 0..6 {
            let kind = if second % 2 == 0 { "account_update" } else { "security" };
            events.keep(&event(kind, second, format!("{{\"n\":{second}}}").as_bytes())).await.unwrap();
        }
        for (kind, expected) in
            [(None, vec![5, 4, 3, 2, 1, 0]), (Some("security"), vec![5, 3, 1]), (Some("flows"), vec![])]
        {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = events.newest("102290129340398", kind, after.as_ref(), 2).await.unwrap();
                after = page.rows.last().and_then(|last| Place::parse(last.place().as_str()));
                seen.extend(page.rows.iter().map(|event| event.content().unwrap().to_owned()));
                if page.is_last {
                    break;
                }
            }
            assert_eq!(seen, expected.iter().map(|n| format!("{{\"n\":{n}}}")).collect::<Vec<_>>(), "{kind:?}");
        }
        assert!(events.newest("1", None, None, 9).await.unwrap().rows.is_empty());
    }

    #[tokio::test]
    async fn the_same_event_is_kept_once() {
        let (_engine, events) = events().await;
        let ids = [events.keep(&event("security", 1, b"{}")).await, events.keep(&event("security", 1, b"{}")).await];
        assert_eq!(ids[0].as_ref().unwrap(), ids[1].as_ref().unwrap());
        assert_eq!(events.newest("102290129340398", None, None, 9).await.unwrap().rows.len(), 1);
    }

    #[tokio::test]
    async fn the_same_told_of_another_time_is_another_event_and_when_it_came_makes_none() {
        let (_engine, events) = events().await;
        for second in [1, 2, 1] {
            events.keep(&event("security", second, b"{}")).await.unwrap();
            events.keep(&NewEvent { told_at: None, ..event("security", second, b"{}") }).await.unwrap();
        }
        assert_eq!(events.newest("102290129340398", None, None, 9).await.unwrap().rows.len(), 3);
    }

    #[tokio::test]
    async fn whatever_came_is_given_back_byte_for_byte_however_large_it_is() {
        let (_engine, events) = events().await;
        let (letters, bytes) = ("aä€😀".repeat(120_000), vec![0xff; 700_000]);
        for content in [b"".as_slice(), b"{}", &[0xff, 0x00, 0xfe], letters.as_bytes(), &bytes] {
            let id = events.keep(&event("not_understood", 1, content)).await.unwrap();
            let (row, whole) = events.whole(&id).await.unwrap().unwrap();
            assert!(whole == content, "{} bytes", content.len());
            assert_eq!((row.size_bytes, row.id.as_str()), (content.len(), id.as_str()));
            assert_eq!(row.content().is_some(), content.len() < 3, "{} bytes", content.len());
        }
        for odd in ["", "x", &"0".repeat(64), &"ä".repeat(32)] {
            assert!(events.whole(odd).await.unwrap().is_none(), "{odd}");
        }
    }
}
