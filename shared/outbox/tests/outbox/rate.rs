//! What single messages take of their number's rate, as a campaign meets it that asks for the next moments.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::{Account, Accounts, CountryCode, Kind, SendState};
use meta_simulator::Fault as MetaFault;
use outbox::{Draft, Fate, Outbox, Terms, Trouble};
use serde_json::json;
use storage::{OptOutBy, Reserved, SendRates};
use testbed::SECOND_ACCOUNT;
use whatsapp::WhatsApp;

use crate::bed::{Bed, KEY, PHONE, account, draft, template, terms, until};
use crate::campaign::Recipient;
use crate::wire::Fault;

/// A campaign waits at most so long for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// At 75 messages a second.
const INTERVAL: Duration = Duration::from_micros(13_334);
const A_MOMENT: Duration = Duration::from_millis(1);

/// Without an idempotency key.
fn unkeyed() -> Terms {
    Terms { idempotency_key: None, ..terms(KEY) }
}

fn draft_from(account_id: i64) -> Draft {
    Draft { account_id: Some(account(account_id).id), ..draft() }
}

impl Bed {
    /// With one account, whose campaigns send so many messages a second.
    async fn with_rate(per_second: u32) -> (Self, Account) {
        let bed = Self::start().await;
        let one = json!([{
            "id": 1,
            "phone_number_id": meta_simulator::PHONE_NUMBER_ID,
            "waba_id": meta_simulator::WABA_ID,
            "access_token": meta_simulator::ACCESS_TOKEN,
            "messages_per_second": per_second,
        }]);
        let accounts: Accounts = one.to_string().parse().unwrap();
        let account = accounts.find(None).unwrap().clone();
        let whatsapp = WhatsApp::new(&bed.testbed.simulator.graph_api_url()).unwrap();
        let (accounts, clock) = (Arc::new(accounts), bed.testbed.clock.clone());
        let outbox = Outbox::new(&bed.testbed.database, whatsapp, accounts, CountryCode::default(), clock);
        (Self { outbox, ..bed }, account)
    }

    /// Sends so many single messages from the first account.
    async fn send_singles(&self, times: usize) {
        for _ in 0..times {
            self.outbox.send(&self.caller, draft(), &unkeyed()).await.unwrap();
        }
    }

    /// Sends one, to which Meta says this.
    async fn send_single_into(&self, fault: MetaFault) -> Kind {
        self.testbed.simulator.fail_next(fault, 1);
        self.outbox.send(&self.caller, draft(), &unkeyed()).await.unwrap_err().kind()
    }

    /// A campaign of an account asks when it may send one message, and takes that moment.
    async fn reserve(&self, account: &Account) -> Reserved {
        let (number, rate, now) = (&account.phone_number_id, account.messages_per_second, self.testbed.clock.now());
        SendRates::new(&self.testbed.database).reserve(number, rate, 1, now, PATIENCE).await.unwrap()
    }

    /// How many messages of 75 a second the campaigns of the first account have to wait for. They lose the moment after.
    async fn waits_for(&self) -> u128 {
        self.waits_for_of(1).await
    }

    async fn waits_for_of(&self, account_id: i64) -> u128 {
        let (wait, interval) = self.next(&account(account_id)).await;
        assert_eq!((interval, wait.as_micros() % INTERVAL.as_micros()), (INTERVAL, 0));
        wait.as_micros() / INTERVAL.as_micros()
    }

    /// How long a campaign waits for its first message, and for each further one.
    async fn next(&self, account: &Account) -> (Duration, Duration) {
        match self.reserve(account).await {
            Reserved::From { first_at, interval } => {
                (first_at.duration_since(self.testbed.clock.now()).try_into().unwrap(), interval)
            }
            later @ Reserved::Later(_) => panic!("{later:?}"),
        }
    }
}

