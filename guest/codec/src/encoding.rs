//! How records are stored, in the words of the core.

use omnistorage_core::{
    codec::Codec,
    record::{Format, RecordOptions},
};
use omnistorage_types::wit::FromWit;

use crate::exports::{records as wit, types::Error};

/// A checked encoding.
pub(crate) struct Encoding {
    pub(crate) format: Format,
    pub(crate) codec: Option<Codec>,
    pub(crate) level: Option<i32>,
    pub(crate) options: RecordOptions,
}

impl TryFrom<wit::Encoding> for Encoding {
    type Error = Error;

    fn try_from(encoding: wit::Encoding) -> Result<Self, Error> {
        Ok(Self {
            format: FromWit::from_wit(encoding.format)?,
            codec: FromWit::from_wit(encoding.codec)?,
            level: encoding.level,
            options: RecordOptions {
                max_record: encoding.max_record.unwrap_or(RecordOptions::DEFAULT_MAX_RECORD),
                validation: FromWit::from_wit(encoding.validation)?,
            },
        })
    }
}
