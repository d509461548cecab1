//! What is told of a campaign's messages is noted where the campaign finds it.

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use domain::{CampaignId, Kind, Member, RecipientRef};
use serde_json::Value;
use storage::{Chunk, Chunks, Message, Outcome, Standing};

use crate::bed::{Bed, body, change, entry, status};

const ID: CampaignId = CampaignId(7);

fn member(index: u32, attempt: u32) -> Member {
    Member::new(index, attempt).unwrap()
}

/// A campaign's two chunks with three recipients each.
async fn chunks(bed: &Bed) -> Chunks {
    let chunks = Chunks::new(&bed.database);
    chunks.make(ID, 0, &[3, 3]).await.unwrap();
    chunks
}

async fn sent(bed: &Bed, chunk: u32, member: Member, outcome: Option<&Outcome>) -> Message {
    bed.sent_to(Some(RecipientRef { campaign_id: ID, chunk, member }), outcome).await
}

async fn chunk(chunks: &Chunks, number: u32) -> Chunk {
    chunks.get(ID, [number]).await.unwrap().remove(0)
}

fn told(message: &Message, word: &str, second: i64) -> Value {
    status(&format!("wamid.{}", message.new.id), word, second, Some(message.new.id))
}

fn statuses(items: &[Value]) -> String {
    body(&[entry(&[change("statuses", items)])])
}

fn standings(chunk: &Chunk) -> Vec<Standing<'_>> {
    chunk.members().map(|member| chunk.standing(member)).collect()
}

#[tokio::test]
async fn every_status_is_noted_whatever_its_sender_saw_in_whatever_order_and_however_often() {
    for reversed in [false, true] {
        let bed = Bed::start().await;
        let chunks = chunks(&bed).await;
        let messages = [
            sent(&bed, 0, member(0, 0), Some(&Outcome::Unknown)).await,
            sent(&bed, 0, member(1, 0), None).await,
            sent(&bed, 0, member(2, 1), Some(&Outcome::Unknown)).await,
            sent(&bed, 1, member(2, 0), None).await,
        ];
        let mut items = vec![
            told(&messages[0], "sent", 1),
            told(&messages[0], "delivered", 2),
            told(&messages[1], "sent", 1),
            told(&messages[1], "failed", 2),
            told(&messages[2], "sent", 1),
            told(&messages[3], "played", 4),
        ];
        if reversed {
            items.reverse();
        }
        for item in items.iter().chain(&items) {
            bed.takes(&statuses(std::slice::from_ref(item))).await;
        }
        let (first, second) = (chunk(&chunks, 0).await, chunk(&chunks, 1).await);
        let expected = [Standing::Delivered, Standing::Failed("131026"), Standing::Pending];
        assert_eq!(standings(&first), expected);
        assert_eq!(first.standing(member(2, 1)), Standing::Sent);
        assert_eq!(standings(&second), [Standing::Pending, Standing::Pending, Standing::Read]);
        assert!(first.is_changed() && second.is_changed());
    }
}

/// A call of Meta's may hold a thousand statuses, most of them of the same few chunks.
#[tokio::test]
async fn what_one_call_tells_of_a_chunk_is_one_write() {
    let bed = Bed::start().await;
    let chunks = chunks(&bed).await;
    let mut items = Vec::new();
    for index in 0..3 {
        let message = sent(&bed, 0, member(index, 0), Some(&Outcome::Unknown)).await;
        items.extend(["sent", "delivered", "read"].map(|word| told(&message, word, 1)));
    }
    bed.takes(&statuses(&items)).await;
    assert_eq!(standings(&chunk(&chunks, 0).await), [Standing::Read; 3]);
    let rows = bed.rows("CampaignChunks").await;
    let row = rows.iter().find(|row| row["id"].as_s().unwrap() == "7#0").unwrap();
    assert_eq!(row["version"].as_n().unwrap(), "1");
}

#[tokio::test]
async fn a_campaign_that_is_not_told_is_told_when_meta_repeats_itself() {
    let bed = Bed::start().await;
    let message = sent(&bed, 0, member(0, 0), Some(&Outcome::Unknown)).await;
    let name = bed.database.table("CampaignChunks");
    bed.database.client().delete_table().table_name(&name).send().await.unwrap();
    let call = statuses(&[told(&message, "delivered", 1)]);
    assert_eq!(bed.try_to_take(&call).await.unwrap_err().kind(), Kind::Unavailable);
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let create = bed.database.client().create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(id.build().unwrap()).key_schema(key.build().unwrap());
    create.send().await.unwrap();
    let chunks = chunks(&bed).await;
    bed.takes(&call).await;
    assert_eq!(standings(&chunk(&chunks, 0).await)[0], Standing::Delivered);
}
