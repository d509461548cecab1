//! The guarantees of the table.

use std::collections::BTreeSet;

use domain::Kind;
use embedded_dynamodb::Engine;
use serde_json::Value;

use super::*;
use crate::messages::{Messages, Received};

const SHOP: AccountId = AccountId(1);
const PHONE: &str = "919876543210";

struct Bed {
    engine: Engine,
    conversations: Conversations,
    messages: Messages,
}

/// Something that happens to a conversation.
#[derive(Clone, Copy, Debug)]
enum Event {
    Moved(i64),
    Heard(i64, &'static str, Option<&'static str>),
    Preferred(i64, bool, OptOutBy),
    Came(i64, &'static str),
}

async fn bed() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let database = Database::local(engine.url(), engine.table_prefix());
    Bed { conversations: Conversations::new(&database), messages: Messages::new(&database), engine }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + second).unwrap()
}

fn chat_with(number: &str) -> Chat {
    Chat::with_number(SHOP, number).unwrap()
}

fn received(chat: &Chat, second: i64, wamid: &str) -> Received {
    Received {
        chat: chat.clone(),
        phone: chat.contact.as_str().to_owned(),
        wamid: wamid.to_owned(),
        kind: "text".to_owned(),
        body: "hi".to_owned(),
        content: "{}".to_owned(),
        reply_to: None,
        at: at(second),
    }
}

impl Bed {
    async fn apply(&self, chat: &Chat, event: Event) -> Result<()> {
        match event {
            Event::Moved(second) => self.conversations.moved(chat, PHONE, at(second)).await,
            Event::Heard(second, wamid, name) => {
                let heard = Heard { phone_number: PHONE, name, wamid, at: at(second) };
                self.conversations.heard(chat, &heard).await
            }
            Event::Preferred(second, wants, by) => self.conversations.preferred(chat, wants, by, at(second)).await,
            Event::Came(second, wamid) => {
                self.messages.receive(&received(chat, second, wamid), &self.conversations).await
            }
        }
    }

    async fn get(&self, chat: &Chat) -> Conversation {
        self.conversations.get(chat).await.unwrap().unwrap()
    }

    async fn row(&self, chat: &Chat) -> Value {
        let get = self.conversations.database.client().get_item().table_name(&self.conversations.table);
        let mut row = get.key("contact", text(&chat.key())).send().await.unwrap().item.unwrap();
        row.remove("contact");
        serde_dynamo::from_item(row).unwrap()
    }

    /// The numbers of those listed, page by page.
    async fn pages(&self, account: AccountId, only_unread: bool, limit: i32) -> Vec<Vec<String>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = self.conversations.newest(account, only_unread, after.as_ref(), limit).await.unwrap();
            let place = page.rows.last().map(|last| last.place().unwrap());
            after = place.map(|place| Place::parse(place.as_str()).unwrap());
            pages.push(page.rows.into_iter().map(|conversation| conversation.phone_number).collect());
            if page.is_last {
                return pages;
            }
        }
    }

    async fn listed(&self, account: AccountId, only_unread: bool) -> Vec<String> {
        self.pages(account, only_unread, 100).await.concat()
    }
}

/// Some events in every order.
fn orders(events: &[Event]) -> Vec<Vec<Event>> {
    let Some((first, rest)) = events.split_first() else { return vec![Vec::new()] };
    let insert = |order: &[Event], place: usize| [&order[..place], &[*first], &order[place..]].concat();
    let of_rest = orders(rest);
    of_rest.iter().flat_map(|order| (0..=order.len()).map(move |place| insert(order, place))).collect()
}

#[tokio::test]
async fn an_older_message_never_moves_a_conversation_back() {
    let bed = bed().await;
    let chat = chat_with(PHONE);
    for (second, expected) in [(5, 5), (3, 5), (5, 5), (9, 9), (8, 9)] {
        bed.apply(&chat, Event::Moved(second)).await.unwrap();
        assert_eq!(bed.get(&chat).await.last_message_at, Some(at(expected)), "{second}");
    }
    bed.apply(&chat, Event::Heard(7, "wamid.new", Some("Ann"))).await.unwrap();
    bed.apply(&chat, Event::Heard(6, "wamid.old", Some("Anna"))).await.unwrap();
    let conversation = bed.get(&chat).await;
    assert_eq!((conversation.last_inbound_at, conversation.name.as_deref()), (Some(at(7)), Some("Ann")));
    assert_eq!(conversation.last_inbound_wamid.as_deref(), Some("wamid.new"));
}

