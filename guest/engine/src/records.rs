//! The interface `records`: framing over compression over objects.

mod convert;
mod part;
mod parts;
mod reader;
mod writer;

use omnistorage_core::{
    codec::{DecoderLimits, Dictionary},
    encoding::encoding_from_path,
    record::{Format, RecordOptions},
};
use omnistorage_types::{
    Codec, ConvertReport, Encoding, Error, ErrorCode, Location, Outline, Part, PartReport, Path, Result,
};

pub use self::{reader::RecordReader, writer::RecordWriter};
use crate::{Engine, dictionary, place::Place};

/// The format that the extensions of a path name.
#[must_use]
pub fn detect(path: &Path) -> Option<Format> {
    encoding_from_path(path).0
}

#[expect(clippy::missing_errors_doc, reason = "they are those of the WIT interface")]
impl Engine {
    /// Opens an object to read its records.
    pub async fn read_records(&self, source: Location, encoding: Encoding) -> Result<RecordReader> {
        RecordReader::open(&Side::open(self, source, encoding).await?).await
    }

    /// Begins an object to write records to.
    pub async fn write_records(&self, target: Location, encoding: Encoding) -> Result<RecordWriter> {
        RecordWriter::create(Side::open(self, target, encoding).await?).await
    }

    /// Reads every record of one object and writes it to another.
    pub async fn convert(
        &self,
        source: Location,
        source_encoding: Encoding,
        target: Location,
        target_encoding: Encoding,
    ) -> Result<ConvertReport> {
        let source = Side::open(self, source, source_encoding).await?;
        convert::convert(source, Side::open(self, target, target_encoding).await?).await
    }

    /// Reads the start of an object that is to be converted to a format, or whose records are to be counted.
    pub async fn read_outline(
        &self,
        source: Location,
        encoding: Encoding,
        target: Option<Format>,
    ) -> Result<Option<Outline>> {
        parts::outline(Side::open(self, source, encoding).await?, target).await
    }

    /// Converts a part of an object to an object of its own.
    pub async fn convert_part(
        &self,
        source: (Location, Encoding),
        outline: &Outline,
        part: Part,
        target: (Location, Encoding),
    ) -> Result<PartReport> {
        let source = Side::open(self, source.0, source.1).await?;
        parts::convert(source, outline, part, Side::open(self, target.0, target.1).await?).await
    }

    /// Counts the records of a part of an object.
    pub async fn count_part(
        &self,
        source: Location,
        encoding: Encoding,
        outline: &Outline,
        part: Part,
    ) -> Result<PartReport> {
        parts::count(Side::open(self, source, encoding).await?, outline, part).await
    }
}

/// An object, and how records are stored in it.
#[derive(Clone)]
struct Side {
    place: Place,
    format: Format,
    codec: Stored,
    level: Option<i32>,
    dictionary: Option<Dictionary>,
    options: RecordOptions,
    /// Limits for reading.
    limits: DecoderLimits,
}

/// How the object is compressed.
#[derive(Clone, Copy)]
enum Stored {
    /// What the caller said.
    Said(Codec),
    /// What the name says; on reading, the first bytes override it.
    Named(Option<Codec>),
}

impl Side {
    /// Combines what an encoding and a path say.
    async fn open(engine: &Engine, at: Location, encoding: Encoding) -> Result<Self> {
        let place = engine.place(at).await?;
        let (format, codec) = encoding_from_path(&place.path);
        let format = encoding.format.or(format).ok_or_else(|| {
            place.error(
                ErrorCode::InvalidArgument,
                &format!("its name tells no record format: give one, or use one of {}", Format::extensions()),
            )
        })?;
        Ok(Self {
            place,
            format,
            codec: encoding.codec.map_or(Stored::Named(codec), Stored::Said),
            level: encoding.level,
            dictionary: dictionary::read(encoding.dictionary.as_ref())?,
            options: RecordOptions {
                max_record: encoding.max_record.unwrap_or(RecordOptions::DEFAULT_MAX_RECORD),
                validation: encoding.validation,
            },
            limits: DecoderLimits { max_window: encoding.max_window, ..DecoderLimits::default() },
        })
    }
}

/// The error for calls of one reader or writer that overlap: their order would be undefined.
fn busy() -> Error {
    Error::new(ErrorCode::InvalidArgument, "another call of the same reader or writer has not ended yet")
}
