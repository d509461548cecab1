//! Where things are kept: the DynamoDB tables (other than the API keys, which belong to crate `auth`) and the accounts.
//!
//! One module an aggregate. Names of tables and attributes, key layouts and conditional writes live here and nowhere
//! else. A write that changes state is conditional, and says by its own token whether a failed condition is somebody
//! else's doing or its own earlier attempt, whose answer was lost on the way.

pub mod accounts;
mod audit;
mod aws;
mod blocked;
mod bulk;
mod campaigns;
mod client_secret;
mod contacts;
mod conversations;
mod database;
mod events;
mod idempotency;
mod messages;
mod page;
mod place;
mod secret;
mod send_rates;
mod setup_token;
mod work_queue;

pub use audit::{Actor, AuditTrail, Change, Entry, Facts};
pub use aws::SetupError;
pub use blocked::{Became, BlockEvent, BlockedContact, BlockedContacts};
pub use campaigns::{
    Added, Campaign, CampaignBefore, Campaigns, Chunk, ChunkJob, Chunks, Counts, FailureCount, Mark, NewCampaign,
    NewRecipient, Recipient, Recipients, Released, Sample, Standing, Stepped, TakenOver, Tally, Upload, Wrong,
};
pub use client_secret::ClientSecret;
pub use contacts::{ContactKnown, Contacts};
pub use conversations::{Chat, Conversation, Conversations, Heard, KnownChat, OptOut, OptOutBy};
pub use database::{Database, Transacted, Written, epoch_millis, outage};
pub use events::{NewEvent, WebhookEvent, WebhookEvents};
pub use idempotency::{Claim, IdempotencyKeys, Reservation, Subject};
pub use messages::{
    Claimed, Message, Messages, NewMessage, Outcome, Owner, Received, ReceivedMessage, Report, SentBefore, Status,
    Statuses, Stored,
};
pub use page::Page;
pub use place::Place;
pub use send_rates::{Reserved, SendRates};
pub use setup_token::{SetupToken, SetupTokens};
pub use work_queue::WorkQueue;
