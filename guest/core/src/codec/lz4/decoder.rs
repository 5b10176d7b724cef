//! Decompression of any number of frames, block by block.

use std::hash::Hasher as _;

use twox_hash::XxHash32;

use super::{
    super::{CodecError, CodecErrorKind, Coder, gather::Gather},
    contents::Contents,
    frame::{self, Header, Part, Start, corrupted},
};

/// See [`decoder`](super::decoder).
pub(super) struct Decoder {
    gather: Gather,
    state: State,
    /// Of the current frame.
    header: Header,
    contents: Contents,
    /// Of the contents of the current frame so far.
    checksum: XxHash32,
    made: u64,
    /// Whether there was any frame, skippable or not.
    begun: bool,
}

#[derive(Clone, Copy)]
enum State {
    /// Before a frame, or after the last one.
    Between,
    /// This many bytes of a skippable frame are still to come.
    Skipping(u64),
    Block,
    Draining,
    Checksum,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            gather: Gather::default(),
            state: State::Between,
            header: Header::default(),
            contents: Contents::default(),
            checksum: XxHash32::with_seed(0),
            made: 0,
            begun: false,
        }
    }

    /// Goes on until the input or the room in the output is used up.
    fn advance(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<(), CodecError> {
        loop {
            let (at, header) = (self.gather.at(), self.header);
            self.state = match self.state {
                State::Between => {
                    let length = |bytes: &[u8]| frame::start_length(bytes, at);
                    let Some(start) = self.gather.piece(input, length)? else { return Ok(()) };
                    let start = frame::start(start, at)?;
                    self.begun = true;
                    match start {
                        Start::Skippable(count) => State::Skipping(count),
                        Start::Frame(header) => {
                            self.header = header;
                            self.contents.clear();
                            (self.checksum, self.made) = (XxHash32::with_seed(0), 0);
                            State::Block
                        }
                    }
                }
                State::Skipping(0) => State::Between,
                State::Skipping(count) => match self.gather.skip(input, count) {
                    0 => return Ok(()),
                    skipped => State::Skipping(count - skipped),
                },
                State::Block => {
                    let length = |bytes: &[u8]| frame::part_length(bytes, &header, at);
                    let Some(piece) = self.gather.piece(input, length)? else { return Ok(()) };
                    let (most, is_linked) = (header.max_block, header.is_linked);
                    match frame::part(piece, &header, at)? {
                        Part::EndMark => self.end(at)?,
                        Part::Uncompressed(block) => {
                            self.contents.store(block, most, is_linked);
                            self.made(at)?
                        }
                        Part::Compressed(block) => {
                            let decompressed = self.contents.decompress(block, most, is_linked);
                            decompressed.map_err(|_| corrupted(at, "the lz4 data is damaged"))?;
                            self.made(at)?
                        }
                    }
                }
                State::Draining if self.contents.drain(output) => State::Block,
                State::Draining => return Ok(()),
                State::Checksum => {
                    let Some(told) = self.gather.piece(input, |_| Ok(4))? else { return Ok(()) };
                    if told != self.checksum.finish_32().to_le_bytes() {
                        return Err(corrupted(at, "the checksum of the lz4 frame does not match"));
                    }
                    State::Between
                }
            };
        }
    }

    /// After a block.
    fn made(&mut self, at: u64) -> Result<State, CodecError> {
        let block = self.contents.block();
        self.made += block.len() as u64;
        if self.header.contents.is_some_and(|told| self.made > told) {
            return Err(other_length(at));
        }
        if self.header.has_checksum {
            self.checksum.write(block);
        }
        Ok(State::Draining)
    }

    /// After the end mark.
    fn end(&self, at: u64) -> Result<State, CodecError> {
        if self.header.contents.is_some_and(|told| self.made != told) {
            return Err(other_length(at));
        }
        Ok(if self.header.has_checksum { State::Checksum } else { State::Between })
    }
}

fn other_length(at: u64) -> CodecError {
    corrupted(at, "the length of the lz4 frame is not the one that its header tells")
}

impl Coder for Decoder {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut rest = input;
        self.advance(&mut rest, output)?;
        Ok(input.len() - rest.len())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        self.push(&[], output)?;
        match self.state {
            State::Between if self.begun && self.gather.unfinished().is_empty() => Ok(true),
            State::Draining => Ok(false),
            _ => {
                let message = "the lz4 data is cut off";
                Err(CodecError::new(CodecErrorKind::Truncated, self.gather.taken(), message))
            }
        }
    }
}
