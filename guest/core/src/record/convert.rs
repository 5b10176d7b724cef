//! From the records of one format to those of another.
//!
//! What has to be done depends on what a record is on both sides, its [`Form`], and on nothing else of the formats:
//!
//! | from | to | |
//! |---|---|---|
//! | JSON text (NDJSON, a JSON array) | JSON text | as it is |
//! | JSON text | bytes (length-prefixed), and back | as it is |
//! | row (CSV) | bytes, and back | as it is, and the header is a record like any other |
//! | row | row | field by field, by name if the columns of the target are given |
//! | row | JSON text | a row with named columns is an object with those keys, any other an array |
//! | JSON text | row | an object is a row of its values, an array a row of its elements |
//!
//! **Columns.** Those of JSON are the ones that are given ([`Dialect::columns`]), or every key of every record, in the
//! order in which they first appear. To know them all, a [`Survey`] sees every record, keeps nothing but the keys, and
//! takes no more memory than one record may. Mostly the first batch tells: a [guess](Plan::guess) by its columns needs
//! no second reading unless a later record brings another one. A key outside the columns is an error, never left out. A
//! missing key is an empty field.
//!
//! **Values.** A field is a string, unless [`Dialect::infer`] says otherwise. A string is its text, a number, `true` and
//! `false` are as they were written, null is an empty field, and an object or an array is its JSON text without
//! whitespace. With `infer`, a field that is the JSON text of an object or an array is that, with quotes or without; so
//! a string that looks like one is written as a JSON string, quotation marks and all, and what looks like such a
//! quotation is read as what it quotes.
//!
//! **There and back.** CSV to JSON to CSV gives the same fields, whatever they are, as does a table of objects with
//! the same keys and string values the other way. With `infer` on both ways, every value comes back as it was, numbers
//! to the digit. What cannot come back is an error that names the record and the field: keys that appear twice, columns
//! of one name, text that is not Unicode.
//!
//! **Rows of any length**, with [`Dialect::lenient`]: a missing field is a missing key, a field beyond the columns that is
//! not empty has its position as its key (`"4"`), and an empty one there is left out. Rows of another dialect, and
//! those of arrays, keep fields beyond the columns if the target is lenient too, and are filled up with empty ones.
//!
//! **Memory.** Records may grow on the way, each by the names of all columns, and so they are converted a piece of a batch
//! at a time. Beside that, names are kept: up to a million, and no more bytes than a record may have.
//!
//! ```
//! use omnistorage_core::record::{Batch, Format, RecordError, RecordOptions, convert::Plan, csv::Dialect, writer};
//!
//! let mut records = Batch::new();
//! records.push(br#"{"name": "ann", "age": 31}"#)?;
//! records.push(br#"{"name": "bob, jr.", "city": "Rome"}"#)?;
//!
//! let mut plan = Plan::between(Format::Ndjson, Format::Csv(Dialect::default()))?;
//! if let Some(mut survey) = plan.survey(RecordOptions::default()) {
//!     survey.see(&records, 0)?; // every batch of the source
//!     plan.learn(&survey)?;
//! }
//! let (target, mut conversion) = plan.start(None, RecordOptions::default())?;
//! let mut writer = writer(&target, RecordOptions::default())?;
//! let (mut scratch, mut output, mut next) = (Batch::new(), Vec::new(), 0);
//! while next < records.len() {
//!     let piece = conversion.convert(&records, next, &mut scratch)?;
//!     writer.write(piece.records, &mut output)?;
//!     next = piece.next;
//! }
//! assert_eq!(output, b"name,age,city\nann,31,\n\"bob, jr.\",,Rome\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod columns;
mod draft;
mod from_csv;
mod json;
mod parts;
mod survey;
mod to_csv;
mod value;

pub use parts::Shared;
pub use survey::Survey;

use omnistorage_types::Form;

use super::{
    Batch, Format, RecordError, RecordErrorKind, RecordOptions,
    csv::{Dialect, fields},
};
use columns::{Columns, too_many};
use draft::Draft;

