//! Parts of objects: the one being filled, and those in flight.

use std::{
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Error, ErrorCode, Result,
    backend::{Allowance, Allowed, allowance::grown},
};

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
    pub(in crate::backend) fn arrived(mut self, part: Gathered) {
        let Gathered { bytes: part, allowed: _allowed } = part;
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

/// The bytes of a part so far, in memory that is taken once where it is known how much that will be.
pub(in crate::backend) struct PartBuffer {
    bytes: BytesMut,
    allowance: Allowance,
    allowed: Allowed,
}

/// A part whose bytes are all there.
pub(in crate::backend) struct Gathered {
    pub(in crate::backend) bytes: Bytes,
    allowed: Allowed,
}

impl PartBuffer {
    /// What it gathers is of that allowance.
    pub(in crate::backend) fn new(allowance: &Allowance) -> Self {
        Self { bytes: BytesMut::new(), allowance: allowance.clone(), allowed: allowance.none() }
    }

    /// Takes bytes from the chunk, until the part has `size` of them. It will have `expected`, as far as that is known:
    /// otherwise, and if they are very many, its memory grows with them.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`]: there is no room for them now, and none was taken from the chunk.
    pub(in crate::backend) async fn fill(
        &mut self,
        chunk: &mut Bytes,
        size: u64,
        expected: Option<u64>,
        parts: &Parts,
    ) -> Result<()> {
        let at_once =
            expected.and_then(|expected| usize::try_from(expected).ok()).filter(|all| *all <= AT_ONCE);
        let room = usize::try_from(size.saturating_sub(self.len())).unwrap_or(usize::MAX);
        let taken = room.min(chunk.len());
        let needed = (self.bytes.len() + taken).max(at_once.unwrap_or(0));
        let most = if self.allowance.is_patient() { expected.unwrap_or(size).min(size) } else { 0 };
        self.allowed.grow(most.max(grown(self.bytes.capacity(), needed))).await?;
        if self.bytes.capacity() == 0
            && let Some(all) = at_once
        {
            self.bytes = parts.memory(all);
        }
        self.bytes.extend_from_slice(&chunk.split_to(taken));
        Ok(())
    }

    /// In bytes.
    pub(in crate::backend) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(in crate::backend) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The part; the next one is empty.
    pub(in crate::backend) fn take(&mut self) -> Gathered {
        let bytes = std::mem::take(&mut self.bytes).freeze();
        Gathered { bytes, allowed: std::mem::replace(&mut self.allowed, self.allowance.none()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(bytes: Bytes) -> Gathered {
        Gathered { bytes, allowed: Allowance::default().none() }
    }

    #[tokio::test]
    async fn parts_have_their_size_and_their_memory_at_once() {
        let (mut chunk, parts) = (Bytes::from_static(b"abcdefgh"), Parts::new(2));
        let mut part = PartBuffer::new(&Allowance::default());
        part.fill(&mut chunk, 5, Some(5), &parts).await.unwrap();
        let capacity = part.bytes.capacity();
        part.fill(&mut chunk, 5, Some(5), &parts).await.unwrap();
        assert_eq!((part.len(), part.bytes.capacity(), chunk.len()), (5, capacity, 3));
        assert_eq!(part.take().bytes, &b"abcde"[..]);
        part.fill(&mut chunk, 5, None, &parts).await.unwrap();
        assert!(chunk.is_empty());
        assert_eq!(part.take().bytes, &b"fgh"[..]);
        assert!(part.is_empty());
    }

    #[tokio::test]
    async fn what_is_announced_alone_takes_no_memory() {
        for expected in [AT_ONCE as u64 + 1, 1 << 50, u64::MAX] {
            let mut part = PartBuffer::new(&Allowance::new(1000));
            let mut chunk = Bytes::from_static(b"a");
            part.fill(&mut chunk, expected, Some(expected), &Parts::new(1)).await.unwrap();
            assert!(part.bytes.capacity() < 1000, "{expected}");
        }
    }

    #[tokio::test]
    async fn parts_are_paid_for_until_they_have_arrived() {
        let (allowance, parts) = (Allowance::new(1000), Parts::new(2));
        let (mut first, mut second) = (PartBuffer::new(&allowance), PartBuffer::new(&allowance));
        first.fill(&mut Bytes::from(vec![0; 300]), 600, Some(600), &parts).await.unwrap();
        let mut refused = Bytes::from(vec![0; 500]);
        let error = second.fill(&mut refused, 500, None, &parts).await.unwrap_err();
        assert_eq!((error.code(), refused.len()), (ErrorCode::LimitExceeded, 500));
        second.fill(&mut Bytes::from(vec![0; 200]), 500, None, &parts).await.unwrap();
        // On its way it counts as before.
        let sent = first.take();
        assert!(allowance.take(400).await.is_err());
        parts.room().await.arrived(sent);
        assert!(allowance.take(801).await.is_err() && allowance.take(800).await.is_ok());
        second.fill(&mut refused, 500, None, &parts).await.unwrap();
        assert_eq!(refused.len(), 200);
        drop((first, second));
        allowance.take(1000).await.unwrap();
    }

    #[tokio::test]
    async fn the_patient_have_room_for_all_of_a_part_before_its_first_byte() {
        let (allowance, parts) = (Allowance::new(1000), Parts::new(2));
        let mut part = PartBuffer::new(&allowance.patient());
        part.fill(&mut Bytes::from_static(b"a"), 700, None, &parts).await.unwrap();
        assert!(allowance.take(301).await.is_err());
        let mut other = PartBuffer::new(&allowance.patient());
        let mut chunk = Bytes::from_static(b"b");
        assert!(futures::FutureExt::now_or_never(other.fill(&mut chunk, 700, None, &parts)).is_none());
        drop(part);
        other.fill(&mut chunk, 700, None, &parts).await.unwrap();
    }

    #[tokio::test]
    async fn memory_is_used_again_while_parts_are_on_their_way() {
        let parts = Parts::new(2);
        let (first, second) = (parts.room().await, parts.room().await);
        let mut part = PartBuffer::new(&Allowance::default());
        part.fill(&mut Bytes::from_static(b"abc"), 1000, Some(1000), &parts).await.unwrap();
        let (at, sent) = (part.bytes.as_ptr(), part.take());
        let shared = sent.bytes.clone();
        drop(shared);
        first.arrived(sent);
        part.fill(&mut Bytes::from_static(b"d"), 1000, Some(1000), &parts).await.unwrap();
        assert_eq!((part.bytes.as_ptr(), part.len()), (at, 1));
        let other = Bytes::from(vec![1; 10]);
        let _held = other.clone();
        second.arrived(gathered(other));
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
            room.arrived(gathered(Bytes::from(vec![0; 10])));
        }
        assert!(parts.with_spare(|spare| spare.is_empty()));
    }
}