#[tokio::test]
async fn the_same_events_in_any_order_and_number_give_the_same_row() {
    let bed = bed().await;
    let events = [
        Event::Came(4, "wamid.a"),
        Event::Moved(4),
        Event::Heard(4, "wamid.a", Some("Ann")),
        Event::Heard(4, "wamid.b", None),
        Event::Moved(9),
        Event::Preferred(4, false, OptOutBy::Word),
        Event::Preferred(4, true, OptOutBy::WhatsApp),
    ];
    let mut rows = Vec::new();
    // A conversation for each order. Of 5040, so many are enough.
    for (number, order) in orders(&events).into_iter().step_by(41).enumerate() {
        let chat = chat_with(&format!("9198{number:08}"));
        for event in order.iter().chain(order.iter().take(number % 3)) {
            bed.apply(&chat, *event).await.unwrap();
        }
        rows.push((order, bed.row(&chat).await));
    }
    let (_, first) = &rows[0];
    assert_eq!((&first["unread_count"], &first["last_inbound_wamid"]), (&1.into(), &"wamid.b".into()));
    for (order, row) in &rows {
        assert_eq!(row, first, "{order:?}");
    }
}

#[tokio::test]
async fn a_message_counts_once_however_often_it_comes() {
    let bed = bed().await;
    let chat = chat_with(PHONE);
    bed.apply(&chat, Event::Moved(1)).await.unwrap();
    for wamid in ["wamid.a", "wamid.a", "wamid.b", "wamid.a"] {
        bed.apply(&chat, Event::Came(1, wamid)).await.unwrap();
    }
    assert_eq!(bed.get(&chat).await.unread_count, 2);
}

#[tokio::test]
async fn a_message_that_comes_ten_times_at_once_counts_once() {
    let bed = bed().await;
    let chat = chat_with(PHONE);
    bed.apply(&chat, Event::Moved(1)).await.unwrap();
    let come = || async {
        // Whoever meets too many others is told so, and Meta sends it again.
        while let Err(error) = bed.apply(&chat, Event::Came(1, "wamid.a")).await {
            assert_eq!(error.kind(), Kind::Unavailable);
        }
    };
    tokio::join!(come(), come(), come(), come(), come(), come(), come(), come(), come(), come());
    assert_eq!(bed.get(&chat).await.unread_count, 1);
}

#[tokio::test]
async fn what_has_been_read_is_not_counted_again_by_a_repetition() {
    let bed = bed().await;
    let chat = chat_with(PHONE);
    for event in [Event::Moved(1), Event::Heard(1, "wamid.a", None), Event::Came(1, "wamid.a")] {
        bed.apply(&chat, event).await.unwrap();
    }
    assert_eq!(bed.listed(SHOP, true).await, [PHONE]);
    for _ in 0..2 {
        assert!(bed.conversations.read(&chat).await.unwrap());
        assert_eq!(bed.get(&chat).await.unread_count, 0);
        assert!(bed.listed(SHOP, true).await.is_empty());
        bed.apply(&chat, Event::Came(1, "wamid.a")).await.unwrap();
    }
    bed.apply(&chat, Event::Came(2, "wamid.b")).await.unwrap();
    assert_eq!((bed.get(&chat).await.unread_count, bed.listed(SHOP, true).await), (1, vec![PHONE.to_owned()]));
}

#[tokio::test]
async fn nothing_is_read_where_nobody_wrote_and_no_row_comes_of_it() {
    let bed = bed().await;
    let chat = chat_with(PHONE);
    assert!(!bed.conversations.read(&chat).await.unwrap());
    assert_eq!(bed.conversations.get(&chat).await.unwrap(), None);
    bed.apply(&chat, Event::Preferred(1, false, OptOutBy::Word)).await.unwrap();
    assert!(!bed.conversations.read(&chat).await.unwrap());
}

#[tokio::test]
async fn the_latest_wish_decides_whether_a_contact_is_opted_out_however_the_wishes_come() {
    use OptOutBy::{WhatsApp, Word};
    let bed = bed().await;
    let out = |second, by| Some(OptOut { since: at(second), by });
    let cases = [
        (&[(1, false, Word)][..], out(1, Word)),
        (&[(1, false, Word), (2, true, Word)], None),
        (&[(2, true, Word), (1, false, Word)], None),
        (&[(3, false, WhatsApp), (2, true, Word)], out(3, WhatsApp)),
        // At the same time, to stop counts.
        (&[(3, true, WhatsApp), (3, false, Word)], out(3, Word)),
        (&[(3, false, Word), (3, true, WhatsApp)], out(3, Word)),
        (&[(9, true, Word)], None),
    ];
    for (number, (wishes, expected)) in cases.into_iter().enumerate() {
        let chat = chat_with(&format!("91987654321{number}"));
        for (second, wants_messages, by) in wishes {
            bed.apply(&chat, Event::Preferred(*second, *wants_messages, *by)).await.unwrap();
        }
        assert_eq!(bed.get(&chat).await.opted_out(), expected, "{wishes:?}");
    }
    // A wish alone is no conversation.
    assert!(bed.listed(SHOP, false).await.is_empty());
}

