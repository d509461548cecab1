//! Lists in pages: read to their end, which always comes.

use super::server::{Does, Server, http};
use super::{business, number};
use crate::{BlockedUser, Error, WhyUnknown};

const END: &str = r#"{"data":[]}"#;

fn page(wa_id: &str, paging: &str) -> String {
    format!(r#"{{"data":[{{"messaging_product":"whatsapp","wa_id":"{wa_id}"}}],"paging":{paging}}}"#)
}

fn cursor(after: &str) -> String {
    format!(r#"{{"cursors":{{"after":"{after}","before":"b"}}}}"#)
}

fn ids(users: &[BlockedUser]) -> Vec<&str> {
    users.iter().map(|user| user.wa_id.as_deref().unwrap()).collect()
}

#[tokio::test]
async fn a_list_is_read_to_its_empty_page() {
    // The page with the last item has a cursor too.
    let (first, second) = (page("1", &cursor("a b&c")), page("2", &cursor("z")));
    let mut server = Server::answering_each(&[&first, &second, END]).await;
    assert_eq!(ids(&number(&server.url()).list_blocked().await.unwrap()), ["1", "2"]);
    assert_eq!(server.next().await.line, "GET /v25.0/106540352242922/block_users?limit=100 HTTP/1.1");
    let second = server.next().await;
    assert_eq!(second.line, "GET /v25.0/106540352242922/block_users?limit=100&after=a+b%26c HTTP/1.1");
    assert!(second.headers.contains("authorization: bearer"));
    assert!(server.only().await.line.contains("after=z"));
}

#[tokio::test]
async fn a_list_with_links_ends_where_they_end_and_no_link_is_followed() {
    let mut elsewhere = Server::answering(200, END).await;
    let next = elsewhere.url();
    let first = page("1", &format!(r#"{{"cursors":{{"after":"a"}},"next":"{next}/x?access_token=t"}}"#));
    let mut server = Server::answering_each(&[&first, &page("2", &cursor("z"))]).await;
    assert_eq!(ids(&number(&server.url()).list_blocked().await.unwrap()), ["1", "2"]);
    server.next().await;
    server.only().await;
    elsewhere.none();
}

#[tokio::test]
async fn a_list_without_paging_is_one_page() {
    for last in [
        r#"{"data":[{"wa_id":"1"}]}"#,
        r#"{"data":[{"wa_id":"1"}],"paging":null}"#,
        r#"{"data":[{"wa_id":"1"}],"paging":{}}"#,
    ] {
        let mut server = Server::answering(200, last).await;
        assert_eq!(ids(&number(&server.url()).list_blocked().await.unwrap()), ["1"]);
        server.only().await;
    }
}

#[tokio::test]
async fn a_list_that_repeats_its_cursor_ends_in_an_error() {
    let server = Server::answering(200, &page("1", &cursor("same"))).await;
    let error = number(&server.url()).list_blocked().await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::EndlessList)), "{error:?}");
}

#[tokio::test]
async fn a_list_that_never_ends_ends_in_an_error() {
    let (one, two) = (page("1", &cursor("a")), page("2", &cursor("b")));
    let pages: Vec<&str> = [one.as_str(), two.as_str()].into_iter().cycle().take(2000).collect();
    let server = Server::answering_each(&pages).await;
    let error = number(&server.url()).list_blocked().await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown(WhyUnknown::EndlessList)), "{error:?}");
}

#[tokio::test]
async fn a_list_that_changes_meanwhile_is_read_again_from_its_start() {
    let changed = http(400, "", r#"{"error":{"message":"m","code":139102}}"#);
    let pages = [page("1", &cursor("a")), page("2", &cursor("b")), END.to_owned()];
    let pages = pages.map(|page| http(200, "", &page));
    let answers = [vec![pages[0].clone(), changed.clone()], pages.to_vec()].concat();
    let server = Server::that(Does::Answer(answers)).await;
    assert_eq!(ids(&number(&server.url()).list_blocked().await.unwrap()), ["1", "2"]);
}

#[tokio::test]
async fn a_list_that_keeps_changing_ends_in_metas_error() {
    let mut server = Server::answering(400, r#"{"error":{"message":"m","code":139102}}"#).await;
    assert!(matches!(number(&server.url()).list_blocked().await, Err(Error::Unavailable(_))));
    for _ in 0..3 {
        server.next().await;
    }
    server.only().await;
}

#[tokio::test]
async fn a_failure_on_a_later_page_is_not_a_shorter_list() {
    let answers = vec![http(200, "", &page("1", &cursor("a"))), http(500, "", "<html>")];
    let server = Server::that(Does::Answer(answers)).await;
    assert!(matches!(number(&server.url()).list_blocked().await, Err(Error::OutcomeUnknown(_))));
}

#[tokio::test]
async fn both_documented_forms_of_the_block_list_are_read() {
    let nested = r#"{"data":[{"block_users":[{"input":"+1","wa_id":"1"},{"wa_id":"2"}]},{"user_id":"US.1"}]}"#;
    let server = Server::answering(200, nested).await;
    let users = number(&server.url()).list_blocked().await.unwrap();
    assert_eq!(ids(&users[..2]), ["1", "2"]);
    assert_eq!((users[2].wa_id.as_deref(), users[2].user_id.as_deref()), (None, Some("US.1")));
}

#[tokio::test]
async fn all_templates_are_listed_with_what_meta_says_of_them() {
    let first = r#"{"data":[{"id":"920070352646140","name":"hello","language":"en_US","status":"APPROVED","category":"MARKETING",
        "parameter_format":"POSITIONAL","components":[{"type":"BODY","text":"Hi {{1}}"}],"quality_score":{"score":"GREEN","date":1690},
        "rejected_reason":"NONE","something_new":1}],"paging":{"cursors":{"before":"b","after":"a"}}}"#;
    let second = r#"{"data":[{"id":"2","name":"bye","language":"de","status":"SOMETHING_NEW","category":"UTILITY"}],"paging":{}}"#;
    let mut server = Server::answering_each(&[first, second]).await;
    let templates = business(&server.url()).list_templates().await.unwrap();
    assert_eq!(templates.len(), 2);
    assert_eq!((templates[0].name.as_str(), templates[0].status.as_str()), ("hello", "APPROVED"));
    assert_eq!(templates[0].components[0]["text"], "Hi {{1}}");
    assert_eq!(templates[0].quality_score.as_ref().unwrap()["score"], "GREEN");
    assert_eq!((templates[1].status.as_str(), templates[1].components.len()), ("SOMETHING_NEW", 0));
    let line = server.next().await.line;
    assert!(line.starts_with("GET /v25.0/102290129340398/message_templates?fields=id%2Cname%2Clanguage%2C"), "{line}");
    assert!(server.only().await.line.contains("&after=a "));
}