/// A piece with so much data is full. More of it falls out of the caches.
const PIECE: usize = 256 << 10;

/// Some of the records of a batch, as they are in the target.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// One for each that was converted.
    pub records: &'a Batch,
    /// They were put together for the target, whose writer need not look at them: see
    /// [`write_made`](super::RecordWriter::write_made).
    pub are_made: bool,
    /// The first record of the batch that is in no piece yet, counted from 0.
    pub next: usize,
}

/// Turns records into those of another format, in their order, one for one.
///
/// An error ends the conversion.
pub trait Conversion {
    /// The records of a batch from `first` on as they are in the target, as far as they fill a piece of it: `scratch`,
    /// which is cleared and filled, or the very same. `first` is 0 for each batch, and then where the piece before
    /// ended.
    ///
    /// # Errors
    /// The first record that the target cannot hold, and the field.
    fn convert<'a>(
        &mut self,
        records: &'a Batch,
        first: usize,
        scratch: &'a mut Batch,
    ) -> Result<Piece<'a>, RecordError>;

    /// How many records were converted, those before an error included.
    fn records(&self) -> u64;
}

/// What has to be done to get from one format to another.
#[derive(Debug)]
pub struct Plan {
    source: Format,
    target: Format,
    is_guess: bool,
}

impl Plan {
    /// From one format to another.
    ///
    /// # Errors
    /// [`RecordErrorKind::InvalidOption`] for options that contradict each other, or that this conversion has no use
    /// for.
    pub fn between(mut source: Format, target: Format) -> Result<Self, RecordError> {
        for format in [&source, &target] {
            if let Form::Row(dialect) = format.form() {
                super::csv::check(dialect)?;
            }
        }
        if let (Some(dialect), Form::Bytes) = (source.dialect_mut(), target.form()) {
            if dialect.columns.is_some() {
                let message = "rows are carried as they are, the header too: there is no use for columns";
                return Err(RecordError::new(RecordErrorKind::InvalidOption, 0, message));
            }
            dialect.header = false;
        }
        Ok(Self { source, target, is_guess: false })
    }

    /// How the source is to be read.
    #[must_use]
    pub fn source(&self) -> &Format {
        &self.source
    }

    /// What must [see](Survey::see) every record of the source before the conversion starts, if anything; or the first
    /// ones, for a [guess](Self::guess).
    #[must_use]
    pub fn survey(&self, options: RecordOptions) -> Option<Survey> {
        match (self.source.form(), self.target.form()) {
            (Form::Json, Form::Row(Dialect { columns: None, header, .. })) => {
                Some(Survey::new(*header, options))
            }
            _ => None,
        }
    }

    /// Takes in what the survey found.
    ///
    /// # Errors
    /// [`RecordErrorKind::Unrepresentable`] if there are records without any field.
    pub fn learn(&mut self, survey: &Survey) -> Result<(), RecordError> {
        if let Some(dialect) = self.target.dialect_mut() {
            dialect.columns = survey.columns()?;
        }
        Ok(())
    }

    /// The plan for the columns that the survey has found so far. Any error of its conversion
    /// may only mean that there are others: then what was written is of no use, and the survey has to see the rest of
    /// the source, from the record of the error on. `None` while there is no column.
    #[must_use]
    pub fn guess(&self, survey: &Survey) -> Option<Self> {
        let mut plan = Self { source: self.source.clone(), target: self.target.clone(), is_guess: true };
        plan.target.dialect_mut()?.columns = survey.columns().ok()?;
        survey.has_columns().then_some(plan)
    }

