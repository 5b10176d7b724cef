//! What a host says when it refuses: a sentence, without a code.

use omnistorage::{Error, ErrorCode};

use super::bindings::wasi::io::streams::StreamError;

/// A call that failed.
pub(super) fn failure(told: &str) -> Error {
    Error::new(ErrorCode::Other, format!("the host's blobstore says: {}", sentence(told)))
}

/// What a host says, without the traces of its stack that may follow.
pub(super) fn sentence(told: &str) -> &str {
    told.lines().next().unwrap_or_default().trim_end_matches('.')
}

/// A stream that broke off.
pub(super) fn broken(error: &StreamError) -> Error {
    match error {
        StreamError::LastOperationFailed(error) => failure(&error.to_debug_string()),
        StreamError::Closed => failure("the stream is closed"),
    }
}

pub(super) fn missing() -> Error {
    Error::new(ErrorCode::NotFound, "there is no such object in the container")
}
