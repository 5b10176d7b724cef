//! The contents of a frame, as far as they are needed: the last block, and before it what its matches may reach back to.

use lz4_flex::block::{DecompressError, decompress_into, decompress_into_with_dict};

/// How far back a match may reach.
pub(super) const WINDOW: usize = 64 << 10;

/// A byte of a compressed block makes at most so many of contents.
const MAX_RATIO: usize = 255;

/// Contents of one frame, block by block.
#[derive(Default)]
pub(super) struct Contents {
    bytes: Vec<u8>,
    /// The last block is between these places.
    start: usize,
    end: usize,
    /// Everything before this place was handed out.
    sent: usize,
}

impl Contents {
    /// Forgets all, for the next frame.
    pub(super) fn clear(&mut self) {
        (self.start, self.end, self.sent) = (0, 0, 0);
    }

    /// Makes room for a block of up to `most` bytes behind those that it may refer to, if it is linked to them. Those
    /// before it are out.
    fn begin(&mut self, most: usize, max_block: usize, is_linked: bool) {
        if !is_linked {
            self.clear();
        } else if self.end + most > max_block + 2 * WINDOW {
            // Not for each block: they may be short.
            self.bytes.copy_within(self.end - WINDOW..self.end, 0);
            self.end = WINDOW;
        }
        (self.start, self.sent) = (self.end, self.end);
        if self.bytes.len() < self.end + most {
            self.bytes.resize(self.end + most, 0);
        }
    }

    /// Takes a block as it is.
    pub(super) fn store(&mut self, block: &[u8], max_block: usize, is_linked: bool) {
        self.begin(block.len(), max_block, is_linked);
        self.end += block.len();
        self.bytes[self.start..self.end].copy_from_slice(block);
    }

    /// Decompresses a block to at most `max_block` bytes.
    ///
    /// # Errors
    /// The block is damaged.
    pub(super) fn decompress(
        &mut self,
        block: &[u8],
        max_block: usize,
        is_linked: bool,
    ) -> Result<(), DecompressError> {
        let most = max_block.min(block.len() * MAX_RATIO);
        self.begin(most, max_block, is_linked);
        let (before, room) = self.bytes.split_at_mut(self.start);
        let (window, room) = (&before[self.start.saturating_sub(WINDOW)..], &mut room[..most]);
        self.end += match window {
            [] => decompress_into(block, room)?,
            _ => decompress_into_with_dict(block, room, window)?,
        };
        Ok(())
    }

    /// The last block.
    pub(super) fn block(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Appends what fits within the capacity of `output`; returns whether that was all.
    pub(super) fn drain(&mut self, output: &mut Vec<u8>) -> bool {
        let room = output.capacity() - output.len();
        let end = self.end.min(self.sent + room);
        output.extend_from_slice(&self.bytes[self.sent..end]);
        self.sent = end;
        end == self.end
    }
}
