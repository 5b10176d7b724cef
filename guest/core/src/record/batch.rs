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
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The records, and behind them what may be written over.
    data: Vec<u8>,
    /// The bytes of the records.
    size: usize,
    ends: Vec<u32>,
}

/// Records are copied in blocks of so many bytes where there is room.
const BLOCK: usize = 64;

/// A record in some input: where it lies, and where what follows it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) next: usize,
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
        Self { data: Vec::new(), size: 0, ends: Vec::new() }
    }

    /// Of its two parts, checked.
    ///
    /// # Errors
    /// [`BatchError::Disordered`].
    pub fn from_parts(data: Vec<u8>, ends: Vec<u32>) -> Result<Self, BatchError> {
        let last = ends.last().copied().unwrap_or(0);
        if ends.is_sorted() && usize::try_from(last) == Ok(data.len()) {
            Ok(Self { size: data.len(), data, ends })
        } else {
            Err(BatchError::Disordered)
        }
    }

    /// Its two parts: the data, and the ends in it.
    #[must_use]
    pub fn into_parts(mut self) -> (Vec<u8>, Vec<u32>) {
        self.data.truncate(self.size);
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
        self.size
    }

    /// Whether it holds so many records (at least 1), or about 1 MiB.
    #[must_use]
    #[inline]
    pub fn is_full(&self, max_records: usize) -> bool {
        self.len() >= max_records.max(1) || self.size() >= FULL
    }

    /// The records in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.iter_from(0)
    }

    /// The records from that one on, counted from 0.
    pub fn iter_from(&self, first: usize) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start =
            first.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        self.ends.get(first..).unwrap_or_default().iter().map(move |&end| {
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
        let end = self.size + record.len();
        let counted = u32::try_from(end).map_err(|_| BatchError::TooLarge)?;
        if let Some(room) = self.data.get_mut(self.size..end) {
            room.copy_from_slice(record);
        } else {
            self.data.truncate(self.size);
            self.data.extend_from_slice(record);
            // Room for those that follow.
            self.data.resize(end + end.clamp(BLOCK, FULL), 0);
        }
        self.size = end;
        self.ends.push(counted);
        Ok(())
    }

    /// Appends a record that `write` puts behind those that there are.
    ///
    /// # Errors
    /// What `write` says, or what `too_large` makes of a batch that cannot hold it: the batch is as it was.
    #[inline]
    pub(super) fn append<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
        too_large: impl FnOnce(BatchError) -> E,
    ) -> Result<(), E> {
        self.data.truncate(self.size);
        write(&mut self.data)?;
        let end = u32::try_from(self.data.len()).map_err(|_| too_large(BatchError::TooLarge))?;
        self.size = self.data.len();
        self.ends.push(end);
        Ok(())
    }

    /// Appends the records that `next` finds, each time in the rest of the input, until it finds none, the batch is
    /// full, or there is no room to copy by blocks: then one more may be [pushed](Self::push), and there is room again.
    /// Returns where the rest begins.
    ///
    /// Copying and counting call nothing: a call takes longer than the copy of most records, as a component keeps
    /// nothing in registers over it. `next` should do with as few.
    #[inline(always)]
    pub(super) fn extend(
        &mut self,
        input: &[u8],
        max_records: usize,
        next: impl Fn(&[u8]) -> Option<Found>,
    ) -> usize {
        let (mut at, mut ends) = (0, [0; 64]);
        loop {
            let most = max_records.max(1).saturating_sub(self.ends.len()).min(ends.len());
            let (mut size, mut count) = (self.size, 0);
            let room = &mut *self.data;
            while count < most
                && size < FULL
                && let Some(found) = next(&input[at..])
                && let length = found.end - found.start
                && let blocks = length.next_multiple_of(BLOCK)
                && let Some(from) = input.get(at + found.start..at + found.start + blocks)
                && let Some(to) = room.get_mut(size..size + blocks)
                && let Ok(end) = u32::try_from(size + length)
            {
                for (to, from) in to.as_chunks_mut::<BLOCK>().0.iter_mut().zip(from.as_chunks::<BLOCK>().0) {
                    *to = *from;
                }
                size += length;
                at += found.next;
                ends[count] = end;
                count += 1;
            }
            self.size = size;
            self.ends.extend_from_slice(&ends[..count]);
            if count < ends.len() {
                return at;
            }
        }
    }

    /// Forgets the records, and keeps the memory.
    pub fn clear(&mut self) {
        self.size = 0;
        self.ends.clear();
    }
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.data[..self.size] == other.data[..other.size]
    }
}

impl Eq for Batch {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte, and as many bytes as it says; none longer than 200 is found.
    fn find(rest: &[u8]) -> Option<Found> {
        let length = usize::from(*rest.first()?);
        (length <= 200).then_some(Found { start: 1, end: 1 + length, next: 1 + length })
    }

    #[test]
    fn records_are_taken_as_far_as_they_are_found_and_fit() {
        let lengths: Vec<u8> = (0..=200).chain((0..=200).rev()).collect();
        let input: Vec<u8> = lengths
            .iter()
            .flat_map(|length| [vec![*length], vec![*length; usize::from(*length)]].concat())
            .collect();
        for most in [1, 2, 63, 64, 65, 300, usize::MAX] {
            let mut batch = Batch::new();
            let (mut at, mut all) = (0, Vec::new());
            while at < input.len() {
                let before = batch.len();
                at += batch.extend(&input[at..], most, find);
                assert!(batch.len() <= most.max(before));
                if batch.is_full(most) {
                    all.extend(batch.iter().map(<[u8]>::to_vec));
                    batch.clear();
                } else if let Some(found) = find(&input[at..]) {
                    batch.push(&input[at + found.start..at + found.end]).unwrap();
                    at += found.next;
                }
            }
            let (data, ends) = batch.clone().into_parts();
            assert_eq!(Batch::from_parts(data, ends).unwrap(), batch);
            all.extend(batch.iter().map(<[u8]>::to_vec));
            let expected: Vec<_> = lengths.iter().map(|length| vec![*length; usize::from(*length)]).collect();
            assert!(all == expected, "{most}");
        }
    }

    #[test]
    fn what_is_not_found_is_left() {
        let mut batch = Batch::new();
        batch.push(&[7; 1000]).unwrap();
        let input = [[1, 5].as_slice(), &[201; 300]].concat();
        assert_eq!(batch.extend(&input, 10, find), 2);
        assert_eq!(batch.iter().last(), Some(&[5][..]));
        assert_eq!(batch.extend(&input[2..], 10, find), 0);
    }

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
    fn a_record_that_is_not_finished_is_none() {
        let mut batch = Batch::new();
        let mut append = |text: &[u8], outcome: Result<(), &'static str>| {
            let write = |bytes: &mut Vec<u8>| {
                bytes.extend_from_slice(text);
                outcome
            };
            batch.append(write, |_| "too large")
        };
        assert_eq!(append(b"one", Ok(())), Ok(()));
        assert_eq!(append(b"wrong", Err("no")), Err("no"));
        assert_eq!(append(b"", Ok(())), Ok(()));
        assert_eq!(append(b"three", Ok(())), Ok(()));
        batch.push(b"four").unwrap();
        assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three", b"four"]);
        for first in 0..6 {
            assert!(batch.iter_from(first).eq(batch.iter().skip(first)), "{first}");
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
