//! Decompression of any number of members.

use super::{
    super::{CodecError, CodecErrorKind, Coder, crc::CRC32, pending::is_full},
    header::{HeaderError, Parser},
};

const DAMAGED: &str = "the deflate data is damaged";

/// The data is not what deflate makes.
#[derive(Debug)]
pub(super) struct Damaged;

/// What unpacks the deflate data of a member.
pub(super) trait Inflate {
    /// Begins another member.
    fn reset(&mut self);

    /// Takes input, and appends contents within the capacity of `output`. `true`: the data has ended, and all of it is
    /// out; [`unused`](Self::unused) has the bytes that were taken and not used. Otherwise the output is full, or all
    /// input was taken.
    ///
    /// # Errors
    /// Reported once everything before the damage is out.
    fn inflate(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<bool, Damaged>;

    /// How many bytes were taken and not used, at most seven.
    fn unused_count(&self) -> u64 {
        0
    }

    /// The next of them, after the end of the data.
    fn unused(&mut self) -> Option<u8> {
        None
    }
}

/// See [`decoder`](super::decoder).
pub(super) struct Decoder<I> {
    state: State,
    inflate: I,
    crc: u32,
    /// The length of the member so far, modulo 2^32.
    length: u32,
    taken: u64,
    /// Where the current member begins in the input.
    member: u64,
}

enum State {
    Header(Parser),
    Body,
    /// CRC-32 and length of the member: how many of their bytes are there.
    Trailer([u8; 8], usize),
    /// After a member.
    Between,
    /// Zeros after the last member.
    Padding,
}

impl<I: Inflate> Decoder<I> {
    pub(super) fn new(inflate: I) -> Self {
        Self { state: State::Header(Parser::new()), inflate, crc: 0, length: 0, taken: 0, member: 0 }
    }

    /// One step of inflate; returns whether it reached the end of the input or of the output.
    fn body(&mut self, input: &mut &[u8], output: &mut Vec<u8>) -> Result<bool, CodecError> {
        let (before, pushed) = (output.len(), input.len());
        let ended = self.inflate.inflate(input, output);
        self.taken += (pushed - input.len()) as u64;
        self.crc = CRC32.update(self.crc, &output[before..]);
        self.length = self.length.wrapping_add((output.len() - before) as u32);
        match ended {
            Ok(false) => Ok(is_full(output) || input.is_empty()),
            Ok(true) => {
                self.taken -= self.inflate.unused_count();
                self.state = State::Trailer([0; 8], 0);
                while let Some(byte) = self.inflate.unused() {
                    self.framing(byte)?;
                    self.taken += 1;
                }
                Ok(false)
            }
            Err(Damaged) => {
                self.taken -= self.inflate.unused_count();
                Err(self.corrupted(DAMAGED))
            }
        }
    }

    /// Takes one byte of what is around the deflate data.
    fn framing(&mut self, byte: u8) -> Result<(), CodecError> {
        match &mut self.state {
            State::Header(header) => match header.push(byte) {
                Ok(false) => {}
                Ok(true) => {
                    self.inflate.reset();
                    (self.crc, self.length) = (0, 0);
                    self.state = State::Body;
                }
                Err(HeaderError::NotGzip) if self.member > 0 => return Err(self.junk(self.member)),
                Err(error) => return Err(self.corrupted(error.as_str())),
            },
            // Taken by `body`.
            State::Body => {}
            State::Trailer(bytes, have) => {
                bytes[*have] = byte;
                *have += 1;
                if let (8, [c0, c1, c2, c3, l0, l1, l2, l3]) = (*have, *bytes) {
                    if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc {
                        return Err(self.corrupted("the CRC-32 of the gzip data does not match"));
                    }
                    if u32::from_le_bytes([l0, l1, l2, l3]) != self.length {
                        return Err(self.corrupted("the length of the gzip data does not match"));
                    }
                    self.state = State::Between;
                }
            }
            State::Between if byte == 0 => self.state = State::Padding,
            State::Between => {
                self.member = self.taken;
                self.state = State::Header(Parser::new());
                return self.framing(byte);
            }
            State::Padding if byte == 0 => {}
            State::Padding => return Err(self.junk(self.taken)),
        }
        Ok(())
    }

    fn corrupted(&self, message: &'static str) -> CodecError {
        CodecError::new(CodecErrorKind::Corrupted, self.taken, message)
    }

    fn junk(&self, offset: u64) -> CodecError {
        CodecError::new(CodecErrorKind::Corrupted, offset, "bytes that are not gzip follow the gzip data")
    }
}

impl<I: Inflate> Coder for Decoder<I> {
    fn push(&mut self, mut input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let pushed = input.len();
        loop {
            if let State::Body = self.state {
                if self.body(&mut input, output)? {
                    break;
                }
            } else {
                let Some((&byte, rest)) = input.split_first() else { break };
                self.framing(byte)?;
                self.taken += 1;
                input = rest;
            }
        }
        Ok(pushed - input.len())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<bool, CodecError> {
        self.push(&[], output)?;
        match self.state {
            State::Between | State::Padding => Ok(true),
            State::Body if is_full(output) => Ok(false),
            _ => Err(CodecError::new(CodecErrorKind::Truncated, self.taken, "the gzip data is cut off")),
        }
    }
}
