//! That the checks can fail: each mistake that is built in breaks the property that is there to find it.

use stateright::{Checker, HasDiscoveries, Model};

use crate::model::OneChunk;
use crate::progress;
use crate::properties::{
    AWAITED, DONE, FOUND, NEVER_BACK, NOT_TWO, ON_THE_TABLE, ONCE_A_TRY, RIGHT_END, TRUE_COUNTS, TRUE_STANDINGS,
};
use crate::scope::{Mistake, Scope};

/// Two workers, and nothing goes wrong but that they meet.
const UNDISTURBED: Scope = Scope { workers: 2, has_losses: false, has_deaths: false, ..Scope::RETRIED };

/// Looks until it is found that a mistake breaks a property.
fn assert_found(scope: Scope, mistake: Mistake, property: &'static str) {
    let until = HasDiscoveries::AnyOf([property].into());
    let checker = OneChunk(scope.with(mistake)).checker().finish_when(until).spawn_bfs().join();
    let found = checker.discovery(property);
    assert!(found.is_some(), "{mistake:?} is in none of {} states", checker.unique_state_count());
}

#[test]
fn a_message_that_may_be_claimed_twice_is_found() {
    assert_found(Scope::PLAIN, Mistake::ClaimsWhatIsBeingSent, ONCE_A_TRY);
}

#[test]
fn a_call_without_a_claim_is_found() {
    assert_found(Scope::PLAIN, Mistake::PostsWithoutClaiming, ONCE_A_TRY);
}

#[test]
fn a_message_that_is_put_back_though_meta_may_have_it_is_found() {
    assert_found(Scope::PLAIN, Mistake::PutsBackWhatWasNotAnswered, ONCE_A_TRY);
}

#[test]
fn a_message_that_is_put_back_though_meta_has_it_is_found() {
    assert_found(Scope::PLAIN, Mistake::PutsBackWhatMetaHas, ON_THE_TABLE);
    assert_found(Scope::PLAIN, Mistake::PutsBackWhatMetaHas, ONCE_A_TRY);
}

#[test]
fn an_unknown_that_counts_as_failed_and_so_is_tried_again_is_found() {
    assert_found(Scope::RETRIED, Mistake::CountsTheUnknownAsFailed, NOT_TWO);
}

#[test]
fn a_status_that_is_not_noted_is_found() {
    assert_found(Scope::PLAIN, Mistake::NotesNoStatus, TRUE_STANDINGS);
    assert_found(Scope::PLAIN, Mistake::NotesNoStatus, TRUE_COUNTS);
}

#[test]
fn a_count_of_what_is_no_longer_so_is_found() {
    assert_found(Scope::PLAIN, Mistake::CountsWhatWasRead, TRUE_COUNTS);
    assert_found(Scope::PLAIN, Mistake::CountsWhatWasRead, NEVER_BACK);
}

#[test]
fn a_chunk_that_is_put_away_with_somebody_left_is_found() {
    assert_found(Scope::PLAIN, Mistake::ForgetsWhoWasPutBack, FOUND);
}

#[test]
fn a_campaign_that_ends_while_somebody_is_left_is_found() {
    assert_found(Scope::RETRIED, Mistake::EndsWithoutLooking, DONE);
}

#[test]
fn a_campaign_that_ends_while_somebody_is_unknown_is_found() {
    assert_found(Scope::PLAIN, Mistake::WaitsForNoStatus, DONE);
}

#[test]
fn a_chunk_that_counts_as_seen_to_before_it_is_is_found() {
    assert_found(Scope::RETRIED, Mistake::SeesToWhatItCounted, FOUND);
    assert_found(Scope::RETRIED, Mistake::SeesToWhatItCounted, DONE);
    assert_found(Scope::PLAIN, Mistake::SeesToWhatItCounted, RIGHT_END);
}

#[test]
fn an_unknown_for_whom_nobody_waits_is_found() {
    assert_found(UNDISTURBED, Mistake::HeedsThePendingAlone, AWAITED);
}

#[test]
fn a_chunk_that_is_released_as_it_no_longer_is_is_found() {
    assert_found(Scope::RETRIED, Mistake::ReleasesWhatItHasNotRead, FOUND);
}

#[test]
fn a_campaign_that_ends_as_it_was_is_found() {
    assert_found(UNDISTURBED, Mistake::EndsAsItWas, RIGHT_END);
}

#[test]
fn a_chunk_that_stays_with_the_dead_is_found() {
    let found = progress::explore(&OneChunk(Scope::PLAIN.with(Mistake::LeavesTheDeadTheirChunk)));
    assert!(!found.stuck.is_empty(), "in none of {} states", found.states);
}
