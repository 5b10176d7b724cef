//! How records lie in a byte stream.
//!
//! Readers and writers are pushed, and work in [`Batch`]es: records laid end to end, as they pass the boundary of the
//! component. What is not here is a build without it: of the three formats, this build has NDJSON.
//!
//! ```
//! use omnistorage_core::record::{Batch, FormatKind, RecordError, RecordOptions, RecordReader, reader};
//!
//! let mut reader = reader(FormatKind::Ndjson, RecordOptions::default())?;
//! let mut batch = Batch::new();
//! for mut chunk in [&b"{\"a\": 1}\n[2, "[..], b"3]\r\n\n\"last\""] {
//!     while !chunk.is_empty() {
//!         chunk = &chunk[reader.push(chunk, &mut batch, 1024)?..]; // a batch that got full would be handed on here
//!     }
//! }
//! reader.finish(&mut batch)?;
//! assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"{\"a\": 1}"[..], b"[2, 3]", b"\"last\""]);
//! # Ok::<(), RecordError>(())
//! ```

mod batch;
pub mod ndjson;

use std::{borrow::Cow, fmt};

pub use batch::{Batch, BatchError};

use crate::encoding::extension;

/// Takes bytes apart into records, for one stream.
///
/// An error is final: every later call gives it again. The records before it are in the batch.
pub trait RecordReader: Send {
    /// Takes input, and appends its records to the batch until that holds `max_records` (at least 1 is assumed) or
    /// about 1 MiB. Returns how many bytes of the input were taken: if fewer than all, hand the batch on and call
    /// again with the rest.
    ///
    /// # Errors
    /// What is wrong with which record.
    fn push(&mut self, input: &[u8], batch: &mut Batch, max_records: usize) -> Result<usize, RecordError>;

    /// Ends the stream after the last input. Appends at most one record: the last one, where the format allows it to
    /// lack its end. A full batch must have been handed on before.
    ///
    /// # Errors
    /// As for [`push`](Self::push); and a record that is cut off.
    fn finish(&mut self, batch: &mut Batch) -> Result<(), RecordError>;
}

/// Puts records together to bytes, for one stream.
pub trait RecordWriter: Send {
    /// Appends the records to the output.
    ///
    /// # Errors
    /// The first record that cannot be written, since reading would not give it back; those before it are in the
    /// output.
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError>;
}

/// How records lie in a byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FormatKind {
    /// One JSON text a line.
    Ndjson,
    /// A length, then as many bytes.
    LengthPrefixed,
    /// RFC 4180.
    Csv,
}

impl FormatKind {
    /// The format that the last extension of a path names: `.ndjson`, `.jsonl`, `.lp` or `.csv`, in either letter
    /// case. For a path with the extension of a codec behind it, see
    /// [`encoding_from_path`](crate::encoding::encoding_from_path).
    #[must_use]
    pub fn from_extension(path: &str) -> Option<Self> {
        let (_, extension) = extension(path)?;
        [("ndjson", Self::Ndjson), ("jsonl", Self::Ndjson), ("lp", Self::LengthPrefixed), ("csv", Self::Csv)]
            .into_iter()
            .find_map(|(name, kind)| name.eq_ignore_ascii_case(extension).then_some(kind))
    }

    /// Its name: `ndjson`, `length-prefixed` or `csv`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::LengthPrefixed => "length-prefixed",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for FormatKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far to trust records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordOptions {
    /// In bytes; a longer record is [`RecordErrorKind::LimitExceeded`]. Values above 1 GiB count as 1 GiB.
    pub max_record: u64,
    /// Check that each record is well formed (NDJSON: UTF-8, and the syntax of RFC 8259).
    pub validate: bool,
}

impl RecordOptions {
    /// 16 MiB.
    pub const DEFAULT_MAX_RECORD: u64 = 16 << 20;

    /// The limit as a length in memory. 1 GiB leaves room for any record in a [`Batch`], whose ends are 32 bits.
    fn record_limit(self) -> usize {
        usize::try_from(self.max_record.min(1 << 30)).unwrap_or(1 << 30)
    }
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self { max_record: Self::DEFAULT_MAX_RECORD, validate: false }
    }
}

/// A reader of a format.
///
/// # Errors
/// [`RecordErrorKind::Unsupported`] for a format that this build lacks (length-prefixed, CSV).
pub fn reader(format: FormatKind, options: RecordOptions) -> Result<Box<dyn RecordReader>, RecordError> {
    match format {
        FormatKind::Ndjson => Ok(Box::new(ndjson::Reader::new(options))),
        FormatKind::LengthPrefixed | FormatKind::Csv => Err(lacking(format)),
    }
}

/// A writer of a format.
///
/// # Errors
/// [`RecordErrorKind::Unsupported`] for a format that this build lacks (length-prefixed, CSV).
pub fn writer(format: FormatKind, options: RecordOptions) -> Result<Box<dyn RecordWriter>, RecordError> {
    match format {
        FormatKind::Ndjson => Ok(Box::new(ndjson::Writer::new(options))),
        FormatKind::LengthPrefixed | FormatKind::Csv => Err(lacking(format)),
    }
}

fn lacking(format: FormatKind) -> RecordError {
    RecordError {
        kind: RecordErrorKind::Unsupported,
        record: 0,
        message: format!("this build cannot read or write {format}, only ndjson").into(),
    }
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordErrorKind {
    /// A record that was read or is to be written is not well formed.
    Malformed,
    /// A record is longer than [`RecordOptions::max_record`].
    LimitExceeded,
    /// The format cannot hold the record: reading would not give it back.
    Unrepresentable,
    /// This build lacks the format.
    Unsupported,
}

/// What is wrong, and with which record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// To branch on.
    pub kind: RecordErrorKind,
    /// The number of the record in the stream, from 1; 0 for [`RecordErrorKind::Unsupported`].
    pub record: u64,
    /// For a person.
    pub message: Cow<'static, str>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_this_build_lacks_say_so() {
        for format in [FormatKind::LengthPrefixed, FormatKind::Csv] {
            let options = RecordOptions::default();
            let errors = [reader(format, options).map(drop), writer(format, options).map(drop)];
            for error in errors.map(Result::unwrap_err) {
                assert_eq!(error.kind, RecordErrorKind::Unsupported);
                assert!(error.to_string().contains(format.as_str()), "{error}");
            }
        }
    }
}
