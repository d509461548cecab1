//! Every code of Meta, as an HTTP answer, and the class it becomes.

use std::time::Duration;

use super::send;
use super::server::{Does, Server, http};
use crate::Error;

/// Code, HTTP status, class. The statuses are those that Meta documented until it took the column off its page.
const TABLE: &[(i64, u16, &str)] = &[
    (4, 400, "Throttled"),
    (17, 400, "Throttled"),
    (32, 400, "Throttled"),
    (341, 400, "Throttled"),
    (613, 400, "Throttled"),
    (80007, 400, "Throttled"),
    (130_429, 400, "Throttled"),
    (131_048, 400, "Throttled"),
    (131_056, 400, "Throttled"),
    (131_064, 400, "Throttled"),
    (132_069, 400, "Throttled"),
    (133_016, 400, "Throttled"),
    (0, 401, "Unauthorized"),
    (102, 401, "Unauthorized"),
    (104, 401, "Unauthorized"),
    (190, 401, "Unauthorized"),
    // A wrong token comes as 400 as well.
    (190, 400, "Unauthorized"),
    (463, 400, "Unauthorized"),
    (3, 500, "Forbidden"),
    (10, 403, "Forbidden"),
    (200, 403, "Forbidden"),
    (230, 403, "Forbidden"),
    (299, 403, "Forbidden"),
    (131_005, 403, "Forbidden"),
    (139_200, 400, "Forbidden"),
    (141_010, 400, "Forbidden"),
    (368, 403, "Restricted"),
    (131_031, 403, "Restricted"),
    (1, 400, "Unavailable"),
    (2, 503, "Unavailable"),
    (131_000, 500, "Unavailable"),
    (131_016, 500, "Unavailable"),
    (131_057, 500, "Unavailable"),
    (133_004, 503, "Unavailable"),
    (134_101, 400, "Unavailable"),
    (139_102, 400, "Unavailable"),
    (139_103, 500, "Unavailable"),
    (33, 400, "Refused"),
    (100, 400, "Refused"),
    (100, 500, "Refused"),
    (130_403, 400, "Refused"),
    (130_472, 400, "Refused"),
    (130_497, 403, "Refused"),
    (131_008, 400, "Refused"),
    (131_009, 400, "Refused"),
    (131_020, 400, "Refused"),
    (131_021, 400, "Refused"),
    (131_026, 400, "Refused"),
    (131_030, 400, "Refused"),
    (131_037, 400, "Refused"),
    (131_041, 400, "Refused"),
    (131_042, 400, "Refused"),
    (131_044, 400, "Refused"),
    (131_045, 500, "Refused"),
    (131_047, 400, "Refused"),
    (131_049, 400, "Refused"),
    (131_050, 400, "Refused"),
    (131_051, 400, "Refused"),
    (131_052, 400, "Refused"),
    (131_053, 400, "Refused"),
    (131_055, 400, "Refused"),
    (131_059, 400, "Refused"),
    (131_062, 400, "Refused"),
    (131_063, 400, "Refused"),
    (131_201, 400, "Refused"),
    (131_215, 400, "Refused"),
    (132_000, 400, "Refused"),
    (132_001, 404, "Refused"),
    (132_005, 400, "Refused"),
    (132_007, 400, "Refused"),
    (132_008, 400, "Refused"),
    (132_012, 400, "Refused"),
    (132_015, 400, "Refused"),
    (132_016, 400, "Refused"),
    (132_018, 400, "Refused"),
    (132_068, 400, "Refused"),
    (133_000, 500, "Refused"),
    (133_005, 400, "Refused"),
    (133_006, 400, "Refused"),
    (133_008, 400, "Refused"),
    (133_009, 400, "Refused"),
    (133_010, 400, "Refused"),
    (133_015, 400, "Refused"),
    (134_011, 400, "Refused"),
    (134_100, 400, "Refused"),
    (134_102, 500, "Refused"),
    (135_000, 400, "Refused"),
    (137_000, 400, "Refused"),
    (138_006, 400, "Refused"),
    (139_000, 400, "Refused"),
    (139_004, 400, "Refused"),
    (139_100, 400, "Refused"),
    (139_101, 400, "Refused"),
    (147_001, 400, "Refused"),
    (1_752_041, 400, "Refused"),
    // Codes that nobody has listed: the status decides.
    (999_999, 400, "Refused"),
    (999_999, 404, "Refused"),
    (999_999, 200, "Refused"),
    (999_999, 401, "Unauthorized"),
    (999_999, 403, "Forbidden"),
    (999_999, 429, "Throttled"),
    (999_999, 500, "Unavailable"),
    (999_999, 503, "Unavailable"),
    (-7, 500, "Unavailable"),
];

