//! What holds for every endpoint of the block list, each as one function. [`every_block_list!`](crate::every_block_list)
//! makes a test of each.

use std::time::Duration;

use api::Endpoint;
use meta_simulator::Fault;
use serde_json::{Value, json};

use crate::{Answer, SECOND_ACCOUNT, SECOND_PHONE_NUMBER_ID, Sender, Testbed};

/// Makes a test of every guarantee. `$sender` is a future that gives a [`Sender`](crate::Sender) whose body asks Meta.
#[macro_export]
macro_rules! every_block_list {
    ($sender:expr) => {
        $crate::every_endpoint!($sender);
        $crate::every_call_of_meta!($sender);
        $crate::block_lists! { $sender;
            what_meta_says_comes_back_by_its_class
            what_meta_did_not_answer_is_a_504_that_may_be_repeated
            without_time_to_record_metas_answer_it_is_not_asked
            both_formats_of_events_are_answered_alike
            the_account_decides_the_number_and_the_token
        }
    };
}

/// Makes a test of each of these guarantees.
#[macro_export]
macro_rules! block_lists {
    ($sender:expr; $($guarantee:ident)+) => {
        $(
            #[tokio::test]
            async fn $guarantee() {
                $crate::block_lists::$guarantee($sender.await).await;
            }
        )+
    };
}

/// The status, the code, whether it may be repeated and when. No word of a message: nobody sent one.
pub async fn what_meta_says_comes_back_by_its_class<E: Endpoint>(sender: Sender<E>) {
    for (fault, status, code, wait) in [
        (Fault::Error(130_429), 429, "rate_limited", Some("1")),
        (Fault::ErrorWithRetryAfter, 429, "rate_limited", Some("3")),
        (Fault::HtmlTooMany, 429, "rate_limited", Some("60")),
        (Fault::Error(190), 502, "upstream_auth", None),
        (Fault::Error(10), 502, "upstream_permission", None),
        (Fault::Error(368), 502, "account_restricted", None),
        (Fault::Error(33), 502, "sender_not_found", None),
        (Fault::Error(100), 400, "refused", None),
        (Fault::Error(139_103), 503, "upstream_unavailable", Some("1")),
        (Fault::ServerErrorWithJson, 503, "upstream_unavailable", Some("1")),
    ] {
        let what = format!("{fault:?}");
        sender.testbed.simulator.fail_next(fault, 1);
        let answer = sender.post(&sender.body).await;
        assert_eq!((answer.status, &answer.body["code"]), (status, &json!(code)), "{what}: {}", answer.body);
        assert_eq!(answer.headers["Retry-After"].as_str(), wait, "{what}");
        assert_eq!(answer.body["retryable"], json!(matches!(status, 429 | 503)), "{what}");
        assert!(!answer.error().contains("message was"), "{what}: {}", answer.body);
        assert_eq!(sender.testbed.dump(&["BlockedContacts"]).await["BlockedContacts"], json!([]), "{what}");
    }
}

/// Whether Meta did it or not: the same request again does no harm, and is answered.
pub async fn what_meta_did_not_answer_is_a_504_that_may_be_repeated<E: Endpoint>(sender: Sender<E>) {
    let told = |answer: &Answer, what: &str| {
        let told = (answer.status, &answer.body["code"], &answer.body["retryable"], &answer.headers["Retry-After"]);
        assert_eq!(told, (504, &json!("outcome_unknown"), &json!(true), &json!("1")), "{what}: {}", answer.body);
        assert_eq!(answer.body.get("may_have_been_sent"), None, "{what}");
        assert!(answer.error().contains("epeat the request"), "{what}: {}", answer.body);
    };
    for fault in [
        Fault::CloseAfterRequest,
        Fault::ResetAfterRequest,
        Fault::TruncatedAnswer,
        Fault::HtmlServerError,
        Fault::BadGateway,
        Fault::GarbledOk,
        Fault::OkWithoutId,
        Fault::Redirect,
        Fault::HugeAnswer,
        Fault::AcceptedThenReset,
    ] {
        let what = format!("{fault:?}");
        sender.testbed.simulator.fail_next(fault, 1);
        told(&sender.post(&sender.body).await, &what);
        let again = sender.post(&sender.body).await;
        assert_eq!(again.status, 200, "{what}: {}", again.body);
    }
    sender.testbed.simulator.fail_next(Fault::NeverAnswer, 1);
    let hurried = sender.with_key(&sender.body).time_left(Duration::from_millis(10_500));
    told(&hurried.send_to(&sender.endpoint).await, "no answer");
}

/// What Meta does must be recorded too.
pub async fn without_time_to_record_metas_answer_it_is_not_asked<E: Endpoint>(sender: Sender<E>) {
    for seconds in [0, 8] {
        let late = sender.with_key(&sender.body).time_left(Duration::from_secs(seconds));
        let answer = late.send_to(&sender.endpoint).await;
        assert_eq!((answer.status, &answer.body["code"]), (503, &json!("too_little_time")), "{}", answer.body);
    }
    sender.testbed.assert_untouched("a request that came too late").await;
}

/// A REST API's and an HTTP API's.
pub async fn both_formats_of_events_are_answered_alike<E: Endpoint>(sender: Sender<E>) {
    let request = sender.with_key(&sender.body);
    let rest = request.send_to(&sender.endpoint).await;
    let http = request.through_http_api().send_to(&sender.endpoint).await;
    assert_eq!((rest.status, rest), (200, http));
}

/// Without an `account_id` the default account asks Meta.
pub async fn the_account_decides_the_number_and_the_token<E: Endpoint>(sender: Sender<E>) {
    for odd in
        [json!("1.5"), json!(""), json!(" 1"), json!("x"), json!(1.5), json!(true), json!("99999999999999999999")]
    {
        sender.refuses(&sender.with(json!({"account_id": odd})), "account_id").await;
    }
    for (account, number) in
        [(Value::Null, meta_simulator::PHONE_NUMBER_ID), (json!(SECOND_ACCOUNT), SECOND_PHONE_NUMBER_ID)]
    {
        let answer = sender.post(&sender.with(json!({"account_id": account}))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let request = sender.testbed.simulator.requests().pop().expect("Meta was called");
        let token = format!("Bearer {}", meta_simulator::ACCESS_TOKEN);
        assert_eq!(request.method, Sender::<E>::method());
        assert_eq!(request.path, format!("/v25.0/{number}/block_users"));
        assert_eq!(request.header("authorization"), Some(token.as_str()));
    }
}

impl Testbed {
    /// The attributes of everybody who was ever blocked, by the contact's id.
    pub async fn blocked_rows(&self) -> Vec<Value> {
        let mut rows = self.dump(&["BlockedContacts"]).await["BlockedContacts"].as_array().cloned().unwrap_or_default();
        rows.sort_by_key(|row| row["contact"].to_string());
        rows
    }

    /// The contacts of everybody who is blocked now, as the rows tell.
    pub async fn blocked_now(&self) -> Vec<String> {
        let rows = self.blocked_rows().await.into_iter().filter(|row| row.get("listed").is_some());
        rows.map(|row| row["contact"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
