//! Bytes between the memory of the host and that of a component.

use bytes::Bytes;

/// Bytes handed on at once. The guest chooses the size of its writes, the host that of its allocations.
pub(super) const CHUNK: usize = 256 * 1024;

/// Bytes copied at once between the host and a component. For more than 2 KiB the C library's copy becomes `rep movsb`,
/// and on AMD's processors that is five times slower where both sides lie at nearly the same offset in their pages,
/// as large buffers of two allocators often do (measured: 2.5 GB/s instead of 12).
const PIECE: usize = 1024;

/// Copies `from` to the start of `to`, which has room for it.
pub(super) fn copy(from: &[u8], to: &mut [u8]) {
    for (to, from) in to.chunks_mut(PIECE).zip(from.chunks(PIECE)) {
        to[..from.len()].copy_from_slice(from);
    }
}

/// Makes chunks of what comes out of a component. The memory of one that its reader is done with is filled again: it is
/// still in the cache.
#[derive(Default)]
pub(super) struct Chunks {
    sent: Vec<Bytes>,
}

impl Chunks {
    /// Chunks kept an eye on, to be filled again.
    const KEPT: usize = 4;

    /// The bytes as a chunk of their own.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> Bytes {
        let free = self.sent.iter().position(Bytes::is_unique).map(|index| self.sent.swap_remove(index));
        let mut chunk = free.and_then(|old| old.try_into_mut().ok()).unwrap_or_default();
        chunk.clear();
        chunk.reserve(bytes.len());
        bytes.chunks(PIECE).for_each(|piece| chunk.extend_from_slice(piece));
        let chunk = chunk.freeze();
        if self.sent.len() < Self::KEPT {
            self.sent.push(chunk.clone());
        }
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_filled_again_once_nobody_reads_it() {
        let mut chunks = Chunks::default();
        let first = chunks.fill(b"first");
        let (second, at) = (chunks.fill(b"second"), first.as_ptr());
        assert_eq!((&first[..], &second[..]), (&b"first"[..], &b"second"[..]));
        drop(first);
        let third = chunks.fill(b"3");
        assert_eq!((&second[..], &third[..], third.as_ptr()), (&b"second"[..], &b"3"[..], at));
    }

    #[test]
    fn copies_of_any_length_are_whole() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
            let from: Vec<u8> = (0..=255).cycle().take(length).collect();
            let mut to = vec![0; length + 7];
            copy(&from, &mut to);
            assert_eq!((&to[..length], &to[length..]), (&from[..], &[0; 7][..]));
        }
    }
}
