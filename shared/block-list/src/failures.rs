//! What goes wrong, in the client's words. Everything here may be repeated without harm, and says so.

use std::time::Duration;

use domain::{AccountId, Error, Kind, Result};
use meta_errors::Asked;

/// Something that Meta is asked for.
#[derive(Debug)]
pub(crate) struct Deed {
    pub(crate) blocks: bool,
    pub(crate) asked: Asked,
    /// Meta did it, and the list here does not show it.
    not_recorded: &'static str,
}

pub(crate) const BLOCK: Deed = Deed {
    blocks: true,
    asked: Asked {
        not_reached: "WhatsApp can't be reached. Nobody was blocked.",
        throttled: "WhatsApp takes no more requests for the moment. Nobody was blocked.",
        refused: "WhatsApp refused to block without saying why. Nobody was blocked.",
        unknown: || unanswered("WhatsApp did not say whether it blocked. Repeat the request: that does no harm."),
    },
    not_recorded: "WhatsApp blocked the contacts, but the list of those blocked does not show all of them yet: the service \
                   can't reach its storage. Repeat the request: that does no harm and completes the list.",
};

pub(crate) const UNBLOCK: Deed = Deed {
    blocks: false,
    asked: Asked {
        not_reached: "WhatsApp can't be reached. Nobody was unblocked.",
        throttled: "WhatsApp takes no more requests for the moment. Nobody was unblocked.",
        refused: "WhatsApp refused to unblock without saying why. Nobody was unblocked.",
        unknown: || unanswered("WhatsApp did not say whether it unblocked. Repeat the request: that does no harm."),
    },
    not_recorded: "WhatsApp unblocked the contacts, but the list of those blocked still shows some of them: the service \
                   can't reach its storage. Repeat the request: that does no harm and completes the list.",
};

pub(crate) const LIST: Deed = Deed {
    blocks: false,
    asked: Asked {
        not_reached: "WhatsApp can't be reached. Without refresh=true the list is answered as it is known here.",
        throttled: "WhatsApp takes no more requests for the moment. Without refresh=true the list is answered as it is \
                    known here.",
        refused: "WhatsApp refused to give its list without saying why.",
        unknown: || {
            unanswered(
                "WhatsApp did not give all of its list in time. Repeat the request; without refresh=true the list is \
                 answered as it is known here.",
            )
        },
    },
    not_recorded: "The list of those blocked is not level with WhatsApp's yet: the service can't reach its storage. Repeat \
                   the request: that does no harm and completes the list.",
};

impl Deed {
    /// Meta did it, and the storage failed then.
    pub(crate) fn not_recorded(&self, cause: &Error) -> Error {
        let error = Error::new(Kind::Unavailable, self.not_recorded).code("not_recorded").retryable(true);
        error.retry_after(Duration::from_secs(1)).caused_by(cause.source_chain().unwrap_or_default())
    }
}

fn unanswered(message: &str) -> Error {
    let error = Error::new(Kind::Unanswered, message).code("outcome_unknown").retryable(true);
    error.retry_after(Duration::from_secs(1))
}

/// What became of refreshing the lists of all accounts: an error names those that failed, each with what is behind it.
pub(crate) fn of_accounts(failed: &[(AccountId, Error)]) -> Result<()> {
    let Some((_, first)) = failed.first() else { return Ok(()) };
    let ids: Vec<_> = failed.iter().map(|(id, _)| id.to_string()).collect();
    let cause = |(id, error): &(AccountId, Error)| {
        let code = error.public().code.as_deref().unwrap_or_default();
        format!("account {id}: {code}: {}", error.source_chain().unwrap_or_default())
    };
    let causes: Vec<_> = failed.iter().map(cause).collect();
    let message =
        format!("The lists of those blocked by these accounts are not level with WhatsApp's: {}", ids.join(", "));
    Err(Error::new(first.kind(), message).code("not_refreshed").retryable(true).caused_by(causes.join("; ")))
}

/// The function would be stopped before all is recorded.
pub(crate) fn too_little_time() -> Error {
    Error::new(Kind::Unavailable, "There is too little time left. Nothing was changed. Try again.")
        .code("too_little_time")
        .retryable(true)
        .retry_after(Duration::from_secs(1))
}
