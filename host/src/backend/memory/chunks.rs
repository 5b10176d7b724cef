//! The bytes of an object: chunks that are shared and never change.

use std::{collections::VecDeque, sync::Arc};

use bytes::{Bytes, BytesMut};

use super::capacity::{Capacity, Room};
use crate::{
    Result,
    backend::{Announced, WriteOptions},
};

/// Chunks of at least this size are kept as they come; smaller ones are gathered.
const GATHER_BELOW: usize = 64 * 1024;

/// The most that a reader gets at once.
const READ_AT_MOST: usize = 256 * 1024;

/// The bytes of an object. A clone shares them, and their room.
#[derive(Clone)]
pub(super) struct Chunks {
    chunks: Arc<[Bytes]>,
    size: u64,
    _room: Arc<Room>,
}

impl Chunks {
    /// In one piece.
    ///
    /// # Errors
    /// [`ErrorCode::NoSpace`](crate::ErrorCode::NoSpace)
    pub(super) fn new(contents: Bytes, capacity: &Capacity) -> Result<Self> {
        let size = contents.len() as u64;
        let chunks = if size == 0 { Arc::default() } else { Arc::new([contents]) as Arc<[Bytes]> };
        Ok(Self { chunks, size, _room: Arc::new(capacity.take(size)?) })
    }

    /// In bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Checks the bytes against the expected size and hash.
    pub(super) fn check(&self, options: &WriteOptions) -> Result<()> {
        let mut announced = Announced::new(options);
        self.chunks.iter().for_each(|chunk| announced.update(chunk));
        announced.check()
    }

    /// As much of the range as there is.
    pub(super) fn range(&self, offset: u64, length: Option<u64>) -> Range {
        let end = length.map_or(self.size, |length| offset.saturating_add(length).min(self.size));
        let mut chunks = VecDeque::new();
        let mut start = 0;
        for chunk in &*self.chunks {
            let len = chunk.len() as u64;
            // Both are at most `len`, which is a `usize`.
            let from = offset.saturating_sub(start).min(len) as usize;
            let to = end.saturating_sub(start).min(len) as usize;
            if from < to {
                chunks.push_back(chunk.slice(from..to));
            }
            start += len;
        }
        Range { chunks }
    }
}

/// A range of the bytes, in pieces that a reader can take.
pub(super) struct Range {
    chunks: VecDeque<Bytes>,
}

impl Range {
    /// All of it in one piece; `None` if that would be more than `max` bytes.
    pub(super) fn concatenated(mut self, max: usize) -> Option<Bytes> {
        let len = self.chunks.iter().map(Bytes::len).sum();
        if len > max {
            return None;
        }
        if self.chunks.len() <= 1 {
            return Some(self.chunks.pop_front().unwrap_or_default());
        }
        let mut all = BytesMut::with_capacity(len);
        self.chunks.iter().for_each(|chunk| all.extend_from_slice(chunk));
        Some(all.freeze())
    }
}

impl Iterator for Range {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let first = self.chunks.front_mut()?;
        if first.len() > READ_AT_MOST { Some(first.split_to(READ_AT_MOST)) } else { self.chunks.pop_front() }
    }
}

/// Chunks in the making.
pub(super) struct Gathering {
    chunks: Vec<Bytes>,
    small: BytesMut,
    room: Room,
}

impl Gathering {
    pub(super) fn new(room: Room) -> Self {
        Self { chunks: Vec::new(), small: BytesMut::new(), room }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`ErrorCode::NoSpace`](crate::ErrorCode::NoSpace)
    pub(super) fn push(&mut self, chunk: Bytes) -> Result<()> {
        self.room.grow(chunk.len() as u64)?;
        if chunk.len() < GATHER_BELOW {
            self.small.extend_from_slice(&chunk);
            if self.small.len() >= GATHER_BELOW {
                self.flush();
            }
        } else {
            self.flush();
            self.chunks.push(chunk);
        }
        Ok(())
    }

    /// Appends what was gathered to the chunks.
    fn flush(&mut self) {
        if !self.small.is_empty() {
            self.chunks.push(self.small.split().freeze());
        }
    }

    /// All that was taken.
    pub(super) fn finish(mut self) -> Chunks {
        self.flush();
        let size = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        Chunks { chunks: self.chunks.into(), size, _room: Arc::new(self.room) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathering() -> Gathering {
        Gathering::new(Capacity::new(None, None).take(0).unwrap())
    }

    #[test]
    fn small_chunks_are_gathered_and_large_ones_shared() {
        let large = Bytes::from(vec![7; GATHER_BELOW]);
        let mut gathering = gathering();
        for _ in 0..GATHER_BELOW {
            gathering.push(Bytes::from_static(b"x")).unwrap();
        }
        gathering.push(Bytes::from_static(b"y")).unwrap();
        gathering.push(large.clone()).unwrap();
        let chunks = gathering.finish();
        assert_eq!(chunks.chunks.iter().map(Bytes::len).collect::<Vec<_>>(), [GATHER_BELOW, 1, GATHER_BELOW]);
        assert_eq!(chunks.chunks[2].as_ptr(), large.as_ptr());
        assert_eq!(chunks.size(), 2 * GATHER_BELOW as u64 + 1);
    }

    #[test]
    fn ranges_run_over_the_seams() {
        let all: Vec<u8> = (0..=255).cycle().take(3 * GATHER_BELOW + 5).collect();
        let mut gathering = gathering();
        all.chunks(GATHER_BELOW).for_each(|chunk| gathering.push(Bytes::copy_from_slice(chunk)).unwrap());
        let chunks = gathering.finish();
        for (offset, length) in
            [(0, None), (1, None), (65_535, Some(2)), (65_536, Some(65_536)), (9, Some(u64::MAX))]
        {
            let offset_in = offset as usize;
            let end = length
                .map_or(all.len(), |length| (offset + length.min(1 << 40)).min(all.len() as u64) as usize);
            let expected = &all[offset_in..end];
            assert_eq!(chunks.range(offset, length).concatenated(all.len()).unwrap(), expected);
            assert_eq!(chunks.range(offset, length).flatten().collect::<Vec<_>>(), expected);
        }
        assert!(chunks.range(all.len() as u64, None).next().is_none());
        assert!(chunks.range(u64::MAX, Some(1)).next().is_none());
        assert!(chunks.range(0, Some(2)).concatenated(1).is_none());
    }

    #[test]
    fn a_large_chunk_is_read_in_pieces_that_share_it() {
        let capacity = Capacity::new(None, None);
        let chunks = Chunks::new(Bytes::from(vec![1; READ_AT_MOST + 1]), &capacity).unwrap();
        let pieces: Vec<_> = chunks.range(0, None).collect();
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [READ_AT_MOST, 1]);
        assert_eq!(pieces[0].as_ptr(), chunks.chunks[0].as_ptr());
    }
}
