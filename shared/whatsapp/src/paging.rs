//! Lists that Meta gives in pages.

use reqwest::Method;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::error::{Error, WhyUnknown};
use crate::node::{MAX_CALL_TIME, Node};

/// The longest list there is, 64,000 blocked users, in pages of 100, and some more.
const MAX_PAGES: usize = 700;
const MAX_RESTARTS: usize = 3;

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    cursors: Option<Cursors>,
    /// Only whether it is there: the URL holds the access token, and could lead anywhere.
    #[serde(default)]
    next: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<String>,
}

/// All items of the list, from its first page again if it changes on the way.
pub(crate) async fn read_all<T: DeserializeOwned>(
    node: &Node,
    edge: &str,
    query: &[(&str, &str)],
) -> Result<Vec<T>, Error> {
    let mut restarts = 0;
    loop {
        match read_pages(node, edge, query).await {
            Err(error) if is_stale(&error) && restarts < MAX_RESTARTS => restarts += 1,
            outcome => return outcome,
        }
    }
}

async fn read_pages<T: DeserializeOwned>(node: &Node, edge: &str, query: &[(&str, &str)]) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    let mut links_seen = false;
    for _ in 0..MAX_PAGES {
        let mut request = node.request(Method::GET, edge)?.query(query);
        if let Some(cursor) = &after {
            request = request.query(&[("after", cursor)]);
        }
        let page: Page<T> = node.call(request, MAX_CALL_TIME).await?.success_as()?;
        // The last page has a cursor too, so that a list may show its end only by an empty page. Where the pages before
        // had a link to the next, its absence is the end.
        let (cursor, has_link) = page
            .paging
            .map_or((None, false), |paging| (paging.cursors.and_then(|cursors| cursors.after), paging.next.is_some()));
        let is_last = page.data.is_empty() || (links_seen && !has_link);
        links_seen |= has_link;
        items.extend(page.data);
        match cursor {
            Some(cursor) if !is_last && after.as_ref() != Some(&cursor) => after = Some(cursor),
            Some(_) if !is_last => break,
            _ => return Ok(items),
        }
    }
    Err(Error::OutcomeUnknown(WhyUnknown::EndlessList))
}

/// The list changed between two pages (139102), or the cursor has become invalid (131059).
fn is_stale(error: &Error) -> bool {
    error.graph().is_some_and(|graph| matches!(graph.code, 139_102 | 131_059))
}
