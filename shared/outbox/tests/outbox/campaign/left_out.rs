//! Who is not written to, and why.

use domain::{AccountId, Contact, Kind, Result};
use futures::future::join_all;
use outbox::LeftOut;
use storage::{Became, BlockEvent, BlockedContacts, Chat, ContactKnown, Conversations, OptOut, OptOutBy};
use testbed::SECOND_ACCOUNT;

use super::A_MOMENT;
use crate::bed::{Bed, account, closed_port};
use crate::wire::Fault;

const OPTED_OUT: Option<LeftOut> = Some(LeftOut::OptedOut);
const BLOCKED: Option<LeftOut> = Some(LeftOut::Blocked);

/// In Brazil, where a phone has two numbers.
fn contact(index: u32) -> Contact {
    Contact::of_number(&format!("55119888{index:05}")).unwrap()
}

impl Bed {
    async fn wish(&self, account_id: i64, contact: &Contact, wants_messages: bool) {
        let chat = Chat { account_id: AccountId(account_id), contact: contact.clone() };
        let (conversations, now) = (Conversations::new(&self.testbed.database), self.testbed.clock.now());
        conversations.preferred(&chat, wants_messages, OptOutBy::Word, now).await.unwrap();
    }

    /// Blocks them, or unblocks them, under a form of their number.
    async fn note_block(&self, account_id: i64, form: &str, became: Became<'_>) {
        let at = self.testbed.clock.now();
        let contact = form.to_owned();
        let event = BlockEvent { account: AccountId(account_id), contact, phone_number: form, became, by: None, at };
        BlockedContacts::new(&self.testbed.database).record(&event).await.unwrap();
    }

    async fn left_out_of(&self, account_id: i64, contacts: &[Contact], despite: bool) -> Result<Vec<Option<LeftOut>>> {
        let contacts: Vec<_> = contacts.iter().collect();
        self.outbox.left_out(&account(account_id), &contacts, despite).await
    }
}

const BLOCK: Became<'static> = Became::Blocked { reason: None };

#[tokio::test]
async fn whoever_opted_out_or_is_blocked_is_left_out_in_the_order_that_was_asked_until_that_is_taken_back() {
    let bed = Bed::start().await;
    let [plain, opted_out, blocked, both, by_old_form] = [0, 1, 2, 3, 4].map(contact);
    for contact in [&opted_out, &both] {
        bed.wish(1, contact, false).await;
    }
    for contact in [&blocked, &both] {
        bed.note_block(1, contact.as_str(), BLOCK).await;
    }
    bed.note_block(1, by_old_form.forms().last().unwrap(), BLOCK).await;
    let asked = [both.clone(), plain.clone(), opted_out.clone(), by_old_form.clone(), blocked.clone()];
    let left_out = async |contacts: &[Contact], despite| bed.left_out_of(1, contacts, despite).await.unwrap();
    assert_eq!(left_out(&asked, false).await, [BLOCKED, None, OPTED_OUT, BLOCKED, BLOCKED]);
    assert_eq!(left_out(&asked, true).await, [BLOCKED, None, None, BLOCKED, BLOCKED]);
    let mut reversed = asked.clone();
    reversed.reverse();
    assert_eq!(left_out(&reversed, false).await, [BLOCKED, BLOCKED, OPTED_OUT, None, BLOCKED]);
    assert_eq!(left_out(&[], false).await, []);

    bed.testbed.clock.advance(A_MOMENT);
    bed.wish(1, &opted_out, true).await;
    bed.note_block(1, both.as_str(), Became::Unblocked).await;
    bed.note_block(1, blocked.as_str(), Became::Unblocked).await;
    assert_eq!(left_out(&asked, false).await, [OPTED_OUT, None, None, BLOCKED, None]);
    assert!(bed.testbed.simulator.requests().is_empty());
}

#[tokio::test]
async fn each_account_leaves_out_its_own() {
    let bed = Bed::start().await;
    let contacts = [0, 1].map(contact);
    bed.wish(1, &contacts[0], false).await;
    bed.note_block(SECOND_ACCOUNT, contacts[1].as_str(), BLOCK).await;
    assert_eq!(bed.left_out_of(1, &contacts, false).await.unwrap(), [OPTED_OUT, None]);
    assert_eq!(bed.left_out_of(SECOND_ACCOUNT, &contacts, false).await.unwrap(), [None, BLOCKED]);
}

#[tokio::test]
async fn of_more_contacts_than_one_read_takes_each_is_told_in_its_place() {
    let bed = Bed::start().await;
    let contacts: Vec<_> = (0..130).rev().map(contact).collect();
    let expected = |index: u32| match index % 13 {
        0 => OPTED_OUT,
        7 => BLOCKED,
        _ => None,
    };
    for index in 0..130 {
        match expected(index) {
            Some(LeftOut::OptedOut) => bed.wish(1, &contact(index), false).await,
            Some(LeftOut::Blocked) => bed.note_block(1, contact(index).as_str(), BLOCK).await,
            None => {}
        }
    }
    let left_out = bed.left_out_of(1, &contacts, false).await.unwrap();
    assert_eq!(left_out, (0..130).rev().map(expected).collect::<Vec<_>>());
}

#[tokio::test]
async fn while_nobody_can_tell_who_is_to_be_left_out_it_is_an_outage() {
    let contacts = [contact(0)];
    let check = async |fault, despite| {
        let (bed, proxy) = Bed::with_proxy().await;
        bed.wish(1, &contacts[0], false).await;
        proxy.fail_always("BatchGetItem", "", fault);
        let error = bed.left_out_of(1, &contacts, despite).await.unwrap_err();
        let told = (error.kind(), error.public().code.as_deref());
        assert_eq!(told, (Kind::Unavailable, Some("storage_unavailable")), "{fault:?}");
        proxy.heal();
        assert_eq!(bed.left_out_of(1, &contacts, false).await.unwrap(), [OPTED_OUT], "{fault:?}");
    };
    let outages =
        [(Fault::ServerError, false), (Fault::HangUp, true), (Fault::Throttle, false), (Fault::Silence, true)];
    join_all(outages.map(|(fault, despite)| Box::pin(check(fault, despite)))).await;
    let (_closed, url) = closed_port();
    let bed = Bed::start().await.with_database(&url);
    assert_eq!(bed.left_out_of(1, &contacts, false).await.unwrap_err().kind(), Kind::Unavailable);
}

#[test]
fn an_opt_out_may_be_gone_past_and_a_block_never() {
    let since = "2026-01-02T03:04:05Z".parse().unwrap();
    let opted_out = [None, Some(OptOut { since, by: OptOutBy::Word }), Some(OptOut { since, by: OptOutBy::WhatsApp })];
    for opted_out in opted_out {
        for despite_opt_out in [false, true] {
            let of = |is_blocked| LeftOut::of(&ContactKnown { opted_out, is_blocked }, despite_opt_out);
            let expected = OPTED_OUT.filter(|_| opted_out.is_some() && !despite_opt_out);
            assert_eq!((of(false), of(true)), (expected, BLOCKED), "{opted_out:?} {despite_opt_out}");
        }
    }
    // These words are stored, and clients read them.
    assert_eq!([LeftOut::OptedOut, LeftOut::Blocked].map(LeftOut::as_str), ["opted_out", "blocked"]);
}
