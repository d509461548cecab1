//! What holds for every endpoint that reads conversations, messages or events, each as one function, and what there is to
//! read. [`every_reading!`](crate::every_reading) and [`every_list!`](crate::every_list) make a test of each.

use api::Endpoint;
use domain::AccountId;
use serde_json::json;
use storage::{Chat, Conversations, Heard, Messages, Received};

use crate::{PHONE, SECOND_ACCOUNT, Sender, Testbed, WAMID};

/// Makes a test of every guarantee of an endpoint that reads. `$sender` is a future that gives a
/// [`Sender`](crate::Sender), with what it reads.
#[macro_export]
macro_rules! every_reading {
    ($sender:expr) => {
        $crate::every_endpoint!($sender);
        $crate::readings! { $sender;
            both_formats_of_events_and_both_forms_of_the_path_are_answered_alike
            an_account_id_that_is_none_is_a_400
        }
    };
}

/// Makes a test of every guarantee of an endpoint that lists.
#[macro_export]
macro_rules! every_list {
    ($sender:expr) => {
        $crate::every_reading!($sender);
        $crate::readings! { $sender;
            a_limit_or_a_cursor_that_is_none_is_a_400
            unknown_parameters_are_ignored
        }
    };
}

/// Makes a test of each of these guarantees.
#[macro_export]
macro_rules! readings {
    ($sender:expr; $($guarantee:ident)+) => {
        $(
            #[tokio::test]
            async fn $guarantee() {
                $crate::reading::$guarantee($sender.await).await;
            }
        )+
    };
}

/// A REST API's and an HTTP API's, with and without the last slash.
pub async fn both_formats_of_events_and_both_forms_of_the_path_are_answered_alike<E: Endpoint>(sender: Sender<E>) {
    let request = sender.with_key(&sender.body);
    let first = request.send_to(&sender.endpoint).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let without = request.clone().without_last_slash();
    for request in [request.clone().through_http_api(), without.clone(), without.through_http_api()] {
        assert_eq!(request.send_to(&sender.endpoint).await, first, "{request:?}");
    }
}

/// Whether it stands in a body or in the query.
pub async fn an_account_id_that_is_none_is_a_400<E: Endpoint>(sender: Sender<E>) {
    for odd in
        [json!("1.5"), json!(""), json!(" 1"), json!("x"), json!(1.5), json!(true), json!("99999999999999999999")]
    {
        sender.refuses(&sender.with(json!({"account_id": odd})), "account_id").await;
    }
}

/// Also a cursor that somebody made up, or that is of another list.
pub async fn a_limit_or_a_cursor_that_is_none_is_a_400<E: Endpoint>(sender: Sender<E>) {
    for odd in ["0", "101", "-1", "1.5", "", " ", "x", "99999999999", "٥", "50 "] {
        sender.refuses(&sender.with(json!({"limit": odd})), "limit").await;
    }
    let long = "a".repeat(10_000);
    // One that has a time alone, one that has nothing behind it, a sign, a control character, another list's.
    let forged = ["MTc2NzMyMzA0NTY3OA", "MTc2NzMyMzA0NTY3OCM", "8J-YgA", "AA", "MjAyNi0wMS0wMg"];
    for odd in ["", "x", "%%%", "\u{0}", "'; --", &long].into_iter().chain(forged) {
        sender.refuses(&sender.with(json!({"cursor": odd})), "cursor").await;
    }
}

/// Parameters that another version, or another client, knows.
pub async fn unknown_parameters_are_ignored<E: Endpoint>(sender: Sender<E>) {
    let expected = sender.post(&sender.body).await;
    let odd = sender.post(&sender.with(json!({"unknown": "\u{0}'", "": "x", "Limit": "0", "phone": "nobody"}))).await;
    assert_eq!(odd, expected);
}

impl Testbed {
    /// Stores a text that a contact wrote to an account at this moment, as a webhook brings it.
    pub async fn receive(&self, account_id: i64, phone: &str, wamid: &str, text: &str) {
        let at = self.clock.now();
        let content = json!({
            "from": phone, "id": wamid, "timestamp": at.as_second().to_string(), "type": "text", "text": {"body": text},
        });
        let received = Received {
            chat: Chat::with_number(AccountId(account_id), phone).expect("a number is a contact"),
            phone: phone.to_owned(),
            wamid: wamid.to_owned(),
            kind: "text".to_owned(),
            body: text.to_owned(),
            content: content.to_string(),
            reply_to: None,
            at,
        };
        self.receive_as(&received, Some("Ann")).await;
    }

    /// Stores a message that came, as a webhook brings it, from somebody who goes by this name.
    pub async fn receive_as(&self, received: &Received, name: Option<&str>) {
        let conversations = Conversations::new(&self.database);
        let Received { chat, phone, wamid, at, .. } = received;
        let heard = Heard { phone_number: phone, name, wamid, at: *at };
        conversations.moved(chat, phone, *at).await.expect("a conversation moves");
        conversations.heard(chat, &heard).await.expect("a contact is heard");
        let messages = Messages::new(&self.database);
        messages.receive(received, &conversations).await.expect("a message is stored");
    }

    /// Stores one text from [`PHONE`] to each account, with the wamid [`WAMID`], and [begins](Self::begin).
    pub async fn begin_with_a_chat(&self) {
        for account in [1, SECOND_ACCOUNT] {
            self.receive(account, PHONE, WAMID, "Hello! \"canary\" 🐤").await;
        }
        self.begin().await;
    }
}
