//! CSV: RFC 4180, with its gaps filled.
//!
//! ```text
//! stream = [byte order mark] *(line end / row line end) [row]
//! row    = field *(delimiter field)
//! field  = quoted / plain
//! quoted = quote *(quote quote / any byte but quote) quote
//! plain  = *(any byte but delimiter, quote, CR and LF)
//! ```
//!
//! - **Line ends** are LF, CRLF and CR, in any mixture; the last row may lack its own. Empty lines are skipped, so a row
//!   of one empty field is written `""`. A UTF-8 byte order mark at the start is skipped, and none is written.
//! - **Records are rows as they were written**, quotes and all, without their line end; line ends in quotes belong to
//!   them. Blanks belong to fields.
//! - **The header**, the first row unless [`Dialect::header`] says there is none, is no record: reading hands it out
//!   apart ([`RecordReader::header`](super::RecordReader::header)). Writing takes it from [`Dialect::columns`], or else
//!   from the first record.
//! - **Every row has as many fields as the first**, or as there are columns. Another number is an error, as are a quote
//!   in a plain field, anything but a delimiter or a line end after a closing quote, and a quote that is never closed.
//!   Errors name the record and the line.
//! - **[`Dialect::lenient`]** allows the first three of these: rows may have any number of fields, a quote in a plain
//!   field stands for itself, and what follows a closing quote belongs to the field as it is. A quote that is never
//!   closed stays an error: what follows it would vanish in one field.
//!
//! Nothing else is looked at: bytes need not be UTF-8 unless [`Validation`](super::Validation) asks for it.
//!
//! ```
//! use omnistorage_core::record::{Batch, Format, RecordError, RecordOptions, csv::Dialect, reader};
//!
//! let mut reader = reader(&Format::Csv(Dialect::default()), RecordOptions::default())?;
//! let mut batch = Batch::new();
//! reader.push(b"name,note\r\nann,\"two\nlines\"\r\n", &mut batch, 1024)?;
//! reader.finish(&mut batch)?;
//! assert_eq!(reader.header(), Some(&b"name,note"[..]));
//! assert_eq!(batch.iter().collect::<Vec<_>>(), [b"ann,\"two\nlines\""]);
//!
//! let mut ragged = omnistorage_core::record::reader(&Format::Csv(Dialect::default()), RecordOptions::default())?;
//! let error = ragged.push(b"a,b\n1,2\n3\n", &mut batch, 1024).unwrap_err();
//! assert_eq!(error.to_string(), "record 2: 1 field instead of 2 (line 3)");
//! # Ok::<(), RecordError>(())
//! ```

mod reader;
mod row;
mod scanner;
mod writer;

pub(super) use reader::Reader;
pub(super) use row::{Encoder, Field, fields};
pub(super) use writer::Writer;

pub use omnistorage_types::{CsvDialect as Dialect, LineEnd, Punctuation};

use super::{RecordError, RecordErrorKind};

/// What the columns of a dialect may be.
pub(super) fn check(dialect: &Dialect) -> Result<(), RecordError> {
    match &dialect.columns {
        Some(columns) if columns.is_empty() => Err(invalid("the columns of CSV are at least one")),
        _ => Ok(()),
    }
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> RecordError {
    RecordError::new(RecordErrorKind::InvalidOption, 0, message)
}

/// How many there are instead of how many.
fn wrong_count(found: usize, expected: usize) -> String {
    let plural = if found == 1 { "" } else { "s" };
    // A header of one column is more often one that was read with the wrong delimiter.
    let hint = if expected == 1 { "; is the `delimiter` another one?" } else { "" };
    format!("{found} field{plural} instead of {expected}{hint}")
}