fn class(error: &Error) -> &'static str {
    match error {
        Error::NotReached(_) => "NotReached",
        Error::Throttled(_) => "Throttled",
        Error::Unauthorized(_) => "Unauthorized",
        Error::Forbidden(_) => "Forbidden",
        Error::Restricted(_) => "Restricted",
        Error::Refused(_) => "Refused",
        Error::Unavailable(_) => "Unavailable",
        Error::OutcomeUnknown(_) => "OutcomeUnknown",
        Error::Unreadable { .. } => "Unreadable",
        Error::Invalid(_) => "Invalid",
    }
}

async fn error_of(status: u16, headers: &str, body: &str) -> Error {
    let mut server = Server::that(Does::Answer(vec![http(status, headers, body)])).await;
    let error = send(&server.url()).await.unwrap_err();
    server.only().await;
    error
}

#[tokio::test]
async fn every_code_of_meta_has_its_class_and_no_request_is_repeated() {
    for &(code, status, expected) in TABLE {
        let body = format!(
            r#"{{"error":{{"message":"(#{code}) m","type":"OAuthException","code":{code},"fbtrace_id":"A"}}}}"#
        );
        let error = error_of(status, "", &body).await;
        assert_eq!(class(&error), expected, "code {code} with status {status}");
        let graph = error.graph().unwrap();
        assert_eq!((graph.code, graph.http_status), (code, status));
    }
}

#[test]
fn only_what_meta_surely_did_not_act_on_is_safe_to_repeat() {
    let graph = || Box::new(crate::GraphError::unexplained(400));
    let throttle = crate::Throttle { graph: None, retry_after: None };
    let table = [
        (Error::Throttled(throttle), true, true),
        (Error::Unauthorized(graph()), true, false),
        (Error::Forbidden(graph()), true, false),
        (Error::Restricted(graph()), true, false),
        (Error::Refused(graph()), true, false),
        (Error::Unavailable(graph()), false, true),
        (Error::OutcomeUnknown(crate::WhyUnknown::AnswerTooLong), false, false),
        (Error::Unreadable { status: 404 }, true, false),
        (Error::Invalid("x"), true, false),
    ];
    for (error, surely_not_sent, retryable) in table {
        assert_eq!((error.surely_not_sent(), error.retryable()), (surely_not_sent, retryable), "{error:?}");
    }
}

