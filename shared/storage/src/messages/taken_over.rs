//! Messages that another program sent and received before.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::{Error, PublicError, Result, SendState};
use serde::Serialize;

use super::finding::Elsewhere;
use super::{
    Message, Messages, NewMessage, Owner, Received, ReceivedMessage, Report, Status, attribute, status, to_json,
};
use crate::conversations::Chat;
use crate::database::Written;
use crate::place::Place;

/// A message that another program sent.
#[derive(Clone, Debug)]
pub struct SentBefore {
    /// What was known before sending.
    pub new: NewMessage,
    /// Whose conversation it belongs to.
    pub chat: Chat,
    /// Meta's id.
    pub wamid: Option<String>,
    /// What the other program saw become of it.
    pub state: SendState,
    /// Why it was rejected.
    pub failure: Option<PublicError>,
    /// What a status webhook told last. When, the other program did not keep: not before it was sent.
    pub status: Option<Status>,
}

impl Messages {
    /// Takes over a message that a contact wrote, as it would have been stored had it come here; it is not counted as unread.
    /// `false`: it is there already.
    pub async fn take_over_received(&self, received: &Received) -> Result<bool> {
        Ok(self.put_once(&ReceivedMessage::from(received)).await?.is_none())
    }

    /// Takes over a message that was sent. `false`: it is there already, and at most the newer status is noted.
    pub async fn take_over_sent(&self, sent: &SentBefore) -> Result<bool> {
        let mut row = Message {
            new: sent.new.clone(),
            state: sent.state,
            owner: Owner("before".to_owned()),
            contact: Some(sent.chat.key()),
            position: Some(Place::new(sent.new.created_at, &sent.new.id.to_string())),
            wamid: sent.wamid.clone(),
            answer: None,
            failure: sent.failure.as_ref().map(to_json).transpose()?,
            statuses: super::Statuses::default(),
        };
        // Statuses may have come here already, when the message itself was not known yet.
        if let Some(wamid) = &sent.wamid
            && let Some(found) = self.row(&status::elsewhere(sent.new.account_id, wamid)).await?
        {
            let elsewhere: Elsewhere = serde_dynamo::from_item(found).map_err(Error::internal)?;
            row.statuses = elsewhere.statuses;
        }
        let report = sent.report();
        if let Some(report) = &report {
            row.statuses.add(report);
        }
        let Some(standing) = self.put_once(&row).await? else { return Ok(true) };
        let standing: Message = serde_dynamo::from_item(standing).map_err(Error::internal)?;
        if let Some(report) = report.filter(|report| standing.statuses.at(report.status).is_none()) {
            self.settle(&standing, &report).await?;
        } else if standing.state != SendState::Accepted && sent.state == SendState::Accepted {
            self.was_accepted(sent).await?;
        }
        Ok(false)
    }

    /// What stood as unknown when it was first taken over turned out to be sent.
    async fn was_accepted(&self, sent: &SentBefore) -> Result<()> {
        let mut update = self
            .database
            .client()
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(sent.new.id.to_string()))
            .update_expression("SET #state = :state")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", attribute(SendState::Accepted)?);
        if let Some(wamid) = &sent.wamid {
            update = update
                .update_expression("SET #state = :state, wamid = :wamid")
                .expression_attribute_values(":wamid", AttributeValue::S(wamid.clone()));
        }
        Written::update(update.send().await).map(|_| ())
    }

    /// Puts a row where none is. What stands there already is given back.
    async fn put_once(&self, row: &impl Serialize) -> Result<Option<super::finding::Row>> {
        let put = self
            .database
            .client()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(serde_dynamo::to_item(row).map_err(Error::internal)?))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match Written::put(put)? {
            Written::Done => Ok(None),
            Written::Refused(row) => {
                row.map(Some).ok_or_else(|| Error::internal("a message that is there shows no row"))
            }
        }
    }
}

