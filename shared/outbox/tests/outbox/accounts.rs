//! Which account a message is sent from, and whom it makes a conversation with.

use std::time::Duration;

use domain::{AccountId, Kind, Scope};
use meta_simulator::{Fault, PHONE_NUMBER_ID};
use outbox::Draft;
use testbed::{SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID};

use crate::bed::{Bed, KEY, PHONE, caller, draft, terms};

fn draft_from(account_id: i64) -> Draft {
    Draft { account_id: Some(AccountId(account_id)), ..draft() }
}

#[tokio::test]
async fn a_message_goes_out_from_the_number_of_its_account() {
    let bed = Bed::start().await;
    for (key, draft, number) in [
        ("default", draft(), PHONE_NUMBER_ID),
        ("first", draft_from(1), PHONE_NUMBER_ID),
        ("second", draft_from(SECOND_ACCOUNT), SECOND_PHONE_NUMBER_ID),
    ] {
        bed.outbox.send(&bed.caller, draft, &terms(key)).await.unwrap();
        let path = bed.testbed.simulator.requests().pop().unwrap().path;
        assert_eq!(path, format!("/v25.0/{number}/messages"), "{key}");
    }
    assert_eq!(bed.column("Messages", "account_id").await, ["1", "1", "2"]);
}

#[tokio::test]
async fn an_account_that_is_unknown_or_not_the_keys_is_not_found_and_leaves_no_trace() {
    let bed = Bed::start().await;
    let key = bed.testbed.key(Scope::ALL, Some(&[SECOND_ACCOUNT])).await;
    let limited = caller(&bed.testbed, &key).await;
    for (caller, draft) in [(&bed.caller, draft_from(9)), (&limited, draft_from(1)), (&limited, draft())] {
        let error = bed.outbox.send(caller, draft, &terms(KEY)).await.unwrap_err();
        assert_eq!((error.kind(), error.public().code.as_deref()), (Kind::NotFound, Some("account_not_found")));
    }
    assert!(bed.posts().is_empty() && bed.messages().await.is_empty());
    assert!(bed.column("IdempotencyKeys", "id").await.is_empty());
    bed.outbox.send(&limited, draft_from(SECOND_ACCOUNT), &terms(KEY)).await.unwrap();
}

#[tokio::test]
async fn every_message_that_meta_took_moves_its_conversation() {
    let bed = Bed::start().await;
    for (key, account) in [("a", 1), ("b", SECOND_ACCOUNT), ("c", 1)] {
        bed.testbed.clock.advance(Duration::from_secs(1));
        bed.outbox.send(&bed.caller, draft_from(account), &terms(key)).await.unwrap();
        let now = bed.testbed.clock.now().as_millisecond().to_string();
        assert!(bed.column("Conversations", "last_message_at").await.contains(&now), "{key}");
    }
    let contacts = [1, SECOND_ACCOUNT].map(|account| format!("{account}#{PHONE}"));
    assert_eq!(bed.column("Conversations", "contact").await, contacts);
}

#[tokio::test]
async fn a_message_that_meta_did_not_take_moves_no_conversation() {
    let bed = Bed::start().await;
    for (key, fault) in [("a", Fault::Error(131_047)), ("b", Fault::CloseAfterRequest)] {
        bed.testbed.simulator.fail_next(fault, 1);
        bed.send(key).await.unwrap_err();
    }
    assert!(bed.column("Conversations", "contact").await.is_empty());
}
