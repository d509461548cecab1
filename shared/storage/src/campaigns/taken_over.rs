//! Campaigns that another program ran before, with their numbers and with what became of everybody.
//!
//! They are counted as all others are: what is known of a recipient is a number in a set of the chunk's row, and the chunks
//! are folded into the campaign's row. So it may all be done again, and whoever dies on the way has miscounted nothing.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::{CampaignId, CampaignStatus, Error, Member, Result};
use jiff::Timestamp;

use super::{ACTIVE, Added, Campaign, Campaigns, Mark, NUMBERS, NewCampaign, ROUNDS, Recipient, number, owned, status};
use crate::database::{Written, epoch_millis};

/// A campaign of another program.
#[derive(Clone, Debug)]
pub struct CampaignBefore {
    /// What it was made of.
    pub new: NewCampaign,
    /// How far it has come.
    pub status: CampaignStatus,
    /// When it was started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What became of a campaign that is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenOver {
    /// It is here now.
    New,
    /// It was taken over before, and is as the other program has it now.
    Again,
    /// It was taken over before, and something has been done with it here since: that stays.
    ChangedHere,
    /// It was taken over before, and recipients were added to it here: none of the other program's join them.
    FilledHere,
    /// Another campaign has its number.
    NumberTaken,
}

impl Campaigns {
    /// Sees to it that no new campaign gets a number up to this one.
    pub async fn leave_room(&self, up_to: CampaignId) -> Result<()> {
        let update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", number(NUMBERS))
            .update_expression("SET last_id = :last")
            .condition_expression("attribute_not_exists(last_id) OR last_id < :last")
            .expression_attribute_values(":last", number(up_to.0));
        self.database.update(update).await.map(|_| ())
    }

    /// Takes over a campaign, with nobody in it yet.
    pub async fn take_over(&self, before: &CampaignBefore) -> Result<TakenOver> {
        let campaign = before.campaign();
        let put = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(&campaign).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let standing = match Written::put(put)? {
            Written::Done => return Ok(TakenOver::New),
            Written::Refused(row) => row.ok_or_else(|| Error::internal("a campaign that is there shows no row"))?,
        };
        let standing = Campaign::read(standing)?;
        let is_it = standing.new.created_at == before.new.created_at
            && standing.new.account_id == before.new.account_id
            && standing.taken_over.is_some();
        Ok(match standing.taken_over {
            Some(_) if is_it && standing.upload_count > 0 => TakenOver::FilledHere,
            Some(was) if is_it && standing.status != was => TakenOver::ChangedHere,
            Some(was) if is_it => self.renew(before, was).await?,
            _ => TakenOver::NumberTaken,
        })
    }

