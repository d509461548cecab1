//! What every error of Meta (its page "Error codes") means for the client: one row each.

use domain::{Kind, PublicError};
use meta_simulator::Fault;
use serde_json::{Value, json};

use crate::bed::{Bed, KEY, surely_unsent};
use crate::wire::meta_that_says;

/// Meta's codes and what they come to: kind, code, whether it is retryable, and after how many seconds.
pub(crate) type Row = (&'static [i64], Kind, &'static str, bool, Option<u64>);

pub(crate) const ROWS: &[Row] = &[
    // Only whoever runs the gateway can mend these. Never 401 or 403: the client's own key is fine.
    (&[0, 102, 104, 190, 463], Kind::UpstreamFailed, "upstream_auth", false, None),
    (&[3, 10, 200, 201, 299, 131_005, 139_200, 141_010], Kind::UpstreamFailed, "upstream_permission", false, None),
    (&[368, 131_031], Kind::UpstreamFailed, "account_restricted", false, None),
    (&[33], Kind::UpstreamFailed, "sender_not_found", false, None),
    (&[131_042, 131_044], Kind::UpstreamFailed, "payment_required", false, None),
    (
        &[131_045, 133_000, 133_005, 133_006, 133_008, 133_009, 133_010, 133_015],
        Kind::UpstreamFailed,
        "sender_not_registered",
        false,
        None,
    ),
    (&[131_037, 131_063, 134_011, 134_102], Kind::UpstreamFailed, "sender_not_ready", false, None),
    // Later.
    (&[4, 17, 32, 341, 613, 80007, 132_069, 133_016], Kind::Throttled, "rate_limited", true, Some(60)),
    (&[130_429], Kind::Throttled, "rate_limited", true, Some(1)),
    (&[131_056], Kind::Throttled, "rate_limited", true, Some(6)),
    (&[131_048, 131_064], Kind::Throttled, "rate_limited", true, Some(3600)),
    (
        &[2, 131_000, 131_016, 131_057, 133_004, 134_101, 139_102, 139_103, 2_494_100],
        Kind::UpstreamUnavailable,
        "upstream_unavailable",
        true,
        Some(1),
    ),
    (&[1], Kind::UpstreamFailed, "upstream_failed", true, None),
    // The client can mend these, or must leave it.
    (&[130_403], Kind::Invalid, "recipient_blocked", false, None),
    (&[130_497], Kind::Invalid, "country_restricted", false, None),
    (&[131_021], Kind::Invalid, "recipient_is_sender", false, None),
    (&[131_026], Kind::Invalid, "undeliverable", false, None),
    (&[131_030], Kind::Invalid, "recipient_not_allowed", false, None),
    (&[131_047], Kind::Invalid, "window_closed", false, None),
    (&[131_049], Kind::Invalid, "marketing_limited", false, None),
    (&[131_050], Kind::Invalid, "opted_out", false, None),
    (&[132_001], Kind::Invalid, "template_not_found", false, None),
    (&[132_000, 132_005, 132_008, 132_012, 132_018], Kind::Invalid, "template_parameters", false, None),
    (&[132_007], Kind::Invalid, "template_policy", false, None),
    (&[132_015], Kind::Invalid, "template_paused", false, None),
    (&[132_016], Kind::Invalid, "template_disabled", false, None),
    (
        &[
            100, 130_472, 131_008, 131_009, 131_020, 131_041, 131_051, 131_052, 131_053, 131_055, 131_059, 131_062,
            131_201, 131_208, 131_215, 132_068, 134_100, 137_000, 138_000, 138_006, 138_018, 139_000, 139_001, 139_002,
            139_003, 139_004, 139_100, 139_101, 147_001, 147_003, 147_005, 1_752_041,
        ],
        Kind::Invalid,
        "refused",
        false,
        None,
    ),
    // What says nothing, codes that no send gives, and one that Meta does not have yet.
    (
        &[
            135_000, 200_005, 200_007, 2_388_001, 2_388_012, 2_388_091, 2_388_093, 2_388_103, 2_494_164, 2_494_179,
            2_593_107, 2_593_108, 9_999_999,
        ],
        Kind::UpstreamFailed,
        "upstream_failed",
        false,
        None,
    ),
];

#[tokio::test]
async fn every_code_of_meta_is_told_as_the_table_says_with_metas_own_object_and_words() {
    let bed = Bed::start().await;
    let each_code = ROWS.iter().flat_map(|row| row.0.iter().map(move |code| (*code, row)));
    for (code, (_, kind, word, retryable, retry_after)) in each_code {
        bed.testbed.simulator.fail_next(Fault::Error(code), 1);
        let error = bed.send(&code.to_string()).await.unwrap_err();
        let public = error.public();
        let told = (public.kind, public.code.as_deref(), public.retryable, public.retry_after_s);
        assert_eq!(told, (*kind, Some(*word), Some(*retryable), *retry_after), "{code}");
        let meta = public.meta.as_ref().unwrap();
        assert_eq!(meta["code"], json!(code));
        assert!(meta["fbtrace_id"].is_string(), "{meta}");
        // About these we know more than Meta tells: see contacts.rs.
        let in_our_words = matches!(*word, "recipient_blocked" | "window_closed" | "opted_out");
        assert_eq!(public.message != words(meta), in_our_words, "{code}: {}", public.message);
        assert_eq!(bed.received(), 0, "{code}");
    }
}

