//! What each answer of Meta, and each fault on the way to it, comes to: for whoever works through the campaign, in the
//! message's row, in the conversation, and for the next who delivers it.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Error, Kind, PublicError, SendState};
use meta_simulator::Fault;
use outbox::{Fate, Trouble, failure_code};
use serde_json::{Value, json};

use super::Recipient;
use crate::bed::{Bed, PHONE, closed_port, until};
use crate::wire::meta_that_says;
use crate::{meta_errors, outcomes};

/// What a message comes to. Waits are in seconds.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Sent,
    /// It was surely not sent, and is sent later: for a while nobody writes to this person, ...
    Recipient(u64),
    /// ... from this number, ...
    Number(u64),
    /// ... or in this campaign, for this reason.
    Campaign(&'static str),
    /// It was refused for good; counted under this code.
    Failed(i64),
    /// The same, and nobody knows whom it concerns.
    Doubted(i64),
    /// The same, and Meta had trouble of its own.
    Troubled(i64),
    Unknown,
}

use Expected::{Campaign, Doubted, Failed, Number, Sent, Troubled, Unknown};

/// How long one waits when Meta fails, or can't be reached.
const TROUBLE: Duration = Duration::from_secs(5);

type Row = (&'static [i64], fn(i64) -> Expected);

const CODES: &[Row] = &[
    // Nobody of the campaign can be written to until somebody mends this.
    (&[0, 102, 104, 190, 463], |_| Campaign("upstream_auth")),
    (&[3, 10, 200, 201, 299, 131_005, 139_200, 141_010], |_| Campaign("upstream_permission")),
    (&[368, 131_031], |_| Campaign("account_restricted")),
    (&[33], |_| Campaign("sender_not_found")),
    (&[131_042, 131_044], |_| Campaign("payment_required")),
    (&[131_045, 133_000, 133_005, 133_006, 133_008, 133_009, 133_010, 133_015], |_| Campaign("sender_not_registered")),
    (&[131_037, 131_063, 134_011, 134_102], |_| Campaign("sender_not_ready")),
    // Quality, which no wait of minutes mends.
    (&[131_048, 131_064], |_| Campaign("rate_limited")),
    // The template, which all of them share.
    (&[132_001], |_| Campaign("template_not_found")),
    (&[132_007], |_| Campaign("template_policy")),
    (&[132_015], |_| Campaign("template_paused")),
    (&[132_016], |_| Campaign("template_disabled")),
    (&[131_055, 132_068, 134_100], |_| Campaign("refused")),
    // What says nothing, and what is not known.
    (
        &[
            135_000, 200_005, 200_007, 2_388_001, 2_388_012, 2_388_091, 2_388_093, 2_388_103, 2_494_164, 2_494_179,
            2_593_107, 2_593_108, 9_999_999,
        ],
        Doubted,
    ),
    // Later.
    (&[4, 17, 32, 341, 613, 80007, 131_057, 132_069, 133_004, 133_016], |_| Number(60)),
    (&[130_429], |_| Number(1)),
    (&[131_056], |_| Expected::Recipient(6)),
    (&[134_101], |_| Expected::Recipient(600)),
    // Meta's own trouble.
    (&[1, 2, 131_000, 131_016, 139_102, 139_103, 2_494_100], Troubled),
    // The person, or what is sent to them.
    (&[130_403, 130_472, 130_497, 131_021, 131_026, 131_030, 131_047, 131_049, 131_050, 137_000], Failed),
    (&[132_000, 132_005, 132_008, 132_012, 132_018], Failed),
    (
        &[
            100, 131_008, 131_009, 131_020, 131_041, 131_051, 131_052, 131_053, 131_059, 131_062, 131_201, 131_208,
            131_215, 138_000, 138_006, 138_018, 139_000, 139_001, 139_002, 139_003, 139_004, 139_100, 139_101, 147_001,
            147_003, 147_005, 1_752_041,
        ],
        Failed,
    ),
];

/// Faults with the messages that the recipient has after them.
static FAULTS: [(Fault, Expected, usize); 18] = [
    (Fault::Error(131_026), Failed(131_026), 0),
    (Fault::CloseBeforeReading, Unknown, 0),
    (Fault::CloseAfterRequest, Unknown, 0),
    (Fault::ResetAfterRequest, Unknown, 0),
    (Fault::Delay(200), Sent, 1),
    (Fault::TruncatedAnswer, Unknown, 1),
    (Fault::HtmlServerError, Unknown, 0),
    (Fault::HtmlTooMany, Number(60), 0),
    (Fault::BadGateway, Unknown, 0),
    (Fault::GarbledOk, Unknown, 1),
    (Fault::OkWithoutId, Unknown, 1),
    (Fault::Redirect, Unknown, 0),
    (Fault::HugeAnswer, Unknown, 1),
    (Fault::ErrorWithRetryAfter, Number(3), 0),
    (Fault::ServerErrorWithJson, Troubled(131_000), 0),
    (Fault::AcceptedThenReset, Unknown, 1),
    (Fault::AcceptedThenServerError, Unknown, 1),
    // No fault at all.
    (Fault::Delay(0), Sent, 1),
];

/// These last until our patience ends.
static SILENT: [(Fault, Expected, usize); 2] =
    [(Fault::NeverAnswer, Unknown, 0), (Fault::AcceptedThenSilence, Unknown, 1)];

fn failed(code: i64, slow: Option<Duration>) -> Fate {
    Fate::Failed { code: code.to_string(), slow, doubt: None }
}

impl Bed {
    /// A fate is as expected, and so is all that is kept of it; and what the next who delivers it comes to, with nothing in
    /// the way any more. `received`: how many messages the recipient has by now.
    async fn check(&self, recipient: &Recipient, fate: &Fate, expected: Expected, received: usize, name: &str) {
        let (simulator, number) = (&self.testbed.simulator, recipient.number.as_str());
        let seconds = Duration::from_secs;
        let put_back = |fate: &Fate| matches!(fate, Fate::PutBack(_));
        let (told, state) = match (expected, fate) {
            (Expected::Recipient(wait), _) => (Fate::PutBack(Trouble::Recipient(seconds(wait))), SendState::Pending),
            (Number(wait), _) => (Fate::PutBack(Trouble::Number(seconds(wait))), SendState::Pending),
            (Campaign(word), Fate::PutBack(Trouble::Campaign(error))) => {
                assert_eq!(error.code.as_deref(), Some(word), "{name}");
                (fate.clone(), SendState::Pending)
            }
            (Campaign(_), _) => panic!("{name}: {fate:?}"),
            (Doubted(_), Fate::Failed { doubt: Some(error), .. }) => {
                assert_eq!(error.code.as_deref(), Some("upstream_failed"), "{name}");
                (fate.clone(), SendState::Rejected)
            }
            (Doubted(code) | Failed(code), _) => (failed(code, None), SendState::Rejected),
            (Troubled(code), _) => (failed(code, Some(TROUBLE)), SendState::Rejected),
            (Unknown, _) => (Fate::Unknown { slow: Some(TROUBLE) }, SendState::Unknown),
            (Sent, _) => (Fate::Sent, SendState::Accepted),
        };
        assert_eq!(*fate, told, "{name}");
        let row = self.row(recipient).await;
        assert_eq!((row.state, simulator.phone(number).len()), (state, received), "{name}");
        let failure = row.failure();
        assert_eq!(failure.is_some(), state == SendState::Rejected, "{name}");
        // What was surely not sent yet is nothing to show.
        let shown = if put_back(fate) { vec![] } else { vec![recipient.id()] };
        assert_eq!(self.shown(recipient).await, shown, "{name}");
        assert_eq!(self.conversation(recipient).await.is_some(), *fate == Fate::Sent, "{name}");

        simulator.clear_faults();
        let posts = simulator.posts_to(number);
        let again = self.deliver_elsewhere(recipient).await;
        let (told, more_posts) = match fate {
            Fate::PutBack(_) => (Fate::Sent, 1),
            Fate::Failed { code, .. } => {
                assert_eq!(*code, failure_code(&failure.unwrap()), "{name}");
                (Fate::Failed { code: code.clone(), slow: None, doubt: None }, 0)
            }
            Fate::Unknown { .. } => (Fate::Unknown { slow: None }, 0),
            other => (other.clone(), 0),
        };
        assert_eq!((again, simulator.posts_to(number)), (told, posts + more_posts), "{name}");
        assert_eq!(simulator.phone(number).len(), received + more_posts, "{name}");
        assert_eq!(self.shown(recipient).await, [recipient.id()], "{name}");
    }
}

/// Somebody who never was written to before.
fn somebody(index: i64) -> Recipient {
    Recipient::of_number(&format!("91{index:010}"))
}

#[tokio::test]
async fn every_code_of_meta_comes_to_what_the_table_says() {
    let bed = Bed::start().await;
    for (code, expected) in CODES.iter().flat_map(|(codes, expected)| codes.iter().map(move |code| (*code, expected))) {
        let recipient = somebody(code);
        bed.testbed.simulator.fail_next(Fault::Error(code), 1);
        let fate = bed.deliver(&recipient).await;
        let told = match &fate {
            Fate::PutBack(Trouble::Campaign(error)) => Some(error.clone()),
            Fate::Failed { .. } => bed.row(&recipient).await.failure(),
            _ => None,
        };
        if let Some(error) = told {
            // Meta's own object, for the people who are to mend it.
            assert_eq!(error.meta.unwrap()["code"], code);
        }
        bed.check(&recipient, &fate, expected(code), 0, &code.to_string()).await;
    }
}

#[test]
fn no_code_that_a_single_message_knows_is_missing_in_the_table() {
    let known: BTreeSet<_> = meta_errors::ROWS.iter().flat_map(|row| row.0).collect();
    assert_eq!(known, CODES.iter().flat_map(|row| row.0).collect());
}

#[tokio::test]
async fn every_fault_comes_to_what_the_table_says() {
    let bed = Bed::start().await;
    for (index, (fault, expected, received)) in (0..).zip(&FAULTS) {
        let recipient = somebody(index);
        bed.testbed.simulator.fail_next(fault.clone(), 1);
        let fate = bed.deliver(&recipient).await;
        bed.check(&recipient, &fate, *expected, *received, &format!("{fault:?}")).await;
    }
}

#[tokio::test]
async fn silence_is_heard_out_for_12_seconds_and_then_it_is_unknown_what_became_of_the_message() {
    for (fault, expected, received) in &SILENT {
        let bed = Bed::start().await;
        let recipient = somebody(1);
        bed.testbed.simulator.fail_next(fault.clone(), 1);
        let silence = async {
            until(|| bed.posts().len() == 1).await;
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(12)).await;
            tokio::time::resume();
        };
        let (fate, ()) = tokio::join!(bed.deliver(&recipient), silence);
        bed.check(&recipient, &fate, *expected, *received, &format!("{fault:?}")).await;
    }
}

