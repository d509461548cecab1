//! Table `CampaignRecipients`: who is in a campaign. Three kinds of rows, none of which changes once it counts:
//!
//! - `7#chunk#3`: the recipients of chunk 3 of campaign 7, in the order of their numbers there
//! - `7#contact#919876543210`: where a person is found among them. A campaign has nobody twice, however their number is written
//! - `7#wrong#0`: rows of uploads that were wrong, or held somebody who was there already
//!
//! An upload writes its rows before the campaign counts its chunks. Should it die on the way, rows of persons may lead to
//! chunks that hold somebody else, or to none: so whoever is found is looked for in the chunk, too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{CampaignId, Contact, Error, Member, Result};
use serde::{Deserialize, Serialize};

use super::Row;
use crate::database::{Database, outage};

/// A row has at most so many bytes of recipients: DynamoDB takes 400 KB with everything else in it.
const LARGEST_CHUNK: usize = 300_000;
/// So many wrong rows are written down in one row.
const WRONG_IN_A_ROW: usize = 200;

/// Who is in the campaigns.
#[derive(Clone, Debug)]
pub struct Recipients {
    database: Database,
    table: String,
}

/// Somebody to be written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The number's digits, as they go to Meta.
    #[serde(rename = "p")]
    pub phone: String,
    /// What they are called.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The values of the template's variables, in the order of the campaign's form.
    #[serde(rename = "v", default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// In which upload they came, from 1.
    #[serde(rename = "u")]
    pub upload: u32,
    /// In which row of it.
    #[serde(rename = "r")]
    pub row: u32,
}

/// Somebody to be added to a campaign.
#[derive(Clone, Debug)]
pub struct NewRecipient {
    /// The person.
    pub contact: Contact,
    /// What is written to them.
    pub recipient: Recipient,
}

/// A row of an upload that nobody is written to for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// Which upload, from 1.
    pub upload: u32,
    /// Which row of it.
    pub row: u32,
    /// A stable word for what is wrong.
    pub code: String,
    /// What is wrong, for a person.
    pub error: String,
}

impl Recipients {
    /// The recipients of a deployment.
    pub fn new(database: &Database) -> Self {
        Self { table: database.table("CampaignRecipients"), database: database.clone() }
    }

    /// Writes down new recipients, each person once, in chunks from `first_chunk` on. Gives how many each chunk got.
    pub async fn add(
        &self,
        campaign_id: CampaignId,
        first_chunk: u32,
        recipients: &[NewRecipient],
    ) -> Result<Vec<u32>> {
        let mut chunks: Vec<(String, u32)> = Vec::new();
        let mut rows = Vec::new();
        for NewRecipient { contact, recipient } in recipients {
            let json = serde_json::to_string(recipient).map_err(Error::internal)?;
            let has_room =
                |(list, size): &(String, u32)| *size < Member::MOST && list.len() + json.len() < LARGEST_CHUNK;
            let (list, index) = match chunks.pop() {
                Some(last) if has_room(&last) => last,
                full => {
                    chunks.extend(full);
                    (String::new(), 0)
                }
            };
            let chunk = first_chunk + u32::try_from(chunks.len()).map_err(Error::internal)?;
            let separator = if index == 0 { '[' } else { ',' };
            chunks.push((format!("{list}{separator}{json}"), index + 1));
            rows.push(Row::from([
                ("id".to_owned(), contact_id(campaign_id, contact)),
                ("place".to_owned(), AttributeValue::S(format!("{chunk}#{index}"))),
            ]));
        }
        let sizes = chunks.iter().map(|(_, size)| *size).collect();
        rows.extend((first_chunk..).zip(chunks).map(|(chunk, (list, _))| {
            Row::from([
                ("id".to_owned(), chunk_id(campaign_id, chunk)),
                ("recipients".to_owned(), AttributeValue::S(format!("{list}]"))),
            ])
        }));
        self.database.put_all(&self.table, rows).await?;
        Ok(sizes)
    }

