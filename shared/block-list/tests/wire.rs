//! What Meta says comes back byte for byte, whatever it looks like and under whatever status, and the list follows it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

mod meta;

use std::sync::Arc;
use std::time::Duration;

use auth::Caller;
use block_list::{BlockList, Page, Wish};
use domain::Scope;
use serde_json::{Value, json};
use testbed::Testbed;
use whatsapp::WhatsApp;

use crate::meta::Meta;

const TIME_LEFT: Duration = Duration::from_secs(28);

/// A block list on a testbed of its own, with a Meta that says what it is told to say.
struct Wire {
    bed: Testbed,
    meta: Meta,
    block_list: BlockList,
    caller: Caller,
}

impl Wire {
    async fn start(answers: &[(u16, &str)]) -> Self {
        let bed = Testbed::start().await;
        let meta = Meta::that_says(answers).await;
        let account = json!([{"id": 1, "phone_number_id": "1", "waba_id": "1", "access_token": "token"}]);
        let accounts = Arc::new(account.to_string().parse().unwrap());
        let whatsapp = WhatsApp::new(meta.url()).unwrap();
        let block_list = BlockList::new(&bed.database, whatsapp, accounts, bed.clock.clone());
        let caller = bed.keys.authorize(Some(bed.api_key.reveal()), Scope::ContactsBlock).await.unwrap();
        Self { bed, meta, block_list, caller }
    }

