//! What a simulator can be told at its start.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use url::Url;

use crate::limits::Limits;
use crate::weather::Weather;

/// How a simulator runs. [`Settings::default`] suits tests: a random port, nothing paced, no webhook.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes any free one.
    pub address: SocketAddr,
    /// Where the signed webhooks go. Without it none are sent.
    pub webhook_url: Option<Url>,
    /// The time between a message and `sent`, then `delivered`, then `read`. Zero: at once.
    pub status_delay: Duration,
    /// What befalls the webhooks on their way.
    pub weather: Weather,
    /// Accept templates that were never created here, with any parameters. Those that exist are checked either way.
    pub any_template: bool,
    /// Refuse what Meta refuses when the customer has not written for 24 hours (error 131047) also to those who never
    /// wrote. Off, they count as having written just now.
    pub enforce_window: bool,
    /// How many messages one phone number of the business may send within any one second; more are refused with error
    /// 130429. Meta allows 80, then 1,000. Without it there is no limit.
    pub messages_per_second: Option<u32>,
    /// Refuse more than one message in 6 s from one number to the same recipient (error 131056), as Meta does. Up to 45
    /// may come at once, borrowed from the time that follows.
    pub pair_rate_limit: bool,
    /// How long a `POST …/messages` takes: it takes effect after half of this, and is answered after the other half.
    pub answer_delay: Duration,
    /// How many changes a webhook call carries at most when they are batched. Meta sends up to 1,000.
    pub batch_size: usize,
    /// How often a webhook that isn't taken is sent in all. Meta goes on for days.
    pub webhook_attempts: u32,
    /// The accounts that are served. The first one owns nothing more than the others.
    pub accounts: Vec<Account>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            webhook_url: None,
            status_delay: Duration::ZERO,
            weather: Weather::default(),
            any_template: true,
            enforce_window: false,
            messages_per_second: None,
            pair_rate_limit: false,
            answer_delay: Duration::ZERO,
            batch_size: 10,
            webhook_attempts: 5,
            accounts: vec![Account::built_in()],
        }
    }
}

impl Settings {
    pub(crate) fn limits(&self) -> Limits {
        Limits::new(self.messages_per_second, self.pair_rate_limit)
    }
}

/// One business phone number with what belongs to it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The bearer token that may use this account.
    pub access_token: String,
    /// The id that stands in `/{phone_number_id}/messages`.
    pub phone_number_id: String,
    /// The WhatsApp Business Account that owns the templates.
    pub waba_id: String,
    /// The secret that signs this account's webhooks.
    pub app_secret: String,
    /// The word that this account's webhook expects in Meta's verification request.
    pub verify_token: Option<String>,
    /// The business's own number, as digits.
    pub display_phone_number: String,
}

impl Account {
    /// The account made of this crate's constants.
    pub fn built_in() -> Self {
        Self {
            access_token: crate::ACCESS_TOKEN.to_owned(),
            phone_number_id: crate::PHONE_NUMBER_ID.to_owned(),
            waba_id: crate::WABA_ID.to_owned(),
            app_secret: crate::APP_SECRET.to_owned(),
            verify_token: Some(crate::VERIFY_TOKEN.to_owned()),
            display_phone_number: crate::DISPLAY_PHONE_NUMBER.to_owned(),
        }
    }
}