#[tokio::test]
async fn every_eight_single_messages_of_a_number_are_taken_from_its_rate_and_fewer_are_not() {
    for (sent, taken) in [(0, 0), (1, 0), (7, 0), (8, 8), (9, 8), (15, 8), (16, 16)] {
        let bed = Bed::start().await;
        bed.send_singles(sent).await;
        assert_eq!(bed.waits_for().await, taken, "{sent}");
        // The moments pass, as those of a campaign do.
        bed.testbed.clock.advance(INTERVAL * 20);
        assert_eq!(bed.waits_for().await, 0, "{sent}");
    }
}

#[tokio::test]
async fn single_messages_are_taken_at_the_rate_of_their_account() {
    let (bed, account) = Bed::with_rate(10).await;
    bed.send_singles(8).await;
    assert_eq!(bed.next(&account).await, (Duration::from_millis(800), Duration::from_millis(100)));
}

#[tokio::test]
async fn each_number_is_counted_by_itself() {
    let bed = Bed::start().await;
    let send_from = async |account_id| {
        bed.outbox.send(&bed.caller, draft_from(account_id), &unkeyed()).await.unwrap();
    };
    for account_id in [1, SECOND_ACCOUNT] {
        for _ in 0..7 {
            send_from(account_id).await;
        }
    }
    assert_eq!((bed.waits_for_of(1).await, bed.waits_for_of(SECOND_ACCOUNT).await), (0, 0));
    bed.testbed.clock.advance(Duration::from_secs(1));
    send_from(SECOND_ACCOUNT).await;
    assert_eq!((bed.waits_for_of(1).await, bed.waits_for_of(SECOND_ACCOUNT).await), (0, 8));
}

#[tokio::test]
async fn the_clones_of_an_outbox_count_together_and_each_machine_for_itself() {
    let bed = Bed::start().await;
    let (clone, elsewhere) = (bed.outbox.clone(), bed.another_outbox());
    for outbox in [&bed.outbox, &clone].iter().cycle().take(7).chain([&&elsewhere; 7]) {
        outbox.send(&bed.caller, draft(), &unkeyed()).await.unwrap();
    }
    assert_eq!(bed.waits_for().await, 0);
    bed.testbed.clock.advance(Duration::from_secs(1));
    clone.send(&bed.caller, draft(), &unkeyed()).await.unwrap();
    assert_eq!(bed.waits_for().await, 8);
    elsewhere.send(&bed.caller, draft(), &unkeyed()).await.unwrap();
    // And the moment that was asked for before.
    assert_eq!(bed.waits_for().await, 8 + 1 + 8);
}

#[tokio::test]
async fn what_was_refused_or_lost_is_taken_as_well() {
    let bed = Bed::start().await;
    let faults = [MetaFault::Error(131_047), MetaFault::Error(131_000), MetaFault::AcceptedThenReset];
    for fault in faults.iter().cycle().take(8) {
        bed.send_single_into(fault.clone()).await;
    }
    assert_eq!(bed.waits_for().await, 8);
}

#[tokio::test]
async fn what_never_went_to_meta_is_not_taken() {
    let bed = Bed::start().await;
    bed.send(KEY).await.unwrap();
    bed.send_singles(6).await;
    for _ in 0..8 {
        assert!(bed.send(KEY).await.unwrap().replayed);
    }
    bed.prefer(false, OptOutBy::Word).await;
    let too_little = Terms { time_left: Duration::from_secs(1), ..unkeyed() };
    for (draft, terms) in [(template(), unkeyed()), (draft(), too_little)] {
        bed.outbox.send(&bed.caller, draft, &terms).await.unwrap_err();
    }
    assert_eq!((bed.posts().len(), bed.waits_for().await), (7, 0));
    bed.send_singles(1).await;
    assert_eq!(bed.waits_for().await, 1 + 8);
}

