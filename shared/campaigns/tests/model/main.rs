//! How a campaign is sent, gone through in every state that it can get into.
//!
//! The code keeps its promises by conditional writes of single rows, made by functions that may die at any moment, started by
//! a queue that loses and repeats. This is a model of that: a campaign of one chunk, with one or two recipients, two workers,
//! the caretaker, somebody who steers and tries again, and Meta with what it tells. [`stateright`] goes through everything
//! that can happen, in every order.
//!
//! The steps of messages and of the campaign are those of the code's own tables, [`domain::TRANSITIONS`] and
//! [`domain::CAMPAIGN_TRANSITIONS`]. That the storage takes just these is a test of `storage`. That the model counts as the
//! storage does is a test of `counting`. The order of the writes is modelled by hand, after the code that each module names:
//! who changes it there changes it here.
//!
//! # What can happen
//!
//! Nothing is counted down: what can happen at all happens any number of times, also again and again.
//!
//! - Workers, the caretaker and whoever tries again die between any two of their writes, or meet an error there.
//! - The queue loses jobs and delivers them often, late, or to two workers within one millisecond. A job with an old ticket
//!   changes nothing, and so is not modelled.
//! - A chunk is handed out again while its worker is alive but slow; a claim's time passes while its owner is.
//! - The database does what it is asked, and the answer is lost: to a claim, which is asked again or given up; to anything
//!   else, which is an error. What becomes of a message is written down in vain.
//! - Meta takes a message, refuses it, has no place for it, or does not answer, whether it took it or not.
//! - Meta tells of a message at any time after it took it, in any order, and again; and whoever is told dies between recording
//!   it and noting it.
//! - Somebody pauses, resumes and cancels, and tries again those who failed and those who are unknown. A worker that finds
//!   that nobody can be written to pauses just so.
//! - A day passes, in which nobody works.
//!
//! # What can't
//!
//! - There are no further chunks, so the sum of their counts and how many are under way is left out; and no uploads, drafts and
//!   times to start at.
//! - Times have an order only where it is said above: no rates, no length of a lease or a call.
//! - All failures have one reason, and all are tried again.
//! - No write takes effect after whoever made it has gone on.
//! - Meta does not break its word: what it refused it has not taken, and a message does not fail that reached a phone.
//! - Indexes are never late. Nobody acts on one without a condition on the row itself.
//!
//! Each [`Scope`] leaves some of it out, so that all take seconds. Those that take minutes run with
//! `cargo test --release -p campaigns --test model -- --ignored`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what goes wrong here fails the test, and how much was gone through is good to know"
)]

mod action;
mod chunk;
mod counting;
mod delivery;
mod mistakes;
mod model;
mod others;
mod progress;
mod properties;
mod scenarios;
mod scope;
mod worker;
mod world;

use stateright::{Checker, Expectation, Model};

use crate::chunk::Mark;
use crate::model::OneChunk;
use crate::scope::Scope;

/// Goes through all states, and finds every property to hold.
fn check(scope: Scope) {
    let checker = OneChunk(scope).checker().threads(2).spawn_bfs().join();
    println!("{} states, {} steps", checker.unique_state_count(), checker.state_count());
    for property in checker.model().properties() {
        let (name, found) = (property.name, checker.discovery(property.name));
        if property.expectation == Expectation::Sometimes {
            assert!(found.is_some(), "never: {name}");
        } else {
            let way = found.map(|path| (path.last_state().clone(), path.into_actions()));
            assert!(way.is_none(), "not always: {name}: {way:#?}");
        }
    }
}

/// Goes through all states, and finds that each has a way to an end.
fn check_progress(scope: Scope) {
    let found = progress::explore(&OneChunk(scope));
    println!("{} states, {} of them ends", found.states, found.ends);
    assert!(found.ends > 0 && found.stuck.is_empty(), "no way out: {:#?}", found.stuck.first());
}

#[test]
fn nobody_gets_two_messages_whoever_dies_and_whatever_is_lost() {
    check(Scope::CROWD);
}

#[test]
fn nobody_gets_two_messages_and_nobody_is_lost_whatever_somebody_does_with_the_campaign() {
    check(Scope::ONE);
}

#[test]
fn two_recipients_are_counted_as_meta_counts_them() {
    check(Scope::PAIR);
    check(Scope::ROW);
}

#[test]
fn whoever_is_tried_again_is_not_left_out_and_gets_two_messages_only_where_somebody_risks_it() {
    check(Scope::RETRIED);
}

#[test]
fn wherever_a_campaign_gets_it_can_still_come_to_its_end() {
    check_progress(Scope::PLAIN);
    check_progress(Scope { has_losses: false, ..Scope::PAIR });
}

#[test]
#[ignore = "takes a minute, optimized"]
fn with_more_at_work_at_the_same_time_the_same_holds() {
    check(Scope { at_once: 3, ..Scope::ONE });
    check(Scope { workers: 2, farthest: Mark::Delivered, ..Scope::RETRIED });
    check(Scope { at_once: 2, ..Scope::PAIR });
    check_progress(Scope::RETRIED);
}

#[test]
#[ignore = "takes four minutes and 5 GB, optimized"]
fn in_the_largest_scopes_the_same_holds() {
    check(Scope { workers: 2, at_once: 3, ..Scope::RETRIED });
    check(Scope { recipients: 2, at_once: 1, ..Scope::RETRIED });
}