    /// Makes a campaign what the other program has made of it since.
    async fn renew(&self, before: &CampaignBefore, was: CampaignStatus) -> Result<TakenOver> {
        let NewCampaign { id, name, template_name, language, form, scheduled_at, .. } = &before.new;
        let mut set = vec![
            "#status = :status",
            "taken_over = :status",
            "#name = :name",
            "template_name = :template",
            "#language = :language",
            "form = :form",
        ];
        let mut values = owned([
            (":status", status(before.status)?),
            (":was", status(was)?),
            (":none", number(0)),
            (":name", AttributeValue::S(name.clone())),
            (":template", AttributeValue::S(template_name.clone())),
            (":language", AttributeValue::S(language.clone())),
            (":form", AttributeValue::S(form.clone())),
        ]);
        let mut remove = Vec::new();
        let moments = [
            ("scheduled_at = :scheduled", ":scheduled", "scheduled_at", *scheduled_at),
            ("started_at = :started", ":started", "started_at", before.started_at),
            ("ended_at = :ended", ":ended", "ended_at", before.ended_at),
        ];
        for (assign, placeholder, name, at) in moments {
            match at {
                Some(at) => {
                    set.push(assign);
                    values.insert(placeholder.to_owned(), epoch_millis(at));
                }
                None => remove.push(name),
            }
        }
        if super::is_active(before.status) {
            set.push("active = :active");
            values.insert(":active".to_owned(), AttributeValue::S(ACTIVE.to_owned()));
        } else {
            remove.push("active");
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let update = self
            .update(*id)
            .update_expression(expression)
            .condition_expression(
                "#status = :was AND taken_over = :was AND upload_count = :none AND attribute_not_exists(upload_owner)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#language", "language")
            .set_expression_attribute_values(Some(values));
        Ok(self.updated(update).await?.map_or(TakenOver::ChangedHere, |_| TakenOver::Again))
    }

    /// Takes over a chunk of a campaign: who is in it, in their order, and what is known of each. A second time more of them,
    /// and more that is known, is added. `false`: others are in this chunk.
    pub async fn take_over_chunk(
        &self,
        id: CampaignId,
        chunk: u32,
        recipients: &[Recipient],
        marks: &[(Mark, Member)],
        now: Timestamp,
    ) -> Result<bool> {
        if !self.recipients.take_over(id, chunk, recipients).await? {
            return Ok(false);
        }
        let size = u32::try_from(recipients.len()).map_err(Error::internal)?;
        self.chunks.take_over(id, chunk, size, marks).await?;
        for _ in 0..ROUNDS {
            let Some(read) = self.chunks.get(id, [chunk]).await?.pop() else { break };
            if self.fold(&read, now).await?.is_some() {
                let counted = self.update(id).update_expression("SET chunk_count = :count");
                let counted = counted
                    .condition_expression("chunk_count < :count")
                    .expression_attribute_values(":count", number(i64::from(chunk) + 1));
                return self.updated(counted).await.map(|_| true);
            }
        }
        Err(Error::storage("a chunk changes all the time"))
    }
}

impl CampaignBefore {
    fn campaign(&self) -> Campaign {
        Campaign {
            status: self.status,
            started_at: self.started_at,
            ended_at: self.ended_at,
            upload_count: 0,
            active: super::is_active(self.status).then(|| ACTIVE.to_owned()),
            taken_over: Some(self.status),
            ..Campaign::begin(self.new.clone(), Added::default())
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::AccountId;
    use embedded_dynamodb::Engine;

    use super::*;
    use crate::database::Database;

    const ID: CampaignId = CampaignId(7);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_323_045 + second).unwrap()
    }

    fn before(status: CampaignStatus) -> CampaignBefore {
        CampaignBefore {
            new: NewCampaign {
                id: ID,
                account_id: AccountId(1),
                name: "Spring".to_owned(),
                template_name: "offer".to_owned(),
                language: "en".to_owned(),
                form: "{}".to_owned(),
                despite_opt_out: false,
                key_id: "before".to_owned(),
                answer: "{}".to_owned(),
                created_at: at(0),
                scheduled_at: None,
            },
            status,
            started_at: Some(at(1)),
            ended_at: None,
        }
    }

    fn people(count: u32) -> Vec<Recipient> {
        let person =
            |row: u32| Recipient { phone: format!("9198765{row:05}"), name: None, values: vec![], upload: 1, row };
        (1..=count).map(person).collect()
    }

    fn mark(mark: Mark, index: u32) -> (Mark, Member) {
        (mark, Member::new(index, 0).unwrap())
    }

    async fn campaigns() -> (Engine, Campaigns) {
        let engine = Engine::in_memory().await.unwrap();
        let campaigns = Campaigns::new(&Database::local(engine.url(), engine.table_prefix()));
        (engine, campaigns)
    }

    async fn counts(campaigns: &Campaigns) -> (i64, i64, i64, i64, i64) {
        let counts = campaigns.get(ID).await.unwrap().unwrap().counts;
        (counts.total, counts.sent, counts.read, counts.failed, counts.open)
    }