#[test]
fn no_fault_of_the_simulator_is_missing_in_the_tables() {
    outcomes::assert_every_fault(FAULTS.iter().chain(&SILENT).map(|(fault, ..)| fault));
}

#[tokio::test]
async fn a_meta_that_is_not_reached_concerns_the_number_and_the_message_is_sent_later() {
    let (_closed, closed_url) = closed_port();
    let bed = Bed::start().await.with_meta(&closed_url);
    let recipient = somebody(1);
    let fate = bed.deliver(&recipient).await;
    bed.check(&recipient, &fate, Number(5), 0, "nobody listens").await;

    let bed = Bed::start().await;
    let no_tls = bed.testbed.simulator.graph_api_url().replace("http:", "https:");
    let bed = bed.with_meta(&no_tls);
    let fate = bed.deliver(&recipient).await;
    bed.check(&recipient, &fate, Number(5), 0, "no TLS").await;
}

/// Delivers while Meta's only answer is this.
async fn check_answer(status: u16, headers: &str, body: &str, expected: Expected) {
    let bed = Bed::start().await.with_meta(&meta_that_says(status, headers, body).await);
    let recipient = somebody(1);
    let fate = bed.deliver(&recipient).await;
    bed.check(&recipient, &fate, expected, 0, &format!("{status} {headers} {body}")).await;
}

