//! What holds for a campaign of ten thousand.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use meta_simulator::{Settings, Weather};
use reqwest::Method;
use serde_json::{Value, json};

use crate::page::Events;
use crate::receiver::Receiver;
use crate::{Meta, eventually, message};

/// More than the requests that are kept.
const RECIPIENTS: usize = 10_200;
const CONNECTIONS: usize = 16;

fn recipient(number: usize) -> String {
    format!("9198765{number:05}")
}

async fn send_to_all(meta: &Arc<Meta>) {
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (meta, next) = (Arc::clone(meta), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= RECIPIENTS {
                        break;
                    }
                    let template = json!({ "name": "hello_world", "language": { "code": "en_US" } });
                    assert_eq!(meta.send(&message(&recipient(number), "template", template)).await.0, 200);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_of_a_big_campaign_is_counted_reported_and_summed_up_exactly() {
    let receiver = Receiver::start(0).await;
    let weather = Weather { batched: true, ..Weather::default() };
    let settings = Settings { webhook_url: Some(receiver.url()), weather, batch_size: 1_000, ..Settings::default() };
    let meta = Arc::new(Meta::bind(settings).await);
    send_to_all(&meta).await;
    eventually("every webhook", async || meta.simulator.webhooks_pending() == 0).await;

    // Each status of each message came once, in calls of a thousand at most.
    let mut statuses: HashMap<String, HashSet<String>> = HashMap::new();
    let mut came = 0;
    for value in receiver.values() {
        let told = value["statuses"].as_array().unwrap();
        assert!(told.len() <= 1_000 && value["contacts"].as_array().unwrap().len() <= told.len());
        for status in told {
            came += 1;
            let text = |name: &str| status[name].as_str().unwrap().to_owned();
            statuses.entry(text("id")).or_default().insert(text("status"));
        }
    }
    assert_eq!((came, statuses.len()), (RECIPIENTS * 3, RECIPIENTS));
    assert!(statuses.values().all(|of_one| of_one.len() == 3));

    // The first requests are forgotten; what was counted isn't, nor are the phones.
    assert_eq!(meta.simulator.requests().len(), 10_000);
    let each: HashMap<_, _> = (0..RECIPIENTS).map(|number| (recipient(number), 1)).collect();
    assert!(meta.simulator.posts_by_phone() == each && meta.simulator.accepted_by_phone() == each);
    assert!((0..RECIPIENTS).all(|number| meta.simulator.posts_to(&recipient(number)) == 1));
    assert!((0..RECIPIENTS).all(|number| meta.simulator.phone(&recipient(number)).len() == 1));
    let totals = json!({
        "posts": RECIPIENTS, "accepted": RECIPIENTS, "phones": RECIPIENTS, "most_accepted_by_one": 1,
        "statuses_sent": RECIPIENTS * 3,
    });
    assert_eq!(meta.control(Method::GET, "/counts", None).await.1["totals"], totals);

    // What a page gets doesn't grow with the campaign.
    let (_, _, snapshot) = Events::open(&meta, None).await.next().await;
    assert_eq!(snapshot["messages"].as_array().unwrap().len(), 100);
    let summary = meta.control(Method::GET, "/arrivals", None).await.1;
    assert_eq!((&summary["read"], &summary["phones"]), (&json!(RECIPIENTS), &json!(RECIPIENTS)));
    assert_eq!(summary["most_from_one_template"]["count"], 1);
    assert_eq!(summary["newest"].as_array().unwrap().len(), 400);
    let some = meta.control(Method::GET, "/phones?limit=2", None).await.1;
    assert_eq!(some["phones"].as_array().map(Vec::len), Some(2));
    let first = meta.control(Method::GET, &format!("/phones/{}", recipient(0)), None).await.1;
    assert_eq!((&first["number"], &first["messages"][0]["status"]), (&json!(recipient(0)), &json!("read")));
    let missing: (u16, Value) = meta.control(Method::GET, "/phones/919999999999", None).await;
    assert_eq!(missing.0, 404);
}
