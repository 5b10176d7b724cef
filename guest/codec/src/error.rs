//! Errors of the core in the words of the interface.

use omnistorage_core::{
    codec::{CodecError, CodecErrorKind},
    record::{BatchError, RecordError, RecordErrorKind},
};

use crate::exports::types::{Error, ErrorCode};

/// An error of that code, without a place in the data.
pub(crate) fn error(code: ErrorCode, message: impl Into<String>) -> Error {
    Error { code, offset: None, message: message.into() }
}

impl From<CodecError> for Error {
    fn from(why: CodecError) -> Self {
        let (code, offset) = match why.kind {
            CodecErrorKind::Truncated | CodecErrorKind::Corrupted => (ErrorCode::Corrupted, Some(why.offset)),
            CodecErrorKind::LimitExceeded => (ErrorCode::LimitExceeded, Some(why.offset)),
            CodecErrorKind::Unsupported => (ErrorCode::Unsupported, Some(why.offset)),
            CodecErrorKind::InvalidLevel | CodecErrorKind::InvalidDictionary => {
                (ErrorCode::InvalidArgument, None)
            }
            CodecErrorKind::Finished => (ErrorCode::Finished, None),
        };
        Self { offset, ..error(code, why.to_string()) }
    }
}

impl From<RecordError> for Error {
    fn from(why: RecordError) -> Self {
        // The header and the options are no record.
        let record = Some(why.record).filter(|&number| number > 0);
        let (code, offset) = match why.kind {
            RecordErrorKind::Malformed | RecordErrorKind::Truncated => (ErrorCode::Corrupted, record),
            RecordErrorKind::LimitExceeded => (ErrorCode::LimitExceeded, record),
            RecordErrorKind::Unrepresentable => (ErrorCode::InvalidArgument, record),
            RecordErrorKind::InvalidOption => (ErrorCode::InvalidArgument, None),
        };
        Self { offset, ..error(code, why.to_string()) }
    }
}

impl From<BatchError> for Error {
    fn from(why: BatchError) -> Self {
        error(ErrorCode::InvalidArgument, why.to_string())
    }
}

/// What the vocabulary refuses is an option of the caller's.
impl From<omnistorage_types::Error> for Error {
    fn from(why: omnistorage_types::Error) -> Self {
        error(ErrorCode::InvalidArgument, why.message())
    }
}
