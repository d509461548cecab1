//! What the product is about, with no I/O: no AWS, no HTTP, no environment.
//!
//! Every other crate speaks in these types. A value that exists is valid: a [`PhoneNumber`] has been cleaned and
//! measured, [`Accounts`] is never empty, an [`Error`] has a public side that may be shown to anyone.

mod account;
mod campaign;
mod clock;
mod contact;
mod error;
mod idempotency_key;
mod message_id;
mod phone_number;
mod scope;
mod sending;
mod template_value;
mod wording;

pub use account::{Account, AccountId, Accounts, AccountsError, SendRate, SendRateError};
pub use campaign::{
    CAMPAIGN_TRANSITIONS, CampaignId, CampaignStatus, CampaignStep, Member, NoRecipientRef, RecipientRef,
};
pub use clock::Clock;
pub use contact::Contact;
pub use error::{Error, Kind, PublicError, Result};
pub use idempotency_key::IdempotencyKey;
pub use message_id::MessageId;
pub use phone_number::{CountryCode, CountryCodeError, PhoneNumber, PhoneNumberError};
pub use scope::{Scope, UnknownScope};
pub use sending::{SendState, SendStep, TRANSITIONS, Transition};
pub use template_value::{TemplateValueError, template_value};
pub use wording::message_body;
