//! How far to trust records.

pub use omnistorage_types::Validation;

use super::{RecordError, RecordErrorKind};

/// How far to trust records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordOptions {
    /// In bytes; a longer record is [`RecordErrorKind::LimitExceeded`]. Values above 1 GiB count as 1 GiB.
    pub max_record: u64,
    /// What is checked.
    pub validation: Validation,
}

impl RecordOptions {
    /// 16 MiB.
    pub const DEFAULT_MAX_RECORD: u64 = 16 << 20;

    /// The limit as a length in memory. 1 GiB leaves room for any record in a [`Batch`](super::Batch), whose ends are
    /// 32 bits.
    pub(super) fn limit(self) -> usize {
        usize::try_from(self.max_record.min(1 << 30)).unwrap_or(1 << 30)
    }

    #[inline]
    pub(super) fn check_length(self, length: usize, number: u64) -> Result<(), RecordError> {
        if length > self.limit() { Err(self.too_long(number)) } else { Ok(()) }
    }

    #[cold]
    pub(super) fn too_long(self, number: u64) -> RecordError {
        let message = format!("longer than {} bytes, the limit that `max-record` sets", self.limit());
        RecordError::new(RecordErrorKind::LimitExceeded, number, message)
    }

    #[inline]
    pub(super) fn check_encoding(self, record: &[u8], number: u64) -> Result<(), RecordError> {
        if self.validation >= Validation::Utf8 { check_utf8(record, number).map(drop) } else { Ok(()) }
    }
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self { max_record: Self::DEFAULT_MAX_RECORD, validation: Validation::default() }
    }
}

/// The record as text.
pub(super) fn check_utf8(record: &[u8], number: u64) -> Result<&str, RecordError> {
    std::str::from_utf8(record).map_err(|error| {
        let message = format!("not UTF-8 at byte {}", error.valid_up_to() + 1);
        RecordError::new(RecordErrorKind::Malformed, number, message)
    })
}
