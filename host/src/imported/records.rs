//! Records: formats over compression over objects.

use std::num::NonZero;

use omnistorage_application::records as wit;
use omnistorage_types::{ConvertReport, CountReport, Encoding, wit::IntoWit};

use super::storage::{Storage, at};
use crate::{Error, ErrorCode, Location, Result};

/// Records at once.
const BATCH: u32 = 1000;

/// Records laid end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordBatch {
    data: Vec<u8>,
    ends: Vec<u32>,
}

impl RecordBatch {
    /// How many records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().filter_map(move |end| {
            let end = *end as usize;
            self.data.get(std::mem::replace(&mut start, end)..end)
        })
    }
}

impl TryFrom<wit::Batch> for RecordBatch {
    type Error = Error;

    fn try_from(wit::Batch { data, ends }: wit::Batch) -> Result<Self> {
        let last = ends.last().map_or(0, |end| *end as usize);
        if !ends.is_sorted() || last != data.len() {
            let message = "the library handed out a batch of records whose ends do not fit its data";
            return Err(Error::new(ErrorCode::Trapped, message));
        }
        Ok(Self { data, ends })
    }
}

/// Reads the records of an object from its start. After an error nothing more is handed out.
#[derive(Debug)]
pub struct RecordReader {
    reader: wit::RecordReader,
    header: Option<Vec<u8>>,
}

impl RecordReader {
    /// The row that names the columns, as it is written; `None` where there is none.
    ///
    /// # Errors
    /// As [`RecordReader::read_batch`].
    pub async fn header(&mut self) -> Result<Option<&[u8]>> {
        self.header = self.reader.header().await?;
        Ok(self.header.as_deref())
    }

    /// Further records; `None` is the end, checked to be the true one.
    ///
    /// # Errors
    /// [`ErrorCode::Corrupted`] with the number of the record, from 1; [`ErrorCode::LimitExceeded`]; as
    /// [`Storage::read`].
    pub async fn read_batch(&mut self) -> Result<Option<RecordBatch>> {
        self.reader.read(BATCH).await?.map(RecordBatch::try_from).transpose()
    }
}

impl Storage {
    /// Opens the records of an object.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidArgument`] if the format is neither given nor told by the path; as [`Storage::read`].
    pub async fn read_records(&self, source: &Location, encoding: &Encoding) -> Result<RecordReader> {
        let reader = wit::RecordReader::open(at(source), encoding.clone().into_wit()).await?;
        Ok(RecordReader { reader, header: None })
    }

    /// Reads every record of one object and writes it to another, which is then whole, or as it was.
    ///
    /// # Errors
    /// As [`Storage::read_records`] and [`Storage::write`], and what is wrong with which record.
    pub async fn convert(
        &self,
        source: &Location,
        source_encoding: &Encoding,
        target: &Location,
        target_encoding: &Encoding,
    ) -> Result<ConvertReport> {
        let (from, to) = (source_encoding.clone().into_wit(), target_encoding.clone().into_wit());
        wit::convert(at(source), from, at(target), to).await?.try_into()
    }

    /// The same: a component has one core.
    ///
    /// # Errors
    /// As [`Storage::convert`].
    pub async fn convert_on_cores(
        &self,
        source: &Location,
        source_encoding: &Encoding,
        target: &Location,
        target_encoding: &Encoding,
        _: NonZero<usize>,
    ) -> Result<ConvertReport> {
        self.convert(source, source_encoding, target, target_encoding).await
    }

    /// Counts the records of an object.
    ///
    /// # Errors
    /// As [`Storage::read_records`], and what is wrong with which record.
    pub async fn count_records(
        &self,
        source: &Location,
        encoding: &Encoding,
        _: NonZero<usize>,
    ) -> Result<CountReport> {
        let mut reader = self.read_records(source, encoding).await?;
        let (header, mut records) = (reader.header().await?.map(<[u8]>::to_vec), 0);
        while let Some(batch) = reader.read_batch().await? {
            records += batch.len() as u64;
        }
        Ok(CountReport { records, header })
    }
}
