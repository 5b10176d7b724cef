//! How records are stored, in the words of the core.

use omnistorage_core::{
    codec::CodecKind,
    record::{Format, RecordOptions},
};

use crate::exports::{records as wit, types::Error};

/// A checked encoding.
pub(crate) struct Encoding {
    pub(crate) format: Format,
    pub(crate) codec: Option<CodecKind>,
    pub(crate) level: Option<i32>,
    pub(crate) options: RecordOptions,
}

impl TryFrom<wit::Encoding> for Encoding {
    type Error = Error;

    fn try_from(encoding: wit::Encoding) -> Result<Self, Error> {
        Ok(Self {
            format: encoding.format.try_into()?,
            codec: encoding.codec.map(CodecKind::from),
            level: encoding.level,
            options: RecordOptions {
                max_record: encoding.max_record.unwrap_or(RecordOptions::DEFAULT_MAX_RECORD),
                validation: encoding.validation.into(),
            },
        })
    }
}
