//! What each fault on the way to Meta comes to: for the client, in the table, and for the next request with the key.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Kind, SendState};
use meta_simulator::Fault;

use crate::bed::{Bed, KEY, closed_port, draft, surely_unsent, terms};

/// What stands in the way.
enum Way {
    Fault(Fault),
    /// Nobody listens at Meta's address.
    Closed,
    /// Whoever listens does not speak TLS.
    NoTls,
}

/// What the first request comes to: its error with its code and whether it is retryable.
#[derive(Clone, Copy)]
enum Told {
    Sent,
    /// It may have been sent.
    Unknown,
    /// It was not sent: as far as Meta says, or surely.
    Unsent(Kind, &'static str, Retryable),
}

type Retryable = bool;

use Told::{Sent, Unknown, Unsent};

struct Row {
    way: Way,
    /// The POSTs that Meta saw.
    posts: usize,
    told: Told,
    /// How many messages the recipient has.
    received: usize,
}

const fn row(fault: Fault, posts: usize, told: Told, received: usize) -> Row {
    Row { way: Way::Fault(fault), posts, told, received }
}

static ROWS: [Row; 22] = [
    row(Fault::Error(131_047), 1, Unsent(Kind::Invalid, "window_closed", false), 0),
    row(Fault::Error(130_429), 1, Unsent(Kind::Throttled, "rate_limited", true), 0),
    row(Fault::Error(190), 1, Unsent(Kind::UpstreamFailed, "upstream_auth", false), 0),
    // Meta never saw this one, but neither can we tell.
    row(Fault::CloseBeforeReading, 0, Unknown, 0),
    row(Fault::CloseAfterRequest, 1, Unknown, 0),
    row(Fault::ResetAfterRequest, 1, Unknown, 0),
    row(Fault::Delay(200), 1, Sent, 1),
    row(Fault::TruncatedAnswer, 1, Unknown, 1),
    row(Fault::HtmlServerError, 1, Unknown, 0),
    row(Fault::HtmlTooMany, 1, Unsent(Kind::Throttled, "rate_limited", true), 0),
    row(Fault::BadGateway, 1, Unknown, 0),
    row(Fault::GarbledOk, 1, Unknown, 1),
    row(Fault::OkWithoutId, 1, Unknown, 1),
    row(Fault::Redirect, 1, Unknown, 0),
    row(Fault::HugeAnswer, 1, Unknown, 1),
    row(Fault::ErrorWithRetryAfter, 1, Unsent(Kind::Throttled, "rate_limited", true), 0),
    row(Fault::ServerErrorWithJson, 1, Unsent(Kind::UpstreamUnavailable, "upstream_unavailable", true), 0),
    row(Fault::AcceptedThenReset, 1, Unknown, 1),
    row(Fault::AcceptedThenServerError, 1, Unknown, 1),
    Row { way: Way::Closed, posts: 0, told: Unsent(Kind::Unavailable, "upstream_unreachable", true), received: 0 },
    Row { way: Way::NoTls, posts: 0, told: Unsent(Kind::Unavailable, "upstream_unreachable", true), received: 0 },
    // No fault at all: armed for no request.
    row(Fault::Delay(0), 1, Sent, 1),
];

/// These last until our patience ends.
static SILENT_ROWS: [Row; 2] = [row(Fault::NeverAnswer, 1, Unknown, 0), row(Fault::AcceptedThenSilence, 1, Unknown, 1)];

#[tokio::test]
async fn every_fault_ends_as_the_table_says() {
    for row in &ROWS {
        Box::pin(row.check(Duration::from_secs(28))).await;
    }
}

#[tokio::test]
async fn silence_ends_with_the_time_that_is_left() {
    // Meta gets what is left but for 4 seconds.
    let checks = SILENT_ROWS.iter().map(|row| Box::pin(row.check(Duration::from_secs(7))));
    futures::future::join_all(checks).await;
}

#[test]
fn no_fault_of_the_simulator_is_missing_in_the_table() {
    let fault = |row: &'static Row| match &row.way {
        Way::Fault(fault) => Some(fault),
        Way::Closed | Way::NoTls => None,
    };
    assert_every_fault(ROWS.iter().chain(&SILENT_ROWS).filter_map(fault));
}

