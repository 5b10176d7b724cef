//! Records laid end to end.

use bytes::Bytes;

use crate::{Error, ErrorCode, Result, runtime::bindings::exports::omnistorage::storage::records as wit};

/// Records laid end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordBatch {
    data: Vec<u8>,
    ends: Vec<u32>,
}

impl RecordBatch {
    /// Without any record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`] where the batch would have more than 4 GiB.
    pub fn push(&mut self, record: &[u8]) -> Result<()> {
        let end = u32::try_from(self.data.len() + record.len())
            .map_err(|_| Error::new(ErrorCode::LimitExceeded, "a batch of records holds at most 4 GiB"))?;
        self.data.extend_from_slice(record);
        self.ends.push(end);
        Ok(())
    }

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

    /// How many bytes, all records together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// The records in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The record of that number, from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.data.get(start..end)
    }
}

impl RecordBatch {
    /// The records in order, in memory that they share.
    pub(super) fn into_records(self) -> impl Iterator<Item = Bytes> + Send {
        let (data, mut start) = (Bytes::from(self.data), 0);
        self.ends.into_iter().map(move |end| {
            let end = end as usize;
            data.slice(std::mem::replace(&mut start, end)..end)
        })
    }
}

impl TryFrom<wit::Batch> for RecordBatch {
    type Error = Error;

    fn try_from(wit::Batch { data, ends }: wit::Batch) -> Result<Self> {
        let last = ends.last().map_or(0, |end| *end as usize);
        if !ends.is_sorted() || last != data.len() {
            let message = "the component handed out a batch of records whose ends do not fit its data";
            return Err(Error::new(ErrorCode::Trapped, message));
        }
        Ok(Self { data, ends })
    }
}

impl From<RecordBatch> for wit::Batch {
    fn from(batch: RecordBatch) -> Self {
        Self { data: batch.data, ends: batch.ends }
    }
}
