//! A page costs one query, however many conversations an account has.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what goes wrong here fails the test")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth::Keys;
use chats::Chats;
use domain::{AccountId, Clock, CountryCode};
use list_chats::ListChats;
use storage::{Chat, Conversations, Database};
use testbed::{TestRequest, Testbed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// All that was asked of DynamoDB, as it went over the wire.
type Wire = Arc<Mutex<Vec<u8>>>;

/// A way to DynamoDB on which everything that is asked can be read.
async fn overheard(url: &str) -> (String, Wire) {
    let server = url.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (url, wire) = (format!("http://{}", listener.local_addr().unwrap()), Wire::default());
    let heard = Arc::clone(&wire);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(&server).await.unwrap().into_split();
            let heard = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
                    heard.lock().unwrap().extend_from_slice(&buffer[..length]);
                    to_server.write_all(&buffer[..length]).await.unwrap();
                }
            });
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        }
    });
    (url, wire)
}

async fn fill(database: &Database, count: usize) {
    let (conversations, mut at) = (Conversations::new(database), Clock::system().now());
    for number in 0..count {
        at += Duration::from_millis(1);
        let phone = format!("9198{number:08}");
        let chat = Chat::with_number(AccountId(1), &phone).unwrap();
        conversations.moved(&chat, &phone, at).await.unwrap();
    }
}

/// The endpoint over an account with so many conversations, and what it asks.
async fn over(count: usize) -> (Testbed, ListChats, Wire) {
    let testbed = Testbed::start().await;
    fill(&testbed.database, count).await;
    let (url, wire) = overheard(testbed.engine.url()).await;
    let database = Database::local(&url, testbed.engine.table_prefix());
    let accounts = r#"[{"id":1,"phone_number_id":"1","waba_id":"1","access_token":"t"}]"#.parse().unwrap();
    let chats = Chats::new(&database, Arc::new(accounts), CountryCode::default(), Clock::system());
    let endpoint = ListChats { keys: Keys::new(&database, testbed.clock.clone()), chats };
    (testbed, endpoint, wire)
}

#[tokio::test]
async fn a_page_is_one_query_with_a_limit_whatever_the_tables_size() {
    let (testbed, endpoint, wire) = over(300).await;
    for (query, index) in [("false", "newest"), ("true", "unread")] {
        wire.lock().unwrap().clear();
        let request = TestRequest::get().header("X-API-Key", testbed.api_key.reveal()).query("unread", query);
        let answer = request.query("limit", "50").send_to(&endpoint).await;
        let expected = if query == "true" { 0 } else { 50 };
        assert_eq!(answer.body["conversations"].as_array().unwrap().len(), expected, "{}", answer.body);
        let asked = String::from_utf8(wire.lock().unwrap().clone()).unwrap();
        let count = |text: &str| asked.matches(text).count();
        // The key, its use, and the page: one more row than asked for tells whether another page follows.
        assert_eq!((count("DynamoDB_20120810.Query"), count("DynamoDB_20120810.GetItem")), (1, 1), "{asked}");
        assert_eq!((count("\"Limit\":51"), count(&format!("\"IndexName\":\"{index}\""))), (1, 1), "{asked}");
        assert!(count("DynamoDB_20120810.") <= 3 && count(".Scan") == 0, "{asked}");
    }
}

/// `cargo nextest run -p list-chats --run-ignored only --no-capture`
#[tokio::test]
#[ignore = "fills a table with 100,000 rows, for minutes"]
async fn how_long_a_page_takes() {
    for count in [100, 100_000] {
        let testbed = Testbed::start().await;
        fill(&testbed.database, count).await;
        let endpoint = ListChats { keys: testbed.keys.clone(), chats: testbed.chats.clone() };
        let request = TestRequest::get().header("X-API-Key", testbed.api_key.reveal());
        let mut times = Vec::new();
        for _ in 0..50 {
            let begun = Instant::now();
            assert_eq!(request.send_to(&endpoint).await.status, 200);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        println!("50 of {count} conversations: {:?} at the median, {:?} at most", times[25], times[49]);
    }
}
