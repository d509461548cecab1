//! The guarantees of what the status webhooks tell.

use std::time::Duration;

use domain::{Kind, SendState};
use embedded_dynamodb::Engine;

use super::*;
use crate::database::Database;
use crate::messages::{Claimed, NewMessage, Outcome, Owner, Stored};

const SHOP: AccountId = AccountId(1);
const OTHER: AccountId = AccountId(2);
const WAMID: &str = "wamid.X";

struct Bed {
    engine: Engine,
    messages: Messages,
}

async fn bed() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let messages = Messages::new(&Database::local(engine.url(), engine.table_prefix()));
    Bed { engine, messages }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + second).unwrap()
}

fn report(status: Status, second: i64) -> Report {
    Report {
        account_id: SHOP,
        message_id: None,
        wamid: WAMID.to_owned(),
        recipient: None,
        status,
        at: at(second),
        content: format!(r#"{{"status":"{}","n":{second}}}"#, status.as_str()),
    }
}

impl Bed {
    async fn begun(&self) -> Message {
        let new = NewMessage {
            id: MessageId::generate(),
            account_id: SHOP,
            phone: "919876543210".to_owned(),
            key_id: "key".to_owned(),
            content: "{}".to_owned(),
            created_at: at(0),
            deadline_at: at(0) + Duration::from_secs(30),
            campaign: None,
        };
        let begun = self.messages.begin(&new, &Owner::new()).await.unwrap();
        assert!(matches!(begun, Claimed::Ours));
        self.get(new.id).await
    }

    async fn get(&self, id: MessageId) -> Message {
        self.messages.get(id).await.unwrap().unwrap()
    }

    async fn told(&self, message: &Message, reports: &[Report]) -> Message {
        for report in reports {
            self.messages.settle(message, report).await.unwrap();
        }
        self.get(message.new.id).await
    }
}

/// What stands in the row, but for what differs from message to message.
fn facts(message: &Message) -> Value {
    let mut row = serde_json::to_value(message).unwrap();
    for name in ["id", "owner", "position"] {
        row.as_object_mut().unwrap().remove(name).unwrap();
    }
    row
}

/// Some things in every order.
fn orders<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let insert = |order: &[T], place: usize| [&order[..place], std::slice::from_ref(first), &order[place..]].concat();
    orders(rest)
        .iter()
        .flat_map(|order| (0..=order.len()).map(|place| insert(order, place)).collect::<Vec<_>>())
        .collect()
}

#[tokio::test]
async fn statuses_in_every_order_and_number_give_the_same_row() {
    use Status::{Delivered, Failed, Read, Sent};
    let bed = bed().await;
    // Two of a kind at different times: the earlier one stays.
    let reports = [report(Sent, 1), report(Failed, 2), report(Delivered, 3), report(Delivered, 4), report(Read, 4)];
    let mut rows = Vec::new();
    for (number, order) in orders(&reports).into_iter().enumerate() {
        let message = bed.begun().await;
        let repeated: Vec<_> = order.iter().chain(order.iter().take(number % 4)).cloned().collect();
        rows.push((facts(&bed.told(&message, &repeated).await), repeated));
    }
    assert_eq!(rows.len(), 120);
    assert_eq!((&rows[0].0["wamid"], &rows[0].0["state"]), (&WAMID.into(), &"accepted".into()));
    for (row, order) in &rows {
        assert_eq!(row, &rows[0].0, "{order:?}");
    }
}

#[tokio::test]
async fn a_message_has_come_as_far_as_the_best_that_was_told_and_failed_counts_only_when_it_was_not_delivered() {
    use Status::{Delivered, Failed, Played, Read, Sent};
    let bed = bed().await;
    for (told, reached) in [
        (&[][..], None),
        (&[Sent], Some(Sent)),
        (&[Sent, Failed], Some(Failed)),
        (&[Failed, Sent], Some(Failed)),
        (&[Delivered, Sent], Some(Delivered)),
        (&[Failed, Delivered], Some(Delivered)),
        (&[Delivered, Failed], Some(Delivered)),
        (&[Read], Some(Read)),
        (&[Played, Read, Delivered], Some(Played)),
    ] {
        let message = bed.begun().await;
        let reports: Vec<_> = told.iter().map(|status| report(*status, 1)).collect();
        assert_eq!(bed.told(&message, &reports).await.statuses.reached(), reached, "{told:?}");
    }
}

