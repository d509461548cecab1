//! The guarantees of finding messages, and of storing those that come.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Contact, Kind};
use embedded_dynamodb::Engine;

use super::*;
use crate::conversations::Conversations;
use crate::database::Database;
use crate::messages::{NewMessage, Outcome, Owner, Received};

const SHOP: AccountId = AccountId(1);
const OTHER: AccountId = AccountId(2);
const PHONE: &str = "919876543210";

struct Bed {
    engine: Engine,
    messages: Messages,
    conversations: Conversations,
}

async fn bed() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let database = Database::local(engine.url(), engine.table_prefix());
    Bed { messages: Messages::new(&database), conversations: Conversations::new(&database), engine }
}

fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_767_323_045 + second).unwrap()
}

fn chat(account_id: AccountId) -> Chat {
    Chat::with_number(account_id, PHONE).unwrap()
}

fn received(wamid: &str, second: i64) -> Received {
    Received {
        chat: chat(SHOP),
        phone: PHONE.to_owned(),
        wamid: wamid.to_owned(),
        kind: "text".to_owned(),
        body: format!("body of {wamid}"),
        content: r#"{"type":"text"}"#.to_owned(),
        reply_to: Some("wamid.Before".to_owned()),
        at: at(second),
    }
}

fn new_message(second: i64) -> NewMessage {
    NewMessage {
        id: MessageId::generate(),
        account_id: SHOP,
        phone: PHONE.to_owned(),
        key_id: "key".to_owned(),
        content: "{}".to_owned(),
        created_at: at(second),
        deadline_at: at(second) + Duration::from_secs(30),
        campaign: None,
    }
}

fn accepted(wamid: &str, chat: Option<Chat>) -> Outcome {
    Outcome::Accepted { wamid: wamid.to_owned(), answer: "{}".to_owned(), chat }
}

fn name(message: &Stored) -> String {
    match message {
        Stored::Sent(message) => message.new.id.to_string(),
        Stored::Received(message) => message.wamid.clone(),
        Stored::Elsewhere(message) => message.wamid().to_owned(),
    }
}

impl Bed {
    async fn receive(&self, received: &Received) {
        self.messages.receive(received, &self.conversations).await.unwrap();
    }

    async fn pages(&self, chat: &Chat, limit: i32) -> Vec<Vec<String>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = self.messages.newest(chat, after.as_ref(), limit).await.unwrap();
            let place = page.rows.last().and_then(Stored::place);
            after = place.map(|place| Place::parse(place.as_str()).unwrap());
            pages.push(page.rows.iter().map(name).collect());
            if page.is_last {
                return pages;
            }
        }
    }
}

#[tokio::test]
async fn a_conversations_messages_of_both_directions_are_listed_newest_first_page_by_page() {
    let bed = bed().await;
    let mut oldest_first = Vec::new();
    for second in 0..20 {
        bed.receive(&received(&format!("wamid.{second:02}"), second)).await;
        oldest_first.push(format!("wamid.{second:02}"));
        let new = NewMessage { created_at: at(second) + Duration::from_millis(500), ..new_message(second) };
        bed.messages.begin(&new, &Owner::new()).await.unwrap();
        oldest_first.push(new.id.to_string());
    }
    let elsewhere = Chat { account_id: OTHER, ..chat(SHOP) };
    bed.receive(&Received { chat: elsewhere, ..received("wamid.Elsewhere", 3) }).await;
    for limit in [1, 3, 20, 39, 40, 41, 100] {
        let pages = bed.pages(&chat(SHOP), limit).await;
        assert!(pages.concat().iter().eq(oldest_first.iter().rev()), "{limit}: {pages:?}");
        assert_eq!(pages.len(), 40_usize.div_ceil(usize::try_from(limit).unwrap()), "{limit}");
    }
    assert_eq!(bed.pages(&chat(OTHER), 9).await, [["wamid.Elsewhere"]]);
    assert_eq!(bed.pages(&Chat::with_number(SHOP, "16505551234").unwrap(), 9).await.concat(), [""; 0]);
}

#[tokio::test]
async fn pages_meet_where_many_messages_have_one_time() {
    let bed = bed().await;
    let all: BTreeSet<_> = (0..30).map(|number| format!("wamid.{number}")).collect();
    for wamid in &all {
        bed.receive(&received(wamid, 1)).await;
    }
    for limit in [1, 4, 29, 30] {
        let seen = bed.pages(&chat(SHOP), limit).await.concat();
        assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (30, all.clone()), "{limit}");
    }
}

/// One answer of DynamoDB has 1 MB at most, whatever was asked for.
#[tokio::test]
async fn a_page_cut_short_by_its_size_is_not_taken_for_the_last_one() {
    let bed = bed().await;
    let large = format!("\"{}\"", "x".repeat(190_000));
    for number in 0..12 {
        bed.receive(&Received { content: large.clone(), ..received(&format!("wamid.{number:02}"), number) }).await;
    }
    let pages = bed.pages(&chat(SHOP), 100).await;
    let expected: Vec<_> = (0..12).rev().map(|number| format!("wamid.{number:02}")).collect();
    assert_eq!(pages.concat(), expected);
    assert!((2..=4).contains(&pages.len()) && pages.iter().all(|page| !page.is_empty()), "{pages:?}");
}

