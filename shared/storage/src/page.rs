//! A page of a list.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Result;

/// Some rows of a list, in its order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// At most as many as were asked for. Fewer are not the end of the list: one answer of DynamoDB has 1 MB at most.
    pub rows: Vec<T>,
    /// Whether the list ends here.
    pub is_last: bool,
}

impl<T> Page<T> {
    /// What a query must ask for to give a page of so many rows: one more tells whether another page follows.
    pub(crate) const fn query_limit(limit: i32) -> i32 {
        limit.saturating_add(1)
    }

    /// Reads the answer to a query with [`query_limit`](Self::query_limit).
    pub(crate) fn of(
        answer: QueryOutput,
        limit: i32,
        read: impl FnMut(HashMap<String, AttributeValue>) -> Result<T>,
    ) -> Result<Self> {
        let limit = usize::try_from(limit).unwrap_or_default();
        let was_cut = answer.last_evaluated_key.is_some();
        let rows = answer.items.unwrap_or_default();
        let is_last = rows.len() <= limit && !was_cut;
        Ok(Self { rows: rows.into_iter().take(limit).map(read).collect::<Result<_>>()?, is_last })
    }
}
