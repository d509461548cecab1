//! A failed send in the client's words.

use domain::{Error, Kind};
use meta_errors::Asked;

const SEND: Asked = Asked {
    not_reached: "WhatsApp can't be reached. The message was not sent.",
    throttled: "WhatsApp takes no more messages for the moment. The message was not sent.",
    refused: "WhatsApp refused the message without saying why. It was not sent.",
    unknown: outcome_unknown,
};

/// Turns what became of a send into what the client reads.
pub(crate) fn to_domain(error: whatsapp::Error) -> Error {
    meta_errors::to_domain(error, &SEND)
}

/// Meta did not say what became of a message. Told in the same words at once and to later requests with the same key.
pub(crate) fn outcome_unknown() -> Error {
    let message =
        "WhatsApp did not say whether it took the message: it may have been sent. It is not sent again by itself.";
    Error::new(Kind::OutcomeUnknown, message).code("outcome_unknown").retryable(false)
}
