//! What is told of a message before it is sent: all that is known, and nothing is changed by it.

use std::time::Duration;

use domain::{AccountId, Kind, Scope};
use meta_simulator::Fault as MetaFault;
use outbox::{Draft, Terms};
use serde_json::{Value, json};
use storage::{Became, BlockEvent, BlockedContacts, OptOutBy};
use testbed::SECOND_ACCOUNT;

use crate::bed::{Bed, KEY, PHONE, TIME_LEFT, caller, draft, template, terms};
use crate::wire::Fault;

impl Bed {
    /// A dry run, which leaves everything as it is.
    async fn try_out(&self, draft: Draft, terms: &Terms) -> Value {
        let before = (self.dump().await, self.testbed.simulator.requests().len());
        let told = self.outbox.dry_run(&self.caller, draft, terms).await.unwrap();
        assert_eq!((self.dump().await, self.testbed.simulator.requests().len()), before);
        serde_json::to_value(told).unwrap()
    }
}

fn no_key() -> Terms {
    Terms { idempotency_key: None, ..terms(KEY) }
}

/// Whether it would be sent, and what is warned of.
fn verdict(told: &Value) -> (bool, Vec<&str>) {
    let warnings = told["warnings"].as_array().unwrap();
    assert!(warnings.iter().all(|warning| !warning["message"].as_str().unwrap().is_empty()), "{told}");
    let codes = warnings.iter().map(|warning| warning["code"].as_str().unwrap()).collect();
    (told["would_send"].as_bool().unwrap(), codes)
}

#[tokio::test]
async fn everything_that_is_known_is_told_and_what_is_not_is_null() {
    let bed = Bed::start().await;
    let mut told = bed.try_out(draft(), &no_key()).await;
    let warnings = told.as_object_mut().unwrap().remove("warnings").unwrap();
    let request = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": PHONE, "type": "text",
        "text": {"preview_url": false, "body": "Hello!"},
    });
    let unknown = json!({
        "status": "dry_run", "would_send": true, "to": PHONE, "account_id": 1, "request": request,
        "window": {"is_open": null, "last_inbound_at": null, "closes_at": null},
        "opted_out": null, "blocked": null, "idempotency": null,
    });
    assert_eq!(told, unknown);
    assert_eq!(warnings[0]["code"], "window_unknown");

    bed.hear(25).await;
    bed.prefer(false, OptOutBy::WhatsApp).await;
    let event = BlockEvent {
        account: AccountId(1),
        contact: PHONE.to_owned(),
        phone_number: PHONE,
        became: Became::Blocked { reason: Some("spam") },
        by: None,
        at: bed.testbed.clock.now(),
    };
    BlockedContacts::new(&bed.testbed.database).record(&event).await.unwrap();
    let told = bed.try_out(draft(), &terms(KEY)).await;
    let now = "2026-01-02T03:04:05.678Z";
    let last_inbound_at = "2026-01-01T02:04:05.678Z";
    let window = json!({"is_open": false, "last_inbound_at": last_inbound_at, "closes_at": "2026-01-02T02:04:05.678Z"});
    assert_eq!(told["window"], window);
    assert_eq!(told["opted_out"], json!({"since": now, "by": "whatsapp"}));
    assert_eq!((&told["blocked"], &told["idempotency"]), (&json!({"since": now, "reason": "spam"}), &json!("new")));
    assert_eq!(verdict(&told), (true, vec!["window_closed", "opted_out", "recipient_blocked"]));
    let (closed, blocked) = (&told["warnings"][0]["message"], &told["warnings"][2]["message"]);
    assert_eq!(
        closed,
        "More than 24 hours have passed since this contact last wrote, on 2026-01-01 at 02:04 UTC. WhatsApp now takes only \
         approved templates."
    );
    assert!(blocked.as_str().unwrap().starts_with("This account blocks this contact, since 2026-01-02 at 03:04 UTC."));
}

#[tokio::test]
async fn a_window_is_open_until_24_hours_after_the_contacts_message() {
    let bed = Bed::start().await;
    bed.testbed.clock.advance(Duration::from_millis(322));
    bed.hear(23).await;
    let window = &bed.try_out(draft(), &no_key()).await["window"];
    assert_eq!(window["closes_at"], "2026-01-02T04:04:06.000Z");
    for (advance, is_open, warnings) in [
        (Duration::ZERO, true, vec![]),
        (Duration::from_millis(3_599_999), true, vec![]),
        (Duration::from_millis(1), false, vec!["window_closed"]),
    ] {
        bed.testbed.clock.advance(advance);
        let told = bed.try_out(draft(), &no_key()).await;
        assert_eq!((&told["window"]["is_open"], verdict(&told)), (&json!(is_open), (true, warnings)));
        // A template needs no window.
        assert_eq!(verdict(&bed.try_out(template(), &no_key()).await), (true, vec![]));
    }
}

