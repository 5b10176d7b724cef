//! Parts of objects: the one being filled, and those in flight.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, ErrorCode, Result};

/// The most bytes reserved at once: an expected size need not be true.
const AT_ONCE: usize = 64 << 20;

/// How many parts are in flight at once, over all uploads of a backend. This bounds memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::backend) struct PartsInFlight(pub(in crate::backend) usize);

impl FromStr for PartsInFlight {
    type Err = Error;

    /// From 1 to 64.
    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(most @ 1..=64) => Ok(Self(most)),
            _ => Err(Error::new(ErrorCode::InvalidArgument, "from 1 to 64 parts are on their way at once")),
        }
    }
}

/// Permits for parts in flight, and the memory of parts that have arrived, to be reused for the next ones. If one
/// thread freed such large pieces and another allocated them, the allocator would take twice as much from the system.
#[derive(Debug)]
pub(in crate::backend) struct Parts {
    most: usize,
    room: Arc<Semaphore>,
    spare: Mutex<Vec<BytesMut>>,
}

impl Parts {
    /// For so many at once.
    pub(in crate::backend) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, room: Arc::new(Semaphore::new(most)), spare: Mutex::default() })
    }

    /// A permit for one part, as soon as there is one.
    pub(in crate::backend) async fn room(self: &Arc<Self>) -> Room {
        // It is never closed.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        Room { parts: Arc::clone(self), permit }
    }

    fn with_spare<T>(&self, act: impl FnOnce(&mut Vec<BytesMut>) -> T) -> T {
        act(&mut self.spare.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn memory(&self, size: usize) -> BytesMut {
        let spare = self.with_spare(|spare| {
            let fits = spare.iter().position(|memory| memory.capacity() >= size);
            fits.map(|index| spare.swap_remove(index))
        });
        spare.unwrap_or_else(|| BytesMut::with_capacity(size))
    }
}

/// The permit of a part in flight.
pub(in crate::backend) struct Room {
    parts: Arc<Parts>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// The part has arrived: gives its memory back, if nobody else holds on to it.
    pub(in crate::backend) fn arrived(mut self, part: Bytes) {
        drop(self.permit.take());
        let most = self.parts.most;
        let is_last = self.parts.room.available_permits() == most;
        self.parts.with_spare(|spare| match part.try_into_mut() {
            Ok(mut memory) if !is_last && spare.len() < most => {
                memory.clear();
                spare.push(memory);
            }
            // Nothing else is in flight: this may be the end of the last upload.
            _ if is_last => spare.clear(),
            _ => {}
        });
    }
}

/// The bytes of a part so far. Where their number is known, the memory is taken once.
#[derive(Default)]
pub(in crate::backend) struct PartBuffer(BytesMut);

impl PartBuffer {
    /// For a part of up to `expected` bytes, if that is known. If it is not, or very large, memory grows with the
    /// bytes.
    pub(in crate::backend) fn expect(&mut self, expected: Option<u64>, parts: &Parts) {
        if self.0.capacity() == 0
            && let Some(expected) = expected.and_then(|expected| usize::try_from(expected).ok())
            && expected <= AT_ONCE
        {
            self.0 = parts.memory(expected);
        }
    }

    /// Takes bytes from the chunk, until the part has `size` of them.
    pub(in crate::backend) fn fill(&mut self, chunk: &mut Bytes, size: u64) {
        let room = usize::try_from(size.saturating_sub(self.len())).unwrap_or(usize::MAX);
        self.0.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
    }

    /// In bytes.
    pub(in crate::backend) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(in crate::backend) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The part; the next one is empty.
    pub(in crate::backend) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.0).freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_their_size_and_their_memory_at_once() {
        let (mut chunk, parts) = (Bytes::from_static(b"abcdefgh"), Parts::new(2));
        let mut part = PartBuffer::default();
        part.expect(Some(5), &parts);
        let capacity = part.0.capacity();
        part.fill(&mut chunk, 5);
        part.fill(&mut chunk, 5);
        assert_eq!((part.len(), part.0.capacity()), (5, capacity));
        assert_eq!(part.take(), &b"abcde"[..]);
        part.fill(&mut chunk, 5);
        assert!(chunk.is_empty());
        assert_eq!(part.take(), &b"fgh"[..]);
        assert!(part.is_empty());
    }

    #[test]
    fn what_is_announced_alone_takes_no_memory() {
        let mut part = PartBuffer::default();
        for expected in [AT_ONCE as u64 + 1, 1 << 50, u64::MAX] {
            part.expect(Some(expected), &Parts::new(1));
            assert_eq!(part.0.capacity(), 0, "{expected}");
        }
    }

    #[tokio::test]
    async fn memory_is_used_again_while_parts_are_on_their_way() {
        let parts = Parts::new(2);
        let (first, second) = (parts.room().await, parts.room().await);
        let mut part = PartBuffer::default();
        part.expect(Some(1000), &parts);
        part.fill(&mut Bytes::from_static(b"abc"), 1000);
        let (at, bytes) = (part.0.as_ptr(), part.take());
        let shared = bytes.clone();
        drop(shared);
        first.arrived(bytes);
        part.expect(Some(1000), &parts);
        assert_eq!((part.0.as_ptr(), part.len()), (at, 0));
        let other = Bytes::from(vec![1; 10]);
        let _held = other.clone();
        second.arrived(other);
        assert!(parts.with_spare(|spare| spare.is_empty()));
    }

    #[tokio::test]
    async fn so_many_at_once_and_nothing_is_kept_behind_the_last() {
        let parts = Parts::new(2);
        let mut rooms = Vec::new();
        for _ in 0..2 {
            rooms.push(parts.room().await);
        }
        assert!(futures::FutureExt::now_or_never(parts.room()).is_none());
        for room in rooms {
            room.arrived(Bytes::from(vec![0; 10]));
        }
        assert!(parts.with_spare(|spare| spare.is_empty()));
    }
}