#[tokio::test]
async fn the_id_of_a_conversation_is_the_same_for_ever_and_fits_53_bits() {
    let bed = bed().await;
    let other = Chat { account_id: AccountId(2), ..chat_with(PHONE) };
    let user_id = Chat { account_id: SHOP, contact: Contact::of_user_id("US.13491208655302741918").unwrap() };
    // Clients keep these: they must never change.
    let known =
        [(chat_with(PHONE), 5_345_136_910_267_675), (other, 2_954_596_881_734_622), (user_id, 7_672_826_200_541_797)];
    for (chat, id) in known {
        bed.apply(&chat, Event::Moved(1)).await.unwrap();
        let before = bed.get(&chat).await.id();
        for event in [Event::Came(2, "wamid.a"), Event::Heard(2, "wamid.a", Some("Ann")), Event::Moved(2)] {
            bed.apply(&chat, event).await.unwrap();
        }
        assert_eq!((before, bed.get(&chat).await.id()), (id, id), "{chat:?}");
    }
    for number in 0..200 {
        bed.apply(&chat_with(&format!("91987650{number:04}")), Event::Moved(1)).await.unwrap();
    }
    let listed = bed.conversations.newest(SHOP, false, None, 300).await.unwrap().rows;
    let ids: BTreeSet<_> = listed.iter().map(Conversation::id).collect();
    assert_eq!((ids.len(), ids.iter().map(|id| id >> 53).max()), (202, Some(0)));
}

#[tokio::test]
async fn every_form_of_a_number_is_one_conversation_under_the_number_that_meta_wrote() {
    let bed = bed().await;
    for form in ["5511988887777", "551188887777", "+55 (11) 98888-7777"] {
        bed.conversations.moved(&chat_with(form), "5511988887777", at(1)).await.unwrap();
    }
    assert_eq!(bed.listed(SHOP, false).await, ["5511988887777"]);
}

#[tokio::test]
async fn pages_meet_without_gap_or_repetition_also_where_times_are_the_same() {
    let bed = bed().await;
    let numbers: Vec<_> = (0..53).map(|number| format!("9198765{number:05}")).collect();
    for (index, number) in numbers.iter().enumerate() {
        // Five at each moment.
        let second = i64::try_from(index / 5).unwrap();
        let chat = chat_with(number);
        bed.conversations.moved(&chat, number, at(second)).await.unwrap();
        bed.messages.receive(&received(&chat, second, &format!("wamid.{index}")), &bed.conversations).await.unwrap();
        if index % 2 == 0 {
            bed.conversations.read(&chat).await.unwrap();
        }
    }
    let elsewhere = Chat { account_id: AccountId(2), ..chat_with(PHONE) };
    bed.conversations.moved(&elsewhere, PHONE, at(3)).await.unwrap();
    let unread: BTreeSet<_> = numbers.iter().skip(1).step_by(2).collect();
    for (only_unread, expected) in [(false, numbers.iter().collect()), (true, unread)] {
        for limit in [1, 2, 7, 13, 26, 52, 53, 54, 100] {
            let pages = bed.pages(SHOP, only_unread, limit).await;
            let seen = pages.concat();
            let moment = |number: &String| numbers.iter().position(|known| known == number).unwrap() / 5;
            assert!(seen.iter().map(moment).is_sorted_by(|newer, older| newer >= older), "{limit}: {seen:?}");
            assert_eq!(
                (seen.len(), seen.iter().collect::<BTreeSet<_>>()),
                (expected.len(), expected.clone()),
                "{limit}"
            );
            // No page is empty, and only the last one is short.
            assert_eq!(pages.len(), expected.len().div_ceil(usize::try_from(limit).unwrap()), "{limit}");
        }
    }
    assert_eq!(bed.listed(AccountId(2), false).await, [PHONE]);
    assert!(bed.listed(AccountId(3), false).await.is_empty());
}

/// Somebody writes while the pages are turned.
#[tokio::test]
async fn a_place_stays_good_when_its_conversation_moves_on() {
    let bed = bed().await;
    for (number, second) in [("919876543210", 1), ("919876543211", 2), ("919876543212", 3)] {
        bed.conversations.moved(&chat_with(number), number, at(second)).await.unwrap();
    }
    let first = bed.conversations.newest(SHOP, false, None, 2).await.unwrap();
    bed.conversations.moved(&chat_with("919876543211"), "919876543211", at(9)).await.unwrap();
    let place = first.rows.last().and_then(Conversation::place);
    let second = bed.conversations.newest(SHOP, false, place.as_ref(), 2).await.unwrap();
    assert_eq!((second.rows[0].phone_number.as_str(), second.rows.len(), second.is_last), ("919876543210", 1, true));
}

#[tokio::test]
async fn an_outage_is_never_an_absent_conversation_or_an_empty_list() {
    let bed = bed().await;
    let chat = chat_with(PHONE);
    bed.engine.stop().await;
    let conversations = &bed.conversations;
    assert_eq!(conversations.get(&chat).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(conversations.read(&chat).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(conversations.newest(SHOP, false, None, 9).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(conversations.moved(&chat, PHONE, at(1)).await.unwrap_err().kind(), Kind::Unavailable);
    let came = bed.messages.receive(&received(&chat, 1, "wamid.a"), conversations).await;
    assert_eq!(came.unwrap_err().kind(), Kind::Unavailable);
}