    /// Starts: gives how the target is to be written, and what turns the records into its own, which are held to
    /// `options`.
    ///
    /// # Errors
    /// What is wrong with the header, the row that names the columns of the source, or with given columns.
    pub fn start(
        self,
        header: Option<&[u8]>,
        options: RecordOptions,
    ) -> Result<(Format, Box<dyn Conversion>), RecordError> {
        let Self { source, mut target, is_guess } = self;
        let one_by_one = OneByOne { options, records: 0, convert: () };
        let conversion: Box<dyn Conversion> = match (source.form(), target.form()) {
            (Form::Json, Form::Json) | (Form::Bytes, _) | (_, Form::Bytes) => Box::new(AsItIs(0)),
            (Form::Row(source), Form::Json) => {
                let names = names(source, header)?;
                Box::new(one_by_one.with(from_csv::ToJson::new(source.clone(), names)?))
            }
            (Form::Row(source), Form::Row(dialect)) => {
                let names = names(source, header)?;
                let conversion = from_csv::ToCsv::new(source.clone(), names.as_deref(), dialect)?;
                if let Some(target) = target.dialect_mut().filter(|target| target.columns.is_none()) {
                    // Without names there is no header, and no record must be taken for one.
                    target.header &= names.is_some();
                    target.columns = names;
                }
                Box::new(one_by_one.with(conversion))
            }
            (Form::Json, Form::Row(target)) => {
                let columns = target.columns.clone().map(Columns::new).transpose()?;
                Box::new(one_by_one.with(to_csv::ToCsv::new(target, columns, is_guess)))
            }
        };
        Ok((target, conversion))
    }
}

/// The names of the columns of a source.
fn names(dialect: &Dialect, header: Option<&[u8]>) -> Result<Option<Vec<String>>, RecordError> {
    match (&dialect.columns, header) {
        (Some(columns), _) => Ok(Some(columns.clone())),
        (None, None) => Ok(None),
        (None, Some(row)) => {
            let name = |(index, field): (usize, super::csv::Field<'_>)| {
                if index == Columns::MOST {
                    return Err(too_many(0));
                }
                String::from_utf8(field.text.into_owned()).map_err(|_| {
                    let message = format!("header: the name of column {} is not UTF-8", index + 1);
                    RecordError::new(RecordErrorKind::Malformed, 0, message)
                })
            };
            fields(row, dialect).enumerate().map(name).collect::<Result<_, _>>().map(Some)
        }
    }
}

/// Carries records as they are.
struct AsItIs(u64);

impl Conversion for AsItIs {
    fn convert<'a>(
        &mut self,
        records: &'a Batch,
        _: usize,
        _: &'a mut Batch,
    ) -> Result<Piece<'a>, RecordError> {
        self.0 += records.len() as u64;
        Ok(Piece { records, are_made: false, next: records.len() })
    }

    fn records(&self) -> u64 {
        self.0
    }
}

/// Turns one record into another.
trait ConvertOne {
    /// Writes what the record is in the target; there is nothing of that before.
    fn convert_one(&mut self, record: &[u8], number: u64, draft: &mut Draft<'_>) -> Result<(), RecordError>;
}

/// Turns the records of batches into others, one by one.
struct OneByOne<C> {
    options: RecordOptions,
    /// Records so far.
    records: u64,
    convert: C,
}

impl OneByOne<()> {
    fn with<C>(self, convert: C) -> OneByOne<C> {
        OneByOne { options: self.options, records: self.records, convert }
    }
}

impl<C: ConvertOne> Conversion for OneByOne<C> {
    fn convert<'a>(
        &mut self,
        records: &'a Batch,
        first: usize,
        scratch: &'a mut Batch,
    ) -> Result<Piece<'a>, RecordError> {
        let Self { options, records: done, convert } = self;
        scratch.clear();
        for record in records.iter_from(first) {
            if scratch.size() >= PIECE {
                break;
            }
            let number = *done + 1;
            let write = |bytes: &mut Vec<u8>| {
                convert.convert_one(record, number, &mut Draft::new(bytes, *options, number))
            };
            scratch.append(write, RecordError::full(number))?;
            *done = number;
        }
        Ok(Piece { next: first + scratch.len(), are_made: true, records: scratch })
    }

    fn records(&self) -> u64 {
        self.records
    }
}

/// The error of a field that the target cannot hold.
fn unrepresentable(record: u64, field: &str, message: &str) -> RecordError {
    RecordError::new(RecordErrorKind::Unrepresentable, record, format!("field {field:?}: {message}"))
}
