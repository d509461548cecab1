//! What became of recipients, in numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of a campaign's recipients, or of a chunk's. What was sent, delivered and read never becomes less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All recipients.
    #[serde(rename = "total_count", default)]
    pub total: i64,
    /// Those of whom something is still to be done or to be learnt.
    #[serde(rename = "open_count", default)]
    pub open: i64,
    /// Those who are still to be written to.
    #[serde(rename = "pending_count", default)]
    pub pending: i64,
    /// Those whose message Meta took, whatever became of it then.
    #[serde(rename = "sent_count", default)]
    pub sent: i64,
    /// Those whose phone has it.
    #[serde(rename = "delivered_count", default)]
    pub delivered: i64,
    /// Those who saw it.
    #[serde(rename = "read_count", default)]
    pub read: i64,
    /// Those whose message Meta refused, or took and could not deliver.
    #[serde(rename = "failed_count", default)]
    pub failed: i64,
    /// Those of whom it is not known whether they were written to.
    #[serde(rename = "unknown_count", default)]
    pub unknown: i64,
    /// Those who were not written to since they opted out or are blocked.
    #[serde(rename = "left_out_count", default)]
    pub left_out: i64,
}

/// The counts of a chunk, and why those who failed did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What became of them.
    #[serde(flatten)]
    pub counts: Counts,
    /// How many failed, by the code of the failure.
    #[serde(default)]
    pub failures: BTreeMap<String, i64>,
}

impl Counts {
    /// So many recipients, to none of whom anything was sent.
    pub(crate) fn of_new(recipients: i64) -> Self {
        Self { total: recipients, open: recipients, pending: recipients, ..Self::default() }
    }

    /// The counts of both together.
    #[must_use]
    pub const fn and(&self, other: &Self) -> Self {
        Self {
            total: self.total + other.total,
            open: self.open + other.open,
            pending: self.pending + other.pending,
            sent: self.sent + other.sent,
            delivered: self.delivered + other.delivered,
            read: self.read + other.read,
            failed: self.failed + other.failed,
            unknown: self.unknown + other.unknown,
            left_out: self.left_out + other.left_out,
        }
    }

    /// What is to be added to each of the earlier counts, by the names of their attributes; those that are the same are left
    /// out.
    pub(crate) fn since(&self, earlier: &Self) -> Vec<(&'static str, i64)> {
        let differences = [
            ("total_count", self.total - earlier.total),
            ("open_count", self.open - earlier.open),
            ("pending_count", self.pending - earlier.pending),
            ("sent_count", self.sent - earlier.sent),
            ("delivered_count", self.delivered - earlier.delivered),
            ("read_count", self.read - earlier.read),
            ("failed_count", self.failed - earlier.failed),
            ("unknown_count", self.unknown - earlier.unknown),
            ("left_out_count", self.left_out - earlier.left_out),
        ];
        differences.into_iter().filter(|(_, difference)| *difference != 0).collect()
    }
}

impl Tally {
    /// What is to be added to each of the earlier numbers of failures.
    pub(crate) fn failures_since(&self, earlier: &Self) -> Vec<(String, i64)> {
        let mut differences = self.failures.clone();
        for (code, count) in &earlier.failures {
            *differences.entry(code.clone()).or_default() -= count;
        }
        differences.into_iter().filter(|(_, difference)| *difference != 0).collect()
    }
}