#[tokio::test]
async fn each_status_keeps_its_time_and_all_that_meta_told() {
    let bed = bed().await;
    let message = bed.begun().await;
    let statuses = bed.told(&message, &[report(Status::Sent, 7), report(Status::Failed, 9)]).await.statuses;
    assert_eq!((statuses.at(Status::Sent), statuses.at(Status::Failed)), (Some(at(7)), Some(at(9))));
    assert_eq!((statuses.at(Status::Read), statuses.content(Status::Read)), (None, None));
    assert_eq!(statuses.content(Status::Failed), Some(serde_json::json!({"status": "failed", "n": 9})));
}

#[tokio::test]
async fn a_status_settles_an_unknown_and_nothing_unsettles_it() {
    let bed = bed().await;
    for before_its_own_outcome in [true, false] {
        let message = bed.begun().await;
        let id = message.new.id;
        if before_its_own_outcome {
            bed.told(&message, &[report(Status::Failed, 1)]).await;
            bed.messages.finish(id, &message.owner, &Outcome::Unknown).await.unwrap();
        } else {
            bed.messages.finish(id, &message.owner, &Outcome::Unknown).await.unwrap();
            assert_eq!(bed.get(id).await.state, SendState::Unknown);
            bed.told(&message, &[report(Status::Failed, 1)]).await;
        }
        let message = bed.get(id).await;
        // Also long after its deadline.
        assert_eq!((message.state_at(at(999)), message.wamid.as_deref()), (SendState::Accepted, Some(WAMID)));
    }
}

#[tokio::test]
async fn a_status_finds_its_message_by_our_id_or_else_by_metas() {
    let bed = bed().await;
    let message = bed.begun().await;
    let id = message.new.id;
    let by_our_id = Report { message_id: Some(id), ..report(Status::Sent, 1) };
    assert_eq!(bed.messages.reported(&by_our_id).await.unwrap().unwrap().new.id, id);
    assert!(bed.messages.reported(&report(Status::Sent, 1)).await.unwrap().is_none());
    bed.told(&message, &[by_our_id]).await;
    assert_eq!(bed.messages.reported(&report(Status::Read, 1)).await.unwrap().unwrap().new.id, id);
    let absent = Report { message_id: Some(MessageId::generate()), ..report(Status::Read, 1) };
    assert_eq!(bed.messages.reported(&absent).await.unwrap().unwrap().new.id, id);
}

/// Whoever gets hold of an id of ours, or of Meta's, can't settle another account's message with it.
#[tokio::test]
async fn a_message_of_another_account_or_wamid_is_not_settled() {
    let bed = bed().await;
    let message = bed.begun().await;
    let message = bed.told(&message, &[report(Status::Sent, 1)]).await;
    let id = Some(message.new.id);
    for wrong in [
        Report { account_id: OTHER, ..report(Status::Failed, 1) },
        Report { account_id: OTHER, message_id: id, ..report(Status::Failed, 1) },
        Report { wamid: "wamid.Y".to_owned(), message_id: id, ..report(Status::Failed, 1) },
        Report { wamid: String::new(), ..report(Status::Failed, 1) },
        Report { wamid: "w".repeat(5000), ..report(Status::Failed, 1) },
    ] {
        assert!(bed.messages.reported(&wrong).await.unwrap().is_none(), "{wrong:?}");
    }
}

#[tokio::test]
async fn what_was_sent_elsewhere_is_known_by_its_statuses_alone() {
    let bed = bed().await;
    for report in [report(Status::Read, 3), report(Status::Sent, 1), report(Status::Read, 2)] {
        bed.messages.settle_elsewhere(&report).await.unwrap();
    }
    let Some(Stored::Elsewhere(message)) = bed.messages.find(SHOP, WAMID).await.unwrap() else { panic!("no message") };
    assert_eq!((message.wamid(), message.account_id), (WAMID, SHOP));
    assert_eq!((message.statuses.reached(), message.statuses.at(Status::Read)), (Some(Status::Read), Some(at(2))));
    assert!(bed.messages.find(OTHER, WAMID).await.unwrap().is_none());
}

#[tokio::test]
async fn an_outage_is_never_a_message_sent_elsewhere() {
    let bed = bed().await;
    let message = bed.begun().await;
    bed.engine.stop().await;
    let report = Report { message_id: Some(message.new.id), ..report(Status::Sent, 1) };
    assert_eq!(bed.messages.reported(&report).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(bed.messages.settle(&message, &report).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(bed.messages.settle_elsewhere(&report).await.unwrap_err().kind(), Kind::Unavailable);
}
