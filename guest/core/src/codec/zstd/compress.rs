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
mod index;
mod known;
mod level;
mod literals;
mod section;
mod sequences;
mod statistics;
mod tables;

use std::{hash::Hasher as _, num::NonZero, rc::Rc};

use twox_hash::XxHash64;

use self::{
    block::{BlockWriter, MAX_BLOCK, Written},
    finder::{Finder, Offsets},
    level::Level,
    sequences::Sequences,
};
pub(super) use self::{known::Known, statistics::Statistics};
use super::{
    super::{CodecError, Coder, pending::Pending},
    symbols::FIRST_OFFSETS,
};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const HAS_CHECKSUM: u8 = 1 << 2;
const IS_SINGLE_SEGMENT: u8 = 1 << 5;

/// A compressor.
pub(super) struct Encoder {
    level: Level,
    /// What each frame begins with.
    dictionary: Option<Rc<Known>>,
    /// Contents of a frame, after which another begins.
    frame_length: u64,
    /// Contents of this frame, so far.
    taken: u64,
    /// Made when there is something to find.
    finder: Option<Box<dyn Finder>>,
    /// The dictionary's content as long as it is in reach, or the window; then the block that is being filled.
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
    pub(super) fn new(level: i32, frame_length: u64, dictionary: Option<Rc<Known>>) -> Self {
        let level = Level::new(level);
        let mut encoder = Self {
            level,
            dictionary,
            frame_length: frame_length.max(1),
            taken: 0,
            finder: None,
            history: Vec::new(),
            frame: 0,
            block: 0,
            offsets: FIRST_OFFSETS,
            sequences: Sequences::default(),
            blocks: BlockWriter::new(level.codes_literals),
            checksum: XxHash64::with_seed(0),
            pending: Pending::default(),
            state: State::Before,
        };
        encoder.begin();
        encoder
    }

    /// Writes the header of the frame (RFC 8878 section 3.1.1.1): with a window, or with the length of the contents
    /// where it is known already.
    fn header(&self, length: Option<usize>, out: &mut Vec<u8>) {
        let id = self.dictionary.as_ref().and_then(|known| known.prior().id).map_or(0, NonZero::get);
        let (id_flag, id_length) = match id {
            0 => (0, 0),
            1..0x100 => (1, 1),
            0x100..0x1_0000 => (2, 2),
            _ => (3, 4),
        };
        // A length that fits one byte is never written in two, so that these begin there.
        let (length_flag, length, length_length) = match length {
            None => (0, 0, 0),
            Some(length @ ..0x100) => (IS_SINGLE_SEGMENT, length, 1),
            Some(length @ ..0x1_0100) => (IS_SINGLE_SEGMENT | 1 << 6, length - 0x100, 2),
            Some(length) => (IS_SINGLE_SEGMENT | 2 << 6, length, 4),
        };
        out.extend_from_slice(&MAGIC);
        out.push(HAS_CHECKSUM | id_flag | length_flag);
        if length_length == 0 {
            out.push((self.level.window_log as u8 - 10) << 3);
        }
        out.extend_from_slice(&id.to_le_bytes()[..id_length]);
        out.extend_from_slice(&length.to_le_bytes()[..length_length]);
    }

    /// Begins the next frame, which knows nothing of those before it. What the finder still remembers of them lies
    /// below the lowest place, so nothing has to be cleared; but of a dictionary it may have forgotten much.
    fn begin(&mut self) {
        let known = self.dictionary.as_deref();
        if let Some(known) = known {
            let content = known.prior().content();
            self.finder = None;
            self.history.clear();
            self.history.reserve(content.len() + MAX_BLOCK);
            self.history.extend_from_slice(content);
            self.block = self.history.len();
        }
        self.frame = self.history.len();
        self.taken = 0;
        self.offsets = known.map_or(FIRST_OFFSETS, |known| known.prior().offsets);
        self.blocks.reset(known.and_then(Known::tables));
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
        let lowest = self.lowest();
        let known_length = is_last.then_some(length);
        let finder = self.finder.get_or_insert_with(|| match &self.dictionary {
            None => self.level.finder(known_length),
            Some(known) => known.finder(self.level, known_length),
        });
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

    /// Before this, no match of the block may begin.
    fn lowest(&self) -> usize {
        let (window, end) = (1 << self.level.window_log, self.history.len());
        // Section 5: a dictionary is in reach, as a whole, until a window has gone by.
        match self.dictionary {
            Some(_) if end - self.frame <= window => 0,
            _ => self.frame.max(end.saturating_sub(window)),
        }
    }

    /// Makes room for another block.
    fn make_room(&mut self) {
        let window = 1 << self.level.window_log;
        let dictionary = self.dictionary.as_ref().map_or(0, |known| known.prior().content().len());
        // Moving a window once for each window of input costs less than a tenth of the fastest level.
        let most = dictionary + window + window.min(4 << 20) + MAX_BLOCK;
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
