//! Decompression of any number of members.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{
    super::{Codec, CodecError, CodecErrorKind, pending::is_full},
    SCRATCH,
    header::{HeaderError, Parser},
};

const DAMAGED: &str = "the deflate data is damaged";

/// See [`decoder`](super::decoder).
pub(super) struct Decoder {
    state: State,
    inflate: Decompress,
    scratch: Box<[u8]>,
    crc: Crc,
    taken: u64,
    /// Where the current member begins in the input.
    member: u64,
}

enum State {
    Header(Parser),
    Body,
    /// CRC-32 and length of the member: so many of the bytes are there.
    Trailer([u8; 8], usize),
    /// After a member.
    Between,
    /// Zeros after the last member.
    Padding,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            state: State::Header(Parser::new()),
            inflate: Decompress::new(false),
            scratch: vec![0; SCRATCH].into(),
            crc: Crc::new(),
            taken: 0,
            member: 0,
        }
    }

    /// One step of inflate; returns how many bytes were taken and made.
    fn inflate(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(usize, usize), CodecError> {
        let room = (output.capacity() - output.len()).min(SCRATCH);
        let (total_in, total_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, &mut self.scratch[..room], FlushDecompress::None);
        let taken = self.inflate.total_in() - total_in;
        let made = (self.inflate.total_out() - total_out) as usize;
        self.taken += taken;
        let status = status.map_err(|_| self.corrupted(DAMAGED))?;

        let contents = &self.scratch[..made];
        self.crc.update(contents);
        output.extend_from_slice(contents);
        if status == Status::StreamEnd {
            self.state = State::Trailer([0; 8], 0);
        }
        Ok((taken as usize, made))
    }

    /// Takes one byte of what is around the deflate data.
    fn framing(&mut self, byte: u8) -> Result<(), CodecError> {
        match &mut self.state {
            State::Header(header) => match header.push(byte) {
                Ok(false) => {}
                Ok(true) => {
                    self.inflate.reset(false);
                    self.crc.reset();
                    self.state = State::Body;
                }
                Err(HeaderError::NotGzip) if self.member > 0 => return Err(self.junk(self.member)),
                Err(error) => return Err(self.corrupted(error.as_str())),
            },
            // Taken by `inflate`.
            State::Body => {}
            State::Trailer(bytes, have) => {
                bytes[*have] = byte;
                *have += 1;
                if let (8, [c0, c1, c2, c3, l0, l1, l2, l3]) = (*have, *bytes) {
                    if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc.sum() {
                        return Err(self.corrupted("the CRC-32 of the gzip data does not match"));
                    }
                    if u32::from_le_bytes([l0, l1, l2, l3]) != self.crc.amount() {
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

impl Codec for Decoder {
    fn push(&mut self, mut input: &[u8], output: &mut Vec<u8>) -> Result<usize, CodecError> {
        let pushed = input.len();
        loop {
            if let State::Body = self.state {
                if is_full(output) {
                    break;
                }
                let (taken, made) = self.inflate(input, output)?;
                if taken == 0 && made == 0 && matches!(self.state, State::Body) {
                    // With input and room, inflate always moves; else the caller would call for ever.
                    if input.is_empty() { break } else { return Err(self.corrupted(DAMAGED)) }
                }
                input = &input[taken..];
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
