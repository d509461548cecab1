//! The guarantees of the table.

use domain::Kind;
use embedded_dynamodb::Engine;
use serde_json::Value;

use super::*;

const SHOP: AccountId = AccountId(1);
const CONTACT: &str = "919876543210";

struct Bed {
    engine: Engine,
    contacts: BlockedContacts,
}

async fn bed() -> Bed {
    let engine = Engine::in_memory().await.unwrap();
    let contacts = BlockedContacts::new(&Database::local(engine.url(), engine.table_prefix()));
    Bed { engine, contacts }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_323_045 + second).unwrap()
}

fn blocked(second: i64) -> BlockEvent<'static> {
    BlockEvent {
        account: SHOP,
        contact: CONTACT.to_owned(),
        phone_number: "+91 98765 43210",
        became: Became::Blocked { reason: None },
        by: Some("first"),
        at: at(second),
    }
}

fn unblocked(second: i64) -> BlockEvent<'static> {
    BlockEvent { became: Became::Unblocked, by: Some("second"), ..blocked(second) }
}

impl Bed {
    async fn record(&self, events: &[BlockEvent<'_>]) {
        for event in events {
            self.contacts.record(event).await.unwrap();
        }
    }

    async fn list(&self, account: AccountId) -> Vec<String> {
        let page = self.contacts.newest(account, None, 100).await.unwrap();
        page.rows.into_iter().map(|contact| contact.phone_number).collect()
    }

    async fn row(&self) -> Value {
        let client = self.contacts.database.client();
        let get = client.get_item().table_name(&self.contacts.table);
        let get = get.key("account", text(&SHOP.to_string())).key("contact", text(CONTACT));
        serde_dynamo::from_item(get.send().await.unwrap().item.unwrap()).unwrap()
    }
}

#[tokio::test]
async fn an_unblocked_contact_leaves_the_list_and_its_row_tells_who_did_what_and_when() {
    let bed = bed().await;
    let event = BlockEvent { became: Became::Blocked { reason: Some("spam") }, ..blocked(1) };
    bed.record(&[event]).await;
    assert_eq!(bed.list(SHOP).await, ["+91 98765 43210"]);
    bed.record(&[unblocked(2)]).await;
    assert_eq!(bed.list(SHOP).await, [""; 0]);
    let row = bed.row().await;
    let told = [&row["reason"], &row["blocked_by"], &row["unblocked_by"]];
    assert_eq!(told, ["spam", "first", "second"]);
    assert_eq!(row["blocked_at"], at(1).as_millisecond());
    assert_eq!(row["unblocked_at"], at(2).as_millisecond());
}

#[tokio::test]
async fn whoever_is_blocked_again_stays_blocked_since_the_first_time() {
    let bed = bed().await;
    let again = BlockEvent { by: Some("second"), phone_number: "919876543210", ..blocked(2) };
    bed.record(&[blocked(1), again.clone()]).await;
    let [contact] = <[BlockedContact; 1]>::try_from(bed.contacts.newest(SHOP, None, 9).await.unwrap().rows).unwrap();
    assert_eq!((contact.blocked_at, contact.phone_number.as_str()), (at(1), "+91 98765 43210"));
    assert_eq!(bed.row().await["blocked_by"], "first");
    // A reason that somebody has just written is not lost.
    bed.record(&[BlockEvent { became: Became::Blocked { reason: Some("spam") }, ..again.clone() }, again]).await;
    assert_eq!(bed.row().await["reason"], "spam");
}

#[tokio::test]
async fn whoever_is_blocked_anew_is_so_since_then() {
    let bed = bed().await;
    let spam = BlockEvent { became: Became::Blocked { reason: Some("spam") }, ..blocked(1) };
    let anew = BlockEvent { by: None, phone_number: "919876543210", ..blocked(3) };
    bed.record(&[spam, unblocked(2), anew]).await;
    let row = bed.row().await;
    assert_eq!((&row["reason"], row.get("blocked_by")), (&Value::from(""), None));
    assert_eq!((row["blocked_at"].as_i64(), bed.list(SHOP).await.len()), (Some(at(3).as_millisecond()), 1));
}

/// Every order of the writes of three requests ends as the last request left it.
#[tokio::test]
async fn of_several_requests_the_last_counts_in_whatever_order_they_are_written() {
    for last_blocks in [true, false] {
        let events =
            if last_blocks { [blocked(1), unblocked(2), blocked(3)] } else { [unblocked(1), blocked(2), unblocked(3)] };
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let bed = bed().await;
            for index in order {
                // Twice each, as when an answer was lost on the way.
                bed.record(&[events[index].clone(), events[index].clone()]).await;
            }
            assert_eq!(bed.list(SHOP).await.len(), usize::from(last_blocks), "{order:?}");
        }
    }
}

#[tokio::test]
async fn each_account_has_a_list_of_its_own() {
    let bed = bed().await;
    bed.record(&[blocked(1), BlockEvent { account: AccountId(2), ..unblocked(2) }]).await;
    assert_eq!((bed.list(SHOP).await.len(), bed.list(AccountId(2)).await.len()), (1, 0));
}

#[tokio::test]
async fn the_list_is_read_page_by_page_newest_first_also_of_those_blocked_at_once() {
    let bed = bed().await;
    let numbers: Vec<_> = (0..23).map(|number| format!("9198765432{number:02}")).collect();
    for (index, number) in (0..).zip(&numbers) {
        // Two at a time.
        let event = BlockEvent { contact: number.clone(), phone_number: number, ..blocked(index / 2) };
        bed.record(&[event]).await;
    }
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = bed.contacts.newest(SHOP, after.as_ref(), 5).await.unwrap();
        let Some(last) = page.rows.last() else { break };
        after = Some(Place::parse(last.listed.as_str()).unwrap());
        read.extend(page.rows.into_iter().map(|contact| contact.phone_number));
    }
    assert!(read.iter().eq(numbers.iter().rev()), "{read:?}");
    assert_eq!(bed.contacts.everybody(SHOP).await.unwrap(), numbers.into_iter().collect());
}

#[tokio::test]
async fn a_contact_is_found_under_every_form_of_the_number_while_blocked_and_only_by_whom() {
    let bed = bed().await;
    let mobile = Contact::of_number("+55 11 98888-7777").unwrap();
    let find = async |account: i64| bed.contacts.get(AccountId(account), &mobile).await.unwrap();
    assert_eq!(find(1).await, None);
    // As Meta may call one and the same phone.
    let [short, long] = ["551188887777", "5511988887777"];
    let event = |contact: &str, event: BlockEvent<'static>| BlockEvent { contact: contact.to_owned(), ..event };
    bed.record(&[event(short, blocked(3))]).await;
    assert_eq!(find(1).await.map(|contact| contact.blocked_at), Some(at(3)));
    assert_eq!(find(2).await, None);
    bed.record(&[event(short, unblocked(4))]).await;
    assert_eq!(find(1).await, None);
    bed.record(&[event(long, blocked(5)), event(short, blocked(6))]).await;
    assert_eq!(find(1).await.map(|contact| contact.blocked_at), Some(at(5)));
}

#[tokio::test]
async fn an_outage_is_never_a_contact_that_is_not_blocked() {
    let bed = bed().await;
    bed.record(&[blocked(1)]).await;
    bed.engine.stop().await;
    let error = bed.contacts.get(SHOP, &Contact::of_number(CONTACT).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}
