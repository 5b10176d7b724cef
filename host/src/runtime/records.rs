//! Records: formats over compression over objects.

mod batch;
mod gathered;
mod parts;
mod reader;
mod sink;
mod stages;
mod writer;

use std::num::NonZero;

use omnistorage_types::{ConvertReport, CountReport, Encoding, Format, Path};

use super::{
    Storage,
    sandbox::{Guest, Inside},
};
use crate::{Error, Location, Result};

pub use batch::RecordBatch;
pub use reader::RecordReader;
pub use sink::RecordSink;
pub use writer::RecordWriter;

impl Storage {
    /// The format that the extensions of a path name (that of a format, then that of a codec), as it is by default; `None`
    /// if they name none.
    ///
    /// # Errors
    /// None but those of the sandbox.
    pub async fn detect_format(&self, path: &Path) -> Result<Option<Format>> {
        let detected = self.sandbox().await?.run(async |inside: &Inside, guest: &Guest| {
            let records = guest.records(inside)?;
            Ok(Ok(records.call_detect_format(inside, path.as_str().to_owned()).await?))
        });
        detected.await?.map(TryInto::try_into).transpose()
    }

    /// Reads every record of one object and writes it to another, which is then whole, or as it was.
    ///
    /// # Errors
    /// As [`Storage::read_records`] and [`Storage::write_records`], and what is wrong with which record.
    pub async fn convert(
        &self,
        source: &Location,
        source_encoding: &Encoding,
        target: &Location,
        target_encoding: &Encoding,
    ) -> Result<ConvertReport> {
        let (source, source_encoding) = (source.into(), source_encoding.into());
        let (target, target_encoding) = (target.into(), target_encoding.into());
        let converted = self.sandbox().await?.run(async move |inside: &Inside, guest: &Guest| {
            let records = guest.records(inside)?;
            let converted =
                records.call_convert(inside, source, source_encoding, target, target_encoding).await?;
            Ok(converted.map_err(Error::from))
        });
        converted.await?.try_into()
    }

    /// Counts the records of an object, on up to so many cores: NDJSON and CSV that are not compressed are read in several
    /// ranges at once, by up to four sandboxes, where the source can read ranges. Needs a multi-threaded tokio runtime.
    ///
    /// # Errors
    /// As [`Storage::read_records`], and what is wrong with which record.
    pub async fn count_records(
        &self,
        source: &Location,
        encoding: &Encoding,
        cores: NonZero<usize>,
    ) -> Result<CountReport> {
        if let Some(count) = self.count_in_parts(source, encoding, cores).await {
            return Ok(count);
        }
        let mut reader = self.read_records(source, encoding).await?;
        let (header, mut records) = (reader.header().await?.map(<[u8]>::to_vec), 0);
        while let Some(batch) = reader.read_batch().await? {
            records += batch.len() as u64;
        }
        Ok(CountReport { records, header })
    }
}
