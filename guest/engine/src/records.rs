//! The interface `records`: framing over compression over objects.

mod convert;
mod format;
mod reader;
mod writer;

use omnistorage_core::{
    codec::{CodecKind, DecoderLimits},
    encoding::encoding_from_path,
    record::{Format, RecordOptions},
};
use omnistorage_path::Path;

use crate::{
    backends::Place,
    exports::records::{self as exports, ConvertReport, Encoding, Guest},
    imports::types::{Error, ErrorCode, Location},
};

impl Guest for crate::Component {
    type RecordReader = reader::RecordReader;
    type RecordWriter = writer::RecordWriter;

    fn detect(path: String) -> Option<exports::Format> {
        let (format, _) = encoding_from_path(&Path::parse(path).ok()?);
        format.map(Into::into)
    }

    async fn convert(
        source: Location,
        source_encoding: Encoding,
        target: Location,
        target_encoding: Encoding,
    ) -> Result<ConvertReport, Error> {
        convert::convert(
            Side::open(source, source_encoding).await?,
            Side::open(target, target_encoding).await?,
        )
        .await
    }
}

/// An object, and how records are stored in it.
struct Side {
    place: Place,
    format: Format,
    codec: Stored,
    level: Option<i32>,
    options: RecordOptions,
    /// Of what is read.
    limits: DecoderLimits,
}

/// How the object is compressed.
#[derive(Clone, Copy)]
enum Stored {
    /// As the caller said.
    Said(CodecKind),
    /// As its name says; on reading, its first bytes know better.
    Named(Option<CodecKind>),
}

impl Side {
    /// From what an encoding and a path say together.
    async fn open(at: Location, encoding: Encoding) -> Result<Self, Error> {
        let place = Place::open(at).await?;
        let (format, codec) = encoding_from_path(&place.path);
        let format = match encoding.format {
            Some(format) => format.try_into().map_err(Error::from)?,
            None => format.ok_or_else(|| {
                place.error(
                    ErrorCode::InvalidArgument,
                    "its name tells no record format: give one, or use .ndjson, .csv, .tsv or .lp",
                )
            })?,
        };
        Ok(Self {
            place,
            format,
            codec: encoding.codec.map_or(Stored::Named(codec), |codec| Stored::Said(codec.into())),
            level: encoding.level,
            options: RecordOptions {
                max_record: encoding.max_record.unwrap_or(RecordOptions::DEFAULT_MAX_RECORD),
                validation: encoding.validation.into(),
            },
            limits: DecoderLimits { max_window: encoding.max_window, ..DecoderLimits::default() },
        })
    }
}