    fn wish<'a>(&self, phones: &'a [&'a str]) -> Wish<'a> {
        // So that what comes later counts more.
        self.bed.clock.advance(Duration::from_secs(1));
        Wish { account_id: None, phones, is_list: true, reason: None, time_left: TIME_LEFT }
    }

    async fn block(&self, phones: &[&str]) -> Value {
        let changed = self.block_list.block(&self.caller, &self.wish(phones)).await.unwrap();
        serde_json::to_value(changed).unwrap()
    }

    async fn unblock(&self, phones: &[&str]) -> Value {
        let changed = self.block_list.unblock(&self.caller, &self.wish(phones)).await.unwrap();
        serde_json::to_value(changed).unwrap()
    }

    async fn refresh(&self) {
        self.bed.clock.advance(Duration::from_secs(1));
        self.block_list.refresh(&self.caller, None, TIME_LEFT).await.unwrap();
    }

    /// The list as a client sees it.
    async fn listed(&self) -> Vec<String> {
        let page = Page { account_id: None, limit: 100, after: None };
        let page = self.block_list.list(&self.caller, &page).await.unwrap();
        page.contacts.into_iter().map(|contact| contact.phone_number).collect()
    }
}

#[tokio::test]
async fn metas_answer_comes_back_byte_for_byte_and_the_list_follows_it() {
    for (status, body, listed) in [
        (
            200,
            r#"{ "messaging_product":"whatsapp", "block_users" : {"added_users":[{"input":"+1 650","wa_id":"1650"}]}, "n": 1.0e2, "ü": "\u00fc" }"#,
            &["1650"][..],
        ),
        // As Meta's documentation once showed it.
        (200, r#"{"block_users":{"removed_users":[{"input":"1651"}],"failed_users":[]}}"#, &["1651"]),
        // A partial failure under either status, an error's code as a text, and a user without a number.
        (
            200,
            r#"{"block_users":{"added_users":[{"input":"1652","wa_id":"1652"}],"failed_users":[{"input":"x","errors":[{"code":"131047"}]}]},"error":{"code":139100,"message":"m"}}"#,
            &["1652"],
        ),
        (
            400,
            r#"{"error":{"code":139100,"message":"m"},"block_users":{"added_users":[{"input":"US.1349","user_id":"US.1349"}],"failed_users":[{}]}}"#,
            &["US.1349"],
        ),
        (400, r#"{"block_users":{"failed_users":[{"input":"1650"}]},"error":{"code":139100,"message":"m"}}"#, &[]),
    ] {
        let wire = Wire::start(&[(status, body)]).await;
        let changed = wire.block_list.block(&wire.caller, &wire.wish(&["+1 650"])).await.unwrap();
        let told = serde_json::to_string(&changed).unwrap();
        assert_eq!(told, format!(r#"{{"status":"success","meta_response":{body}}}"#));
        assert_eq!(wire.bed.blocked_now().await, listed, "{body}");
    }
}

#[tokio::test]
async fn a_user_id_goes_to_meta_as_one_and_stands_in_the_list() {
    let added =
        r#"{"block_users":{"added_users":[{"input":"US.1349","user_id":"US.1349"},{"input":"+1650","wa_id":"1650"}]}}"#;
    let removed = added.replace("added", "removed");
    let mut wire = Wire::start(&[(200, added), (200, &removed)]).await;
    let users = json!({"messaging_product": "whatsapp", "block_users": [{"user_id": "US.1349"}, {"user": "+1650"}]});

    let answer = wire.block(&["US.1349", "+1650"]).await;
    assert_eq!(
        answer["meta_response"]["block_users"]["added_users"][0],
        json!({"input": "US.1349", "user_id": "US.1349"})
    );
    assert_eq!(wire.meta.asked().await, users);
    assert_eq!(wire.listed().await, ["US.1349", "+1650"]);
    wire.unblock(&["US.1349", "+1650"]).await;
    assert_eq!(wire.meta.asked().await, users);
    assert!(wire.listed().await.is_empty());
    assert_eq!(wire.bed.blocked_rows().await.len(), 2);
}

#[tokio::test]
async fn somebody_without_a_number_who_was_blocked_elsewhere_is_unblocked_as_the_list_names_them() {
    let list = r#"{"data":[{"messaging_product":"whatsapp","user_id":"US.1349"}]}"#;
    let removed = r#"{"block_users":{"removed_users":[{"input":"US.1349","user_id":"US.1349"}]}}"#;
    let mut wire = Wire::start(&[(200, list), (200, removed)]).await;
    wire.refresh().await;
    assert_eq!(wire.meta.asked().await, Value::Null);
    let listed = wire.listed().await;
    assert_eq!(listed, ["US.1349"]);
    wire.unblock(&[listed[0].as_str()]).await;
    assert_eq!(wire.meta.asked().await["block_users"], json!([{"user_id": "US.1349"}]));
    assert!(wire.listed().await.is_empty());
    assert_eq!(wire.bed.blocked_rows().await.len(), 1);
}

#[tokio::test]
async fn a_parents_user_id_is_refused_and_meta_not_asked() {
    let wire = Wire::start(&[]).await;
    let told = async |wish: Wish<'_>| {
        let error = wire.block_list.unblock(&wire.caller, &wish).await.unwrap_err();
        (error.public().code.as_deref().unwrap().to_owned(), error.public().field.clone().unwrap())
    };
    let phones = ["+1650", "US.ENT.1349"];
    assert_eq!(told(wire.wish(&phones)).await, ("invalid_field".to_owned(), "phones[1]".to_owned()));
    let one = Wish { is_list: false, ..wire.wish(&phones[1..]) };
    assert_eq!(told(one).await, ("invalid_field".to_owned(), "phone".to_owned()));
}

/// Meta knows a Brazilian number without the 9 with which everybody writes it.
#[tokio::test]
async fn a_number_with_several_forms_is_one_contact_by_whichever_it_is_named() {
    const WRITTEN: &str = "+55 11 98888-7777";
    let done = |key: &str, user: &str| format!(r#"{{"block_users":{{"{key}":[{user}]}}}}"#);
    let short = |input: &str| format!(r#"{{"input":"{input}","wa_id":"551188887777"}}"#);
    for (unblocked_as, removed) in [
        (WRITTEN, short(WRITTEN)),
        ("551188887777", short("551188887777")),
        ("5511988887777", r#"{"input":"5511988887777","wa_id":"5511988887777"}"#.to_owned()),
        // As older documentation shows it: Meta names nobody.
        ("5511988887777", r#"{"input":"5511988887777"}"#.to_owned()),
    ] {
        let (added, removed) = (done("added_users", &short(WRITTEN)), done("removed_users", &removed));
        let [long, short] = ["5511988887777", "551188887777"].map(|id| format!(r#"{{"data":[{{"wa_id":"{id}"}}]}}"#));
        let wire =
            Wire::start(&[(200, &added), (200, &long), (200, &short), (200, &removed), (200, r#"{"data":[]}"#)]).await;
        wire.block(&[WRITTEN]).await;
        for _ in 0..2 {
            wire.refresh().await;
            assert_eq!(wire.listed().await, [WRITTEN], "{removed}");
        }
        wire.unblock(&[unblocked_as]).await;
        assert!(wire.listed().await.is_empty(), "{removed}");
        wire.refresh().await;
        assert_eq!(wire.bed.blocked_rows().await.len(), 1, "{removed}");
    }
}

/// Somebody is blocked by their user id, and Meta's list tells their number too.
#[tokio::test]
async fn whoever_meta_lists_by_two_ids_is_listed_once() {
    let added = r#"{"block_users":{"added_users":[{"input":"US.1349","user_id":"US.1349"}]}}"#;
    let both = r#"{"data":[{"wa_id":"1650","user_id":"US.1349"}]}"#;
    let wire = Wire::start(&[(200, added), (200, both), (200, r#"{"data":[]}"#)]).await;
    wire.block(&["US.1349"]).await;
    wire.refresh().await;
    assert_eq!((wire.listed().await, wire.bed.blocked_rows().await.len()), (vec!["US.1349".to_owned()], 1));
    wire.refresh().await;
    assert!(wire.listed().await.is_empty());
}
