//! The one table from Meta's codes to what they mean for the caller.

use std::time::Duration;

use crate::error::{Error, Throttle};
use crate::graph_error::GraphError;

/// Meta's rule ("Error codes") is to decide by the code and not by the HTTP status: throttles come as 400, a missing
/// capability (3) and an unregistered number (131045) as 500. The status decides only for codes that are not listed here.
pub(crate) fn classify(error: GraphError, retry_after: Option<Duration>) -> Error {
    let (code, status, transient) = (error.code, error.http_status, error.is_transient);
    let graph = Box::new(error);
    match code {
        // The app's, the user's, the page's or the account's calls; a number's or a pair's messages; registrations; Flows.
        4 | 17 | 32 | 341 | 613 | 80007 | 130_429 | 131_048 | 131_056 | 131_064 | 132_069 | 133_016 => {
            Error::Throttled(Throttle { graph: Some(graph), retry_after })
        }
        // Token invalid, expired, or of another session.
        0 | 102 | 104 | 190 | 463 => Error::Unauthorized(graph),
        // Capability, permission, access; direct sending not allowed; business not verified.
        3 | 10 | 200..=299 | 131_005 | 139_200 | 141_010 => Error::Forbidden(graph),
        368 | 131_031 => Error::Restricted(graph),
        // Unknown failures, overload, maintenance; a template still being synchronised; the block list changing or failing.
        1 | 2 | 131_000 | 131_016 | 131_057 | 133_004 | 134_101 | 139_102 | 139_103 | 2_494_100 => Error::Unavailable(graph),
        // The request: a number or object that does not exist (33, 100), parameters, recipient, media, paging cursor.
        33 | 100 | 131_008 | 131_009 | 131_020 | 131_021 | 131_026 | 131_030 | 131_041 | 131_051..=131_053
        | 131_055 | 131_059 | 131_062 | 131_201..=131_215 | 135_000 | 137_000
        // Whom the business may write to, and when: blocked, experiment, country, window, marketing limits, opt-out.
        | 130_403 | 130_472 | 130_497 | 131_047 | 131_049 | 131_050
        // Templates and Flows: missing, mismatched, against policy, paused, disabled.
        | 132_000 | 132_001 | 132_005 | 132_007 | 132_008 | 132_012 | 132_015 | 132_016 | 132_018 | 132_068
        | 134_100 | 139_000..=139_004
        // The account's setting up: display name, payment, registration, PIN, terms. Some of these come as 500.
        | 131_037 | 131_042 | 131_044 | 131_045 | 131_063 | 133_000 | 133_005 | 133_006 | 133_008..=133_010 | 133_015
        | 134_011 | 134_102 | 1_752_041
        // Calls, blocking (no user was changed, or the list is full), usernames.
        | 138_000..=138_018 | 139_100 | 139_101 | 147_001..=147_005 => Error::Refused(graph),
        _ if status == 429 => Error::Throttled(Throttle { graph: Some(graph), retry_after }),
        _ if status == 401 => Error::Unauthorized(graph),
        _ if status == 403 => Error::Forbidden(graph),
        _ if transient || status >= 500 => Error::Unavailable(graph),
        // Also an error object under a status of 200: it is still Meta's word that it did not do as asked.
        _ => Error::Refused(graph),
    }
}
