//! The guarantees of this endpoint.

use std::time::Duration;

use auth::Caller;
use block_list::Wish;
use domain::AccountId;
use meta_simulator::Fault;
use serde_json::{Value, json};
use testbed::{SECOND_ACCOUNT, Sender};

use super::*;

/// Asks Meta too, which most of what can go wrong is about.
async fn sender() -> Sender<ListBlocked> {
    let endpoint = |bed: &testbed::Testbed| ListBlocked { keys: bed.keys.clone(), block_list: bed.block_list.clone() };
    Sender::start_for(Scope::ContactsBlock, endpoint, json!({"refresh": "true"})).await
}

testbed::every_block_list!(sender());

const TIME_LEFT: Duration = Duration::from_secs(28);

async fn caller(sender: &Sender<ListBlocked>) -> Caller {
    sender.testbed.keys.authorize(Some(sender.testbed.api_key.reveal()), Scope::ContactsBlock).await.unwrap()
}

async fn block_as(sender: &Sender<ListBlocked>, account: i64, phones: &[&str], reason: Option<&str>) {
    let wish = Wish { account_id: Some(AccountId(account)), phones, is_list: true, reason, time_left: TIME_LEFT };
    sender.testbed.block_list.block(&caller(sender).await, &wish).await.unwrap();
    sender.testbed.clock.advance(Duration::from_secs(1));
}

async fn block(sender: &Sender<ListBlocked>, phones: &[&str]) {
    block_as(sender, 1, phones, None).await;
}

async fn unblock(sender: &Sender<ListBlocked>, phones: &[&str]) {
    let wish = Wish { account_id: None, phones, is_list: true, reason: None, time_left: TIME_LEFT };
    sender.testbed.block_list.unblock(&caller(sender).await, &wish).await.unwrap();
}

/// At Meta alone: by somebody in Meta's own pages.
async fn elsewhere(sender: &Sender<ListBlocked>, block: bool, phones: &[&str]) {
    let meta = whatsapp_number(sender);
    let outcome = if block { meta.block(phones).await } else { meta.unblock(phones).await };
    assert_eq!(outcome.unwrap().changed.len(), phones.len());
}

fn whatsapp_number(sender: &Sender<ListBlocked>) -> whatsapp::Number {
    let meta = whatsapp::WhatsApp::new(&sender.testbed.simulator.graph_api_url()).unwrap();
    meta.number(meta_simulator::PHONE_NUMBER_ID, &meta_simulator::ACCESS_TOKEN.into())
}

async fn page(sender: &Sender<ListBlocked>, parameters: Value) -> Value {
    let answer = sender.post(&parameters).await;
    assert_eq!(answer.status, 200, "{parameters}: {}", answer.body);
    answer.body
}

fn numbers(page: &Value) -> Vec<&str> {
    let users = page["blocked_users"].as_array().unwrap().iter();
    users.map(|user| user["phone_number"].as_str().unwrap()).collect()
}

/// Every page from the first to the last.
async fn pages(sender: &Sender<ListBlocked>, limit: Option<usize>) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = page(sender, json!({"limit": limit, "cursor": cursor})).await;
        pages.push(numbers(&page).into_iter().map(str::to_owned).collect());
        match page.get("next_cursor") {
            Some(next) => cursor = next.clone(),
            None => return pages,
        }
    }
}

fn many(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("9198765{number:05}")).collect()
}

#[tokio::test]
async fn those_blocked_now_are_listed_newest_first_exactly_as_the_reference_does() {
    let sender = sender().await;
    assert_eq!(page(&sender, json!({})).await, json!({"blocked_users": []}));
    block(&sender, &["+919876543210"]).await;
    block_as(&sender, 1, &["919876543211"], Some("\"spam\"\u{0} 😀")).await;
    block(&sender, &["919876543212"]).await;
    unblock(&sender, &["919876543212"]).await;
    let expected = json!({"blocked_users": [
        {"phone_number": "919876543211", "blocked_at": "2026-01-02T03:04:06.678Z", "reason": "\"spam\"\u{0} 😀"},
        {"phone_number": "+919876543210", "blocked_at": "2026-01-02T03:04:05.678Z", "reason": ""},
    ]});
    assert_eq!(page(&sender, json!({})).await, expected);
    assert_eq!(sender.testbed.blocked_rows().await.len(), 3);
}

#[tokio::test]
async fn without_refresh_meta_is_not_asked() {
    let sender = sender().await;
    sender.testbed.simulator.fail_always(Fault::HtmlServerError);
    for parameters in [json!({}), json!({"refresh": "false"})] {
        assert_eq!(page(&sender, parameters).await, json!({"blocked_users": []}));
    }
    assert!(sender.testbed.simulator.requests().is_empty());
}

#[tokio::test]
async fn every_account_has_a_list_of_its_own() {
    let sender = sender().await;
    block(&sender, &["919876543210"]).await;
    block_as(&sender, SECOND_ACCOUNT, &["919876543211"], None).await;
    assert_eq!(numbers(&page(&sender, json!({})).await), ["919876543210"]);
    assert_eq!(numbers(&page(&sender, json!({"account_id": SECOND_ACCOUNT})).await), ["919876543211"]);
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page_each_contact_once() {
    let sender = sender().await;
    let phones = many(230);
    let phones: Vec<_> = phones.iter().map(String::as_str).collect();
    // Some at one moment, some at another.
    block(&sender, &phones[..120]).await;
    block(&sender, &phones[120..]).await;
    for (limit, lengths) in
        [(None, &[50, 50, 50, 50, 30][..]), (Some(100), &[100, 100, 30]), (Some(46), &[46, 46, 46, 46, 46])]
    {
        let pages = pages(&sender, limit).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), lengths, "{limit:?}");
        let (listed, expected) = (pages.concat(), phones.iter().rev());
        assert!(listed.iter().eq(expected), "{limit:?}: {listed:?}");
    }
}

