//! Decompression of any number of frames, block by block.

use std::num::NonZero;

use super::{
    super::{CodecError, CodecErrorKind, Coder, DecoderLimits, gather::Gather},
    frame::{self, Header, Start},
};

/// Decompresses the blocks of one frame after the other.
pub(super) trait Engine {
    /// The dictionary that each frame begins with: its number, if it has one, and the length of its content.
    fn dictionary(&self) -> Option<(Option<NonZero<u32>>, u64)> {
        None
    }

    /// Takes the header of a frame, parsed and as bytes. The frame before has been drained completely.
    fn start(&mut self, header: &Header, bytes: &[u8]) -> Result<(), Damaged>;

    /// Takes a whole block with its header.
    fn block(&mut self, block: &[u8]) -> Result<(), Damaged>;

    /// Appends what is there within the capacity of `output`; returns whether that was all for now.
    fn drain(&mut self, output: &mut Vec<u8>) -> Result<bool, Damaged>;

    /// Whether the contents of the frame, which are drained by now, have that checksum.
    fn has_checksum(&mut self, checksum: [u8; 4]) -> bool;
}

/// The data cannot be decompressed.
#[derive(Debug)]
pub(super) struct Damaged;

pub(super) struct Decoder<E> {
    engine: E,
    gather: Gather,
    state: State,
    /// Of the current frame.
    header: Header,
    /// How many bytes the current frame gave so far.
    made: u64,
    max_window: u64,
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
    /// Draining a block, which may be the last one.
    Draining {
        is_last: bool,
    },
    Checksum,
}

impl<E: Engine> Decoder<E> {
    pub(super) fn new(engine: E, limits: DecoderLimits) -> Self {
        Self {
            engine,
            gather: Gather::default(),
            state: State::Between,
            header: Header { window: 0, contents: None, dictionary: 0, has_checksum: false },
            made: 0,
            max_window: limits.window(),
            begun: false,
        }
    }

    /// Goes on until the input or the room in the output is used up.
    fn advance(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<(), CodecError> {
        loop {
            let at = self.gather.at();
            match self.state {
                State::Between => {
                    let Some(start) = self.gather.piece(input, |bytes| frame::start_length(bytes, at))?
                    else {
                        return Ok(());
                    };
                    self.begun = true;
                    self.state = match frame::start(start) {
                        Start::Skippable(count) => State::Skipping(count),
                        Start::Frame(header) => {
                            admit(&header, self.engine.dictionary(), self.max_window, at)?;
                            self.engine.start(&header, start).map_err(|Damaged| damaged(at))?;
                            self.header = header;
                            self.made = 0;
                            State::Block
                        }
                    };
                }
                State::Skipping(0) => self.state = State::Between,
                State::Skipping(count) => match self.gather.skip(input, count) {
                    0 => return Ok(()),
                    skipped => self.state = State::Skipping(count - skipped),
                },
                State::Block => {
                    let max_block = self.header.max_block();
                    let length = |bytes: &[u8]| frame::block_length(bytes, max_block, at);
                    let Some(block) = self.gather.piece(input, length)? else { return Ok(()) };
                    self.engine.block(block).map_err(|Damaged| damaged(at))?;
                    self.state = State::Draining { is_last: frame::is_last(block) };
                }
                State::Draining { is_last } => {
                    let before = output.len();
                    let drained = self.engine.drain(output).map_err(|Damaged| damaged(at))?;
                    self.made += (output.len() - before) as u64;
                    if !drained {
                        return Ok(());
                    }
                    if self
                        .header
                        .contents
                        .is_some_and(|told| self.made > told || is_last && self.made < told)
                    {
                        let message = "the length of the zstd frame is not the one that its header tells";
                        return Err(CodecError::new(CodecErrorKind::Corrupted, at, message));
                    }
                    self.state = match is_last {
                        false => State::Block,
                        true if self.header.has_checksum => State::Checksum,
                        true => State::Between,
                    };
                }
                State::Checksum => {
                    let Some(checksum) = self.gather.piece(input, |_| Ok(4))? else { return Ok(()) };
                    if !checksum.try_into().is_ok_and(|checksum| self.engine.has_checksum(checksum)) {
                        let message = "the checksum of the zstd frame does not match";
                        return Err(CodecError::new(CodecErrorKind::Corrupted, at, message));
                    }
                    self.state = State::Between;
                }
            }
        }
    }
}

/// Refuses a frame that needs more than there is.
///
/// As with zstd(1), a frame that names no dictionary begins with the one that there is.
fn admit(
    header: &Header,
    dictionary: Option<(Option<NonZero<u32>>, u64)>,
    max_window: u64,
    at: u64,
) -> Result<(), CodecError> {
    let (needed, given) = (header.dictionary, dictionary.map(|(id, _)| id));
    if needed != 0 && given != Some(NonZero::new(needed)) {
        let what = match given {
            None => "which is needed".to_owned(),
            Some(None) => "and the one that is given has no number".to_owned(),
            Some(Some(given)) => format!("and the one that is given is {given}"),
        };
        let message = format!("it was compressed with the zstd dictionary {needed}, {what}");
        return Err(CodecError::new(CodecErrorKind::Unsupported, at, message));
    }
    let content = dictionary.map_or(0, |(_, content)| content);
    if content > max_window {
        let message = format!("the zstd dictionary has {content} bytes, and `max-window` is {max_window}");
        return Err(CodecError::new(CodecErrorKind::LimitExceeded, at, message));
    }
    if header.window > max_window {
        let needed = header.window;
        let message = if needed > DecoderLimits::MAX_WINDOW {
            let most = DecoderLimits::MAX_WINDOW;
            format!("the zstd frame needs a window of {needed} bytes, and `max-window` can be {most} at most")
        } else {
            format!("the zstd frame needs a window of {needed} bytes, and `max-window` is {max_window}")
        };
        return Err(CodecError::new(CodecErrorKind::LimitExceeded, at, message));
    }
    Ok(())
}

fn damaged(at: u64) -> CodecError {
    CodecError::new(CodecErrorKind::Corrupted, at, "the zstd data is damaged")
}

impl<E: Engine> Coder for Decoder<E> {
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let mut rest = input;
        self.advance(&mut rest, output)?;
        Ok(input.len() - rest.len())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        self.push(&[], output)?;
        match self.state {
            State::Between if self.begun && self.gather.unfinished().is_empty() => Ok(true),
            State::Draining { .. } => Ok(false),
            _ => {
                let message = "the zstd data is cut off";
                Err(CodecError::new(CodecErrorKind::Truncated, self.gather.taken(), message))
            }
        }
    }
}

/// Appends to a vector within its capacity, and no more.
pub(super) struct Room<'a>(pub(super) &'a mut Vec<u8>);

impl std::io::Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = bytes.len().min(self.0.capacity() - self.0.len());
        self.0.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