fn error(code: i64) -> String {
    json!({"error": {"message": "M", "type": "OAuthException", "code": code}}).to_string()
}

#[tokio::test]
async fn a_wait_that_meta_names_is_kept_but_a_person_always_gets_6_seconds() {
    let usage = r#"{"1":[{"type":"whatsapp","estimated_time_to_regain_access":5}]}"#;
    let usage = format!("X-Business-Use-Case-Usage: {usage}\r\n");
    let after = |seconds: u64| format!("Retry-After: {seconds}\r\n");
    for (status, headers, body, expected) in [
        (400, after(7), error(130_429), Number(7)),
        (429, after(9), String::new(), Number(9)),
        (400, usage.clone(), error(80007), Number(300)),
        (400, after(3), error(131_056), Expected::Recipient(6)),
        (400, after(7), error(131_056), Expected::Recipient(7)),
        // Here it is not a matter of waiting.
        (400, after(7), error(131_048), Campaign("rate_limited")),
        (400, after(7), error(131_026), Failed(131_026)),
    ] {
        Box::pin(check_answer(status, &headers, &body, expected)).await;
    }
}

#[tokio::test]
async fn an_answer_without_a_known_code_goes_by_its_status_and_by_what_meta_says_of_it() {
    let with = |subcode: i64| json!({"error": {"message": "M", "code": 100, "error_subcode": subcode}}).to_string();
    let transient = json!({"error": {"message": "M", "code": 9_999_999, "is_transient": true}}).to_string();
    let html = "<h1>Odd</h1>".to_owned();
    for (status, body, expected) in [
        (400, with(33), Campaign("sender_not_found")),
        (400, with(34), Failed(100)),
        (400, transient, Troubled(9_999_999)),
        (500, error(9_999_999), Troubled(9_999_999)),
        (429, error(9_999_999), Number(60)),
        (401, error(9_999_999), Campaign("upstream_auth")),
        (403, error(9_999_999), Campaign("upstream_permission")),
        // Meta's word that it did not do as asked.
        (200, error(131_026), Failed(131_026)),
        (429, html.clone(), Number(60)),
        (401, html.clone(), Campaign("upstream_auth")),
        (403, html.clone(), Campaign("upstream_permission")),
        (404, html.clone(), Campaign("upstream_failed")),
        (503, html, Unknown),
    ] {
        Box::pin(check_answer(status, "", &body, expected)).await;
    }
}

