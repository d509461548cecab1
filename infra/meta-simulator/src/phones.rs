//! The simulated phones and the messages on them.

mod kept;
mod message;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub(crate) use kept::Kept;
pub use message::{Choice, DeliveryStatus, PhoneMessage};

const MAX_PHONES: usize = 200_000;
const MAX_MESSAGES: usize = 200;
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// The phones that were active last, bounded in number and in bytes.
#[derive(Debug, Default)]
pub(crate) struct Phones {
    by_number: HashMap<Arc<str>, Phone>,
    /// Every phone by when it was last active, the oldest first.
    by_activity: BTreeMap<u64, Arc<str>>,
    last_activity: u64,
    /// The phone that each customer's message is on, by the message's id.
    written_on: HashMap<String, Arc<str>>,
    bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) messages: VecDeque<Kept>,
    /// When the customer last wrote, by the phone number id of the business.
    last_written: HashMap<String, Timestamp>,
    last_active: u64,
}

impl Phones {
    pub(crate) fn add(&mut self, message: PhoneMessage) {
        let number = match self.by_number.get_key_value(message.phone.as_str()) {
            Some((number, _)) => Arc::clone(number),
            None => Arc::from(message.phone.as_str()),
        };
        let message = Kept::new(message);
        self.bytes += message.weight();
        if message.from_customer {
            self.written_on.insert(message.id.clone(), Arc::clone(&number));
        }
        self.last_activity += 1;
        let phone = self.by_number.entry(Arc::clone(&number)).or_insert_with(Phone::new);
        self.by_activity.remove(&phone.last_active);
        phone.last_active = self.last_activity;
        self.by_activity.insert(self.last_activity, Arc::clone(&number));
        let oldest = if phone.messages.len() >= MAX_MESSAGES { phone.messages.pop_front() } else { None };
        phone.messages.push_back(message);
        if let Some(message) = oldest {
            self.forget(&number, &message);
        }
        self.evict(MAX_PHONES, MAX_BYTES);
    }

    /// Lets the phones go that were active longest ago, until the bounds hold again. The newest always stays.
    fn evict(&mut self, max_phones: usize, max_bytes: usize) {
        while self.by_number.len() > 1 && (self.by_number.len() > max_phones || self.bytes > max_bytes) {
            let Some((_, number)) = self.by_activity.pop_first() else { return };
            for message in self.by_number.remove(&number).into_iter().flat_map(|phone| phone.messages) {
                self.forget(&number, &message);
            }
        }
    }

    /// What else is known of a message that is no longer on its phone.
    fn forget(&mut self, number: &Arc<str>, message: &Kept) {
        self.bytes = self.bytes.saturating_sub(message.weight());
        if message.from_customer && self.written_on.get(&message.id) == Some(number) {
            self.written_on.remove(&message.id);
        }
    }

    /// Moves a message on and gives it back; nothing when it is no longer known.
    pub(crate) fn set_status(
        &mut self,
        phone: &str,
        id: &str,
        status: DeliveryStatus,
        error: Option<i64>,
    ) -> Option<&Kept> {
        let messages = &mut self.by_number.get_mut(phone)?.messages;
        let message = messages.iter_mut().rev().find(|message| message.id == id)?;
        message.status = status;
        message.error = error;
        Some(message)
    }

    /// The business has read this message of a customer, and with it all earlier ones of that customer. Tells of each
    /// that was not read before.
    pub(crate) fn mark_read(&mut self, id: &str, mut tell: impl FnMut(&Kept)) {
        let Some(phone) = self.written_on.get(id).and_then(|number| self.by_number.get_mut(number)) else { return };
        let end = phone.messages.iter().position(|message| message.id == id).map_or(0, |position| position + 1);
        for message in phone.messages.iter_mut().take(end) {
            if message.from_customer && message.status < DeliveryStatus::Read {
                message.status = DeliveryStatus::Read;
                tell(message);
            }
        }
    }

    /// The customer wrote to this number of the business: a 24-hour window opens.
    pub(crate) fn wrote(&mut self, phone: &str, phone_number_id: &str, at: Timestamp) {
        if let Some(phone) = self.by_number.get_mut(phone) {
            phone.last_written.insert(phone_number_id.to_owned(), at);
        }
    }

    pub(crate) fn last_written(&self, phone: &str, phone_number_id: &str) -> Option<Timestamp> {
        self.by_number.get(phone)?.last_written.get(phone_number_id).copied()
    }