/// A contact that is unblocked while somebody turns the pages is no reason to lose others.
#[tokio::test]
async fn a_cursor_stays_good_when_its_contact_is_unblocked() {
    let sender = sender().await;
    for phone in ["919876543210", "919876543211", "919876543212"] {
        block(&sender, &[phone]).await;
    }
    let first = page(&sender, json!({"limit": 2})).await;
    assert_eq!(numbers(&first), ["919876543212", "919876543211"]);
    unblock(&sender, &["919876543211"]).await;
    let second = page(&sender, json!({"limit": 2, "cursor": first["next_cursor"]})).await;
    assert_eq!((numbers(&second), second.get("next_cursor")), (vec!["919876543210"], None));
}

#[tokio::test]
async fn parameters_that_are_none_are_a_400_that_names_them() {
    let sender = sender().await;
    for odd in ["0", "101", "-1", "1.5", "", " ", "x", "99999999999", "٥", "50 "] {
        sender.refuses(&json!({"limit": odd}), "limit").await;
    }
    for odd in ["", "1", "TRUE", "yes", "true "] {
        sender.refuses(&json!({"refresh": odd}), "refresh").await;
    }
    let forged = ["", "x", "%%%", "\u{0}", "MTc2NzMyMzA0NTY3OCM", "MTc2NzMyMzA0NTY3OA", "8J-YgA", "'; --"];
    let long = "a".repeat(10_000);
    for odd in forged.into_iter().chain([long.as_str()]) {
        sender.refuses(&json!({"cursor": odd}), "cursor").await;
    }
    assert_eq!(page(&sender, json!({"unknown": "\u{0}'", "": "x"})).await["blocked_users"], json!([]));
}

#[tokio::test]
async fn a_refresh_adds_who_was_blocked_elsewhere_and_removes_who_was_unblocked_there() {
    let sender = sender().await;
    block_as(&sender, 1, &["+919876543210", "+919876543211"], Some("spam")).await;
    block_as(&sender, SECOND_ACCOUNT, &["919876543299"], None).await;
    elsewhere(&sender, false, &["919876543211"]).await;
    elsewhere(&sender, true, &["919876543212", "525512345678"]).await;
    assert_eq!(numbers(&page(&sender, json!({})).await), ["+919876543211", "+919876543210"]);

    let refreshed = page(&sender, json!({"refresh": "true"})).await;
    assert_eq!(numbers(&refreshed), ["919876543212", "5215512345678", "+919876543210"]);
    let rows = sender.testbed.blocked_rows().await;
    let row = |contact: &str| rows.iter().find(|row| row["contact"] == contact).unwrap();
    assert_eq!(row("919876543212").get("blocked_by"), None);
    assert_eq!((row("919876543211").get("unblocked_by"), &row("919876543211")["reason"]), (None, &json!("spam")));
    assert!(row("919876543211")["unblocked_at"].is_i64());
    // What is known of the others stays, and so does the other account's list.
    assert_eq!(refreshed["blocked_users"][2]["reason"], "spam");
    assert_eq!(numbers(&page(&sender, json!({"account_id": SECOND_ACCOUNT})).await), ["919876543299"]);
    // Once more changes nothing.
    sender.testbed.clock.advance(Duration::from_mins(1));
    assert_eq!(page(&sender, json!({"refresh": "true"})).await, refreshed);
}

#[tokio::test]
async fn a_refresh_reads_all_of_metas_pages() {
    let sender = sender().await;
    let phones = many(345);
    elsewhere(&sender, true, &phones.iter().map(String::as_str).collect::<Vec<_>>()).await;
    page(&sender, json!({"refresh": "true", "limit": 1})).await;
    assert_eq!(sender.testbed.blocked_now().await, phones);
    assert_eq!(pages(&sender, Some(100)).await.concat().len(), 345);
    let meta = whatsapp_number(&sender);
    meta.unblock(&phones.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(page(&sender, json!({"refresh": "true"})).await, json!({"blocked_users": []}));
}

/// Somebody blocks while Meta's list, which does not show it yet, is on its way.
#[tokio::test]
async fn a_refresh_does_not_undo_what_happened_after_it_began() {
    let sender = sender().await;
    sender.testbed.simulator.fail_next(Fault::Delay(1000), 1);
    let later = async {
        while sender.testbed.simulator.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sender.testbed.clock.advance(Duration::from_secs(1));
        let account = AccountId(1);
        let event = storage::BlockEvent {
            account,
            contact: "919876543210".to_owned(),
            phone_number: "919876543210",
            became: storage::Became::Blocked { reason: None },
            by: None,
            at: sender.testbed.clock.now(),
        };
        storage::BlockedContacts::new(&sender.testbed.database).record(&event).await.unwrap();
    };
    tokio::join!(page(&sender, json!({"refresh": "true"})), later);
    // Asked for anew: which of the two was done first may differ, and must not matter.
    assert_eq!(numbers(&page(&sender, json!({})).await), ["919876543210"]);
}

#[tokio::test]
async fn when_storage_fails_in_a_refresh_the_client_is_told_to_repeat() {
    let mut sender = sender().await;
    sender.endpoint.block_list = sender.testbed.block_list_without_storage();
    let answer = sender.post(&sender.body).await;
    let told = (answer.status, &answer.body["code"], &answer.body["retryable"]);
    assert_eq!(told, (503, &json!("not_recorded"), &json!(true)), "{}", answer.body);
    let answer = sender.post(&json!({})).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("storage_unavailable")), "{}", answer.body);
}