#[tokio::test]
async fn a_template_to_a_contact_who_opted_out_would_be_sent_only_despite_that() {
    let bed = Bed::start().await;
    bed.prefer(false, OptOutBy::Word).await;
    let told = bed.try_out(template(), &no_key()).await;
    assert_eq!(verdict(&told), (false, vec!["opted_out"]));
    let refused = bed.outbox.send(&bed.caller, template(), &no_key()).await.unwrap_err();
    assert_eq!(told["warnings"][0]["message"], refused.public().message);
    let despite = bed.try_out(template(), &Terms { despite_opt_out: true, ..no_key() }).await;
    assert_eq!((verdict(&despite), &despite["opted_out"]["by"]), ((true, vec!["opted_out"]), &json!("word")));
    assert_ne!(despite["warnings"], told["warnings"]);
    assert!(verdict(&bed.try_out(draft(), &no_key()).await).0);
}

#[tokio::test]
async fn what_an_idempotency_key_would_come_to_is_told() {
    let bed = Bed::start().await;
    bed.hear(1).await;
    let told = async |draft: Draft, key: &str| {
        let told = bed.try_out(draft, &terms(key)).await;
        let (would_send, warnings) = verdict(&told);
        assert_eq!(would_send, told["idempotency"] == "new", "{told}");
        (told["idempotency"].as_str().unwrap().to_owned(), warnings.join(" "))
    };
    let is = |idempotency: &str, warning: &str| (idempotency.to_owned(), warning.to_owned());
    let faults = [
        ("sent", None),
        ("refused", Some(MetaFault::Error(131_026))),
        ("throttled", Some(MetaFault::Error(130_429))),
        ("unknown", Some(MetaFault::AcceptedThenReset)),
    ];
    for (key, fault) in faults {
        assert_eq!(told(draft(), key).await, is("new", ""));
        bed.testbed.simulator.fail_next(fault.unwrap_or(MetaFault::Delay(0)), 1);
        let _ = bed.send(key).await;
    }
    assert_eq!(told(draft(), "sent").await, is("would_replay", "idempotent_replay"));
    assert_eq!(told(draft(), "refused").await, is("would_replay", "idempotent_replay"));
    assert_eq!(told(draft(), "throttled").await, is("new", ""));
    assert_eq!(told(draft(), "unknown").await, is("unknown", "outcome_unknown"));
    assert_eq!(told(template(), "sent").await, is("key_reused", "idempotency_key_reused"));

    bed.testbed.simulator.fail_next(MetaFault::NeverAnswer, 1);
    let posts = bed.posts().len();
    bed.send_and_die_when(KEY, || bed.posts().len() > posts).await;
    assert_eq!(told(draft(), KEY).await, is("in_flight", "in_flight"));
    bed.testbed.clock.advance(TIME_LEFT);
    assert_eq!(told(draft(), KEY).await, is("unknown", "outcome_unknown"));
    bed.testbed.clock.advance(Duration::from_hours(24));
    let told = bed.try_out(draft(), &terms("sent")).await;
    assert_eq!(told["idempotency"], "new");
}

#[tokio::test]
async fn an_account_that_the_key_may_not_use_is_not_found() {
    let bed = Bed::start().await;
    let limited = caller(&bed.testbed, &bed.testbed.key(Scope::ALL, Some(&[SECOND_ACCOUNT])).await).await;
    for account_id in [None, Some(AccountId(1)), Some(AccountId(9))] {
        let error = bed.outbox.dry_run(&limited, Draft { account_id, ..draft() }, &terms(KEY)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
    }
    let second = Draft { account_id: Some(AccountId(SECOND_ACCOUNT)), ..draft() };
    let told = bed.outbox.dry_run(&limited, second, &terms(KEY)).await.unwrap();
    assert_eq!(serde_json::to_value(told).unwrap()["account_id"], SECOND_ACCOUNT);
}

#[tokio::test]
async fn with_any_of_its_reads_failing_it_is_an_outage() {
    for (operation, table) in [
        ("GetItem", "Conversations"),
        ("BatchGetItem", "BlockedContacts"),
        ("GetItem", "IdempotencyKeys"),
        ("GetItem", "Messages"),
    ] {
        let (bed, proxy) = Bed::with_proxy().await;
        bed.send(KEY).await.unwrap();
        proxy.fail_always(operation, table, Fault::ServerError);
        let error = bed.outbox.dry_run(&bed.caller, draft(), &terms(KEY)).await.unwrap_err();
        let told = (error.kind(), error.public().code.as_deref(), error.public().retryable);
        assert_eq!(told, (Kind::Unavailable, Some("storage_unavailable"), Some(true)), "{operation} {table}");
        proxy.heal();
        assert_eq!(bed.try_out(draft(), &terms(KEY)).await["idempotency"], "would_replay");
    }
}
