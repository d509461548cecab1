//! What arrived of each template, and how much of one template any one phone got.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::counts::Digits;

/// The templates that are told of; the one that was used longest ago makes room.
const MAX_TEMPLATES: usize = 50;
/// Phones and templates that are counted. Later ones are not, so that memory ends somewhere.
const MAX_PAIRS: usize = 2_000_000;

#[derive(Debug, Default)]
pub(super) struct Templates {
    /// In the order in which they first arrived.
    rows: Vec<Template>,
    last_number: u32,
    /// How many each phone got, by the template's number.
    pairs: HashMap<(Digits, u32), u32>,
    record: Option<Record>,
    phones_with_more: u64,
}

/// What arrived of one template in one language.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Template {
    #[serde(skip)]
    number: u32,
    name: String,
    language: String,
    count: u64,
    first: Timestamp,
    last: Timestamp,
}

/// The most messages that one phone got from one template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Record {
    count: u32,
    phone: String,
    name: String,
    language: String,
}

/// The record, and whether it stands alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Most {
    #[serde(flatten)]
    record: Record,
    /// How many phones got more than one message from a template; for each such template once.
    phones_with_more: u64,
    /// False once there were too many phones to count them all.
    exact: bool,
}

impl Templates {
    pub(super) fn add(&mut self, name: &str, language: &str, wa_id: &str, at: Timestamp) {
        let number = self.count(name, language, at);
        let Ok(digits) = wa_id.parse() else { return };
        if self.pairs.len() >= MAX_PAIRS && !self.pairs.contains_key(&(digits, number)) {
            return;
        }
        let count = self.pairs.entry((digits, number)).or_default();
        *count += 1;
        self.phones_with_more += u64::from(*count == 2);
        if self.record.as_ref().is_none_or(|record| record.count < *count) {
            let (phone, name, language) = (wa_id.to_owned(), name.to_owned(), language.to_owned());
            self.record = Some(Record { count: *count, phone, name, language });
        }
    }

    /// Counts one more in the template's row, and gives back the row's number.
    fn count(&mut self, name: &str, language: &str, at: Timestamp) -> u32 {
        // The newest template is the one that most likely arrives.
        let same = |row: &&mut Template| row.name == name && row.language == language;
        if let Some(row) = self.rows.iter_mut().rev().find(same) {
            row.count += 1;
            row.last = row.last.max(at);
            return row.number;
        }
        if self.rows.len() >= MAX_TEMPLATES {
            let oldest = self.rows.iter().enumerate().min_by_key(|(_, row)| row.last).map(|(position, _)| position);
            oldest.map(|position| self.rows.remove(position));
        }
        self.last_number += 1;
        let (name, language) = (name.to_owned(), language.to_owned());
        self.rows.push(Template { number: self.last_number, name, language, count: 1, first: at, last: at });
        self.last_number
    }

    /// The newest first.
    pub(super) fn rows(&self) -> Vec<Template> {
        self.rows.iter().rev().cloned().collect()
    }

    pub(super) fn most(&self) -> Option<Most> {
        let record = self.record.clone()?;
        Some(Most { record, phones_with_more: self.phones_with_more, exact: self.pairs.len() < MAX_PAIRS })
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{MAX_TEMPLATES, Templates};

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    #[test]
    fn each_template_and_language_has_its_count_and_its_first_and_last_time() {
        let mut templates = Templates::default();
        for (name, language, second) in [("offer", "en", 1), ("offer", "hi", 2), ("offer", "en", 3), ("news", "en", 4)]
        {
            templates.add(name, language, "919876543210", at(second));
        }
        let rows = templates.rows();
        let told: Vec<_> =
            rows.iter().map(|row| (row.name.as_str(), row.language.as_str(), row.count, row.first, row.last)).collect();
        let expected =
            [("news", "en", 1, at(4), at(4)), ("offer", "hi", 1, at(2), at(2)), ("offer", "en", 2, at(1), at(3))];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_phone_that_got_a_template_twice_is_named() {
        let mut templates = Templates::default();
        assert_eq!(templates.most(), None);
        for phone in ["1", "2", "3"] {
            templates.add("offer", "en", phone, at(1));
            templates.add("offer", "hi", phone, at(1));
        }
        let most = templates.most().unwrap();
        let seen = (most.record.count, most.phones_with_more, most.exact);
        assert_eq!(seen, (1, 0, true), "another language is another template");
        for phone in ["2", "3", "3"] {
            templates.add("offer", "en", phone, at(2));
        }
        let most = templates.most().unwrap();
        assert_eq!((most.record.count, most.phones_with_more), (3, 2));
        let record = (most.record.phone.as_str(), most.record.name.as_str(), most.record.language.as_str());
        assert_eq!(record, ("3", "offer", "en"));
    }

    #[test]
    fn the_template_used_longest_ago_makes_room_for_a_new_one() {
        let mut templates = Templates::default();
        for (number, second) in (0..MAX_TEMPLATES).zip(0..) {
            templates.add(&format!("template_{number}"), "en", "1", at(second));
        }
        templates.add("template_0", "en", "1", at(1_000));
        templates.add("another", "en", "1", at(1_001));
        let names: Vec<_> = templates.rows().into_iter().map(|row| row.name).collect();
        assert_eq!(names.len(), MAX_TEMPLATES);
        assert!(names.contains(&"template_0".to_owned()) && !names.contains(&"template_1".to_owned()));
    }
}
