//! The guarantees of this task.

use std::sync::Arc;

use block_list::Wish;
use domain::{Error, Kind, Scope};
use meta_simulator::{ACCESS_TOKEN, Fault, PHONE_NUMBER_ID};
use serde_json::{Value, json};
use testbed::{SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID, Testbed};
use whatsapp::{Number, WhatsApp};

use super::*;

/// What template.yaml gives the function.
const TIMEOUT: Duration = Duration::from_mins(15);
/// What Meta calls the accounts' numbers, by the accounts' ids.
const NUMBERS: [(i64, &str); 2] = [(1, PHONE_NUMBER_ID), (SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID)];

fn meta(bed: &Testbed) -> WhatsApp {
    WhatsApp::new(&bed.simulator.graph_api_url()).unwrap()
}

/// An account's number at Meta: what somebody changes in Meta's own pages.
fn number(bed: &Testbed, account: i64) -> Number {
    let (_, number) = NUMBERS.into_iter().find(|(id, _)| *id == account).unwrap();
    meta(bed).number(number, &ACCESS_TOKEN.into())
}

async fn refresh(bed: &Testbed) -> Result<()> {
    // What was done before counts less.
    bed.clock.advance(Duration::from_secs(1));
    RefreshBlocked { block_list: bed.block_list.clone() }.run(TIMEOUT).await
}

/// Whom each account blocks now, as `ACCOUNT CONTACT`.
async fn blocked_now(bed: &Testbed) -> Vec<String> {
    let rows = bed.blocked_rows().await.into_iter().filter(|row| row.get("listed").is_some());
    let mut blocked: Vec<_> = rows.map(|row| format!("{} {}", text(&row, "account"), text(&row, "contact"))).collect();
    blocked.sort();
    blocked
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap()
}

fn told(error: &Error) -> (Kind, &str, &str) {
    let public = error.public();
    (public.kind, public.code.as_deref().unwrap(), &public.message)
}

#[tokio::test]
async fn the_lists_of_all_accounts_follow_what_was_done_elsewhere() {
    let bed = Testbed::start().await;
    let caller = bed.keys.authorize(Some(bed.api_key.reveal()), Scope::ContactsBlock).await.unwrap();
    let phones = ["+919876543210", "+919876543211"];
    let wish = Wish { account_id: None, phones: &phones, is_list: true, reason: Some("spam"), time_left: TIMEOUT };
    bed.block_list.block(&caller, &wish).await.unwrap();
    number(&bed, 1).unblock(&["919876543211"]).await.unwrap();
    number(&bed, 1).block(&["919876543212"]).await.unwrap();
    number(&bed, SECOND_ACCOUNT).block(&["919876543212", "919876543299"]).await.unwrap();

    refresh(&bed).await.unwrap();
    assert_eq!(blocked_now(&bed).await, ["1 919876543210", "1 919876543212", "2 919876543212", "2 919876543299"]);
    let rows = bed.blocked_rows().await;
    let row = |contact: &str| rows.iter().find(|row| row["contact"] == contact).unwrap();
    assert_eq!((&row("919876543210")["reason"], row("919876543211").get("unblocked_by")), (&json!("spam"), None));
    // Once more changes nothing, until somebody is unblocked.
    refresh(&bed).await.unwrap();
    assert_eq!(bed.blocked_rows().await, rows);
    number(&bed, SECOND_ACCOUNT).unblock(&["919876543212", "919876543299"]).await.unwrap();
    refresh(&bed).await.unwrap();
    assert_eq!(blocked_now(&bed).await, ["1 919876543210", "1 919876543212"]);
}

#[tokio::test]
async fn where_nobody_is_blocked_meta_is_asked_and_nothing_written() {
    let bed = Testbed::start().await;
    refresh(&bed).await.unwrap();
    let mut asked: Vec<_> = bed.simulator.requests().into_iter().map(|request| request.path).collect();
    asked.sort();
    assert_eq!(asked, NUMBERS.map(|(_, number)| format!("/v25.0/{number}/block_users")));
    assert!(bed.blocked_rows().await.is_empty());
}