impl SentBefore {
    fn report(&self) -> Option<Report> {
        let status = self.status?;
        let wamid = self.wamid.clone()?;
        let content = format!(r#"{{"id":{},"status":"{}"}}"#, serde_json::json!(wamid), status.as_str());
        Some(Report {
            account_id: self.new.account_id,
            message_id: None,
            wamid,
            recipient: None,
            status,
            at: self.new.created_at,
            content,
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{AccountId, MessageId};
    use embedded_dynamodb::Engine;
    use jiff::Timestamp;

    use super::*;
    use crate::conversations::Conversations;
    use crate::database::Database;
    use crate::messages::Stored;

    const SHOP: AccountId = AccountId(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_767_323_045 + second).unwrap()
    }

    fn chat() -> Chat {
        Chat::with_number(SHOP, "919876543210").unwrap()
    }

    fn sent(status: Option<Status>) -> SentBefore {
        SentBefore {
            new: NewMessage {
                id: MessageId::taken_over("wamid.a"),
                account_id: SHOP,
                phone: "919876543210".to_owned(),
                key_id: "before".to_owned(),
                content: r#"{"type":"text","text":{"body":"hi"}}"#.to_owned(),
                created_at: at(0),
                deadline_at: at(0),
                campaign: None,
            },
            chat: chat(),
            wamid: Some("wamid.a".to_owned()),
            state: SendState::Accepted,
            failure: None,
            status,
        }
    }

    fn report(status: Status, second: i64) -> Report {
        let content = r#"{"status":"x"}"#.to_owned();
        let wamid = "wamid.a".to_owned();
        Report { account_id: SHOP, message_id: None, wamid, recipient: None, status, at: at(second), content }
    }

    async fn messages() -> (Engine, Messages, Conversations) {
        let engine = Engine::in_memory().await.unwrap();
        let database = Database::local(engine.url(), engine.table_prefix());
        (engine, Messages::new(&database), Conversations::new(&database))
    }

    async fn found(messages: &Messages) -> Message {
        match messages.find(SHOP, "wamid.a").await.unwrap().unwrap() {
            Stored::Sent(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_status_that_comes_later_finds_the_message_that_another_program_sent() {
        let (_engine, messages, _) = messages().await;
        assert!(messages.take_over_sent(&sent(None)).await.unwrap());
        let reported = messages.reported(&report(Status::Read, 9)).await.unwrap().unwrap();
        messages.settle(&reported, &report(Status::Read, 9)).await.unwrap();
        assert!(!messages.take_over_sent(&sent(None)).await.unwrap());
        let message = found(&messages).await;
        assert_eq!((message.statuses.reached(), message.statuses.at(Status::Read)), (Some(Status::Read), Some(at(9))));
    }

    #[tokio::test]
    async fn statuses_that_came_before_the_message_was_taken_over_are_not_lost() {
        let (_engine, messages, _) = messages().await;
        messages.settle_elsewhere(&report(Status::Delivered, 5)).await.unwrap();
        messages.take_over_sent(&sent(Some(Status::Read))).await.unwrap();
        let statuses = found(&messages).await.statuses;
        assert_eq!(statuses.at(Status::Delivered), Some(at(5)));
        assert_eq!(statuses.reached(), Some(Status::Read));
    }

    #[tokio::test]
    async fn a_second_time_brings_what_has_become_of_it_since_and_takes_nothing_away() {
        let (_engine, messages, _) = messages().await;
        let unknown = SentBefore { state: SendState::Unknown, wamid: None, ..sent(None) };
        messages.take_over_sent(&unknown).await.unwrap();
        messages.take_over_sent(&sent(None)).await.unwrap();
        assert_eq!(found(&messages).await.state, SendState::Accepted);
        messages.take_over_sent(&sent(Some(Status::Delivered))).await.unwrap();
        messages.take_over_sent(&unknown).await.unwrap();
        let message = found(&messages).await;
        assert_eq!((message.state, message.statuses.reached()), (SendState::Accepted, Some(Status::Delivered)));
    }

    #[tokio::test]
    async fn a_message_that_came_here_and_there_is_one_and_counts_once() {
        let (_engine, messages, conversations) = messages().await;
        let received = Received {
            chat: chat(),
            phone: "919876543210".to_owned(),
            wamid: "wamid.in".to_owned(),
            kind: "text".to_owned(),
            body: "hi".to_owned(),
            content: "{}".to_owned(),
            reply_to: None,
            at: at(0),
        };
        assert!(messages.take_over_received(&received).await.unwrap());
        assert!(!messages.take_over_received(&received).await.unwrap());
        messages.receive(&received, &conversations).await.unwrap();
        assert!(conversations.get(&chat()).await.unwrap().is_none(), "counted as unread");
        assert_eq!(messages.newest(&chat(), None, 10).await.unwrap().rows.len(), 1);
    }
}
