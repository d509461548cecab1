//! Our own id of a message.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::campaign::CampaignId;
use crate::contact::Contact;

/// What the ids of campaigns' messages are made from, besides who gets them. Never change it: an id would be another one,
/// and somebody would be written to twice.
const CAMPAIGNS: Uuid = Uuid::from_u128(0x2d1f_7c60_9a3e_5b48_8c17_40f6_d3b2_9e05);

/// What the ids of messages are made from that another program sent before. Never change it: what was taken over once would be
/// taken over again.
const TAKEN_OVER: Uuid = Uuid::from_u128(0x5b0c_91de_27f4_5a63_9d28_e6a1_70c4_38bf);

/// Our id of a message: a `UUIDv7`, so that ids sort by the time they were made; or, in a campaign and for what another
/// program sent before, a `UUIDv5`, which is the same however often it is made.
///
/// It travels to Meta as `biz_opaque_callback_data`, and comes back in every status webhook of the message (Meta:
/// "Status messages webhook").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = "uuid")]
pub struct MessageId(Uuid);

impl MessageId {
    /// A new id.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id of the message that a campaign sends to a contact, in their try number `attempt`: always the same. Since a
    /// message begins once only, nobody is written to twice, whoever tries.
    pub fn in_campaign(campaign: CampaignId, contact: &Contact, attempt: u32) -> Self {
        Self(Uuid::new_v5(&CAMPAIGNS, format!("{campaign}#{}#{attempt}", contact.as_str()).as_bytes()))
    }

    /// The id of a message that another program sent before, which knew it by `name`: always the same.
    pub fn taken_over(name: &str) -> Self {
        Self(Uuid::new_v5(&TAKEN_OVER, name.as_bytes()))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_read_back() {
        let id = MessageId::generate();
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
    }

    #[test]
    fn a_campaigns_message_to_a_person_has_one_id_however_their_number_is_written() {
        let id = |campaign, number, attempt| {
            MessageId::in_campaign(CampaignId(campaign), &Contact::of_number(number).unwrap(), attempt)
        };
        assert_eq!(id(7, "5511988887777", 0).to_string(), "2ed5de25-edc9-5d61-b7a2-a19c66a88b17");
        assert_eq!(id(7, "5511988887777", 0), id(7, "551188887777", 0));
        let others = [id(7, "5511988887777", 1), id(8, "5511988887777", 0), id(7, "919876543210", 0)];
        assert!(others.iter().all(|other| *other != id(7, "5511988887777", 0)));
    }

    #[test]
    fn a_message_that_was_taken_over_has_one_id_for_ever() {
        assert_eq!(MessageId::taken_over("wamid.a").to_string(), "d1c87119-3712-5ce3-8865-d8f7e48f4acd");
    }
}