#[tokio::test]
async fn a_transient_error_with_an_unknown_code_is_unavailable() {
    let error = error_of(400, "", r#"{"error":{"message":"m","code":987654,"is_transient":true}}"#).await;
    assert_eq!(class(&error), "Unavailable");
    assert!(error.graph().unwrap().is_transient);
}

#[tokio::test]
async fn a_transient_flag_does_not_outweigh_a_known_code() {
    let error = error_of(400, "", r#"{"error":{"message":"m","code":131009,"is_transient":true}}"#).await;
    assert_eq!(class(&error), "Refused");
}

#[tokio::test]
async fn an_error_under_a_status_of_200_is_an_error() {
    let error = error_of(200, "", r#"{"error":{"message":"m","code":131047}}"#).await;
    assert_eq!(class(&error), "Refused");
}

#[tokio::test]
async fn a_refusal_that_is_not_metas_is_told_by_its_status() {
    let expected =
        [(401, "Unauthorized"), (403, "Forbidden"), (429, "Throttled"), (400, "Unreadable"), (413, "Unreadable")];
    for (status, expected) in expected {
        for body in ["<html></html>", "", r#"{"error":"no"}"#, r#"{"error":{"message":"no code"}}"#] {
            let error = error_of(status, "", body).await;
            assert_eq!(class(&error), expected, "status {status} with {body}");
            assert!(error.surely_not_sent());
        }
    }
}

#[tokio::test]
async fn metas_error_is_read_in_full() {
    let body = r#"{"error":{"message":"(#131009) Parameter value is not valid","type":"OAuthException","code":131009,
        "error_data":{"messaging_product":"whatsapp","details":"Please check"},"error_subcode":2494055,"is_transient":false,
        "error_user_title":"Title","error_user_msg":"Message","fbtrace_id":"Abc"}}"#;
    let error = error_of(400, "", body).await;
    let graph = error.graph().unwrap();
    assert_eq!(graph.subcode, Some(2_494_055));
    assert_eq!(graph.message, "(#131009) Parameter value is not valid");
    assert_eq!(graph.kind.as_deref(), Some("OAuthException"));
    assert_eq!(graph.details.as_deref(), Some("Please check"));
    assert_eq!(graph.user_title.as_deref(), Some("Title"));
    assert_eq!(graph.user_msg.as_deref(), Some("Message"));
    assert_eq!(graph.fbtrace_id.as_deref(), Some("Abc"));
    assert_eq!(graph.raw["error_data"]["messaging_product"], "whatsapp");
    assert_eq!(graph.words(), "Title: Message");
}

#[tokio::test]
async fn the_words_are_the_most_helpful_that_meta_gives() {
    let table = [
        (r#""message":"M""#, "M"),
        (r#""message":"M","error_data":{"details":"D"}"#, "M (Details: D)"),
        (r#""message":"M","error_data":"D""#, "M (Details: D)"),
        (r#""message":"M","error_data":{"details":""}"#, "M"),
        (r#""message":"M","error_data":{"details":"D"},"error_user_msg":"U""#, "U"),
        (r#""message":"M","error_user_title":"T","error_user_msg":"U""#, "T: U"),
        (r#""message":"M","error_user_title":"T""#, "M"),
        (r#""type":"OAuthException""#, ""),
    ];
    for (members, expected) in table {
        let error = error_of(400, "", &format!(r#"{{"error":{{"code":100,{members}}}}}"#)).await;
        assert_eq!(error.graph().unwrap().words(), expected, "{members}");
    }
}

#[tokio::test]
async fn a_code_in_quotes_is_a_code() {
    let error = error_of(400, "", r#"{"error":{"message":"m","code":"130429","error_subcode":"7"}}"#).await;
    assert_eq!(class(&error), "Throttled");
    assert_eq!(error.graph().unwrap().subcode, Some(7));
}

#[tokio::test]
async fn a_throttle_tells_how_long_to_wait_where_meta_does() {
    let usage = r#"x-business-use-case-usage: {"1":[{"type":"messaging","estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":5}]}"#;
    let table = [
        ("retry-after: 30\r\n".to_owned(), Some(30)),
        (format!("{usage}\r\n"), Some(300)),
        (format!("retry-after: 30\r\n{usage}\r\n"), Some(30)),
        (format!("retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n{usage}\r\n"), Some(300)),
        ("retry-after: soon\r\n".to_owned(), None),
        ("x-business-use-case-usage: {\"1\":[{\"estimated_time_to_regain_access\":0}]}\r\n".to_owned(), None),
        ("x-business-use-case-usage: [1]\r\n".to_owned(), None),
        (
            format!("x-business-use-case-usage: {{\"1\":[{{\"estimated_time_to_regain_access\":{}}}]}}\r\n", u64::MAX),
            Some(u64::MAX),
        ),
        (String::new(), None),
    ];
    for (headers, seconds) in table {
        for (status, body) in [(429, "<html>"), (400, r#"{"error":{"message":"m","code":130429}}"#)] {
            let error = error_of(status, &headers, body).await;
            assert_eq!(class(&error), "Throttled");
            assert_eq!(error.retry_after(), seconds.map(Duration::from_secs), "{headers}");
        }
    }
}
