//! What AWS calls each refusal ("Amazon SQS API Reference": the errors of every operation), and the words with it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("The specified queue does not exist.")]
    NoSuchQueue,
    #[error("A queue already exists with the same name and a different value for an attribute.")]
    QueueExists,
    #[error("Unknown attribute {0}.")]
    AttributeName(String),
    #[error("Invalid value for the attribute {0}.")]
    AttributeValue(String),
    #[error("{0}")]
    Parameter(String),
    #[error("The input receipt handle is invalid.")]
    ReceiptHandle,
    #[error("The message is not in flight.")]
    NotInFlight,
    #[error("There is no entry in the batch request.")]
    EmptyBatch,
    #[error("A batch request has at most {MOST_ENTRIES} entries.", MOST_ENTRIES = crate::batch::MOST_ENTRIES)]
    TooManyEntries,
    #[error("Two entries have the id {0}.")]
    SameEntryId(String),
    #[error("The id of an entry has 1 to 80 letters, digits, hyphens and underscores.")]
    EntryId,
    #[error("The bodies are longer than {} bytes together.", crate::requests::MOST_BYTES)]
    BatchTooLong,
    #[error("{0} is not served here.")]
    Operation(String),
}

impl Refusal {
    /// The name in the query protocol, which the SDKs go by.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoSuchQueue => "AWS.SimpleQueueService.NonExistentQueue",
            Self::QueueExists => "QueueAlreadyExists",
            Self::AttributeName(_) => "InvalidAttributeName",
            Self::AttributeValue(_) => "InvalidAttributeValue",
            Self::Parameter(_) => "InvalidParameterValue",
            Self::ReceiptHandle => "ReceiptHandleIsInvalid",
            Self::NotInFlight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::EmptyBatch => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::TooManyEntries => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::SameEntryId(_) => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            Self::EntryId => "AWS.SimpleQueueService.InvalidBatchEntryId",
            Self::BatchTooLong => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::Operation(_) => "AWS.SimpleQueueService.UnsupportedOperation",
        }
    }

    /// The name in the JSON protocol.
    fn shape(&self) -> &'static str {
        match self {
            Self::NoSuchQueue => "QueueDoesNotExist",
            Self::QueueExists => "QueueNameExists",
            _ => self.code().rsplit('.').next().unwrap_or_default(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let code = [("x-amzn-query-error", format!("{};Sender", self.code()))];
        let body = json!({"__type": format!("com.amazonaws.sqs#{}", self.shape()), "message": self.to_string()});
        (StatusCode::BAD_REQUEST, code, Json(body)).into_response()
    }
}