#[tokio::test]
async fn what_a_campaign_sends_is_not_taken_once_more() {
    let bed = Bed::start().await;
    for index in 0..16 {
        assert_eq!(Recipient::of_number(&format!("9198{index:08}")).deliver(&bed.outbox).await.unwrap(), Fate::Sent);
    }
    // Whoever works through a campaign heeds this by itself.
    bed.testbed.simulator.fail_next(MetaFault::Error(130_429), 1);
    let fate = Recipient::of_number(PHONE).deliver(&bed.outbox).await.unwrap();
    assert!(matches!(fate, Fate::PutBack(Trouble::Number(_))), "{fate:?}");
    assert_eq!(bed.waits_for().await, 0);
    // Nor do they count among single messages.
    bed.send_singles(7).await;
    assert_eq!(bed.waits_for().await, 1);
}

#[tokio::test]
async fn messages_that_hardly_any_others_follow_are_forgotten_after_5_seconds() {
    let bed = Bed::start().await;
    bed.send_singles(7).await;
    bed.testbed.clock.advance(Duration::from_secs(5) + A_MOMENT);
    bed.send_singles(7).await;
    assert_eq!(bed.waits_for().await, 0);
    // Those that are followed in time count, however long that takes in all.
    bed.testbed.clock.advance(Duration::from_secs(5));
    bed.send_singles(1).await;
    assert_eq!(bed.waits_for().await, 8);
    for _ in 0..8 {
        bed.testbed.clock.advance(Duration::from_secs(5));
        bed.send_singles(1).await;
    }
    assert_eq!(bed.waits_for().await, 8);
}

#[tokio::test]
async fn a_single_message_waits_for_no_campaign() {
    let bed = Bed::start().await;
    let Account { phone_number_id, messages_per_second, .. } = account(1);
    let (rates, now) = (SendRates::new(&bed.testbed.database), bed.testbed.clock.now());
    // Taken for an hour, and Meta wants nothing for another.
    rates.reserve(&phone_number_id, messages_per_second, 75 * 3600, now, PATIENCE).await.unwrap();
    rates.slow_down(&phone_number_id, Duration::from_hours(2), now).await.unwrap();
    assert!(matches!(bed.reserve(&account(1)).await, Reserved::Later(_)));
    tokio::time::timeout(Duration::from_mins(1), bed.send_singles(9)).await.unwrap();
    assert_eq!(bed.received(), 9);
}

#[tokio::test]
async fn the_rate_is_not_asked_for_before_meta_has_the_message() {
    let (bed, proxy) = Bed::with_proxy().await;
    proxy.fail_always("", "SendRates", Fault::Hold);
    bed.send_singles(7).await;
    assert!(!proxy.holds());
    let mut eighth = pin!(bed.send_singles(1));
    tokio::select! {
        biased;
        () = until(|| proxy.holds()) => {}
        () = &mut eighth => panic!("nothing was noted"),
    }
    assert_eq!(bed.received(), 8);
    proxy.release();
    eighth.await;
}

#[tokio::test]
async fn a_single_message_that_meta_finds_too_much_for_the_number_slows_its_campaigns_down() {
    for (fault, wait) in [(MetaFault::Error(130_429), 1), (MetaFault::ErrorWithRetryAfter, 3)] {
        let bed = Bed::start().await;
        assert_eq!(bed.send_single_into(fault.clone()).await, Kind::Throttled);
        let expected = (Duration::from_secs(wait), INTERVAL * 2);
        assert_eq!(bed.next(&account(1)).await, expected, "{fault:?}");
        assert_eq!(bed.waits_for_of(SECOND_ACCOUNT).await, 0, "{fault:?}");
        // A minute later they go as before.
        bed.testbed.clock.advance(Duration::from_mins(1));
        assert_eq!(bed.next(&account(1)).await, (Duration::ZERO, INTERVAL), "{fault:?}");
    }
}