    #[tokio::test]
    async fn counts_hold_however_often_and_in_however_many_steps_a_campaign_is_taken_over() {
        let (_engine, campaigns) = campaigns().await;
        assert_eq!(campaigns.take_over(&before(CampaignStatus::Cancelled)).await.unwrap(), TakenOver::New);
        let first = [mark(Mark::Sent, 0), mark(Mark::Failed("131026".to_owned()), 1), mark(Mark::Unknown, 2)];
        for _ in 0..2 {
            assert!(campaigns.take_over_chunk(ID, 0, &people(3), &first, at(9)).await.unwrap());
            assert_eq!(counts(&campaigns).await, (3, 1, 0, 1, 0));
        }
        let more = [mark(Mark::Sent, 0), mark(Mark::Read, 0), mark(Mark::Sent, 2), mark(Mark::Sent, 3)];
        assert!(campaigns.take_over_chunk(ID, 0, &people(4), &more, at(9)).await.unwrap());
        // Fewer than are known is news of nobody.
        assert!(campaigns.take_over_chunk(ID, 0, &people(2), &first[..1], at(9)).await.unwrap());
        assert_eq!(counts(&campaigns).await, (4, 3, 1, 1, 0));
        assert_eq!(campaigns.take_over(&before(CampaignStatus::Completed)).await.unwrap(), TakenOver::Again);
        let campaign = campaigns.get(ID).await.unwrap().unwrap();
        assert_eq!((campaign.status, campaign.chunk_count), (CampaignStatus::Completed, 1));
        assert_eq!(campaign.failures["131026"].count, 1);
    }

    #[tokio::test]
    async fn others_never_take_the_places_of_those_who_are_in_a_chunk() {
        let (_engine, campaigns) = campaigns().await;
        campaigns.take_over(&before(CampaignStatus::Completed)).await.unwrap();
        campaigns.take_over_chunk(ID, 0, &people(3), &[], at(9)).await.unwrap();
        let others = people(4).split_off(1);
        assert!(!campaigns.take_over_chunk(ID, 0, &others, &[mark(Mark::Sent, 0)], at(9)).await.unwrap());
        assert_eq!(counts(&campaigns).await, (3, 0, 0, 0, 3));
    }

    #[tokio::test]
    async fn a_new_campaign_never_gets_a_number_that_was_taken_over() {
        let (_engine, campaigns) = campaigns().await;
        campaigns.leave_room(CampaignId(41)).await.unwrap();
        campaigns.leave_room(ID).await.unwrap();
        assert_eq!(campaigns.next_id().await.unwrap(), CampaignId(42));
    }

    #[tokio::test]
    async fn what_was_done_with_a_campaign_here_stays_and_so_does_another_with_its_number() {
        let (_engine, campaigns) = campaigns().await;
        campaigns.take_over(&before(CampaignStatus::Draft)).await.unwrap();
        campaigns.step(ID, domain::CampaignStep::Cancel, None, at(5)).await.unwrap();
        let again = campaigns.take_over(&before(CampaignStatus::Completed)).await.unwrap();
        assert_eq!(again, TakenOver::ChangedHere);
        assert_eq!(campaigns.get(ID).await.unwrap().unwrap().status, CampaignStatus::Cancelled);

        let made = NewCampaign { id: CampaignId(8), ..before(CampaignStatus::Draft).new };
        campaigns.create(made.clone(), Added::default(), None).await.unwrap();
        let same_number = CampaignBefore { new: made, ..before(CampaignStatus::Completed) };
        assert_eq!(campaigns.take_over(&same_number).await.unwrap(), TakenOver::NumberTaken);
    }

    #[tokio::test]
    async fn a_draft_that_was_filled_here_is_left_to_whoever_filled_it() {
        let (_engine, campaigns) = campaigns().await;
        campaigns.take_over(&before(CampaignStatus::Draft)).await.unwrap();
        campaigns.begin_upload(ID, "me", at(2)).await.unwrap();
        campaigns.finish_upload(ID, "me", Added { recipients: 2, chunks: 1, ..Added::default() }, "{}").await.unwrap();
        assert_eq!(campaigns.take_over(&before(CampaignStatus::Completed)).await.unwrap(), TakenOver::FilledHere);
    }
}
