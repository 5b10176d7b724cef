//! Errors of the core in the words of the interface.

use omnistorage_core::{
    codec::{CodecError, CodecErrorKind},
    record::{BatchError, RecordError, RecordErrorKind},
    sync::filter::FilterError,
};
use omnistorage_path::{Path, PathError};

use crate::imports::types::{Error, ErrorCode, Location};

/// An error of that code, without a place.
pub(crate) fn error(code: ErrorCode, message: impl Into<String>) -> Error {
    Error { code, at: None, offset: None, message: message.into(), retry_after_ms: None }
}

/// The input ended, or the reader left, without a word.
pub(crate) fn cancelled() -> Error {
    error(ErrorCode::Cancelled, "it was given up before its end")
}

impl Error {
    /// With the place, unless it has one.
    pub(crate) fn at(mut self, backend: &str, path: &Path) -> Self {
        self.at
            .get_or_insert_with(|| Location { backend: backend.to_owned(), path: path.as_str().to_owned() });
        self
    }
}

impl From<PathError> for Error {
    fn from(why: PathError) -> Self {
        error(ErrorCode::InvalidPath, format!("the path is refused: {why}"))
    }
}

impl From<CodecError> for Error {
    fn from(why: CodecError) -> Self {
        let (code, offset) = match why.kind {
            CodecErrorKind::LimitExceeded => (ErrorCode::LimitExceeded, Some(why.offset)),
            CodecErrorKind::Unsupported => (ErrorCode::Unsupported, Some(why.offset)),
            CodecErrorKind::InvalidLevel => (ErrorCode::InvalidArgument, None),
            _ => (ErrorCode::Corrupted, Some(why.offset)),
        };
        Self { offset, ..error(code, why.to_string()) }
    }
}

impl From<RecordError> for Error {
    fn from(why: RecordError) -> Self {
        let (code, offset) = match why.kind {
            RecordErrorKind::LimitExceeded => (ErrorCode::LimitExceeded, Some(why.record)),
            RecordErrorKind::InvalidOption | RecordErrorKind::Unrepresentable => {
                (ErrorCode::InvalidArgument, Some(why.record))
            }
            RecordErrorKind::Malformed | RecordErrorKind::Truncated => {
                (ErrorCode::Corrupted, Some(why.record))
            }
        };
        // What is wrong may be the header, or the options.
        Self { offset: offset.filter(|record| *record > 0), ..error(code, why.to_string()) }
    }
}

impl From<FilterError> for Error {
    fn from(why: FilterError) -> Self {
        error(ErrorCode::InvalidArgument, format!("the filter is refused: {why}"))
    }
}

impl From<BatchError> for Error {
    fn from(why: BatchError) -> Self {
        error(ErrorCode::InvalidArgument, why.to_string())
    }
}