#[tokio::test]
async fn an_account_whose_number_or_token_is_wrong_holds_the_campaign_and_loses_nobody() {
    let bed = Bed::start().await;
    let recipient = Recipient::of_number(PHONE);
    for (number, token, word) in [
        ("1", meta_simulator::ACCESS_TOKEN, "sender_not_found"),
        (meta_simulator::PHONE_NUMBER_ID, "nobodys", "upstream_auth"),
    ] {
        let wrong = json!({"id": 1, "phone_number_id": number, "waba_id": "1", "access_token": token});
        let wrong = Recipient { account: serde_json::from_value(wrong).unwrap(), ..recipient.clone() };
        for _ in 0..2 {
            let fate = bed.deliver(&wrong).await;
            let Fate::PutBack(Trouble::Campaign(error)) = fate else { panic!("{fate:?}") };
            assert_eq!((error.code.as_deref(), error.kind), (Some(word), Kind::UpstreamFailed));
            assert_eq!((bed.row(&recipient).await.state, bed.received()), (SendState::Pending, 0));
        }
    }
    assert_eq!((bed.deliver(&recipient).await, bed.received()), (Fate::Sent, 1));
}

#[test]
fn a_failure_is_counted_by_metas_code_and_else_by_ours() {
    let failure = |code: Option<&'static str>, meta: Option<Value>| {
        let error = Error::new(Kind::Invalid, "It was refused");
        let error = code
            .map_or(error.public().clone(), |code| PublicError { code: Some(code.into()), ..error.public().clone() });
        failure_code(&PublicError { meta, ..error })
    };
    assert_eq!(failure(Some("undeliverable"), Some(json!({"code": 131_026, "message": "M"}))), "131026");
    assert_eq!(failure(None, Some(json!({"code": 0}))), "0");
    for without in [None, Some(json!({})), Some(json!({"message": "M"})), Some(json!("odd")), Some(Value::Null)] {
        assert_eq!(failure(Some("refused"), without.clone()), "refused", "{without:?}");
        assert_eq!(failure(None, without), "no_code");
    }
}
