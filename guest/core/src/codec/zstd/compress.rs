//! Compression to frames, by an engine of our own.
//!
//! A match finder ([`finder`]) first cuts a block into literals and matches; both are then coded ([`literals`],
//! [`section`]). The finders work as the reference's do, with its parameters at each level.

mod bits;
mod block;
mod codes;
mod finder;
mod fse;
mod huffman;
mod level;
mod literals;
mod section;
mod sequences;

use std::hash::Hasher as _;

use twox_hash::XxHash64;

use self::{
    block::{BlockWriter, MAX_BLOCK, Written},
    finder::{Finder, Offsets},
    level::Level,
    sequences::Sequences,
};
use super::{
    super::{CodecError, Coder, pending::Pending},
    symbols::FIRST_OFFSETS,
};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const HAS_CHECKSUM: u8 = 1 << 2;
const IS_SINGLE_SEGMENT: u8 = 1 << 5;
const START: Offsets = FIRST_OFFSETS;

/// A compressor.
pub(super) struct Encoder {
    level: Level,
    /// Contents of a frame, after which another begins.
    frame_length: u64,
    /// Contents of this frame, so far.
    taken: u64,
    /// Made when there is something to find.
    finder: Option<Box<dyn Finder>>,
    /// The window, then the block that is being filled.
    history: Vec<u8>,
    /// Where the frame begins in the history, or 0 if that is gone.
    frame: usize,
    /// Where the block begins.
    block: usize,
    offsets: Offsets,
    sequences: Sequences,
    blocks: BlockWriter,
    checksum: XxHash64,
    pending: Pending,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The header of the frame is not written.
    Before,
    Within,
    Ended,
}

impl Encoder {
    /// Makes frames of `frame_length` bytes of contents each (at least one byte); the last one may have less.
    pub(super) fn new(level: i32, frame_length: u64) -> Self {
        let level = Level::new(level);
        Self {
            level,
            frame_length: frame_length.max(1),
            taken: 0,
            finder: None,
            history: Vec::new(),
            frame: 0,
            block: 0,
            offsets: START,
            sequences: Sequences::default(),
            blocks: BlockWriter::new(level.codes_literals),
            checksum: XxHash64::with_seed(0),
            pending: Pending::default(),
            state: State::Before,
        }
    }

    /// Writes the header of the frame (RFC 8878 section 3.1.1.1): with a window, or with the length of the contents
    /// where it is known already.
    fn header(&self, length: Option<usize>, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        match length {
            None => out.extend_from_slice(&[HAS_CHECKSUM, (self.level.window_log as u8 - 10) << 3]),
            Some(length @ 0..256) => {
                out.extend_from_slice(&[HAS_CHECKSUM | IS_SINGLE_SEGMENT, length as u8]);
            }
            Some(length) => {
                out.push(HAS_CHECKSUM | IS_SINGLE_SEGMENT | 2 << 6);
                out.extend_from_slice(&(length as u32).to_le_bytes());
            }
        }
    }

    /// Begins the next frame, which knows nothing of those before it. What the finder still remembers of them lies
    /// below the lowest place, so nothing has to be cleared.
    fn begin(&mut self) {
        self.frame = self.history.len();
        self.taken = 0;
        self.offsets = START;
        self.blocks.reset();
        self.checksum = XxHash64::with_seed(0);
        self.state = State::Before;
    }

    /// Compresses the block as it is now.
    fn block(&mut self, is_last: bool) {
        let length = self.history.len() - self.block;
        let mut out = std::mem::take(self.pending.refill());
        if self.state == State::Before {
            self.header(is_last.then_some(length), &mut out);
            self.state = State::Within;
        }
        let contents = &self.history[self.block..];
        self.checksum.write(contents);
        let finder = self.finder.get_or_insert_with(|| self.level.finder(is_last.then_some(length)));
        let window = 1 << self.level.window_log;
        let lowest = self.frame.max(self.history.len().saturating_sub(window));
        let mut offsets = self.offsets;
        self.sequences.begin(length);
        finder.find(&self.history, self.block, lowest, &mut offsets, &mut self.sequences);
        if self.blocks.write(contents, &self.sequences, is_last, &mut out) == Written::Compressed {
            self.offsets = offsets;
        }
        if is_last {
            out.extend_from_slice(&(self.checksum.finish() as u32).to_le_bytes());
            self.state = State::Ended;
        }
        *self.pending.refill() = out;
        self.block = self.history.len();
    }

    /// Makes room for another block.
    fn make_room(&mut self) {
        let window = 1 << self.level.window_log;
        // Moving a window once for each window of input costs less than a tenth of the fastest level.
        let most = window + window.min(4 << 20) + MAX_BLOCK;
        if self.history.capacity() < most {
            self.history.reserve_exact(most - self.history.len());
        }
        if self.history.len() + MAX_BLOCK > most {
            let gone = self.history.len() - window;
            self.history.copy_within(gone.., 0);
            self.history.truncate(window);
            self.frame = self.frame.saturating_sub(gone);
            self.block -= gone;
            if let Some(finder) = &mut self.finder {
                finder.slide(gone);
            }
        }
    }
}

impl Coder for Encoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut taken = 0;
        while self.pending.drain(output) && taken < input.len() {
            let left_of_frame = usize::try_from(self.frame_length - self.taken).unwrap_or(usize::MAX);
            let left_of_block = MAX_BLOCK - (self.history.len() - self.block);
            let count = left_of_block.min(left_of_frame).min(input.len() - taken);
            if count == 0 {
                // Only now that more input has come do we know that the block before it was not the last one.
                self.block(left_of_frame == 0);
                self.make_room();
                if self.state == State::Ended {
                    self.begin();
                }
                continue;
            }
            self.history.extend_from_slice(&input[taken..taken + count]);
            taken += count;
            self.taken += count as u64;
        }
        Ok(taken)
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        if self.pending.drain(output) && self.state != State::Ended {
            self.block(true);
        }
        Ok(self.pending.drain(output))
    }
}
