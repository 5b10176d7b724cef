//! The interface `records`: framing over compression over objects.

mod reader;
mod writer;

use omnistorage_core::{
    codec::CodecKind,
    encoding::encoding_from_path,
    record::{FormatKind, RecordOptions},
};
use omnistorage_path::Path;

use crate::{
    error::error,
    exports::{
        compression::Codec,
        records::{ConvertReport, Encoding, Format, Guest},
    },
    imports::types::{Error, ErrorCode, Location},
};
use reader::Records;

impl Guest for crate::Component {
    type RecordReader = reader::RecordReader;
    type RecordWriter = writer::RecordWriter;

    async fn convert(
        source: Location,
        source_encoding: Encoding,
        target: Location,
        target_encoding: Encoding,
    ) -> Result<ConvertReport, Error> {
        let mut records = Records::open(source, source_encoding).await?;
        let mut writer = writer::Writing::create(target, target_encoding).await?;
        let mut count = 0;
        while let Some(batch) = records.read(u32::MAX).await? {
            count += batch.len() as u64;
            writer.write(&batch).await?;
        }
        let (_, bytes_written) = writer.finish().await?;
        Ok(ConvertReport { records: count, bytes_read: records.bytes_read(), bytes_written })
    }
}

/// What an encoding and a path say together.
struct Resolved {
    format: FormatKind,
    /// On reading, the first bytes may still tell.
    codec: Option<CodecKind>,
    level: Option<i32>,
    options: RecordOptions,
}

impl Resolved {
    fn new(encoding: &Encoding, path: &Path) -> Result<Self, Error> {
        let (format, codec) = encoding_from_path(path);
        let format = match &encoding.format {
            Some(Format::Ndjson) => FormatKind::Ndjson,
            Some(Format::LengthPrefixed) => FormatKind::LengthPrefixed,
            Some(Format::Csv(_)) => FormatKind::Csv,
            None => format.ok_or_else(|| {
                error(
                    ErrorCode::InvalidArgument,
                    "the extensions of the path name no record format: give one, or use `.ndjson`",
                )
            })?,
        };
        Ok(Self {
            format,
            codec: encoding.codec.map(Codec::into).or(codec),
            level: encoding.level,
            options: RecordOptions {
                max_record: encoding.max_record.unwrap_or(RecordOptions::default().max_record),
                validate: encoding.validate,
            },
        })
    }
}
