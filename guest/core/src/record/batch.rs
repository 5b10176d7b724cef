//! Records laid end to end.

use std::fmt;

/// A batch with so much data is full.
const FULL: usize = 1 << 20;

/// Records laid end to end: record `i` is `data[ends[i - 1]..ends[i]]`. At most 4 GiB of them.
///
/// ```
/// use omnistorage_core::record::{Batch, BatchError};
///
/// let mut batch = Batch::new();
/// batch.push(b"one")?;
/// batch.push(b"three")?;
/// assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"one"[..], b"three"]);
/// assert_eq!(batch.into_parts(), (b"onethree".to_vec(), vec![3, 8]));
/// # Ok::<(), BatchError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    data: Vec<u8>,
    ends: Vec<u32>,
}

/// Why there is no such batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// It would hold more than 4 GiB.
    TooLarge,
    /// The ends are not in order, or the last one is not the length of the data.
    Disordered,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "a batch holds at most 4 GiB",
            Self::Disordered => "the ends of a batch must ascend, up to the length of its data",
        })
    }
}

impl std::error::Error for BatchError {}

impl Batch {
    /// Without records.
    #[must_use]
    pub const fn new() -> Self {
        Self { data: Vec::new(), ends: Vec::new() }
    }

    /// Of its two parts, checked.
    ///
    /// # Errors
    /// [`BatchError::Disordered`].
    pub fn from_parts(data: Vec<u8>, ends: Vec<u32>) -> Result<Self, BatchError> {
        let last = ends.last().copied().unwrap_or(0);
        if ends.is_sorted() && usize::try_from(last) == Ok(data.len()) {
            Ok(Self { data, ends })
        } else {
            Err(BatchError::Disordered)
        }
    }

    /// Its two parts: the data, and the ends in it.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<u32>) {
        (self.data, self.ends)
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all records together.
    #[must_use]
    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// Whether it holds so many records (at least 1), or about 1 MiB.
    #[must_use]
    #[inline]
    pub fn is_full(&self, max_records: usize) -> bool {
        self.len() >= max_records.max(1) || self.size() >= FULL
    }

    /// The records in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let end = end as usize;
            let record = self.data.get(start..end).unwrap_or_default();
            start = end;
            record
        })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// [`BatchError::TooLarge`]: the batch is as it was.
    #[inline]
    pub fn push(&mut self, record: &[u8]) -> Result<(), BatchError> {
        let end = u32::try_from(self.data.len() + record.len()).map_err(|_| BatchError::TooLarge)?;
        self.data.extend_from_slice(record);
        self.ends.push(end);
        Ok(())
    }

    /// Forgets the records, and keeps the memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        for (data, ends, good) in [
            (&b""[..], vec![], true),
            (b"", vec![0, 0], true),
            (b"ab", vec![1, 2], true),
            (b"ab", vec![0, 2, 2], true),
            (b"ab", vec![], false),
            (b"ab", vec![1], false),
            (b"ab", vec![3], false),
            (b"ab", vec![2, 1, 2], false),
            (b"", vec![1], false),
        ] {
            assert_eq!(Batch::from_parts(data.to_vec(), ends.clone()).is_ok(), good, "{data:?} {ends:?}");
        }
    }

    #[test]
    fn empty_records_are_records() {
        let mut batch = Batch::new();
        for record in [&b""[..], b"a", b""] {
            batch.push(record).unwrap();
        }
        assert_eq!((batch.len(), batch.size()), (3, 1));
        assert_eq!(batch.iter().collect::<Vec<_>>(), [&b""[..], b"a", b""]);
        batch.clear();
        assert!(batch.is_empty());
    }
}