#[tokio::test]
async fn an_eighth_message_that_slows_campaigns_down_is_taken_with_the_seven_before() {
    let (bed, account) = Bed::with_rate(2).await;
    bed.send_singles(7).await;
    bed.send_single_into(MetaFault::Error(130_429)).await;
    assert_eq!(bed.next(&account).await, (Duration::from_secs(4), Duration::from_secs(1)));
    // After it the count begins anew: seven are too few.
    bed.testbed.clock.advance(Duration::from_secs(5));
    bed.send_singles(7).await;
    assert_eq!(bed.next(&account).await, (Duration::ZERO, Duration::from_secs(1)));
}

#[tokio::test]
async fn what_meta_refuses_for_another_reason_slows_no_campaign_down() {
    let bed = Bed::start().await;
    let codes = [4, 80007, 131_056, 131_048, 131_064, 131_047, 131_000, 190].map(MetaFault::Error);
    for fault in codes.into_iter().chain([MetaFault::HtmlTooMany, MetaFault::CloseAfterRequest]) {
        // Not as many together that they are taken.
        bed.testbed.clock.advance(Duration::from_mins(1));
        bed.send_single_into(fault.clone()).await;
        assert_eq!(bed.next(&account(1)).await, (Duration::ZERO, INTERVAL), "{fault:?}");
    }
}

#[tokio::test]
async fn a_table_of_rates_that_fails_harms_no_message() {
    for fault in [Fault::HangUp, Fault::ServerError, Fault::Throttle, Fault::LoseAnswer] {
        let (bed, proxy) = Bed::with_proxy().await;
        proxy.fail_always("UpdateItem", "SendRates", fault);
        bed.send_singles(7).await;
        let first = bed.send(KEY).await.unwrap();
        assert!(proxy.left() < usize::MAX, "{fault:?}");
        let again = bed.send(KEY).await.unwrap();
        assert_eq!((again.answer.get(), again.replayed), (first.answer.get(), true), "{fault:?}");
        assert!(bed.messages().await.iter().all(|message| message.state == SendState::Accepted), "{fault:?}");

        bed.testbed.simulator.fail_next(MetaFault::Error(130_429), 1);
        let error = bed.send("throttled").await.unwrap_err();
        let told = (error.kind(), error.public().code.as_deref(), error.public().retry_after_s);
        assert_eq!(told, (Kind::Throttled, Some("rate_limited"), Some(1)), "{fault:?}");
        assert!(!bed.send("throttled").await.unwrap().replayed, "{fault:?}");
        assert_eq!((bed.posts().len(), bed.received()), (10, 9), "{fault:?}");
    }
}

#[tokio::test]
async fn a_table_of_rates_that_says_nothing_is_not_waited_for() {
    let (bed, proxy) = Bed::with_proxy().await;
    bed.send_singles(7).await;
    proxy.fail("UpdateItem", "SendRates", Fault::Silence, 3);
    bed.send_singles(1).await;
    // The storage's client asks up to three times, for a second and a half each: two seconds are over before the last.
    assert_ne!(proxy.left(), 0);
    assert_eq!(bed.received(), 8);
}

#[tokio::test]
async fn a_table_of_rates_that_says_nothing_takes_no_time_from_the_answer() {
    let (bed, proxy) = Bed::with_proxy().await;
    bed.send_singles(7).await;
    // Of 7 s, Meta takes 3 and recording 3.5: half a second is left for the answer.
    bed.testbed.simulator.fail_next(MetaFault::NeverAnswer, 1);
    proxy.fail_always("UpdateItem", "SendRates", Fault::Silence);
    proxy.fail_always("UpdateItem", "Messages", Fault::Silence);
    let terms = Terms { time_left: Duration::from_secs(7), ..unkeyed() };
    let send = bed.outbox.send(&bed.caller, draft(), &terms);
    let told = tokio::time::timeout(Duration::from_millis(6_800), send).await;
    assert_eq!(told.unwrap().unwrap_err().kind(), Kind::OutcomeUnknown);
}
