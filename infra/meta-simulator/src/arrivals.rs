//! What arrives, summed up: what a person watches while a campaign runs, in a size that doesn't grow with it.

mod minute;
mod templates;

use serde::Serialize;

use crate::clock;
use crate::phones::{DeliveryStatus, Phone, PhoneMessage, Phones};
use crate::world::State;
use minute::Minute;
use templates::{Most, Template, Templates};

/// The phones that are told of one by one.
const NEWEST: usize = 400;

#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    reached: Reached,
    minute: Minute,
    templates: Templates,
}

/// How many messages came as far as this, or further.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Reached {
    accepted: u64,
    sent: u64,
    delivered: u64,
    read: u64,
    failed: u64,
}

impl Arrivals {
    /// Meta took a message.
    pub(crate) fn add(&mut self, message: &PhoneMessage) {
        self.minute.count(message.at.as_second());
        self.reach(DeliveryStatus::Accepted);
        let text = |place: &str| message.content.pointer(place).and_then(serde_json::Value::as_str);
        if message.kind == "template" {
            let (name, language) = (text("/name").unwrap_or_default(), text("/language/code").unwrap_or_default());
            self.templates.add(name, language, &message.phone, message.at);
        }
    }

    /// A message came as far as this.
    pub(crate) const fn reach(&mut self, status: DeliveryStatus) {
        let count = match status {
            DeliveryStatus::Accepted => &mut self.reached.accepted,
            DeliveryStatus::Sent => &mut self.reached.sent,
            DeliveryStatus::Delivered => &mut self.reached.delivered,
            DeliveryStatus::Read => &mut self.reached.read,
            DeliveryStatus::Failed => &mut self.reached.failed,
            // It was read before.
            DeliveryStatus::Played => return,
        };
        *count += 1;
    }
}

/// The summary, as the page and the control API tell it.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    #[serde(flatten)]
    reached: Reached,
    /// The phones for which Meta took any message.
    phones: u64,
    /// How many arrived in the last full second.
    per_second: u32,
    /// How many arrived in each of the last sixty seconds, the oldest first. The last one is not over.
    seconds: Vec<u32>,
    templates: Vec<Template>,
    most_from_one_template: Option<Most>,
    /// The phones that were written to last, the newest first, with the status of their last message.
    newest: Vec<Square>,
}

#[derive(Debug, Serialize)]
struct Square {
    number: String,
    status: DeliveryStatus,
}

impl Summary {
    pub(crate) fn of(state: &State) -> Self {
        let arrivals = &state.arrivals;
        let seconds = arrivals.minute.until(clock::now().as_second());
        Self {
            reached: arrivals.reached,
            phones: state.counts.totals().phones,
            per_second: seconds.iter().rev().nth(1).copied().unwrap_or_default(),
            seconds,
            templates: arrivals.templates.rows(),
            most_from_one_template: arrivals.templates.most(),
            newest: newest(&state.phones),
        }
    }
}

fn newest(phones: &Phones) -> Vec<Square> {
    let square = |(number, phone): (&str, &Phone)| {
        Some(Square { number: number.to_owned(), status: phone.last_from_business()?.status })
    };
    phones.newest().take(NEWEST).filter_map(square).collect()
}
