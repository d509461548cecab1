//! What goes wrong on the wire: which error it is, and that the message went out once at the most.

use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use super::server::{Does, Server, http};
use super::{TAKEN, send, send_within};
use crate::{Error, Message, WhyUnknown};

const SHORT: Duration = Duration::from_millis(300);

fn assert_not_reached(error: &Error) {
    assert!(matches!(error, Error::NotReached(_)), "{error:?}");
    assert!(error.surely_not_sent() && error.retryable());
}

fn assert_unknown(error: &Error) {
    assert!(matches!(error, Error::OutcomeUnknown(_)), "{error:?}");
    assert!(!error.surely_not_sent() && !error.retryable());
}

#[tokio::test]
async fn a_refused_connection_reached_nobody() {
    // Bound, so that no one else gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/v25.0", socket.local_addr().unwrap());
    assert_not_reached(&send(&url).await.unwrap_err());
}

#[tokio::test]
async fn a_name_without_an_address_reached_nobody() {
    assert_not_reached(&send("http://name.invalid/v25.0").await.unwrap_err());
}

#[tokio::test]
async fn a_failed_tls_handshake_reached_nobody() {
    let mut server = Server::that(Does::SpeakFirst(http(400, "", "this is not TLS"))).await;
    assert_not_reached(&send(&server.https_url()).await.unwrap_err());
    server.none();
}

#[tokio::test]
async fn a_connection_that_takes_more_than_two_seconds_reached_nobody() {
    let mut server = Server::that(Does::StaySilent).await;
    let begin = Instant::now();
    assert_not_reached(&send(&server.https_url()).await.unwrap_err());
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    server.none();
}

#[tokio::test]
async fn a_connection_closed_before_the_answer_is_an_unknown_outcome() {
    let mut server = Server::that(Does::CloseUnread).await;
    assert_unknown(&send(&server.url()).await.unwrap_err());
    server.none();
}

#[tokio::test]
async fn a_connection_closed_after_the_request_is_an_unknown_outcome() {
    let mut server = Server::that(Does::ReadAndClose).await;
    assert_unknown(&send(&server.url()).await.unwrap_err());
    server.only().await;
}

#[tokio::test]
async fn a_connection_reset_after_the_request_is_an_unknown_outcome() {
    let mut server = Server::that(Does::ReadAndReset).await;
    assert_unknown(&send(&server.url()).await.unwrap_err());
    server.only().await;
}

#[tokio::test]
async fn a_read_timeout_is_an_unknown_outcome() {
    let mut server = Server::that(Does::ReadAndWait).await;
    let error = send_within(&server.url(), SHORT).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::TimedOut(_))), "{error:?}");
    assert_unknown(&error);
    server.only().await;
}

#[tokio::test]
async fn a_body_that_dribbles_in_is_cut_off_by_the_timeout() {
    let mut server = Server::that(Does::Dribble).await;
    let error = send_within(&server.url(), SHORT).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::TimedOut(_))), "{error:?}");
    server.only().await;
}

#[tokio::test]
async fn no_time_left_means_no_request() {
    let mut server = Server::answering(200, TAKEN).await;
    let error = send_within(&server.url(), Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)) && error.surely_not_sent(), "{error:?}");
    server.none();
}

#[tokio::test]
async fn a_server_error_in_html_is_an_unknown_outcome() {
    for status in [500, 502, 503, 504] {
        let mut server = Server::answering(status, "<html>Sorry, something went wrong.</html>").await;
        let error = send(&server.url()).await.unwrap_err();
        assert!(
            matches!(error, Error::OutcomeUnknown(WhyUnknown::NotFromMeta { status: s }) if s == status),
            "{error:?}"
        );
        server.only().await;
    }
}

#[tokio::test]
async fn a_server_error_in_json_that_is_not_metas_is_an_unknown_outcome() {
    for body in
        [r#"{"message":"Internal server error"}"#, r#"{"error":"bad gateway"}"#, r#"{"error":{"code":"x"}}"#, "[]"]
    {
        let mut server = Server::answering(502, body).await;
        assert_unknown(&send(&server.url()).await.unwrap_err());
        server.only().await;
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_an_unknown_outcome() {
    let unreadable = [
        "<html>Welcome</html>",
        "",
        r#"{"messages":[{"id":"wam"#,
        "{}",
        "null",
        r#"{"messages":[]}"#,
        r#"{"messages":[{}]}"#,
        r#"{"messages":[{"id":""}]}"#,
        r#"{"messages":[{"id":7}]}"#,
        r#"{"messages":{"id":"wamid.1"}}"#,
    ];
    for body in unreadable {
        let mut server = Server::answering(200, body).await;
        let error = send(&server.url()).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::NotUnderstood { status: 200 })), "{body}: {error:?}");
        server.only().await;
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_unknown_outcome_whatever_its_status() {
    for status in [200, 400, 500] {
        let mut cut = http(status, "", TAKEN);
        cut.truncate(cut.len() - 10);
        let mut server = Server::that(Does::Answer(vec![cut])).await;
        let error = send(&server.url()).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::ConnectionLost(_))), "{error:?}");
        server.only().await;
    }
}

#[tokio::test]
async fn an_answer_of_more_than_a_megabyte_is_an_unknown_outcome() {
    let mut server = Server::answering(200, &" ".repeat(1024 * 1024 + 1)).await;
    let error = send(&server.url()).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::AnswerTooLong)), "{error:?}");
    server.only().await;
}

#[tokio::test]
async fn an_answer_of_just_a_megabyte_is_read() {
    let padding = " ".repeat(1024 * 1024 - TAKEN.len());
    let server = Server::answering(200, &format!("{TAKEN}{padding}")).await;
    assert_eq!(send(&server.url()).await.unwrap().wamid, "wamid.1");
}

#[tokio::test]
async fn what_is_not_http_is_an_unknown_outcome() {
    let mut server = Server::that(Does::Answer(vec![b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()])).await;
    assert_unknown(&send(&server.url()).await.unwrap_err());
    server.only().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        // To itself: a client that followed it would post again and again.
        let redirect = http(status, "location: /v25.0/106540352242922/messages\r\n", r#"{"error":{"code":100}}"#);
        let mut server = Server::that(Does::Answer(vec![redirect])).await;
        let error = send(&server.url()).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::NotFromMeta { .. })), "{error:?}");
        server.only().await;
    }
}

#[tokio::test]
async fn a_kept_connection_that_has_died_costs_no_message_and_sends_none_twice() {
    let mut server = Server::that(Does::AnswerAndClose(http(200, "", TAKEN))).await;
    let number = super::number(&server.url());
    for round in 0..50 {
        let outcome = number.send(&Message::text("919876543210", "Hello!"), Duration::from_secs(10)).await;
        match outcome {
            Ok(_) => drop(server.only().await),
            // Written before the client could see that the connection was closed.
            Err(error) if round > 0 => {
                assert_unknown(&error);
                server.none();
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}
