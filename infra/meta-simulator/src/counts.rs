//! How often each phone was written to: exact for ever, however few of the requests and messages are kept.

use std::collections::HashMap;

/// A phone's digits as a number: at most 15, and none of them a leading zero. As text they would take three times as
/// much.
pub(crate) type Digits = u64;

#[derive(Debug, Default)]
pub(crate) struct Counts {
    phones: HashMap<Digits, Count>,
    totals: Totals,
}

/// What befell one phone.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    posts: u32,
    accepted: u32,
}

/// The same over all phones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Totals {
    /// Every `POST …/messages` to a phone, whatever came of it.
    posts: u64,
    /// The messages that Meta took.
    pub(crate) accepted: u64,
    /// The phones for which it took any.
    pub(crate) phones: u64,
    /// The most that it took for one phone.
    most_accepted_by_one: u32,
    /// The statuses that the webhook took, each once.
    statuses_sent: u64,
}

impl Counts {
    /// A `POST …/messages` to this phone came.
    pub(crate) fn post(&mut self, wa_id: &str) {
        if let Some(count) = self.count(wa_id) {
            count.posts += 1;
            self.totals.posts += 1;
        }
    }

    /// Meta took a message for this phone.
    pub(crate) fn accept(&mut self, wa_id: &str) {
        let Some(count) = self.count(wa_id) else { return };
        count.accepted += 1;
        let accepted = count.accepted;
        self.totals.accepted += 1;
        self.totals.phones += u64::from(accepted == 1);
        self.totals.most_accepted_by_one = self.totals.most_accepted_by_one.max(accepted);
    }

    /// The webhook took so many statuses.
    pub(crate) const fn send_statuses(&mut self, statuses: u64) {
        self.totals.statuses_sent += statuses;
    }

    fn count(&mut self, wa_id: &str) -> Option<&mut Count> {
        Some(self.phones.entry(wa_id.parse().ok()?).or_default())
    }

    pub(crate) fn posts_to(&self, wa_id: &str) -> usize {
        let count = wa_id.parse().ok().and_then(|digits: Digits| self.phones.get(&digits));
        count.map_or(0, |count| count.posts as usize)
    }

    /// Every phone that was posted to, with how often.
    pub(crate) fn posts(&self) -> Vec<(Digits, u32)> {
        self.all(|count| count.posts)
    }

    /// Every phone for which a message was accepted, with how many were.
    pub(crate) fn accepted(&self) -> Vec<(Digits, u32)> {
        self.all(|count| count.accepted)
    }

    fn all(&self, of: impl Fn(&Count) -> u32) -> Vec<(Digits, u32)> {
        let counts = self.phones.iter().map(|(digits, count)| (*digits, of(count)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    pub(crate) const fn totals(&self) -> Totals {
        self.totals
    }
}

/// With the phones' numbers as text, as callers know them.
pub(crate) fn by_phone(counts: Vec<(Digits, u32)>) -> HashMap<String, usize> {
    counts.into_iter().map(|(digits, count)| (digits.to_string(), count as usize)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Counts, Totals, by_phone};

    #[test]
    fn posts_and_accepted_messages_are_counted_apart_and_in_all() {
        let mut counts = Counts::default();
        for phone in ["919876543210", "919876543210", "553187654321", "not a phone"] {
            counts.post(phone);
        }
        counts.accept("919876543210");
        counts.accept("919876543210");
        counts.send_statuses(6);
        assert_eq!((counts.posts_to("919876543210"), counts.posts_to("553187654321")), (2, 1));
        assert_eq!((counts.posts_to("15550000001"), counts.posts_to("not a phone")), (0, 0));
        assert_eq!(by_phone(counts.posts()).len(), 2);
        assert_eq!(by_phone(counts.accepted()), [("919876543210".to_owned(), 2)].into());
        let totals = Totals { posts: 3, accepted: 2, phones: 1, most_accepted_by_one: 2, statuses_sent: 6 };
        assert_eq!(counts.totals(), totals);
    }
}