    /// Which of these persons are in a campaign of so many chunks.
    pub async fn known<'a>(
        &self,
        campaign_id: CampaignId,
        chunk_count: u32,
        contacts: impl IntoIterator<Item = &'a Contact>,
    ) -> Result<BTreeSet<&'a Contact>> {
        let by_id: HashMap<_, _> =
            contacts.into_iter().map(|contact| (contact_id_text(campaign_id, contact), contact)).collect();
        let key = |id: &String| (self.table.clone(), Row::from([("id".to_owned(), AttributeValue::S(id.clone()))]));
        let rows = self.database.get_all(by_id.keys().map(key).collect()).await?;
        let mut claimed: BTreeMap<u32, Vec<(usize, &Contact)>> = BTreeMap::new();
        for (_, row) in rows {
            let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
            let place = text("place").and_then(|place| place.split_once('#'));
            let place = place.and_then(|(chunk, index)| Some((chunk.parse().ok()?, index.parse().ok()?)));
            let (Some(contact), Some((chunk, index))) = (text("id").and_then(|id| by_id.get(id)), place) else {
                return Err(Error::internal("the row of a recipient is of nobody"));
            };
            if chunk < chunk_count {
                claimed.entry(chunk).or_default().push((index, contact));
            }
        }
        let mut known = BTreeSet::new();
        for (chunk, recipients) in self.of_chunks(campaign_id, claimed.keys().copied()).await? {
            for (index, contact) in claimed.remove(&chunk).unwrap_or_default() {
                let there = recipients.get(index).and_then(|recipient| Contact::of_number(&recipient.phone));
                if there.as_ref() == Some(contact) {
                    known.insert(contact);
                }
            }
        }
        Ok(known)
    }

    /// The recipients of a chunk, in the order of their numbers there.
    pub async fn of_chunk(&self, campaign_id: CampaignId, chunk: u32) -> Result<Vec<Recipient>> {
        let get = self.database.client().get_item().table_name(&self.table).key("id", chunk_id(campaign_id, chunk));
        let row = get.send().await.map_err(outage)?.item;
        row.as_ref().map_or_else(|| Err(Error::internal("a chunk has no recipients")), read)
    }

    /// The recipients of some chunks, by the chunks' numbers.
    pub async fn of_chunks(
        &self,
        campaign_id: CampaignId,
        chunks: impl IntoIterator<Item = u32>,
    ) -> Result<BTreeMap<u32, Vec<Recipient>>> {
        let key = |chunk| (self.table.clone(), Row::from([("id".to_owned(), chunk_id(campaign_id, chunk))]));
        let rows = self.database.get_all(chunks.into_iter().map(key).collect()).await?;
        let read = |(_, row): (String, Row)| {
            let number = row.get("id").and_then(|id| id.as_s().ok()?.rsplit_once('#')?.1.parse().ok());
            Ok((number.ok_or_else(|| Error::internal("a chunk has no number"))?, read(&row)?))
        };
        rows.into_iter().map(read).collect()
    }

    /// Writes down who was in a chunk of another program's campaign; a second time more of them. `false`: others are in it.
    pub(super) async fn take_over(
        &self,
        campaign_id: CampaignId,
        chunk: u32,
        recipients: &[Recipient],
    ) -> Result<bool> {
        let there = self.of_chunks(campaign_id, [chunk]).await?.remove(&chunk).unwrap_or_default();
        if there.iter().zip(recipients).any(|(there, here)| there.phone != here.phone) {
            return Ok(false);
        }
        if there.len() < recipients.len() {
            let json = serde_json::to_string(recipients).map_err(Error::internal)?;
            let row = Row::from([
                ("id".to_owned(), chunk_id(campaign_id, chunk)),
                ("recipients".to_owned(), AttributeValue::S(json)),
            ]);
            self.database.put_all(&self.table, vec![row]).await?;
        }
        Ok(true)
    }

    /// Writes down rows of an upload that were wrong, from the part `first` on. Gives how many parts there are.
    pub async fn add_wrong(&self, campaign_id: CampaignId, first: u32, wrong: &[Wrong]) -> Result<u32> {
        let parts = wrong.chunks(WRONG_IN_A_ROW);
        let count = u32::try_from(parts.len()).map_err(Error::internal)?;
        let row = |(part, wrong): (u32, &[Wrong])| {
            let json = serde_json::to_string(wrong).map_err(Error::internal)?;
            Ok(Row::from([
                ("id".to_owned(), wrong_id(campaign_id, part)),
                ("wrong".to_owned(), AttributeValue::S(json)),
            ]))
        };
        self.database.put_all(&self.table, (first..).zip(parts).map(row).collect::<Result<_>>()?).await?;
        Ok(count)
    }

    /// The rows of uploads that were wrong, in these parts of them, in their order.
    pub async fn wrong(&self, campaign_id: CampaignId, parts: impl IntoIterator<Item = u32>) -> Result<Vec<Wrong>> {
        let key = |part| (self.table.clone(), Row::from([("id".to_owned(), wrong_id(campaign_id, part))]));
        let rows = self.database.get_all(parts.into_iter().map(key).collect()).await?;
        let mut wrong: Vec<Wrong> = Vec::new();
        for (_, row) in rows {
            let json = row.get("wrong").and_then(|value| value.as_s().ok()).map_or("[]", String::as_str);
            wrong.extend(serde_json::from_str::<Vec<Wrong>>(json).map_err(Error::internal)?);
        }
        wrong.sort_by_key(|wrong| (wrong.upload, wrong.row));
        Ok(wrong)
    }
}

fn read(row: &Row) -> Result<Vec<Recipient>> {
    let json = row.get("recipients").and_then(|value| value.as_s().ok());
    let json = json.ok_or_else(|| Error::internal("a chunk has no list of recipients"))?;
    serde_json::from_str(json).map_err(Error::internal)
}

fn chunk_id(campaign_id: CampaignId, chunk: u32) -> AttributeValue {
    AttributeValue::S(format!("{campaign_id}#chunk#{chunk}"))
}

fn contact_id_text(campaign_id: CampaignId, contact: &Contact) -> String {
    format!("{campaign_id}#contact#{}", contact.as_str())
}

fn contact_id(campaign_id: CampaignId, contact: &Contact) -> AttributeValue {
    AttributeValue::S(contact_id_text(campaign_id, contact))
}

fn wrong_id(campaign_id: CampaignId, part: u32) -> AttributeValue {
    AttributeValue::S(format!("{campaign_id}#wrong#{part}"))
}
