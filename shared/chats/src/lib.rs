//! Reads what the tables know: conversations, their messages and what became of each, and what else WhatsApp tells.
//!
//! Everything is of one account, which the caller's key may use: another account's is not found.

mod conversations;
mod events;
mod fate;
mod messages;
mod receipts;
mod setup;

use std::sync::Arc;

use auth::Caller;
use domain::{AccountId, Accounts, Clock, Contact, CountryCode, Error, Kind, PhoneNumber, Result};
use jiff::Timestamp;
use storage::{Chat, Conversations, Database, Messages};

pub use conversations::ChatPage;
pub use events::{EventPage, Events};
pub use fate::MessageDetails;
pub use messages::MessagePage;
pub use receipts::{Read, ReadReceipts, ReadWish};
pub use setup::{events_from_env, from_env, receipts_from_env};
pub use storage::Place;

/// Reads conversations and messages. A clone shares the connections.
#[derive(Clone, Debug)]
pub struct Chats {
    conversations: Conversations,
    messages: Messages,
    accounts: Arc<Accounts>,
    country: CountryCode,
    clock: Clock,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug)]
pub struct Part {
    /// How many rows at most.
    pub limit: i32,
    /// Behind which place it begins; `None`: at the newest.
    pub after: Option<Place>,
}

impl Chats {
    /// The chats of a deployment. `country` is put before a bare 10-digit number, as in the sends.
    pub fn new(database: &Database, accounts: Arc<Accounts>, country: CountryCode, clock: Clock) -> Self {
        let (conversations, messages) = (Conversations::new(database), Messages::new(database));
        Self { conversations, messages, accounts, country, clock }
    }

    /// The conversation that a client names by a phone number, in any form that the sends take, or by a business-scoped
    /// user id.
    fn chat(&self, caller: &Caller, account_id: Option<AccountId>, phone: &str) -> Result<Chat> {
        let account_id = caller.account(&self.accounts, account_id)?.id;
        if let Some(contact) = Contact::of_user_id(phone) {
            return Ok(Chat { account_id, contact });
        }
        let number = PhoneNumber::parse(phone, &self.country)
            .map_err(|error| Error::invalid_field("phone", format!("phone {error}")))?;
        Chat::with_number(account_id, number.as_digits()).ok_or_else(|| Error::internal("a phone number is no contact"))
    }
}

/// There is no such conversation.
fn chat_not_found() -> Error {
    let message = "There is no chat with this phone: nobody has written to it or from it";
    Error::new(Kind::NotFound, message).code("chat_not_found").retryable(false)
}

/// A moment as clients read it: with milliseconds even where they are zero, as in the reference.
fn moment(at: Timestamp) -> String {
    format!("{at:.3}")
}
