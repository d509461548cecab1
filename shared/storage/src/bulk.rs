//! Many rows at once.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use domain::{Error, Result};
use futures::{StreamExt, TryStreamExt, stream};

use crate::database::{Database, outage};

/// DynamoDB takes so many rows in one write, and gives so many in one read (AWS: "`BatchWriteItem`", "`BatchGetItem`").
const WRITTEN_AT_ONCE: usize = 25;
const READ_AT_ONCE: usize = 100;
/// So many calls go side by side.
const SIDE_BY_SIDE: usize = 8;
/// DynamoDB may leave rows undone, when a table is busy or an answer would be too large: then they are asked for again so
/// often, after a wait that grows.
const ATTEMPTS: u32 = 8;
const WAIT: Duration = Duration::from_millis(20);

type Row = HashMap<String, AttributeValue>;

impl Database {
    /// Writes rows that nobody else writes, in whatever order. Each replaces what stands at its key. An error leaves open
    /// which are written.
    pub(crate) async fn put_all(&self, table: &str, rows: Vec<Row>) -> Result<()> {
        let parts: Vec<_> = rows.chunks(WRITTEN_AT_ONCE).map(<[Row]>::to_vec).collect();
        let puts = stream::iter(parts).map(|rows| Box::pin(self.put_part(table, rows)));
        puts.buffer_unordered(SIDE_BY_SIDE).try_collect().await
    }

    async fn put_part(&self, table: &str, rows: Vec<Row>) -> Result<()> {
        let write = |row| {
            let put = PutRequest::builder().set_item(Some(row)).build().map_err(Error::internal)?;
            Ok(WriteRequest::builder().put_request(put).build())
        };
        let mut undone = HashMap::from([(table.to_owned(), rows.into_iter().map(write).collect::<Result<Vec<_>>>()?)]);
        for attempt in 0..ATTEMPTS {
            let answer = self.client().batch_write_item().set_request_items(Some(undone)).send().await;
            undone = answer.map_err(outage)?.unprocessed_items.unwrap_or_default();
            if undone.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(WAIT * (1 << attempt)).await;
        }
        Err(Error::storage("a table left rows unwritten"))
    }

    /// Reads rows by their keys, as they are at this moment, in whatever order. One that is not there is left out. No key may
    /// be asked for twice.
    pub(crate) async fn get_all(&self, keys: Vec<(String, Row)>) -> Result<Vec<(String, Row)>> {
        let parts: Vec<_> = keys.chunks(READ_AT_ONCE).map(<[(String, Row)]>::to_vec).collect();
        let reads = stream::iter(parts).map(|keys| Box::pin(self.get_part(keys)));
        let parts: Vec<_> = reads.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(parts.into_iter().flatten().collect())
    }

    async fn get_part(&self, keys: Vec<(String, Row)>) -> Result<Vec<(String, Row)>> {
        let mut by_table: HashMap<String, Vec<Row>> = HashMap::new();
        for (table, key) in keys {
            by_table.entry(table).or_default().push(key);
        }
        let ask = |keys| KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        let asked = by_table.into_iter().map(|(table, keys)| Ok((table, ask(keys).map_err(Error::internal)?)));
        let mut undone: HashMap<_, _> = asked.collect::<Result<_>>()?;
        let mut rows = Vec::new();
        for attempt in 0..ATTEMPTS {
            let answer = self.client().batch_get_item().set_request_items(Some(undone)).send().await.map_err(outage)?;
            for (table, found) in answer.responses.unwrap_or_default() {
                rows.extend(found.into_iter().map(|row| (table.clone(), row)));
            }
            undone = answer.unprocessed_keys.unwrap_or_default();
            if undone.is_empty() {
                return Ok(rows);
            }
            tokio::time::sleep(WAIT * (1 << attempt)).await;
        }
        Err(Error::storage("a table left rows unread"))
    }
}
