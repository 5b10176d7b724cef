//! Bytes between the memory of the host and that of a component.

use bytes::Bytes;

use super::budget::{Budget, Reserved};
use crate::Result;

/// The largest chunk, in bytes. The guest chooses the size of its writes, the host that of its allocations.
pub(super) const CHUNK: usize = 256 * 1024;

/// Piece size of copies that must avoid `rep movsb`: up to 2 KiB, the C library copies without it.
const PIECE: usize = 1024;

/// The low bits of an address, which processors compare first to tell whether a load depends on a store.
const PAGE: usize = 4096;

/// A copy is slow if its target begins less than this behind its source, within their pages.
const NEAR: usize = 256;

/// How many bytes to copy at once: all of them, unless each load falls on the same place within its page as a store
/// shortly before. Large buffers of two allocators often lie like that, and on some AMD processors (Zen 3 and 4) the
/// `rep movsb` of the C library then takes five times as long (measured: 2.5 GB/s instead of 12). Everywhere else, pieces
/// copy at half the speed (measured on Zen 5: 32 GB/s at once, 16 in pieces).
fn piece(from: *const u8, to: *const u8) -> usize {
    let behind = to.addr().wrapping_sub(from.addr()) % PAGE;
    if (1..NEAR).contains(&behind) { PIECE } else { usize::MAX }
}

/// Copies `from` to the start of `to`, which has room for it.
pub(super) fn copy(from: &[u8], to: &mut [u8]) {
    let piece = piece(from.as_ptr(), to.as_ptr());
    for (to, from) in to.chunks_mut(piece).zip(from.chunks(piece)) {
        to[..from.len()].copy_from_slice(from);
    }
}

/// Makes chunks of what comes out of a component. Once its reader drops a chunk, its memory is filled again while it is
/// still in the processor's cache.
pub(super) struct Chunks {
    sent: Vec<Bytes>,
    /// What they take from the budget.
    reserved: Reserved,
}

impl Chunks {
    /// Chunks watched for reuse.
    const KEPT: usize = 4;

    pub(super) fn of(budget: &Budget) -> Self {
        Self { sent: Vec::new(), reserved: budget.reserve_up_to(0) }
    }

    /// Copies the bytes into a chunk.
    ///
    /// # Errors
    /// [`ErrorCode::LimitExceeded`](crate::ErrorCode::LimitExceeded) if the budget has no room for it.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> Result<Bytes> {
        let free = self.sent.iter().position(Bytes::is_unique).map(|index| self.sent.swap_remove(index));
        let mut chunk = free.and_then(|old| old.try_into_mut().ok()).unwrap_or_default();
        chunk.clear();
        let more = bytes.len().saturating_sub(chunk.capacity());
        // A chunk that is not reused counts for whoever keeps it.
        if more > 0 && self.sent.len() < Self::KEPT {
            self.reserved.resize(self.reserved.bytes().saturating_add(more))?;
        }
        chunk.reserve(bytes.len());
        bytes.chunks(piece(bytes.as_ptr(), chunk.as_ptr())).for_each(|piece| chunk.extend_from_slice(piece));
        let chunk = chunk.freeze();
        if self.sent.len() < Self::KEPT {
            self.sent.push(chunk.clone());
        }
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::limits::Limits;

    #[test]
    fn memory_is_filled_again_once_nobody_reads_it() {
        let mut chunks = Chunks::of(&Budget::new(Limits::default()));
        let first = chunks.fill(b"first").unwrap();
        let (second, at) = (chunks.fill(b"second").unwrap(), first.as_ptr());
        assert_eq!((&first[..], &second[..]), (&b"first"[..], &b"second"[..]));
        drop(first);
        let third = chunks.fill(b"3").unwrap();
        assert_eq!((&second[..], &third[..], third.as_ptr()), (&b"second"[..], &b"3"[..], at));
    }

    #[test]
    fn chunks_are_paid_for() {
        let budget = Budget::new(Limits { memory: 1000, ..Limits::default() });
        let mut chunks = Chunks::of(&budget);
        for _ in 0..9 {
            // Dropped at once, so that the same chunk is filled each time.
            drop(chunks.fill(&[0; 400]).unwrap());
        }
        let being_read = chunks.fill(&[0; 400]).unwrap();
        let another = chunks.fill(&[0; 400]).unwrap();
        assert_eq!(chunks.fill(&[0; 400]).unwrap_err().code(), crate::ErrorCode::LimitExceeded);
        drop((being_read, another, chunks));
        assert_eq!(budget.reserve_up_to(usize::MAX).bytes(), 1000);
    }

    #[test]
    fn copies_of_any_length_are_whole() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let from: Vec<u8> = (0..=255).cycle().take(length).collect();
            let mut to = vec![0; length + PAGE + 7];
            for at in [0, 1, 16, NEAR, PAGE / 2] {
                to.fill(0);
                copy(&from, &mut to[at..]);
                assert_eq!(to[at..at + length], from);
                assert!(to[..at].iter().chain(&to[at + length..]).all(|byte| *byte == 0));
            }
        }
    }
}
