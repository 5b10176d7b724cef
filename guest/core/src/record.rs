//! How records lie in a byte stream.
//!
//! A record is bytes: of NDJSON and JSON arrays the JSON text without line ends, of CSV the row as it was written
//! without its line end, of length-prefixed what follows the length. Readers and writers are pushed, and work in
//! [`Batch`]es: records laid end to end, as they pass the boundary of the component. What a record means is
//! [`convert`]'s business.
//!
//! ```
//! use omnistorage_core::record::{Batch, Format, RecordError, RecordOptions, reader};
//!
//! let mut reader = reader(&Format::Ndjson, RecordOptions::default())?;
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

mod append;
mod batch;
pub mod convert;
pub mod csv;
mod error;
pub mod json_array;
pub mod length_prefixed;
mod mark;
pub mod ndjson;
mod options;
mod sticky;
mod word;

pub use batch::{Batch, BatchError};
pub use error::{RecordError, RecordErrorKind};
pub use omnistorage_types::Format;
pub use options::{RecordOptions, Validation};

use sticky::Sticky;

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

    /// Whether what was taken so far ends between two records: none has begun and not ended, and another reader could
    /// go on from here. `false` where the format does not let that be told.
    fn is_between(&self) -> bool {
        false
    }

    /// The row that names the columns, once it was read. It is no record. `None` where the format has none.
    fn header(&self) -> Option<&[u8]> {
        None
    }
}

/// Puts records together to bytes, for one stream.
///
/// An error is final: every later call gives it again. The records before it are in the output.
pub trait RecordWriter: Send {
    /// Appends the records to the output.
    ///
    /// # Errors
    /// The first record that cannot be written, since reading would not give it back.
    fn write(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError>;

    /// The same for records that a conversion [made](convert::Piece::are_made) for this very format: that reading gives
    /// them back need not be looked at.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn write_made(&mut self, batch: &Batch, output: &mut Vec<u8>) -> Result<(), RecordError> {
        self.write(batch, output)
    }

    /// Ends the stream: appends what belongs to it even without a record.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn finish(&mut self, _output: &mut Vec<u8>) -> Result<(), RecordError> {
        Ok(())
    }
}

/// A reader of a format.
///
/// # Errors
/// [`RecordErrorKind::InvalidOption`] for options of the format that contradict each other.
pub fn reader(format: &Format, options: RecordOptions) -> Result<Box<dyn RecordReader>, RecordError> {
    Ok(match format {
        Format::Ndjson => Box::new(Sticky::new(ndjson::Reader::new(options))),
        Format::JsonArray => Box::new(Sticky::new(json_array::Reader::new(options))),
        Format::LengthPrefixed(prefix) => {
            Box::new(Sticky::new(length_prefixed::Reader::new(*prefix, options)))
        }
        Format::Csv(dialect) => Box::new(Sticky::new(csv::Reader::new(dialect.clone(), options)?)),
    })
}

/// A writer of a format.
///
/// # Errors
/// As for [`reader`].
pub fn writer(format: &Format, options: RecordOptions) -> Result<Box<dyn RecordWriter>, RecordError> {
    Ok(match format {
        Format::Ndjson => Box::new(Sticky::new(ndjson::Writer::new(options))),
        Format::JsonArray => Box::new(Sticky::new(json_array::Writer::new(options))),
        Format::LengthPrefixed(prefix) => {
            Box::new(Sticky::new(length_prefixed::Writer::new(*prefix, options)))
        }
        Format::Csv(dialect) => Box::new(Sticky::new(csv::Writer::new(dialect.clone(), options)?)),
    })
}