#[tokio::test]
async fn all_of_metas_pages_are_read() {
    let bed = Testbed::start().await;
    let phones: Vec<_> = (0..345).map(|number| format!("9198765{number:05}")).collect();
    let phones: Vec<_> = phones.iter().map(String::as_str).collect();
    number(&bed, SECOND_ACCOUNT).block(&phones).await.unwrap();
    refresh(&bed).await.unwrap();
    assert_eq!(bed.blocked_now().await, phones);
    number(&bed, SECOND_ACCOUNT).unblock(&phones).await.unwrap();
    refresh(&bed).await.unwrap();
    assert!(bed.blocked_now().await.is_empty());
}

#[tokio::test]
async fn accounts_that_fail_keep_no_other_from_being_refreshed_and_are_named() {
    let bed = Testbed::start().await;
    number(&bed, SECOND_ACCOUNT).block(&["919876543210"]).await.unwrap();
    let accounts = json!([
        {"id": 7, "waba_id": "1", "phone_number_id": PHONE_NUMBER_ID, "access_token": "a wrong token"},
        {"id": SECOND_ACCOUNT, "waba_id": "1", "phone_number_id": SECOND_PHONE_NUMBER_ID, "access_token": ACCESS_TOKEN},
        {"id": 8, "waba_id": "1", "phone_number_id": "999999", "access_token": ACCESS_TOKEN},
    ]);
    let accounts = Arc::new(accounts.to_string().parse().unwrap());
    let block_list = BlockList::new(&bed.database, meta(&bed), accounts, bed.clock.clone());
    let error = RefreshBlocked { block_list }.run(TIMEOUT).await.unwrap_err();

    let message = "The lists of those blocked by these accounts are not level with WhatsApp's: 7, 8";
    assert_eq!(told(&error), (Kind::UpstreamFailed, "not_refreshed", message));
    let cause = error.source_chain().unwrap();
    assert!(cause.starts_with("account 7: upstream_auth: ") && cause.contains("; account 8: "), "{cause}");
    for secret in ["a wrong", ACCESS_TOKEN, PHONE_NUMBER_ID, "999999"] {
        assert!(!cause.contains(secret), "{secret} in {cause}");
    }
    assert_eq!(blocked_now(&bed).await, ["2 919876543210"]);
}

#[tokio::test]
async fn an_account_that_meta_does_not_answer_keeps_no_other_from_being_refreshed() {
    let bed = Testbed::start().await;
    for (account, _) in NUMBERS {
        number(&bed, account).block(&["919876543210"]).await.unwrap();
    }
    bed.simulator.fail_next(Fault::NeverAnswer, 1);
    bed.clock.advance(Duration::from_secs(1));
    let task = RefreshBlocked { block_list: bed.block_list.clone() };
    let error = task.run(Duration::from_secs(11)).await.unwrap_err();
    let (kind, code, message) = told(&error);
    assert_eq!((kind, code), (Kind::Unanswered, "not_refreshed"));
    // Which of the two it is may differ.
    let failed = message.split(": ").last().unwrap();
    let others: Vec<_> = ["1", "2"].into_iter().filter(|id| *id != failed).collect();
    assert_eq!(blocked_now(&bed).await, others.iter().map(|id| format!("{id} 919876543210")).collect::<Vec<_>>());
    assert_eq!(others.len(), 1, "{message}");
    // The next run makes up for it.
    refresh(&bed).await.unwrap();
    assert_eq!(blocked_now(&bed).await, ["1 919876543210", "2 919876543210"]);
}

#[tokio::test]
async fn while_the_storage_is_down_it_fails() {
    let bed = Testbed::start().await;
    number(&bed, 1).block(&["919876543210"]).await.unwrap();
    let task = RefreshBlocked { block_list: bed.block_list_without_storage() };
    let error = task.run(TIMEOUT).await.unwrap_err();
    let (kind, code, message) = told(&error);
    assert_eq!((kind, code, message.split(": ").last()), (Kind::Unavailable, "not_refreshed", Some("1, 2")));
    assert!(error.source_chain().unwrap().starts_with("account 1: not_recorded: "), "{error:?}");
}

#[tokio::test]
async fn without_time_to_record_what_meta_says_it_is_not_asked() {
    let bed = Testbed::start().await;
    let task = RefreshBlocked { block_list: bed.block_list.clone() };
    for seconds in [0, 8] {
        let error = task.run(Duration::from_secs(seconds)).await.unwrap_err();
        assert_eq!(told(&error).1, "not_refreshed");
        assert!(error.source_chain().unwrap().contains("account 1: too_little_time"), "{error:?}");
    }
    assert!(bed.simulator.requests().is_empty());
}