    /// Lets what the customer wrote be older than it is; false when nothing was written yet.
    pub(crate) fn age(&mut self, phone: &str, by: SignedDuration) -> bool {
        let Some(phone) = self.by_number.get_mut(phone) else { return false };
        for at in phone.last_written.values_mut() {
            // Before the calendar's first day nothing is older than that day.
            *at = at.checked_sub(by).unwrap_or(Timestamp::MIN);
        }
        !phone.last_written.is_empty()
    }

    /// The id of the last message that a business sent to this phone.
    pub(crate) fn last_from_business(&self, phone: &str) -> Option<String> {
        self.by_number.get(phone)?.last_from_business().map(|message| message.id.clone())
    }

    pub(crate) fn message(&self, phone: &str, id: &str) -> Option<&Kept> {
        self.by_number.get(phone)?.messages.iter().find(|message| message.id == id)
    }

    pub(crate) fn get(&self, number: &str) -> Option<&Phone> {
        self.by_number.get(number)
    }

    /// The phone that was active last comes first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = (&str, &Phone)> {
        self.by_activity.values().rev().filter_map(|number| Some((&**number, self.by_number.get(number)?)))
    }
}

impl Phone {
    /// Most phones of a campaign get one message, and a list takes room for four unless told.
    fn new() -> Self {
        Self { messages: VecDeque::with_capacity(1), last_written: HashMap::new(), last_active: 0 }
    }

    /// The last message that a business sent.
    pub(crate) fn last_from_business(&self) -> Option<&Kept> {
        self.messages.iter().rev().find(|message| !message.from_customer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{DeliveryStatus, PhoneMessage, Phones};

    fn message(phone: &str, id: &str, from_customer: bool) -> PhoneMessage {
        PhoneMessage {
            id: id.to_owned(),
            phone: phone.to_owned(),
            from_customer,
            kind: "text".to_owned(),
            content: json!({ "body": "Hi" }),
            text: "Hi".to_owned(),
            reply_to: None,
            choices: Vec::new(),
            biz_opaque_callback_data: None,
            status: DeliveryStatus::Delivered,
            error: None,
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
        }
    }

    fn numbers(phones: &Phones) -> Vec<&str> {
        phones.newest().map(|(number, _)| number).collect()
    }

    #[test]
    fn the_phone_that_was_active_longest_ago_goes_first_with_all_that_is_known_of_it() {
        let mut phones = Phones::default();
        for (phone, id) in [("1", "a"), ("2", "b"), ("3", "c"), ("1", "d")] {
            phones.add(message(phone, id, true));
        }
        assert_eq!(numbers(&phones), ["1", "3", "2"]);
        phones.evict(2, usize::MAX);
        assert_eq!(numbers(&phones), ["1", "3"]);
        phones.evict(2, 1);
        assert_eq!(numbers(&phones), ["1"], "the newest stays, however big");
        assert_eq!((phones.by_activity.len(), phones.written_on.len()), (1, 2));
        phones.evict(0, 0);
        assert_eq!(phones.bytes, phones.by_number["1"].messages.iter().map(super::Kept::weight).sum::<usize>());
    }

    #[test]
    fn a_mark_reaches_the_customers_message_and_the_earlier_ones_wherever_they_are() {
        let mut phones = Phones::default();
        for (id, from_customer) in [("a", true), ("b", false), ("c", true), ("d", true)] {
            phones.add(message("1", id, from_customer));
            phones.add(message("2", &format!("other {id}"), from_customer));
        }
        let mut read = Vec::new();
        phones.mark_read("c", |message| read.push(message.id.clone()));
        assert_eq!(read, ["a", "c"]);
        phones.mark_read("d", |message| read.push(message.id.clone()));
        assert_eq!(read, ["a", "c", "d"], "each is told of once");
        phones.mark_read("b", |_| panic!("it is not the customer's"));
    }

    #[test]
    fn a_phone_keeps_its_newest_messages_and_marks_of_the_others_do_nothing() {
        let mut phones = Phones::default();
        for number in 0..=super::MAX_MESSAGES {
            phones.add(message("1", &number.to_string(), true));
        }
        assert_eq!(phones.get("1").unwrap().messages.len(), super::MAX_MESSAGES);
        phones.mark_read("0", |_| panic!("it is gone"));
        assert!(phones.message("1", "0").is_none() && phones.message("1", "1").is_some());
        assert_eq!(phones.written_on.len(), super::MAX_MESSAGES);
    }
}