/// Fails the test unless these are all faults that the simulator has.
pub(crate) fn assert_every_fault<'a>(faults: impl IntoIterator<Item = &'a Fault>) {
    let readme = include_str!("../../../../infra/meta-simulator/README.md");
    // | `15551000001` | `close_after_request` | …
    let by_number =
        readme.lines().filter(|line| line.starts_with("| `1555")).map(|line| line.split('`').nth(3).unwrap());
    let known: BTreeSet<_> =
        by_number.chain(["error", "close_before_reading"]).map(|name| name.replace('_', "")).collect();
    let name = |fault: &Fault| format!("{fault:?}").split('(').next().map(str::to_lowercase);
    assert_eq!(known, faults.into_iter().filter_map(name).collect());
}

impl Row {
    async fn check(&self, time_left: Duration) {
        let bed = Bed::start().await;
        let (closed, closed_url) = closed_port();
        let (bed, name) = match &self.way {
            Way::Fault(fault) => {
                bed.testbed.simulator.fail_next(fault.clone(), 1);
                (bed, format!("{fault:?}"))
            }
            Way::Closed => (bed.with_meta(&closed_url), "closed port".to_owned()),
            Way::NoTls => {
                let url = bed.testbed.simulator.graph_api_url().replace("http:", "https:");
                (bed.with_meta(&url), "no TLS".to_owned())
            }
        };

        let terms = outbox::Terms { time_left, ..terms(KEY) };
        let first = bed.outbox.send(&bed.caller, draft(), &terms).await;
        drop(closed);
        assert_eq!((bed.posts().len(), bed.received()), (self.posts, self.received), "{name}: POSTs and receipt");
        let stored = bed.only_message().await;
        if self.posts > 0 {
            assert_eq!(bed.posts(), [stored.new.id], "{name}: the stored message is not the one that Meta saw");
        }
        let state = match self.told {
            Sent => SendState::Accepted,
            Unknown => SendState::Unknown,
            Unsent(..) => SendState::Rejected,
        };
        assert_eq!(stored.state, state, "{name}: stored");

        // From here on nothing is in the way.
        bed.testbed.simulator.clear_faults();
        let bed = Bed { outbox: bed.testbed.outbox.clone(), ..bed };
        let again = bed.send(KEY).await;
        let more_posts = bed.posts().len() - self.posts;
        match (self.told, first) {
            (Sent, Ok(first)) => {
                let again = again.unwrap();
                assert_eq!((first.replayed, again.replayed, more_posts), (false, true, 0), "{name}");
                assert_eq!(first.answer.get(), again.answer.get(), "{name}: replayed");
            }
            (Unknown, Err(first)) => {
                let again = again.unwrap_err();
                let told = (first.kind(), first.public().code.as_deref(), first.public().retryable);
                assert_eq!(told, (Kind::OutcomeUnknown, Some("outcome_unknown"), Some(false)), "{name}");
                assert_eq!(first.public(), again.public(), "{name}: replayed");
                assert_eq!((first.is_replayed(), again.is_replayed(), more_posts), (false, true, 0), "{name}");
            }
            (Unsent(kind, code, retryable), Err(first)) => {
                let told = (first.kind(), first.public().code.as_deref(), first.public().retryable);
                assert_eq!(told, (kind, Some(code), Some(retryable)), "{name}");
                assert_eq!(first.public().message_id, Some(stored.new.id.to_string()), "{name}");
                if surely_unsent(kind) {
                    assert!(!again.unwrap().replayed, "{name}");
                    assert_eq!((more_posts, bed.received()), (1, 1), "{name}: sent after all");
                } else {
                    let again = again.unwrap_err();
                    assert_eq!((first.public(), again.is_replayed()), (again.public(), true), "{name}: replayed");
                    assert_eq!(more_posts, 0, "{name}");
                }
            }
            (_, first) => panic!("{name}: {first:?}"),
        }
        assert!(bed.received() <= 1, "{name}: received twice");
    }
}
