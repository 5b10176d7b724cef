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
//!   Errors tell the record and the line.
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
mod word;
mod writer;

pub(super) use reader::Reader;
pub(super) use row::{Encoder, Field, fields};
pub(super) use writer::Writer;

use super::{RecordError, RecordErrorKind};

/// What follows each row that is written. Reading takes either, and CR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LineEnd {
    /// As most tools outside Windows write it.
    #[default]
    Lf,
    /// As RFC 4180 has it.
    Crlf,
}

impl LineEnd {
    const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
        }
    }
}

/// The two characters that tell fields apart: they differ, and are ASCII and no line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Punctuation {
    delimiter: u8,
    quote: u8,
}

impl Punctuation {
    /// A delimiter between fields, and quotes around those that need them.
    ///
    /// # Errors
    /// [`RecordErrorKind::InvalidOption`] if they are the same, a line end, or not ASCII.
    pub fn new(delimiter: char, quote: char) -> Result<Self, RecordError> {
        let ascii = |name: &str, c: char| match u8::try_from(c) {
            Ok(byte) if c.is_ascii() && !matches!(c, '\r' | '\n') => Ok(byte),
            _ => Err(invalid(format!(
                "the {name} of CSV must be an ASCII character and no line end, not {c:?}"
            ))),
        };
        let (delimiter, quote) = (ascii("delimiter", delimiter)?, ascii("quote", quote)?);
        if delimiter == quote {
            return Err(invalid("the delimiter and the quote of CSV must differ"));
        }
        Ok(Self { delimiter, quote })
    }

    /// Between two fields.
    #[must_use]
    pub fn delimiter(self) -> char {
        char::from(self.delimiter)
    }

    /// Around a field that holds a delimiter, a quote or a line end.
    #[must_use]
    pub fn quote(self) -> char {
        char::from(self.quote)
    }
}

/// Commas and double quotes.
impl Default for Punctuation {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"' }
    }
}

/// How the fields of a row are told apart, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// Between fields and around them.
    pub punctuation: Punctuation,
    /// The first row names the columns. Default: yes.
    pub header: bool,
    /// The names of the columns in their order. Reading: a header must be these, and without a header they take its
    /// place. Writing: they are the header.
    pub columns: Option<Vec<String>>,
    /// In conversions, fields without quotes that look like a JSON number, `true` or `false` are that, and empty ones
    /// are null; in writing, strings that look like it get quotes. Default: every field is a string.
    pub infer: bool,
    /// Take rows that break the rules: see the [module](self). Default: no.
    pub lenient: bool,
    /// What is written after each row.
    pub line_end: LineEnd,
}

impl Dialect {
    /// With a delimiter between fields, and quotes around those that need them.
    ///
    /// # Errors
    /// As for [`Punctuation::new`].
    pub fn new(delimiter: char, quote: char) -> Result<Self, RecordError> {
        Ok(Self { punctuation: Punctuation::new(delimiter, quote)?, ..Self::default() })
    }

    /// With tabs between fields.
    #[must_use]
    pub fn tabs() -> Self {
        Self { punctuation: Punctuation { delimiter: b'\t', ..Punctuation::default() }, ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), RecordError> {
        match &self.columns {
            Some(columns) if columns.is_empty() => Err(invalid("the columns of CSV are at least one")),
            _ => Ok(()),
        }
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            punctuation: Punctuation::default(),
            header: true,
            columns: None,
            infer: false,
            lenient: false,
            line_end: LineEnd::default(),
        }
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
