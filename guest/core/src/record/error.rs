//! What can be wrong with records.

use std::{borrow::Cow, fmt};

use omnistorage_types::{Error, ErrorCode};

use super::BatchError;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordErrorKind {
    /// A record that was read or is to be written is not well formed.
    Malformed,
    /// The input ends within a record.
    Truncated,
    /// A record is longer than [`RecordOptions::max_record`](super::RecordOptions::max_record).
    LimitExceeded,
    /// The format cannot hold the record: reading would not give it back.
    Unrepresentable,
    /// The options of a format contradict each other, or the format.
    InvalidOption,
}

/// What is wrong, and with which record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// To branch on.
    pub kind: RecordErrorKind,
    /// The number of the record in the stream, from 1. 0 if it is none of them: the header, or the options.
    pub record: u64,
    /// For a person.
    pub message: Cow<'static, str>,
}

impl RecordError {
    pub(super) fn new(kind: RecordErrorKind, record: u64, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, record, message: message.into() }
    }

    /// For the record of a batch that got too large to take it.
    pub(super) fn full(record: u64) -> impl Fn(BatchError) -> Self {
        move |error| Self::new(RecordErrorKind::LimitExceeded, record, error.to_string())
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record {
            0 => f.write_str(&self.message),
            record => write!(f, "record {record}: {}", self.message),
        }
    }
}

impl std::error::Error for RecordError {}

impl From<RecordError> for Error {
    fn from(why: RecordError) -> Self {
        let code = match why.kind {
            RecordErrorKind::LimitExceeded => ErrorCode::LimitExceeded,
            RecordErrorKind::InvalidOption | RecordErrorKind::Unrepresentable => ErrorCode::InvalidArgument,
            RecordErrorKind::Malformed | RecordErrorKind::Truncated => ErrorCode::Corrupted,
        };
        let error = Self::new(code, why.to_string());
        // What is wrong may be the header, or the options.
        if why.record > 0 { error.with_offset(why.record) } else { error }
    }
}

impl From<BatchError> for Error {
    fn from(why: BatchError) -> Self {
        Self::new(ErrorCode::InvalidArgument, why.to_string())
    }
}