/// As the contract words Meta's errors, for those without a message for users.
fn words(meta: &Value) -> String {
    let message = meta["message"].as_str().unwrap();
    match meta.pointer("/error_data/details").and_then(Value::as_str) {
        Some(details) => format!("{message} (Details: {details})"),
        None => message.to_owned(),
    }
}

/// Meta's answer to a send, in whatever form it comes.
async fn told(status: u16, headers: &str, body: &str) -> PublicError {
    let meta = meta_that_says(status, headers, body).await;
    let bed = Bed::start().await.with_meta(&meta);
    let first = bed.send(KEY).await.unwrap_err().public().clone();
    if !surely_unsent(first.kind) {
        assert_eq!(bed.send(KEY).await.unwrap_err().public(), &first, "replayed");
    }
    first
}

async fn told_of(status: u16, error: Value) -> PublicError {
    told(status, "", &json!({ "error": error }).to_string()).await
}

#[tokio::test]
async fn metas_message_is_worded_as_the_reference_words_it() {
    let base = json!({"message": "M", "type": "OAuthException", "code": 131_009});
    for (more, expected) in [
        (json!({}), "M"),
        (json!({"error_data": {"messaging_product": "whatsapp", "details": "D"}}), "M (Details: D)"),
        (json!({"error_data": "D"}), "M (Details: D)"),
        (json!({"error_data": {"details": "D"}, "error_user_title": "T", "error_user_msg": "U"}), "T: U"),
        (json!({"error_data": {"details": "D"}, "error_user_msg": "U"}), "U"),
        (json!({"error_data": {"details": "D"}, "error_user_title": "T"}), "M (Details: D)"),
    ] {
        let mut error = base.clone();
        error.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let public = told_of(400, error.clone()).await;
        assert_eq!((public.message.as_str(), public.meta), (expected, Some(error)));
    }
}

#[tokio::test]
async fn an_error_of_a_new_code_goes_by_its_status_and_by_what_meta_says_of_it() {
    let error = |transient: bool| json!({"message": "M", "type": "X", "code": 9_999_999, "is_transient": transient});
    for (status, transient, kind, code) in [
        (400, false, Kind::UpstreamFailed, "upstream_failed"),
        (400, true, Kind::UpstreamUnavailable, "upstream_unavailable"),
        (401, false, Kind::UpstreamFailed, "upstream_auth"),
        (403, false, Kind::UpstreamFailed, "upstream_permission"),
        (429, false, Kind::Throttled, "rate_limited"),
        (500, false, Kind::UpstreamUnavailable, "upstream_unavailable"),
        // Meta's word that it did not do as asked.
        (200, false, Kind::UpstreamFailed, "upstream_failed"),
    ] {
        let public = told_of(status, error(transient)).await;
        assert_eq!((public.kind, public.code.as_deref()), (kind, Some(code)), "{status} {transient}");
    }
}

#[tokio::test]
async fn a_refusal_without_metas_words_is_told_in_ours_and_without_a_member_meta() {
    for (status, kind, code) in [
        (400, Kind::UpstreamFailed, "upstream_failed"),
        (401, Kind::UpstreamFailed, "upstream_auth"),
        (403, Kind::UpstreamFailed, "upstream_permission"),
        (404, Kind::UpstreamFailed, "upstream_failed"),
        (429, Kind::Throttled, "rate_limited"),
    ] {
        let public = told(status, "Content-Type: text/html\r\n", "<html>No.</html>").await;
        assert_eq!((public.kind, public.code.as_deref(), public.meta), (kind, Some(code), None), "{status}");
        assert!(!public.message.is_empty() && !public.message.contains("html"), "{}", public.message);
    }
}

#[tokio::test]
async fn a_sender_that_is_not_there_is_not_the_clients_fault() {
    let public = told_of(400, json!({"message": "M", "type": "X", "code": 100, "error_subcode": 33})).await;
    assert_eq!((public.kind, public.code.as_deref()), (Kind::UpstreamFailed, Some("sender_not_found")));
}

#[tokio::test]
async fn a_wait_that_meta_names_goes_before_the_usual_one() {
    let throttled = json!({"error": {"message": "M", "type": "X", "code": 130_429}}).to_string();
    let usage = r#"{"1":[{"type":"messaging","estimated_time_to_regain_access":5}]}"#;
    for (headers, seconds) in [
        (String::new(), 1),
        ("Retry-After: 7\r\n".to_owned(), 7),
        (format!("X-Business-Use-Case-Usage: {usage}\r\n"), 300),
    ] {
        assert_eq!(told(400, &headers, &throttled).await.retry_after_s, Some(seconds), "{headers}");
    }
}

#[tokio::test]
async fn an_access_token_that_meta_repeats_goes_no_further() {
    let token = meta_simulator::ACCESS_TOKEN;
    let message = format!("Malformed access token {token}");
    let public = told_of(401, json!({"message": message, "type": "OAuthException", "code": 190})).await;
    assert!(!serde_json::to_string(&public).unwrap().contains(token));
}