#[tokio::test]
async fn a_message_is_found_by_our_id_and_by_metas_in_its_account_alone() {
    let bed = bed().await;
    let new = new_message(1);
    let owner = Owner::new();
    bed.messages.begin(&new, &owner).await.unwrap();
    bed.messages.finish(new.id, &owner, &accepted("wamid.Sent", None)).await.unwrap();
    bed.receive(&received("wamid.Received", 1)).await;
    let id = new.id.to_string();
    for (asked, found) in [(id.as_str(), id.as_str()), ("wamid.Sent", &id), ("wamid.Received", "wamid.Received")] {
        let message = bed.messages.find(SHOP, asked).await.unwrap();
        assert_eq!(message.as_ref().map(name).as_deref(), Some(found), "{asked}");
        assert!(bed.messages.find(OTHER, asked).await.unwrap().is_none(), "{asked}");
    }
    let (long, unknown) = ("w".repeat(5000), MessageId::generate().to_string());
    let odd =
        ["", " ", "wamid.", "wamid.sent", "in#wamid.Received#text#1#919876543210", "out#", "ä\u{0}", &long, &unknown];
    for odd in odd {
        assert!(bed.messages.find(SHOP, odd).await.unwrap().is_none(), "{odd}");
    }
}

/// As in examples of Meta's own; and of two accounts each has its own.
#[tokio::test]
async fn messages_that_share_a_wamid_do_not_hide_each_other() {
    let bed = bed().await;
    bed.receive(&received("wamid.Same", 1)).await;
    bed.receive(&Received { kind: "image".to_owned(), ..received("wamid.Same", 2) }).await;
    bed.receive(&Received { chat: Chat { account_id: OTHER, ..chat(SHOP) }, ..received("wamid.Same", 1) }).await;
    assert_eq!(bed.pages(&chat(SHOP), 9).await.concat().len(), 2);
    for account in [SHOP, OTHER] {
        assert_eq!(bed.messages.find(account, "wamid.Same").await.unwrap().unwrap().account_id(), account);
    }
    assert_eq!(bed.conversations.get(&chat(SHOP)).await.unwrap().unwrap().unread_count, 2);
}

#[tokio::test]
async fn a_received_message_is_kept_as_it_came_and_of_two_with_different_contents_the_same_one_every_time() {
    let bed = bed().await;
    let (first, second) =
        (received("wamid.A", 1), Received { content: r#"{"type":"a"}"#.to_owned(), ..received("wamid.A", 1) });
    bed.receive(&first).await;
    let Some(Stored::Received(row)) = bed.messages.find(SHOP, "wamid.A").await.unwrap() else { panic!("no message") };
    assert_eq!((row.wamid.as_str(), row.kind.as_str(), row.body.as_str()), ("wamid.A", "text", "body of wamid.A"));
    assert_eq!((row.content.as_str(), row.reply_to.as_deref()), (r#"{"type":"text"}"#, Some("wamid.Before")));
    assert_eq!((row.at, row.phone.as_str()), (at(1), PHONE));
    for order in [[&second, &first], [&first, &second]] {
        for received in order {
            bed.receive(received).await;
        }
        let Some(Stored::Received(row)) = bed.messages.find(SHOP, "wamid.A").await.unwrap() else {
            panic!("no message")
        };
        assert_eq!(row.content, second.content);
    }
    assert_eq!(bed.conversations.get(&chat(SHOP)).await.unwrap().unwrap().unread_count, 1);
}

/// Meta may answer with another number than the one that was sent to.
#[tokio::test]
async fn a_message_stands_in_the_conversation_of_whom_meta_sent_it_to() {
    let bed = bed().await;
    let new = new_message(1);
    let owner = Owner::new();
    bed.messages.begin(&new, &owner).await.unwrap();
    assert_eq!(bed.pages(&chat(SHOP), 9).await.concat(), [new.id.to_string()]);
    let user = Chat { account_id: SHOP, contact: Contact::of_user_id("US.1349").unwrap() };
    bed.messages.finish(new.id, &owner, &accepted("wamid.X", Some(user.clone()))).await.unwrap();
    assert_eq!(bed.pages(&user, 9).await.concat(), [new.id.to_string()]);
    assert!(bed.pages(&chat(SHOP), 9).await.concat().is_empty());
}

#[tokio::test]
async fn an_outage_is_never_an_absent_message_or_an_empty_conversation() {
    let bed = bed().await;
    bed.engine.stop().await;
    for id in ["wamid.A", &MessageId::generate().to_string()] {
        assert_eq!(bed.messages.find(SHOP, id).await.unwrap_err().kind(), Kind::Unavailable, "{id}");
    }
    assert_eq!(bed.messages.newest(&chat(SHOP), None, 9).await.unwrap_err().kind(), Kind::Unavailable);
}
